"""Saved searches and alerts as the API shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from archive.models import Alert, AlertMode, Delivery, DeliveryState, Match, SavedSearch
from archive.models.saved import LONGEST_NAME
from search.alerts_backtest import DAYS, MOST_DAYS
from search.api_shapes import TERMS
from search.query import MAX_LIMIT

if TYPE_CHECKING:
    SavedSerializer = serializers.ModelSerializer[SavedSearch]
    AlertSerializer = serializers.ModelSerializer[Alert]
    MatchSerializer = serializers.ModelSerializer[Match]
    DeliverySerializer = serializers.ModelSerializer[Delivery]
    Plain = serializers.Serializer[Any]
else:
    SavedSerializer = AlertSerializer = MatchSerializer = DeliverySerializer = serializers.ModelSerializer
    Plain = serializers.Serializer

QUERY = {"type": "object", "properties": TERMS, "description": "As of a search, in words"}
NEW_AS_JSON = {
    "type": "object",
    "required": ["name", "query"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME},
        "query": QUERY,
        "collection": {"type": "string", "description": "Share it with the members of this collection, by its slug"},
    },
}


@extend_schema_serializer(component_name="SavedSearch")
class SavedShape(SavedSerializer):
    saved_search = serializers.UUIDField(source="uuid")
    owner = serializers.CharField(source="owner.username")
    collection = serializers.SlugField(source="collection.slug", default=None, allow_null=True)
    query = serializers.SerializerMethodField()
    alert = serializers.SerializerMethodField(help_text="Whether yours is on")
    url = serializers.CharField(source="get_absolute_url", help_text="The page of what it finds")

    class Meta:
        model = SavedSearch
        fields = ("saved_search", "name", "owner", "collection", "query", "alert", "created_at", "url")

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
    def get_query(self, saved: SavedSearch) -> dict[str, str]:
        return dict(saved.params)

    def get_alert(self, saved: SavedSearch) -> bool:
        return saved.pk in self.context["alerting"]


class NewSaved(Plain):
    name = serializers.CharField(max_length=LONGEST_NAME)
    query = serializers.DictField()
    collection = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=100)


class SavedChange(Plain):
    name = serializers.CharField(required=False, max_length=LONGEST_NAME)
    collection = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, max_length=100, help_text="Empty: it is shared with nobody"
    )


@extend_schema_serializer(component_name="Alert")
class AlertShape(AlertSerializer):
    alert = serializers.UUIDField(source="uuid")
    trouble = serializers.CharField(allow_blank=True, help_text="Why it finds nothing now; else empty")

    class Meta:
        model = Alert
        fields = ("alert", "mode", "by_mail", "trouble", "created_at")


class AlertChoice(Plain):
    mode = serializers.ChoiceField(AlertMode.choices, required=False, default=AlertMode.BALANCED)
    by_mail = serializers.BooleanField(required=False, default=True)


class BackTestChoice(Plain):
    mode = serializers.ChoiceField(AlertMode.choices, required=False, default=AlertMode.BALANCED)
    days = serializers.IntegerField(required=False, default=DAYS, min_value=1, max_value=MOST_DAYS)


@extend_schema_serializer(component_name="BackTest")
class BackTestShape(Plain):
    days = serializers.IntegerField()
    count = serializers.IntegerField(help_text="What the alert would have found")
    capped = serializers.BooleanField(help_text="There may be more")
    assets = serializers.ListField(child=serializers.UUIDField(), help_text="The newest of them")


@extend_schema_serializer(component_name="Delivery")
class DeliveryShape(DeliverySerializer):
    delivery = serializers.UUIDField(source="uuid")
    state = serializers.CharField(help_text=f"One of: {', '.join(DeliveryState.values)}")

    class Meta:
        model = Delivery
        fields = ("delivery", "state", "tries", "status", "note", "made_at", "ended_at")


class WebhookChoice(Plain):
    url = serializers.CharField(max_length=500)


@extend_schema_serializer(component_name="Webhook")
class WebhookShape(Plain):
    url = serializers.CharField()
    secret = serializers.CharField(allow_null=True, help_text="Only in the answer that made it")
    deliveries = DeliveryShape(many=True, help_text="The last calls, newest first")


@extend_schema_serializer(component_name="Match")
class MatchShape(MatchSerializer):
    match = serializers.IntegerField(source="pk")
    saved_search = serializers.UUIDField(source="alert.search.uuid")
    asset = serializers.UUIDField(source="asset.uuid")
    filename = serializers.CharField(source="asset.filename")
    at = serializers.FloatField(help_text="Seconds of a video")
    url = serializers.CharField(source="get_absolute_url", help_text="The picture's page, at that second")
    read = serializers.SerializerMethodField()
    thumbnail = serializers.SerializerMethodField()

    class Meta:
        model = Match
        fields = ("match", "saved_search", "asset", "filename", "at", "url", "found_at", "read", "thumbnail")

    def get_read(self, match: Match) -> bool:
        return match.read_at is not None

    def get_thumbnail(self, match: Match) -> str | None:
        return reverse("api_rendition", args=[match.asset.uuid, "thumbnail"]) if match.asset.width else None


class MatchFilters(Plain):
    unread = serializers.BooleanField(required=False, default=False)
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MAX_LIMIT)
    cursor = serializers.CharField(required=False, allow_blank=True, max_length=500)


class ReadChoice(Plain):
    saved_search = serializers.UUIDField(required=False, help_text="Of this one only")
    until = serializers.IntegerField(
        required=False, min_value=0, max_value=2**62, help_text="The last match that you have seen"
    )


@extend_schema_serializer(component_name="Read")
class ReadShape(Plain):
    read = serializers.IntegerField(help_text="How many were unread")
