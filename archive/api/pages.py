"""Pages of lists: an opaque cursor, so that nothing repeats or is lost while new assets come in."""

from __future__ import annotations

from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

from django.core.signing import BadSignature, Signer
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

MOST = 200
NOT_OURS = "This is not a cursor from `next` or `previous` of this list. Leave it out to begin at the first page."


class NewestFirst(CursorPagination):
    """{"next", "previous", "results"}; `next` and `previous` are whole addresses or null.

    Cursors are signed for their list: whatever else comes back from strangers never reaches the database.
    """

    ordering = ("-added_at", "-id")
    page_size = 60
    page_size_query_param = "limit"
    max_page_size = MOST

    def encode_cursor(self, cursor: Cursor) -> str:
        address: str = super().encode_cursor(cursor)
        (plain,) = parse_qs(urlsplit(address).query)[self.cursor_query_param]
        return replace_query_param(address, self.cursor_query_param, self._signer.sign(plain))

    def decode_cursor(self, request: Request) -> Cursor | None:
        signed = request.query_params.get(self.cursor_query_param)
        if not signed:
            return None
        try:
            plain = self._signer.unsign(signed)
        except BadSignature:
            raise ValidationError({self.cursor_query_param: NOT_OURS}) from None
        # Of the request it reads this parameter and nothing else.
        return super().decode_cursor(SimpleNamespace(query_params={self.cursor_query_param: plain}))  # type: ignore[arg-type]

    @property
    def _signer(self) -> Signer:
        return Signer(salt=f"cursor of {type(self).__name__}")


class NewestCollectionsFirst(NewestFirst):
    ordering = ("-created_at", "-id")


class ByName(CursorPagination):
    """Of tags: their folded names are unique, and text is all that a cursor's position can be."""

    ordering = ("folded",)
    page_size = NewestFirst.page_size
    page_size_query_param = NewestFirst.page_size_query_param
    max_page_size = MOST

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor = super().decode_cursor(request)
        if cursor is not None and "\0" in str(cursor.position):
            raise ValidationError({"cursor": "This is not a cursor from `next` or `previous`."})
        return cursor
