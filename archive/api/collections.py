"""Collections: list, create, look at one."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive.access import Shows, person
from archive.api.pages import NewestCollectionsFirst
from archive.api.shapes import CollectionShape, NewCollection, Paging
from archive.models import Collection
from archive.models.assets import may_upload_to
from archive.models.collections import CURATING
from archive.shelves import SlugTaken, create_collection


class CollectionsView(APIView):
    shows = Shows.VISIBLE
    pagination_class = NewestCollectionsFirst

    @extend_schema(operation_id="list_collections", parameters=[Paging], responses=CollectionShape(many=True))
    def get(self, request: Request) -> Response:
        """The collections that you may see, newest first."""
        user = person(request)
        Paging(data=request.query_params).is_valid(raise_exception=True)
        pages = self.pagination_class()
        seen = Collection.objects.visible_to(user).select_related("owner")
        page = pages.paginate_queryset(seen, request, self) or []
        return pages.get_paginated_response(CollectionShape(page, many=True, context=_rights(user)).data)

    @extend_schema(operation_id="create_collection", request=NewCollection, responses={201: CollectionShape})
    def post(self, request: Request) -> Response:
        """A new collection of your own."""
        user = person(request)
        fields = NewCollection(data=request.data)
        fields.is_valid(raise_exception=True)
        try:
            made = create_collection(owner=user, **fields.validated_data)
        except SlugTaken as error:
            raise ValidationError({"slug": str(error)}) from error
        return Response(CollectionShape(made, context=_rights(user)).data, status=201)


class CollectionView(APIView):
    shows = Shows.VISIBLE

    @extend_schema(operation_id="show_collection", responses=CollectionShape)
    def get(self, request: Request, slug: str) -> Response:
        user = person(request)
        found = Collection.objects.visible_to(user).select_related("owner").filter(slug=slug).first()
        if found is None:
            raise Http404
        return Response(CollectionShape(found, context=_rights(user)).data)


def _rights(user: User) -> dict[str, Any]:
    """Two statements, however many collections are shown."""
    return {
        "uploads": set(may_upload_to(user).values_list("pk", flat=True)),
        "curates": set(Collection.objects.open_to(user, CURATING).values_list("pk", flat=True)),
    }
