"""Alerts as JSON: switch one on, test it, have a program called, and read what was found."""

from __future__ import annotations

import uuid

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive.access import Shows, person
from archive.api.errors import Refused
from archive.api.pages import NewestFirst
from archive.models import Alert, Match, Webhook
from search.alerts import find_alert, mark_read, switch_off, switch_on
from search.alerts_backtest import back_test
from search.alerts_hooks import find_hook, last_deliveries, set_hook
from search.alerts_http import RefusedAddress
from search.api import unanswered
from search.failures import NotAnswered
from search.query import BadQuery, Mode
from search.saved import find_seen_search, query_of
from search.saved_shapes import (
    AlertChoice,
    AlertShape,
    BackTestChoice,
    BackTestShape,
    MatchFilters,
    MatchShape,
    ReadChoice,
    ReadShape,
    WebhookChoice,
    WebhookShape,
)


class NewestMatchesFirst(NewestFirst):
    ordering = ("-found_at", "-id")


class AlertView(APIView):
    """Yours on a saved search."""

    shows = Shows.VISIBLE

    @extend_schema(operation_id="show_alert", responses=AlertShape)
    def get(self, request: Request, saved: uuid.UUID) -> Response:
        return Response(AlertShape(_alert(request, saved)).data)

    @extend_schema(operation_id="switch_alert_on", request=AlertChoice, responses=AlertShape)
    def put(self, request: Request, saved: uuid.UUID) -> Response:
        """Be told of what is new and matches, from now on."""
        found = find_seen_search(person(request), saved)
        fields = AlertChoice(data=request.data)
        fields.is_valid(raise_exception=True)
        chosen = fields.validated_data
        alert = switch_on(found, person(request), chosen["mode"], by_mail=chosen["by_mail"])
        return Response(AlertShape(alert).data)

    @extend_schema(operation_id="switch_alert_off", request=None, responses={204: None})
    def delete(self, request: Request, saved: uuid.UUID) -> Response:
        switch_off(find_seen_search(person(request), saved), person(request))
        return Response(status=204)


class BackTestView(APIView):
    shows = Shows.VISIBLE
    throttle_scope = "search"

    @extend_schema(operation_id="back_test", parameters=[BackTestChoice], responses=BackTestShape)
    def get(self, request: Request, saved: uuid.UUID) -> Response:
        """What an alert would have found among the pictures of the last days."""
        found = find_seen_search(person(request), saved)
        fields = BackTestChoice(data=request.query_params)
        fields.is_valid(raise_exception=True)
        chosen = fields.validated_data
        try:
            test = back_test(query_of(found), person(request), Mode(chosen["mode"]), chosen["days"])
        except BadQuery as error:
            raise ValidationError(error.fields) from error
        except NotAnswered as error:
            raise unanswered(error) from error
        told = {"days": test.days, "count": test.count, "capped": test.capped}
        return Response({**told, "assets": [str(asset.uuid) for asset in test.some]})


class WebhookView(APIView):
    """Of your alert on a saved search."""

    shows = Shows.VISIBLE

    @extend_schema(operation_id="show_webhook", responses=WebhookShape)
    def get(self, request: Request, saved: uuid.UUID) -> Response:
        """Where it calls, and what came of the last calls."""
        hook = find_hook(_alert(request, saved))
        if hook is None:
            raise Http404
        return _shown(hook, None)

    @extend_schema(operation_id="set_webhook", request=WebhookChoice, responses=WebhookShape)
    def put(self, request: Request, saved: uuid.UUID) -> Response:
        """Call this address from now on. The new secret is in this answer and in no other."""
        alert = _alert(request, saved)
        fields = WebhookChoice(data=request.data)
        fields.is_valid(raise_exception=True)
        try:
            return _shown(*set_hook(alert, fields.validated_data["url"]))
        except RefusedAddress as error:
            raise ValidationError({"url": str(error)}) from error

    @extend_schema(operation_id="remove_webhook", request=None, responses={204: None})
    def delete(self, request: Request, saved: uuid.UUID) -> Response:
        Webhook.objects.filter(alert=_alert(request, saved)).delete()
        return Response(status=204)


class MatchesView(APIView):
    shows = Shows.VISIBLE
    pagination_class = NewestMatchesFirst

    @extend_schema(operation_id="list_matches", parameters=[MatchFilters], responses=MatchShape(many=True))
    def get(self, request: Request) -> Response:
        """What your alerts found and you may see, newest first."""
        fields = MatchFilters(data=request.query_params)
        fields.is_valid(raise_exception=True)
        found = Match.objects.visible_to(person(request)).select_related("asset", "alert__search")
        if fields.validated_data["unread"]:
            found = found.unread()
        pages = self.pagination_class()
        page = pages.paginate_queryset(found.defer("alert__search__picture", "asset__exif"), request, self) or []
        return pages.get_paginated_response(MatchShape(page, many=True).data)


class ReadView(APIView):
    shows = Shows.VISIBLE

    @extend_schema(operation_id="mark_read", request=ReadChoice, responses=ReadShape)
    def post(self, request: Request) -> Response:
        """Mark matches as read: all, of one saved search, or up to one of them."""
        fields = ReadChoice(data=request.data)
        fields.is_valid(raise_exception=True)
        chosen, alert = fields.validated_data, None
        if "saved_search" in chosen:
            alert = Alert.objects.filter(person=person(request), search__uuid=chosen["saved_search"]).first()
            if alert is None:
                raise Http404
        return Response({"read": mark_read(person(request), alert=alert, until=chosen.get("until"))})


def _alert(request: Request, saved: uuid.UUID) -> Alert:
    alert = find_alert(find_seen_search(person(request), saved), person(request))
    if alert is None:
        raise Refused("no_alert", "You have no alert on this search. PUT alert switches it on.", 404)
    return alert


def _shown(hook: Webhook, secret: str | None) -> Response:
    return Response(WebhookShape({"url": hook.url, "secret": secret, "deliveries": last_deliveries(hook)}).data)
