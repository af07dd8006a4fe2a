"""Tags: which there are, and those of one asset."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive.access import Shows, find_seen, person
from archive.api.assets import find_to_curate
from archive.api.pages import ByName
from archive.api.shapes import AssetShape, TagFilters, Tags, TagShape
from archive.models import Asset
from archive.models.concepts import fold
from archive.tag_names import BadTag, clean_name, clean_names
from archive.tags import add_tags, count_tags, remove_tags, seen_tags, set_tags


class TagsView(APIView):
    shows = Shows.VISIBLE
    pagination_class = ByName

    @extend_schema(operation_id="list_tags", parameters=[TagFilters], responses=TagShape(many=True))
    def get(self, request: Request) -> Response:
        """The tags of what you may see, by name."""
        filters = TagFilters(data=request.query_params)
        filters.is_valid(raise_exception=True)
        user = person(request)
        found = seen_tags(user)
        if begins := filters.validated_data.get("q"):
            found = found.filter(folded__startswith=fold(_name(begins)))
        pages = self.pagination_class()
        page = pages.paginate_queryset(found, request, self) or []
        counts = count_tags(user, page)
        told = [{"name": tag.name, "slug": tag.slug, "count": counts[tag.pk]} for tag in page if tag.pk in counts]
        return pages.get_paginated_response(TagShape(told, many=True).data)


class AssetTagsView(APIView):
    shows = Shows.VISIBLE

    @extend_schema(operation_id="set_tags", request=Tags, responses=AssetShape)
    def put(self, request: Request, asset: uuid.UUID) -> Response:
        """For curators: exactly these tags, and no others."""
        user = person(request)
        found = find_to_curate(user, asset)
        fields = Tags(data=request.data)
        fields.is_valid(raise_exception=True)
        try:
            set_tags(found, clean_names(fields.validated_data["tags"]), user)
        except BadTag as error:
            raise ValidationError({"tags": str(error)}) from error
        return _answer(request, asset)


class AssetTagView(APIView):
    shows = Shows.VISIBLE

    @extend_schema(operation_id="add_tag", request=None, responses=AssetShape)
    def put(self, request: Request, asset: uuid.UUID, name: str) -> Response:
        """For curators: this tag beside the others. A new name makes a new tag."""
        user = person(request)
        found = find_to_curate(user, asset)
        try:
            add_tags(Asset.objects.filter(pk=found.pk), [_one_name(name)], user)
        except BadTag as error:
            raise ValidationError({"name": str(error)}) from error
        return _answer(request, asset)

    @extend_schema(operation_id="remove_tag", responses={204: None})
    def delete(self, request: Request, asset: uuid.UUID, name: str) -> Response:
        """For curators: without this tag, whether it was there or not."""
        user = person(request)
        found = find_to_curate(user, asset)
        remove_tags(Asset.objects.filter(pk=found.pk), [_one_name(name)], user)
        return Response(status=204)


def _answer(request: Request, asset: uuid.UUID) -> Response:
    return Response(AssetShape(find_seen(person(request), asset)).data)


def _one_name(written: str) -> str:
    name = _name(written)
    if not name or "," in name:
        raise ValidationError({"name": "Name one tag; commas separate tags."})
    return name


def _name(written: str) -> str:
    try:
        return clean_name(written)
    except BadTag as error:
        raise ValidationError({"name": str(error)}) from error
