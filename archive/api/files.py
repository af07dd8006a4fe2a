"""The bytes of assets for those who come with a token: answered by the pages' own views."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponseBase
from django.urls import resolve, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from archive.access import Shows


class FileView(APIView):
    """By its address and not by import: one view decides who gets which bytes, and with which headers."""

    shows = Shows.VISIBLE

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, Any]:
        """`Accept: image/webp` is no reason to refuse a picture; only errors are JSON."""
        return super().perform_content_negotiation(request, force=True)

    def pass_on(self, request: Request, page: str) -> HttpResponseBase:
        found = resolve(page)
        answer: HttpResponseBase = found.func(request._request, *found.args, **found.kwargs)
        return answer


class OriginalView(FileView):
    @extend_schema(operation_id="download_original", responses={(200, "*/*"): OpenApiTypes.BINARY})
    def get(self, request: Request, asset: uuid.UUID) -> HttpResponseBase:
        return self.pass_on(request, reverse("original", args=[asset]))


class RenditionView(FileView):
    @extend_schema(operation_id="show_rendition", responses={(200, "image/webp"): OpenApiTypes.BINARY})
    def get(self, request: Request, asset: uuid.UUID, spec: str) -> HttpResponseBase:
        """`thumbnail` or `preview`."""
        return self.pass_on(request, reverse("rendition", args=[asset, spec]))
