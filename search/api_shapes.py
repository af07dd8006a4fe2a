"""The words of the search API, for its schema. Answers are ready dicts (search.answers)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema_serializer
from rest_framework import serializers

from archive.models import Kind
from search.query import MAX_LIMIT, MAX_TEXT

if TYPE_CHECKING:
    Plain = serializers.Serializer[Any]
else:
    Plain = serializers.Serializer

EXAMPLE = "6f1e0d9c-7b1c-4f3f-9d9e-2f4f1f0a1b2c"
TEXT = {"type": "string", "maxLength": MAX_TEXT}
TERMS: dict[str, dict[str, Any]] = {
    "q": {**TEXT, "description": "What to look for, in words", "example": "a red boat"},
    "without": {**TEXT, "description": "What to leave out, in words; beside another term"},
    "like": {"type": "string", "format": "uuid", "description": "An asset to find similar ones of"},
    "picture": {"type": "string", "description": "A reference picture sent before, for an hour (Content-Location)"},
    "collection": {"type": "string", "description": "The slug of a collection"},
    "kind": {"type": "string", "enum": list(Kind.values)},
    "from": {"type": "string", "format": "date", "description": "Taken (else added) on this day or later"},
    "to": {"type": "string", "format": "date", "description": "Taken (else added) on this day or before"},
    "limit": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 60},
    "offset": {"type": "integer", "minimum": 0, "maximum": 1000, "default": 0},
    "exact": {"type": "boolean", "default": False, "description": "Compare with everything, without the index"},
}
PARAMETERS = [OpenApiParameter(name, type=shape) for name, shape in TERMS.items()]
AS_JSON = {"type": "object", "properties": TERMS}
AS_FORM = {
    "type": "object",
    "properties": {"image": {"type": "string", "format": "binary", "description": "A reference picture"}, **TERMS},
}


@extend_schema_serializer(component_name="Moment")
class MomentShape(Plain):
    """Seconds of a video; a photo has one moment at 0."""

    start = serializers.FloatField()
    end = serializers.FloatField()
    at = serializers.FloatField()
    score = serializers.FloatField()


@extend_schema_serializer(component_name="Hit")
class HitShape(Plain):
    asset = serializers.UUIDField()
    filename = serializers.CharField()
    score = serializers.FloatField(help_text="Higher is closer; comparable inside one answer only")
    rank = serializers.IntegerField(help_text="From 1")
    moments = MomentShape(many=True)
    url = serializers.CharField(help_text="The page about it")
    thumbnail = serializers.CharField(allow_null=True)


@extend_schema_serializer(
    component_name="Answer",
    examples=[
        OpenApiExample(
            "Words",
            description="GET search?q=a+red+boat&limit=1",
            response_only=True,
            value={
                "hits": [
                    {
                        "asset": EXAMPLE,
                        "filename": "boat.jpg",
                        "score": 0.3124,
                        "rank": 1,
                        "moments": [{"start": 0.0, "end": 0.0, "at": 0.0, "score": 0.3124}],
                        "url": f"/assets/{EXAMPLE}/",
                        "thumbnail": f"/api/v1/assets/{EXAMPLE}/thumbnail",
                    }
                ],
                "plan": "exact",
                "space": "drawn-scenes",
                "asked": 1,
                "got": 1,
                "took": {"encode": 1.9, "neighbours": 2.3, "hits": 0.8},
                "more": True,
            },
        )
    ],
)
class AnswerShape(Plain):
    hits = HitShape(many=True)
    plan = serializers.ChoiceField(["exact", "hnsw", "newest"])
    space = serializers.CharField(allow_blank=True)
    asked = serializers.IntegerField()
    got = serializers.IntegerField()
    took = serializers.DictField(child=serializers.FloatField(), help_text="Milliseconds a step")
    more = serializers.BooleanField(help_text="Whether there is a next page: ask again with a larger offset")
