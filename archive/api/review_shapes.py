"""Flags as they go out, and answers as they come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from archive.api.pages import MOST
from archive.models import Flag, FlagState
from archive.moderation.reviewing import LONGEST_REASON

if TYPE_CHECKING:
    FlagSerializer = serializers.ModelSerializer[Flag]
    Plain = serializers.Serializer[Any]
else:
    FlagSerializer = serializers.ModelSerializer
    Plain = serializers.Serializer


@extend_schema_serializer(component_name="FlagMoment")
class MomentShape(Plain):
    start = serializers.FloatField(help_text="Seconds")
    end = serializers.FloatField()
    at = serializers.FloatField(help_text="Where the score is highest")
    score = serializers.FloatField()


@extend_schema_serializer(component_name="Flag")
class FlagShape(FlagSerializer):
    flag = serializers.IntegerField(source="pk")
    asset = serializers.UUIDField(source="asset.uuid")
    filename = serializers.CharField(source="asset.filename")
    collection = serializers.SlugField(source="asset.collection.slug")
    concept = serializers.CharField(source="concept.name")
    state = serializers.ChoiceField(FlagState.choices)
    space = serializers.CharField(source="space.slug", default=None, allow_null=True)
    escalated = serializers.SerializerMethodField(help_text="An owner of the collection decides")
    moments = MomentShape(many=True, help_text="Of a video; a photo has one, at 0")
    url = serializers.CharField(source="get_absolute_url", help_text="The page about it")
    picture = serializers.SerializerMethodField(help_text="WebP, blurred; with `?clear=1` as it is")

    class Meta:
        model = Flag
        fields = (
            *("flag", "asset", "filename", "collection", "concept", "state", "hides", "score", "space", "moments"),
            *("version", "escalated", "raised_at", "decided_at", "url", "picture"),
        )

    def get_escalated(self, flag: Flag) -> bool:
        return flag.escalated_at is not None

    def get_picture(self, flag: Flag) -> str:
        return reverse("review_picture", args=[flag.pk])


@extend_schema_serializer(component_name="Flags")
class FlagsShape(Plain):
    results = FlagShape(many=True)


class QueueFilters(Plain):
    concept = serializers.SlugField(required=False, allow_blank=True, allow_unicode=True, max_length=100)
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MOST)


@extend_schema_serializer(component_name="FlagAnswer")
class AnswerFields(Plain):
    answer = serializers.ChoiceField(["uphold", "dismiss", "escalate"])
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1, help_text="As you saw it")
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONGEST_REASON)
