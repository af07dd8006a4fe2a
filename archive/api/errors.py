"""One shape for every error: {"error": {"code", "message", "fields"}}."""

from typing import Any

from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler


def one_shape(error: Exception, context: dict[str, Any]) -> Response | None:
    response = exception_handler(error, context)
    if response is None:
        return None
    code = getattr(error, "default_code", "error") if isinstance(error, APIException) else "not_found"
    fields = error.detail if isinstance(error, ValidationError) and isinstance(error.detail, dict) else {}
    detail = response.data.get("detail") if isinstance(response.data, dict) else None
    message = str(detail or "Some fields are not as they should be.")
    response.data = {"error": {"code": str(code), "message": message, "fields": fields}}
    return response
