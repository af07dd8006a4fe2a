"""Search as JSON: the same engine as the page, the same words in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive.access import Shows, person
from archive.api.errors import Refused
from archive.decoder.refusals import DecoderError
from archive.incoming import RefusedFile
from search import failures
from search.answers import TOLD, as_dict
from search.api_shapes import AS_FORM, AS_JSON, PARAMETERS, AnswerShape
from search.engine import search
from search.pictures import keep_picture
from search.query import BadQuery, Query

# Code, status, and after how many seconds asking again may help.
WHY_NOT: dict[type[failures.NotAnswered], tuple[str, int, int | None]] = {
    failures.EncoderUnavailable: ("encoder_unavailable", 503, 5),
    failures.NoSpace: ("no_space", 503, 60),
    failures.NotEncodedYet: ("not_encoded_yet", 409, 5),
    failures.NotForYou: ("not_for_you", 403, None),
    failures.PictureExpired: ("picture_expired", 410, None),
    failures.StaleCursor: ("stale_cursor", 410, None),
    failures.TooSlow: ("too_slow", 503, 5),
    failures.UnknownAsset: ("not_found", 404, None),
}
UNKNOWN = "A search has no such part; /api/v1/schema lists them."
UNREADABLE = {"unsupported": ("unsupported_media", 415), "empty": ("empty_file", 400), "too_large": ("too_large", 413)}


class SearchView(APIView):
    shows = Shows.VISIBLE
    throttle_scope = "search"

    @extend_schema(operation_id="search", parameters=PARAMETERS, responses=AnswerShape)
    def get(self, request: Request) -> Response:
        """The closest assets that you may see; without terms the newest."""
        return answered(read_query(request.query_params.dict()), request)

    @extend_schema(
        operation_id="search_by_picture",
        request={"multipart/form-data": AS_FORM, "application/json": AS_JSON},
        responses=AnswerShape,
    )
    def post(self, request: Request) -> Response:
        """As GET, with a reference picture as `image` if you like.

        What was sent is not stored. Its reduced picture stays in memory for an hour, for you alone:
        `Content-Location` is where GET gives this answer again, and with `offset` and `cursor` its next pages.
        """
        query = read_query({**request.query_params.dict(), **read_body(request)})
        image = request.FILES.get("image")
        if image is not None:
            query = replace(query, picture=take_picture(image, request))
        return answered(query, request)


def read_query(params: Mapping[str, str]) -> Query:
    """A misspelt filter would be no filter at all: programs are told, where a page would look away."""
    unknown = {name: UNKNOWN for name in params if name not in Query.names()}
    if unknown:
        raise ValidationError(unknown)
    try:
        return Query.from_params(params)
    except BadQuery as error:
        raise ValidationError(error.fields) from error


def read_body(request: Request) -> dict[str, str]:
    """Terms as text, from a form or from JSON."""
    return as_words(request.data)


def as_words(data: Any) -> dict[str, str]:
    if not isinstance(data, Mapping):
        raise ValidationError("Send an object with the terms of the search, such as {“q”: “a red boat”}.")
    words: dict[str, str] = {}
    problems: dict[str, str] = {}
    for name, value in data.items():
        match value:
            case bool():
                words[name] = "1" if value else ""
            case str() | int() | float():
                words[name] = str(value)
            case UploadedFile():
                pass
            case _:
                problems[name] = "Send text or a number."
    if "image" in words:
        problems["image"] = "Send the picture as a file, in a multipart form."
    if problems:
        raise ValidationError(problems)
    return words


def take_picture(image: UploadedFile[Any], request: Request) -> str:
    if isinstance(image, RefusedFile):
        raise image.refusal
    try:
        return keep_picture(image, person(request))
    except DecoderError as error:
        code, status = UNREADABLE.get(getattr(error, "code", ""), ("unreadable_picture", 400))
        raise Refused(code, str(error), status) from error
    except failures.NotAnswered as error:
        raise unanswered(error) from error


def answered(query: Query, request: Request) -> Response:
    try:
        found = as_dict(search(query, person(request), TOLD))
    except BadQuery as error:
        raise ValidationError(error.fields) from error
    except failures.NotAnswered as error:
        raise unanswered(error) from error
    headers = {"Content-Location": query.url(request.path)} if query.picture else {}
    return Response(found, headers=headers)


def unanswered(error: failures.NotAnswered) -> Refused:
    code, status, wait = WHY_NOT.get(type(error), ("not_answered", 503, 5))
    return Refused(code, str(error), status, wait)
