"""Tags on the page of an asset."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from archive.access import find_curated, person, visible_only
from archive.models import Asset
from archive.tag_names import BadTag, clean_names
from archive.tags import add_tags, remove_tags


@visible_only
@require_POST
def retag(request: HttpRequest, asset: uuid.UUID) -> HttpResponse:
    """Put on what stands in `add`, take off what stands in `remove`."""
    user = person(request)
    found = find_curated(user, asset)
    this = Asset.objects.filter(pk=found.pk)
    try:
        add_tags(this, clean_names(request.POST.getlist("add")), user)
        remove_tags(this, clean_names(request.POST.getlist("remove")), user)
    except BadTag as error:
        messages.error(request, str(error))
    return redirect(f"{found.get_absolute_url()}#tags")
