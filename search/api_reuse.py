"""Where else the footage of a video is, as JSON."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive.access import Shows, find_seen, person
from search.reuse import find_reuse

if TYPE_CHECKING:
    Plain = serializers.Serializer[Any]
else:
    Plain = serializers.Serializer


@extend_schema_serializer(component_name="Stretch")
class StretchShape(Plain):
    start = serializers.FloatField(help_text="Seconds of this video")
    end = serializers.FloatField()
    other_start = serializers.FloatField(help_text="Seconds of the other")
    other_end = serializers.FloatField()
    mirrored = serializers.BooleanField()


@extend_schema_serializer(component_name="Reused")
class ReusedShape(Plain):
    asset = serializers.UUIDField(source="asset.uuid")
    filename = serializers.CharField(source="asset.filename")
    title = serializers.CharField(source="asset.title")
    url = serializers.CharField(source="asset.get_absolute_url", help_text="The page about it")
    stretches = StretchShape(many=True)


@extend_schema_serializer(component_name="Reuse")
class ReuseShape(Plain):
    results = ReusedShape(source="films", many=True)
    whole = serializers.BooleanField(help_text="false: there was more to compare than the time allowed; ask again")
    crowded = serializers.BooleanField(
        help_text="true: some shots have more close ones than the 16 that are compared, so there may be more"
    )


class ReuseView(APIView):
    shows = Shows.VISIBLE
    throttle_scope = "search"

    @extend_schema(operation_id="list_reuse", responses=ReuseShape)
    def get(self, request: Request, asset: uuid.UUID) -> Response:
        """Other videos that you may see and that show a stretch of this one, those with the most of it first."""
        user = person(request)
        return Response(ReuseShape(find_reuse(user, find_seen(user, asset))).data)
