"""The near-duplicates of an asset."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive.access import Shows, find_seen, person
from archive.api.shapes import DuplicatesShape
from archive.duplicates import lookalikes


class DuplicatesView(APIView):
    shows = Shows.VISIBLE

    @extend_schema(operation_id="list_duplicates", responses=DuplicatesShape)
    def get(self, request: Request, asset: uuid.UUID) -> Response:
        """Those of its look-alikes that you may see and that nobody decided about, the same picture first."""
        user = person(request)
        return Response(DuplicatesShape({"results": lookalikes(user, find_seen(user, asset))}).data)
