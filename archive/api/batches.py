"""Batches: look at one, take it back, fetch its file. Searching begins them (search.api_batches)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.http import Http404, HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive import deeds
from archive.access import Shows, person
from archive.api.errors import Refused
from archive.api.files import FileView
from archive.batches import undo, why_left
from archive.models import Action, Batch, BatchState

if TYPE_CHECKING:
    BatchSerializer = serializers.ModelSerializer[Batch]
    Plain = serializers.Serializer[Any]
else:
    BatchSerializer, Plain = serializers.ModelSerializer, serializers.Serializer


class LeftShape(Plain):
    why = serializers.CharField()
    count = serializers.IntegerField()


@extend_schema_serializer(component_name="BatchInList")
class ListedBatchShape(BatchSerializer):
    batch = serializers.UUIDField(source="uuid")
    what = serializers.CharField(help_text="What was chosen, in words")
    url = serializers.CharField(source="get_absolute_url", help_text="The page about it")
    download = serializers.SerializerMethodField(help_text="The zip file, for a day; null where there is none")

    class Meta:
        model = Batch
        fields: tuple[str, ...] = (
            *("batch", "action", "arguments", "what", "state", "total", "done", "skipped", "undone", "kept"),
            *("error", "created_at", "finished_at", "url", "download"),
        )

    def get_download(self, batch: Batch) -> str | None:
        made = batch.action == Action.DOWNLOAD and batch.state == BatchState.DONE and batch.done
        return reverse("api_batch_file", args=[batch.uuid]) if made else None


@extend_schema_serializer(component_name="Batch")
class BatchShape(ListedBatchShape):
    left = serializers.SerializerMethodField(help_text="Why some were skipped, or kept as they are when it was undone")

    class Meta(ListedBatchShape.Meta):
        fields = (*ListedBatchShape.Meta.fields, "left")

    @extend_schema_field(LeftShape(many=True))
    def get_left(self, batch: Batch) -> Any:
        return [] if batch.is_open else [{"why": why, "count": count} for why, count in why_left(batch)]


class BatchView(APIView):
    shows = Shows.SELF

    @extend_schema(operation_id="show_batch", responses=BatchShape)
    def get(self, request: Request, batch: uuid.UUID) -> Response:
        """How far it is, and what became of it."""
        return Response(BatchShape(find_mine(person(request), batch)).data)


class UndoView(APIView):
    shows = Shows.SELF

    @extend_schema(operation_id="undo_batch", request=None, responses={202: BatchShape})
    def post(self, request: Request, batch: uuid.UUID) -> Response:
        """Take back what it did, but not what somebody changed since. What is not done yet is not done any more."""
        found = find_mine(person(request), batch)
        try:
            return Response(BatchShape(undo(found)).data, status=202)
        except deeds.Refused as error:
            raise Refused("already_undone", str(error), 409) from error


class BatchFileView(FileView):
    shows = Shows.SELF

    @extend_schema(operation_id="download_batch", responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: Request, batch: uuid.UUID) -> HttpResponseBase:
        return self.pass_on(request, reverse("download_batch", args=[batch]))


def find_mine(user: User, batch: uuid.UUID) -> Batch:
    found = Batch.objects.filter(uuid=batch, owner=user).first()
    if found is None:
        raise Http404
    return found
