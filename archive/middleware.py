"""What every request passes through."""

import logging
import sys
from collections.abc import Callable
from http import HTTPStatus

from django.db.utils import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.defaults import server_error

from archive.access import wants_json
from archive.allowance import asking

log = logging.getLogger(__name__)
OUTAGES = (OperationalError, InterfaceError)


AWAY = {"code": "database_unavailable", "message": "The database does not answer. Try again in a moment.", "fields": {}}
BROKEN = {
    "code": "server_error",
    "message": "Something broke here, and stands in the log. Try again, or tell whoever runs this archive.",
    "fields": {},
}


def outage(request: HttpRequest) -> HttpResponse:
    log.error("database: %s", sys.exc_info()[1])
    if for_programs(request):
        response: HttpResponse = JsonResponse({"error": AWAY}, status=503)
    else:
        response = render(request, "503.html", status=503)
    response["Retry-After"] = "5"
    return response


def unexpected(request: HttpRequest) -> HttpResponse:
    """The site's handler500. Files are parsed, and their sender asked for, before `process_exception` would hear."""
    if isinstance(sys.exc_info()[1], OUTAGES):
        return outage(request)
    return JsonResponse({"error": BROKEN}, status=500) if for_programs(request) else server_error(request)


def for_programs(request: HttpRequest) -> bool:
    """Whether the answer is read by a program, which cannot do anything with a page."""
    return request.path_info.startswith("/api/") or wants_json(request)


def database_outage(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Postgres away is a 503 that says so, not a 500: everything comes back with it."""

    def respond(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, error: Exception) -> HttpResponse | None:
        return outage(request) if isinstance(error, OUTAGES) else None

    respond.process_exception = process_exception  # type: ignore[attr-defined]
    return respond


def count_questions(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """New questions are counted for whoever asks; who is put off is told for how long. The API has its own rates."""

    def respond(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/api/"):
            return get_response(request)
        with asking(request) as asker:
            response = get_response(request)
        if asker.wait and response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            response["Retry-After"] = str(asker.wait)
        return response

    return respond


def interrupted_uploads(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Half-received files go with their request: Django tells its handlers nothing of a broken connection."""

    def respond(request: HttpRequest) -> HttpResponse:
        try:
            return get_response(request)
        finally:
            for handler in request.upload_handlers:
                handler.upload_interrupted()

    return respond
