"""Zero-shot classification as JSON."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive.access import Shows, person
from search.api import read_query, unanswered
from search.api_shapes import PARAMETERS, Plain
from search.classifying import MOST as MOST_ASSETS
from search.classifying import TOP, Classified, classify_all, classify_asset, classify_query
from search.failures import NotAnswered
from search.query import MAX_DEPTH, BadQuery
from search.zero_shot import MOST, read_names

OWN = [
    OpenApiParameter(
        "labels",
        type={"type": "string", "maxLength": 8000, "description": "What it may be, with commas between"},
        required=True,
    ),
    OpenApiParameter("asset", type={"type": "string", "format": "uuid", "description": "This one, not a search's"}),
    OpenApiParameter("top", type={"type": "integer", "minimum": 1, "maximum": MOST, "default": TOP}),
]


PAGED = {"limit", "offset", "cursor"}


class Asked(Plain):
    asset = serializers.UUIDField(required=False)
    top = serializers.IntegerField(min_value=1, max_value=MOST, default=TOP)


@extend_schema_serializer(component_name="Guess")
class GuessShape(Plain):
    label = serializers.CharField(  # type: ignore[assignment]
        allow_null=True, help_text="null: none of these"
    )
    probability = serializers.FloatField(help_text="Of all labels and the background they add up to 1")
    there = serializers.BooleanField(help_text="Whether the picture shows it well, whatever the other labels")


@extend_schema_serializer(component_name="ClassifiedAsset")
class ClassifiedAssetShape(Plain):
    asset = serializers.UUIDField()
    filename = serializers.CharField()
    guesses = GuessShape(many=True)


@extend_schema_serializer(component_name="Classified")
class ClassifiedShape(Plain):
    space = serializers.CharField()
    independent = serializers.BooleanField(help_text="The model judges each label by itself: they add up to nothing")
    found = serializers.IntegerField(help_text="How many assets the question found; of a page, how many it has")
    whole = serializers.BooleanField(
        help_text=f"Whether these are all; without a limit the first {MOST_ASSETS:,}, of a ranking {MAX_DEPTH:,}"
    )
    assets = ClassifiedAssetShape(many=True)


class ClassifyView(APIView):
    shows = Shows.VISIBLE
    throttle_scope = "search"

    @extend_schema(operation_id="classify", parameters=[*OWN, *PARAMETERS], responses=ClassifiedShape)
    def get(self, request: Request) -> Response:
        """Which of some labels an asset is, or each of those that a search finds: all of them, with `limit` a page."""
        params = request.query_params.dict()
        labels = params.pop("labels", "")
        asked = Asked(data={name: params.pop(name) for name in ("asset", "top") if name in params})
        asked.is_valid(raise_exception=True)
        return Response(self._classify(request, labels, asked, params).as_dict())

    def _classify(self, request: Request, labels: str, asked: Asked, params: dict[str, str]) -> Classified:
        asset, top = asked.validated_data.get("asset"), asked.validated_data["top"]
        if asset and params:
            raise ValidationError(dict.fromkeys(params, "Name an asset, or what to search for, not both."))
        try:
            names = read_names(labels)
            if asset:
                return classify_asset(asset, person(request), names, top)
            classify = classify_query if params.keys() & PAGED else classify_all
            return classify(read_query(params), person(request), names, top)
        except BadQuery as error:
            raise ValidationError(error.fields) from error
        except NotAnswered as error:
            raise unanswered(error) from error
