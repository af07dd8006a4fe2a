"""Files handed over to the server in front of the web: Django says who may have one, nginx or Apache sends it.

So a slow reader of a large original holds a connection there, and no thread here. docs/settings.md says how that server
has to be set up.
"""

from __future__ import annotations

from urllib.parse import quote

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import HttpResponse
from django.utils.http import content_disposition_header

NGINX, SENDFILE = "nginx", "x-sendfile"
LOCATION = "/sightline-files/"  # `internal` in nginx: nobody gets there but by an answer of ours


def hand_over(name: str, media_type: str, save_as: str = "") -> HttpResponse | None:
    """An answer without a body for the file `name` in the storage, which the server in front fills, in parts where
    these are asked for. None where no server is set up for that. Raises FileNotFoundError.

    Whether the person may have it is to be asked before.
    """
    if not settings.SIGHTLINE_ACCEL:
        return None
    if not default_storage.exists(name):
        raise FileNotFoundError(name)
    answer = HttpResponse(content_type=media_type)
    if settings.SIGHTLINE_ACCEL == NGINX:
        answer.headers["X-Accel-Redirect"] = LOCATION + quote(name)
    else:
        answer.headers["X-Sendfile"] = default_storage.path(name)
    if save_as:
        answer.headers["Content-Disposition"] = content_disposition_header(True, save_as) or "attachment"
    return answer
