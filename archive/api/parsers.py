"""Bodies that are not files: short ones only, and read strictly.

The framework's own parsers read without a limit, and Python's JSON reader takes half a
surrogate pair for text (which Postgres does not) and dies of ten thousand open brackets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.core.exceptions import RequestDataTooBig
from django.http import QueryDict
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

LIMIT = 2**20


class ShortJSONParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return orjson.loads(_read(stream))
        except orjson.JSONDecodeError as error:
            raise ParseError(f"This is not JSON: {error}.") from error


class ShortFormParser(BaseParser):
    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> QueryDict:
        return QueryDict(_read(stream), encoding="utf-8")


def _read(stream: IO[Any]) -> bytes:
    body: bytes = stream.read(LIMIT + 1)
    if len(body) > LIMIT:
        raise RequestDataTooBig
    return body
