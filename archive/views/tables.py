"""Vocabulary and tags as tables: out for everybody who sees them, in for curators."""

from __future__ import annotations

from typing import BinaryIO, cast

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.timezone import localdate
from django.views.decorators.http import require_http_methods, require_safe

from archive.access import person, visible_only
from archive.exchange.concept_import import import_vocabulary
from archive.exchange.concept_rows import VOCABULARY, concept_rows
from archive.exchange.tag_import import import_tags
from archive.exchange.tag_rows import TAGS, tag_rows
from archive.exchange.tally import NotImported, Tally
from archive.exchange.writing import FORMATS, write
from archive.incoming import RefusedFile
from archive.models import Collection
from archive.models.collections import CURATING

# A request must end; the command takes any number.
MOST_BYTES = 8 * 2**20
IMPORTS = {"tags": import_tags, "vocabulary": import_vocabulary}
TOO_LONG = "At most {} MB here. `manage.py {} import` takes any number of lines."


@visible_only
@require_http_methods(["GET", "HEAD", "POST"])
def tables(request: HttpRequest) -> HttpResponse:
    """POST with a file says what it would change, or changes it."""
    user = person(request)
    context: dict[str, object] = {
        "curates": _may_import(user),
        "table": request.POST.get("table", ""),
        "here": "tables",
    }
    status = 200
    if request.method == "POST":
        if not context["curates"]:
            raise Http404
        try:
            context |= {"told": _take(request, user), "dry_run": "check" in request.POST}
        except NotImported as error:
            context |= {"told": error.tally, "problem": str(error)}
            status = 400
        except ValueError as error:
            context["problem"] = str(error)
            status = 400
    return render(request, "archive/tables.html", context, status=status)


@visible_only
@require_safe
def table_file(request: HttpRequest) -> HttpResponseBase:
    """`table` and `format` in the address; made while it is sent."""
    table, kind = request.GET.get("table", ""), request.GET.get("format", "csv")
    if table not in IMPORTS or kind not in FORMATS:
        raise Http404
    user = person(request)
    rows, columns = (tag_rows(user), TAGS) if table == "tags" else (concept_rows(user), VOCABULARY)
    response = StreamingHttpResponse(write(rows, columns.known, kind), content_type=FORMATS[kind])
    response.headers["Content-Disposition"] = f'attachment; filename="sightline-{table}-{localdate()}.{kind}"'
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _may_import(user: User) -> bool:
    return Collection.objects.open_to(user, CURATING).exists()


def _take(request: HttpRequest, user: User) -> Tally:
    """Raises `NotImported`, and `ValueError` in words for people."""
    table = request.POST.get("table", "")
    if table not in IMPORTS:
        raise ValueError("Say whether these are tags or the vocabulary.")
    file = request.FILES.get("file")
    if file is None:
        raise ValueError("No file came along. Choose a CSV or JSON file.")
    if isinstance(file, RefusedFile):
        raise ValueError(str(file.refusal))
    if (file.size or 0) > MOST_BYTES:
        raise ValueError(TOO_LONG.format(MOST_BYTES // 2**20, table))
    dry_run, leave_out = "check" in request.POST, "leave_out_wrong" in request.POST
    return IMPORTS[table](cast(BinaryIO, file.file), user, dry_run=dry_run, leave_out_wrong=leave_out)
