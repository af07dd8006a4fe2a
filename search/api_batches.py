"""Acting on all that a query finds, or on single assets, by the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive import deeds
from archive.access import Shows, person
from archive.api.batches import BatchShape, ListedBatchShape
from archive.api.errors import Refused
from archive.api.pages import NewestCollectionsFirst
from archive.batches import SetChanged, make_batch, read_order
from archive.models import Action, Batch
from search.acting import MOST_PICKED, Choice, choose_all, choose_picked
from search.api import as_words, read_query, unanswered
from search.api_shapes import TERMS
from search.failures import NotAnswered
from search.query import BadQuery

if TYPE_CHECKING:
    Plain = serializers.Serializer[Any]
else:
    Plain = serializers.Serializer

NOTHING_CHOSEN = "Send either “query” (an empty object is everything that you may see) or “assets”, a list of ids."


class NewBatch(Plain):
    action = serializers.CharField(max_length=20)
    query = serializers.DictField(required=False, allow_null=True)
    assets = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=MOST_PICKED)
    tags = serializers.ListField(child=serializers.CharField(), required=False, max_length=1000)
    collection = serializers.CharField(required=False, allow_blank=True, max_length=100)
    sidecars = serializers.BooleanField(required=False)
    expected = serializers.IntegerField(required=False, min_value=0)


AS_JSON = {
    "type": "object",
    "required": ["action"],
    "properties": {
        "action": {"type": "string", "enum": [str(a) for a in Action if a != Action.RESTORE]},
        "query": {"type": "object", "properties": TERMS, "description": "As of a search; {} is everything"},
        "assets": {"type": "array", "items": {"type": "string", "format": "uuid"}, "maxItems": MOST_PICKED},
        "tags": {"type": "array", "items": {"type": "string"}, "description": "For tag and untag"},
        "collection": {"type": "string", "description": "For move: the slug of where to"},
        "sidecars": {"type": "boolean", "description": "For download: an XMP file with its tags beside each picture"},
        "expected": {"type": "integer", "description": "Refuse if it is not so many", "minimum": 0},
    },
}


class BatchesView(APIView):
    shows = Shows.SELF
    pagination_class = NewestCollectionsFirst
    throttle_scope = "search"

    @extend_schema(operation_id="list_batches", responses=ListedBatchShape(many=True))
    def get(self, request: Request) -> Response:
        """Yours, newest first."""
        pages = self.pagination_class()
        page = pages.paginate_queryset(Batch.objects.filter(owner=person(request)), request, self) or []
        return pages.get_paginated_response(ListedBatchShape(page, many=True).data)

    @extend_schema(operation_id="begin_batch", request={"application/json": AS_JSON}, responses={202: BatchShape})
    def post(self, request: Request) -> Response:
        """Act on all that a query finds (of a ranked one what matches well, at most 1,000), as far as you may."""
        user = person(request)
        fields = NewBatch(data=request.data)
        fields.is_valid(raise_exception=True)
        asked = fields.validated_data
        try:
            choice = _choice(asked, request)
            arguments = {
                "tags": asked.get("tags"),
                "collection": asked.get("collection", "").replace("\0", ""),
                "sidecars": asked.get("sidecars", False),
            }
            order = read_order(asked["action"], arguments, user, choice.what, choice.params)
            made = make_batch(order, user, choice.assets, str(asked.get("expected", "")))
        except BadQuery as error:
            raise ValidationError(error.fields) from error
        except NotAnswered as error:
            raise unanswered(error) from error
        except deeds.Refused as error:
            raise ValidationError({error.name: str(error)} if error.name else str(error)) from error
        except SetChanged as error:
            raise Refused("set_changed", str(error), 409) from error
        return Response(BatchShape(made).data, status=202, headers={"Location": f"{request.path}/{made.uuid}"})


def _choice(asked: dict[str, Any], request: Request) -> Choice:
    user = person(request)
    if ("assets" in asked) == (asked.get("query") is not None):
        raise ValidationError({"query": NOTHING_CHOSEN})
    if "assets" in asked:
        return choose_picked([str(one) for one in asked["assets"]], user)
    return choose_all(read_query(as_words(asked["query"])), user)
