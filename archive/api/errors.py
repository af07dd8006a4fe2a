"""One shape for every error: {"error": {"code", "message", "fields"}}."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db.utils import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from archive.incoming import StorageFull, TooLarge
from archive.ingest import BacklogTooLong, EmptyFile
from archive.sniff import UnsupportedMedia

# What a person reads where the framework's own words tell nobody what to do.
SENTENCES = {
    "not_authenticated": "Log in first: POST a name and a password to /api/v1/token, then send "
    "“Authorization: Token ...” with every request.",
    "not_found": "There is nothing here, or you may not see it.",
    "permission_denied": "You may look at this, but not change it.",
}
REFUSALS: dict[type[Exception], tuple[str, int]] = {
    UnsupportedMedia: ("unsupported_media", 415),
    TooLarge: ("too_large", 413),
    StorageFull: ("storage_full", 507),
    EmptyFile: ("empty_file", 400),
    BacklogTooLong: ("backlog", 503),
}


class Refused(exceptions.APIException):
    """An answer that is an error: its code, a sentence, the HTTP status, and seconds until trying again helps."""

    def __init__(self, code: str, message: str, status: int, wait: float | None = None) -> None:
        super().__init__(message, code)
        self.status_code = status
        self.wait = wait


def one_shape(error: Exception, context: dict[str, Any]) -> Response | None:
    """None for errors that nobody expected: those are a 500 and belong into the log."""
    known = _translated(error)
    response = exception_handler(known, context)
    if response is None:
        return None
    assert isinstance(known, exceptions.APIException)
    response.data = {"error": _described(known)}
    return response


def _translated(error: Exception) -> Exception:
    """Errors of Django and of the archive, in the API's terms."""
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied(SENTENCES["permission_denied"])
    if isinstance(error, (OperationalError, InterfaceError)):
        return Refused("database_unavailable", "The database does not answer. Try again in a moment.", 503, 5)
    return _refusal(error) or error


def _refusal(error: Exception) -> Refused | None:
    if type(error) in REFUSALS:
        code, status = REFUSALS[type(error)]
        return Refused(code, str(error), status, getattr(error, "wait", None))
    if isinstance(error, RequestDataTooBig):
        return Refused("too_large", "The fields of this request are too long. Only files may be large.", 413)
    if isinstance(error, SuspiciousOperation):
        return Refused("bad_request", f"This request cannot be read: {error}", 400)
    return None


def _described(error: exceptions.APIException) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        return _invalid(error.detail)
    code = getattr(error.detail, "code", error.default_code)
    message = str(error.detail)
    if message == str(error.default_detail):  # nobody found better words
        message = SENTENCES.get(code, message)
    if isinstance(error, exceptions.Throttled):
        wait = round(getattr(error, "wait", None) or 1)
        message = f"Too many requests. The next one is answered in {wait} seconds."
    return {"code": code, "message": message, "fields": {}}


def _invalid(detail: Any) -> dict[str, Any]:
    """`fields` says which are wrong, each in one sentence; `message` holds all of them."""
    fields = {name: _sentence(found) for name, found in detail.items()} if isinstance(detail, dict) else {}
    general = fields.pop("non_field_errors", "") if fields else _sentence(detail)
    message = " ".join([general, *(f"{name}: {sentence}" for name, sentence in fields.items())]).strip()
    return {"code": "invalid", "message": message, "fields": fields}


def _sentence(found: Any) -> str:
    if isinstance(found, dict):
        found = found.values()
    return str(found) if isinstance(found, str) else " ".join(_sentence(part) for part in found)
