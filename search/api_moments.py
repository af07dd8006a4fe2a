"""Inside one video as JSON: similarity by the second, and its moments."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive.access import Shows, person
from search import failures
from search.api import read_query, unanswered
from search.api_shapes import PARAMETERS, MomentShape
from search.inside import look_inside
from search.query import BadQuery

if TYPE_CHECKING:
    Plain = serializers.Serializer[Any]
else:
    Plain = serializers.Serializer


@extend_schema_serializer(component_name="Second")
class SecondShape(Plain):
    at = serializers.FloatField()
    score = serializers.FloatField()


@extend_schema_serializer(component_name="Inside")
class InsideShape(Plain):
    asset = serializers.UUIDField()
    duration = serializers.FloatField(allow_null=True)
    space = serializers.CharField()
    usual = serializers.FloatField(allow_null=True, help_text="The score of pictures at large")
    seconds = SecondShape(many=True, help_text="Every frame, in the order of time")
    moments = MomentShape(many=True, help_text="Up to `limit`, the closest first")


class MomentsView(APIView):
    shows = Shows.VISIBLE
    throttle_scope = "search"

    @extend_schema(operation_id="look_inside", parameters=PARAMETERS, responses=InsideShape)
    def get(self, request: Request, asset: uuid.UUID) -> Response:
        """How close each second of a video comes to the terms, and its moments. Takes the terms of a search."""
        try:
            found = look_inside(read_query(request.query_params.dict()), asset, person(request))
        except BadQuery as error:
            raise ValidationError(error.fields) from error
        except failures.NotAnswered as error:
            raise unanswered(error) from error
        return Response(
            {
                "asset": str(found.asset.uuid),
                "duration": found.asset.duration,
                "space": found.space.slug,
                "usual": found.usual,
                "seconds": [{"at": at, "score": round(score, 4)} for at, score in found.seconds],
                "moments": [
                    {"start": one.start, "end": one.end, "at": one.at, "score": one.score} for one in found.moments
                ],
            }
        )
