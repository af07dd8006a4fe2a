"""Assets: list and upload, look at one, change it, put it into the trash."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive import trash
from archive.access import Shows, find_seen, person
from archive.api.errors import Refused
from archive.api.pages import NewestFirst
from archive.api.shapes import AssetFilters, AssetShape, Change, Upload, UploadFields
from archive.incoming import IncomingFile, RefusedFile
from archive.ingest import Ingested, ingest_file, refuse_behind_backlog
from archive.models import Asset, Collection, Status
from archive.models.assets import may_upload_to
from archive.models.work import Priority
from archive.moving import hold_collections, move
from archive.tags import with_tags
from archive.video.progress import progress_of_each

NOT_OPEN = "There is no such collection, or you may not add to it."
UNDER_REVIEW = "This picture is under review. It shows up when somebody has looked at it and let it through."
NO_FILE = "Send one file, in a multipart form, as “file”."


class AssetsView(APIView):
    shows = Shows.VISIBLE
    pagination_class = NewestFirst

    @property
    def throttle_scope(self) -> str:
        return "upload" if self.request.method == "POST" else "api"

    @extend_schema(operation_id="list_assets", parameters=[AssetFilters], responses=AssetShape(many=True))
    def get(self, request: Request) -> Response:
        """The assets that you may see, newest first."""
        filters = _valid(AssetFilters(data=request.query_params))
        found = Asset.objects.visible_to(person(request)).select_related("collection", "uploader")
        if filters.get("collection"):
            found = found.filter(collection__slug=filters["collection"])
        found = found.filter(**{name: filters[name] for name in ("kind", "status") if filters.get(name)})
        pages = self.pagination_class()
        page = pages.paginate_queryset(with_tags(found), request, self) or []
        progress = progress_of_each(asset for asset in page if asset.status == Status.PENDING)
        return pages.get_paginated_response(AssetShape(page, many=True, context={"progress": progress}).data)

    @extend_schema(
        operation_id="upload_asset",
        request={"multipart/form-data": Upload},
        responses={201: AssetShape, 200: AssetShape},
    )
    def post(self, request: Request) -> Response:
        """201 with a new asset, or 200 with the one of this collection that has these bytes already."""
        user = person(request)
        fields = UploadFields(data=request.data)
        problems = {} if fields.is_valid() else dict(fields.errors)
        files = request.FILES.getlist("file")
        if len(files) != 1:
            problems["file"] = [NO_FILE]
        if problems:
            raise ValidationError(problems)
        wanted = fields.validated_data
        taken = take(files[0], open_collection(user, wanted["collection"]), user, wanted)
        if taken.asset.quarantined and not taken.new:
            raise Refused("under_review", UNDER_REVIEW, 409)
        status = 201 if taken.new else 200
        headers = {"Location": reverse("api_asset", args=[taken.asset.uuid])}
        return Response(AssetShape(taken.asset).data, status=status, headers=headers)


class AssetView(APIView):
    shows = Shows.VISIBLE

    @extend_schema(operation_id="show_asset", responses=AssetShape)
    def get(self, request: Request, asset: uuid.UUID) -> Response:
        return Response(AssetShape(find_seen(person(request), asset)).data)

    @extend_schema(operation_id="change_asset", request=Change, responses=AssetShape)
    def patch(self, request: Request, asset: uuid.UUID) -> Response:
        """For curators: words, another collection, back from the trash."""
        user = person(request)
        found = find_to_curate(user, asset)
        change = _valid(Change(data=request.data))
        place = open_collection(user, change["collection"]) if "collection" in change else found.collection
        with transaction.atomic():
            hold_collections([place.pk])  # before the asset itself is locked
            kept = Asset.objects.filter(pk=found.pk)
            words = {name: change[name] for name in ("title", "caption") if name in change}
            if words:
                kept.update(**words)
            if "trashed" in change:
                (trash.trash if change["trashed"] else trash.restore)(kept)
            if move(kept, place).there_already:
                raise Refused("already_there", f"“{place}” has the same picture already. Trash one of the two.", 409)
        return Response(AssetShape(Asset.objects.select_related("collection", "uploader").get(pk=found.pk)).data)

    @extend_schema(operation_id="trash_asset", responses={204: None})
    def delete(self, request: Request, asset: uuid.UUID) -> Response:
        """For curators: into the trash, from which PATCH with `trashed: false` brings it back for some weeks."""
        found = find_to_curate(person(request), asset)
        trash.trash(Asset.objects.filter(pk=found.pk))
        return Response(status=204)


def find_to_curate(user: User, asset: uuid.UUID) -> Asset:
    """404 for what `user` may not see, 403 for what they see and may not change."""
    found = find_seen(user, asset)
    if not found.may_be_curated_by(user):
        raise PermissionDenied("Only curators of its collection may change this asset.")
    return found


def open_collection(user: User, slug: str) -> Collection:
    """One that `user` may add to. The same words whether it is missing or closed: neither is theirs to know."""
    found = may_upload_to(user).filter(slug=slug).first()
    if found is None:
        raise ValidationError({"collection": [NOT_OPEN]})
    return found


def take(file: UploadedFile[Any], collection: Collection, user: User, words: dict[str, str]) -> Ingested:
    """The asset comes with its words in one transaction, before a worker could read words from the file."""
    if isinstance(file, RefusedFile):
        raise file.refusal
    assert isinstance(file, IncomingFile)
    refuse_behind_backlog(Priority.BULK)
    with transaction.atomic():
        name = file.name or "unnamed"
        taken = ingest_file(file.incoming, collection=collection, uploader=user, filename=name)
        if taken.new:
            taken.asset.title, taken.asset.caption = words.get("title", ""), words.get("caption", "")
            taken.asset.save(update_fields=["title", "caption"])
    return taken


def _valid(fields: Any) -> dict[str, Any]:
    fields.is_valid(raise_exception=True)
    found: dict[str, Any] = fields.validated_data
    return found
