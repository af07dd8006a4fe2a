"""Saved searches as JSON."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive.access import Shows, person
from archive.api.pages import NewestCollectionsFirst
from archive.api.shapes import Paging
from archive.models import Alert, SavedSearch
from search.api import answered, as_words, read_query, unanswered
from search.api_shapes import TERMS, AnswerShape
from search.failures import NotAnswered
from search.query import BadQuery
from search.saved import change, find_seen_search, may_change, read_collection, save_search
from search.saved_shapes import NEW_AS_JSON, NewSaved, SavedChange, SavedShape

PAGING = ("offset", "cursor", "limit")
PARAMETERS = [OpenApiParameter(name, type=TERMS[name]) for name in PAGING]


class SavedSearchesView(APIView):
    shows = Shows.VISIBLE
    pagination_class = NewestCollectionsFirst

    @extend_schema(operation_id="list_saved_searches", parameters=[Paging], responses=SavedShape(many=True))
    def get(self, request: Request) -> Response:
        """Yours, and those that are shared with you, newest first."""
        user = person(request)
        Paging(data=request.query_params).is_valid(raise_exception=True)
        pages = self.pagination_class()
        seen = SavedSearch.objects.visible_to(user).select_related("owner", "collection").defer("picture", "stamp")
        page = pages.paginate_queryset(seen, request, self) or []
        return pages.get_paginated_response(SavedShape(page, many=True, context=alerting(user)).data)

    @extend_schema(operation_id="save_search", request={"application/json": NEW_AS_JSON}, responses={201: SavedShape})
    def post(self, request: Request) -> Response:
        """Give a query a name. A reference picture that was sent with a search is kept with it (its `picture`)."""
        user = person(request)
        fields = NewSaved(data=request.data)
        fields.is_valid(raise_exception=True)
        asked = fields.validated_data
        query = read_query(as_words(asked["query"]))
        try:
            made = save_search(query, asked["name"], user, read_collection(asked.get("collection") or "", user))
        except BadQuery as error:
            raise ValidationError(error.fields) from error
        except NotAnswered as error:
            raise unanswered(error) from error
        headers = {"Location": f"{request.path}/{made.uuid}"}
        return Response(SavedShape(made, context=alerting(user)).data, status=201, headers=headers)


class SavedSearchView(APIView):
    shows = Shows.VISIBLE

    @extend_schema(operation_id="show_saved_search", responses=SavedShape)
    def get(self, request: Request, saved: uuid.UUID) -> Response:
        user = person(request)
        return Response(SavedShape(find_seen_search(user, saved), context=alerting(user)).data)

    @extend_schema(operation_id="change_saved_search", request=SavedChange, responses=SavedShape)
    def patch(self, request: Request, saved: uuid.UUID) -> Response:
        """Another name, or shared with others."""
        user = person(request)
        found = find_changed(user, saved)
        fields = SavedChange(data=request.data)
        fields.is_valid(raise_exception=True)
        asked = fields.validated_data
        try:
            sharing = {}
            if "collection" in asked:
                sharing["collection"] = read_collection(asked["collection"] or "", user)
            change(found, name=asked.get("name"), **sharing)
        except BadQuery as error:
            raise ValidationError(error.fields) from error
        return Response(SavedShape(found, context=alerting(user)).data)

    @extend_schema(operation_id="delete_saved_search", request=None, responses={204: None})
    def delete(self, request: Request, saved: uuid.UUID) -> Response:
        """With all alerts on it. The pictures stay where they are."""
        find_changed(person(request), saved).delete()
        return Response(status=204)


class ResultsView(APIView):
    """A dynamic album."""

    shows = Shows.VISIBLE
    throttle_scope = "search"

    @extend_schema(operation_id="open_saved_search", parameters=PARAMETERS, responses=AnswerShape)
    def get(self, request: Request, saved: uuid.UUID) -> Response:
        """What it finds for you now, as a search answers; `offset`, `cursor` and `limit` as there."""
        found = find_seen_search(person(request), saved)
        paging = {name: value for name, value in request.query_params.dict().items() if name in PAGING}
        return answered(read_query({**found.params, **paging}), request)


def find_changed(user: User, saved: uuid.UUID) -> SavedSearch:
    found = find_seen_search(user, saved)
    if not may_change(found, user):
        raise PermissionDenied("It is shared with you, but not yours to change.")
    return found


def alerting(user: User) -> dict[str, Any]:
    """One statement, however many are shown."""
    return {"alerting": set(Alert.objects.filter(person=user, active=True).values_list("search", flat=True))}
