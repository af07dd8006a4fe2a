"""What every request passes through."""

import logging
import sys
from collections.abc import Callable

from django.db.utils import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.defaults import server_error

log = logging.getLogger(__name__)
OUTAGES = (OperationalError, InterfaceError)


def outage(request: HttpRequest) -> HttpResponse:
    log.error("database: %s", sys.exc_info()[1])
    response = render(request, "503.html", status=503)
    response["Retry-After"] = "5"
    return response


def unexpected(request: HttpRequest) -> HttpResponse:
    """The site's handler500. Files are parsed, and their sender asked for, before `process_exception` would hear."""
    return outage(request) if isinstance(sys.exc_info()[1], OUTAGES) else server_error(request)


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
