"""Pages of lists: an opaque cursor, so that nothing repeats or is lost while new assets come in."""

from __future__ import annotations

from datetime import datetime

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

MOST = 200


class NewestFirst(CursorPagination):
    """{"next", "previous", "results"}; `next` and `previous` are whole addresses or null."""

    ordering = ("-added_at", "-id")
    page_size = 60
    page_size_query_param = "limit"
    max_page_size = MOST

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Cursors come back from strangers: a broken one is their error, not the database's."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            try:
                datetime.fromisoformat(str(cursor.position))
            except ValueError:
                raise ValidationError({"cursor": "This is not a cursor from `next` or `previous`."}) from None
        return cursor


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
