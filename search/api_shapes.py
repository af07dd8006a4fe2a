"""The words of the search API, for its schema. Answers are ready dicts (search.answers)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema_serializer
from rest_framework import serializers

from archive.models import Kind
from search.query import MAX_LIMIT, MAX_TEXT, Mode, Order, Shape
from search.reading import MAX_OFFSET, MAX_SHORT
from search.weights import LEAST, MOST, USUAL

if TYPE_CHECKING:
    Plain = serializers.Serializer[Any]
else:
    Plain = serializers.Serializer

EXAMPLE = "6f1e0d9c-7b1c-4f3f-9d9e-2f4f1f0a1b2c"
TEXT = {"type": "string", "maxLength": MAX_TEXT}
LIST = {**TEXT, "description": "Names with commas between them"}
SHORT = {"type": "string", "maxLength": MAX_SHORT}
DAY = {"type": "string", "format": "date"}
SIZE = {"type": "number", "minimum": 0, "maximum": 10_000}
SECONDS = {**SIZE, "maximum": 1_000_000}
WEIGHT = {"type": "number", "minimum": LEAST, "maximum": MOST, "default": USUAL}
TERMS: dict[str, dict[str, Any]] = {
    "q": {
        **TEXT,
        "description": "What to look for, in words; “quoted words” must be written about it",
        "example": "a red boat",
    },
    "without": {
        **LIST,
        "description": "What to leave out, in words, with commas between them; beside another term. “people^2” counts"
        " double",
    },
    "like": {"type": "string", "format": "uuid", "description": "An asset to find similar ones of"},
    "at": {**SECONDS, "description": "The second of the liked video that is meant, and not the whole of it"},
    "unlike": {"type": "string", "format": "uuid", "description": "An asset whose like is left out"},
    "picture": {
        "type": "string",
        "pattern": "^[A-Za-z0-9_-]{1,40}$",
        "description": "A reference picture sent before, for an hour (Content-Location)",
    },
    "box": {"type": "string", "description": "The part that is meant: left,top,width,height as shares of the picture"},
    "balance": {"type": "number", "minimum": 0.05, "maximum": 0.95, "description": "How much words weigh beside it"},
    "pictureweight": {**WEIGHT, "description": "How much the reference picture counts beside other terms"},
    "likeweight": {**WEIGHT, "description": "How much the liked asset counts beside other terms"},
    "unlikeweight": {**WEIGHT, "description": "How much it counts that an asset's like is left out"},
    "literal": {"type": "boolean", "description": "Take “no” and “without” for words like any other"},
    "then": {**LIST, "description": "What comes after it in the same video, one after the other; words, with commas"},
    "also": {**LIST, "description": "What is also in the same video, wherever; words, with commas between them"},
    "seconds": {
        **SIZE,
        "maximum": 100_000,
        "default": 60,
        "description": "The longest pause before what comes then; 0: any",
    },
    "within": {"type": "string", "format": "uuid", "description": "Only in this asset: up to `limit` of its moments"},
    "collection": {**SHORT, "description": "The slug of a collection"},
    "kind": {"type": "string", "enum": list(Kind.values)},
    "tag": {**LIST, "description": "Any of these tags"},
    "alltags": {**LIST, "description": "All of these tags"},
    "notags": {**LIST, "description": "None of these tags"},
    "from": {**DAY, "description": "Taken (else added) on this day or later"},
    "to": {**DAY, "description": "Taken (else added) on this day or before"},
    "shape": {"type": "string", "enum": [shape.value for shape in Shape]},
    "larger": {**SIZE, "description": "Megapixels at least"},
    "smaller": {**SIZE, "description": "Megapixels at most"},
    "by": {**SHORT, "description": "Who uploaded it"},
    "placed": {"type": "string", "enum": ["yes", "no"], "description": "Whether it is known where it was taken"},
    "longer": {**SECONDS, "description": "Seconds at least"},
    "shorter": {**SECONDS, "description": "Seconds at most"},
    "name": {**SHORT, "description": "In the file name"},
    "mode": {"type": "string", "enum": [mode.value for mode in Mode], "description": "Where relevance ends"},
    "order": {"type": "string", "enum": [order.value for order in Order]},
    "limit": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 60},
    "offset": {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0},
    "cursor": {**SHORT, "description": "Of the answer before, with an `offset`: this is its next page"},
    "space": {**SHORT, "description": "For curators: ask in this space instead of the searched one"},
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
    """A shot of a video, in seconds; a photo has one moment at 0."""

    start = serializers.FloatField()
    end = serializers.FloatField()
    at = serializers.FloatField(help_text="The second to open it at: its first frame that is as close as its closest")
    score = serializers.FloatField()


@extend_schema_serializer(component_name="Hit")
class HitShape(Plain):
    asset = serializers.UUIDField()
    filename = serializers.CharField()
    score = serializers.FloatField(
        help_text="Higher is closer; comparable inside one answer only. Of a video its best frame's; of a sequence its"
        " weakest moment's, in spreads above what is usual"
    )
    share = serializers.FloatField(
        help_text="From 0 to 1: how many of pictures at large are less close. 0 where that is not known: of the newest,"
        " of a sequence, by words alone, among very few pictures"
    )
    rank = serializers.IntegerField(help_text="From 1")
    well = serializers.BooleanField(help_text="Whether it matches well, or is less certain")
    said = serializers.BooleanField(help_text="Whether the words stand in what is written about it")
    moments = MomentShape(many=True, help_text="The closest first; of a sequence in the order of its terms")
    url = serializers.CharField(help_text="The page about it; of a video at the first moment")
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
                        "share": 0.9971,
                        "rank": 1,
                        "well": True,
                        "said": False,
                        "moments": [{"start": 0.0, "end": 0.0, "at": 0.0, "score": 0.3124}],
                        "url": f"/assets/{EXAMPLE}/",
                        "thumbnail": f"/api/v1/assets/{EXAMPLE}/thumbnail",
                    }
                ],
                "plan": "exact",
                "space": "drawn-scenes",
                "asked": 1,
                "got": 1,
                "well": 4,
                "cut": False,
                "note": "",
                "took": {"words": 0.7, "encode": 1.9, "neighbours": 2.3, "judge": 0.4, "hits": 0.8},
                "more": True,
                "cursor": "0f4c1d9a27be4a5f8c6b3e2d1a09f8e7",
            },
        )
    ],
)
class AnswerShape(Plain):
    hits = HitShape(many=True)
    plan = serializers.ChoiceField(["exact", "hnsw", "shots", "newest", "words"])
    space = serializers.CharField(allow_blank=True)
    asked = serializers.IntegerField()
    got = serializers.IntegerField()
    took = serializers.DictField(child=serializers.FloatField(), help_text="Milliseconds a step")
    more = serializers.BooleanField(help_text="Whether there is a next page: ask again with offset and cursor")
    well = serializers.IntegerField(help_text="How many of all that were ranked match well; 0: nothing does")
    cut = serializers.BooleanField(help_text="Whether the words were more than the model reads")
    note = serializers.CharField(allow_blank=True, help_text="What was done otherwise than asked")
    cursor = serializers.CharField(allow_blank=True, help_text="For the next page")
