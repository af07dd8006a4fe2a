"""What goes out and what comes in, field by field. Vectors never appear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from archive.api import examples
from archive.api.pages import MOST
from archive.models import Asset, Collection, Kind, Likeness, Status, Visibility
from archive.models.concepts import LONGEST_NAME
from archive.tag_names import MOST_NAMES
from archive.tags import tags_of
from archive.video.progress import Progress, progress_of

if TYPE_CHECKING:
    AssetSerializer = serializers.ModelSerializer[Asset]
    CollectionSerializer = serializers.ModelSerializer[Collection]
    Plain = serializers.Serializer[Any]
else:
    AssetSerializer = CollectionSerializer = serializers.ModelSerializer
    Plain = serializers.Serializer

LONGEST_CAPTION = 20_000


@extend_schema_serializer(component_name="Progress")
class ProgressShape(Plain):
    done_seconds = serializers.FloatField(help_text="So much is found by a search now")
    duration = serializers.FloatField()
    frames = serializers.IntegerField(help_text="Read so far, of about `expected`")
    expected = serializers.IntegerField()
    moments = serializers.IntegerField()
    share = serializers.FloatField()
    said = serializers.CharField(help_text="The same, as a sentence")
    eta_seconds = serializers.FloatField(allow_null=True, help_text="Left; null while nobody knows")


@extend_schema_serializer(
    component_name="Asset", examples=[OpenApiExample("A photo", value=examples.ASSET, response_only=True)]
)
class AssetShape(AssetSerializer):
    asset = serializers.UUIDField(source="uuid")
    collection = serializers.SlugField(source="collection.slug")
    uploader = serializers.CharField(source="uploader.username", default=None, allow_null=True)
    trashed = serializers.SerializerMethodField(help_text="Only its curators still see it.")
    url = serializers.CharField(source="get_absolute_url", help_text="The page about it")
    tags = serializers.SerializerMethodField()
    original = serializers.SerializerMethodField(help_text="The bytes as they came")
    thumbnail = serializers.SerializerMethodField(help_text="WebP, longest side 640; null until it is made")
    preview = serializers.SerializerMethodField(help_text="WebP, longest side 2048; null until it is made")
    progress = serializers.SerializerMethodField(help_text="How far a pending video is; null for everything else")

    class Meta:
        model = Asset
        fields = (
            *("asset", "collection", "kind", "status", "error", "filename", "media_type", "size", "sha256"),
            *("width", "height", "duration", "title", "caption", "taken_at", "camera", "place", "latitude"),
            *(
                "longitude",
                "exif",
                "tags",
                "uploader",
                "added_at",
                "trashed",
                "url",
                "original",
                "thumbnail",
                "preview",
                "progress",
            ),
        )

    def get_trashed(self, asset: Asset) -> bool:
        return asset.trashed_at is not None

    @extend_schema_field(ProgressShape(allow_null=True))
    def get_progress(self, asset: Asset) -> dict[str, Any] | None:
        if asset.status != Status.PENDING:
            return None
        page: dict[int, Progress] | None = self.context.get("progress")  # of a list, asked for at once
        found = progress_of(asset) if page is None else page.get(asset.pk)
        return found.as_dict() if found else None

    def get_tags(self, asset: Asset) -> list[str]:
        return [concept.name for concept in tags_of(asset)]

    def get_original(self, asset: Asset) -> str:
        return reverse("api_original", args=[asset.uuid])

    def get_thumbnail(self, asset: Asset) -> str | None:
        return reverse("api_rendition", args=[asset.uuid, "thumbnail"]) if asset.width else None

    def get_preview(self, asset: Asset) -> str | None:
        return reverse("api_rendition", args=[asset.uuid, "preview"]) if asset.width else None


@extend_schema_serializer(component_name="Duplicate")
class DuplicateShape(Plain):
    asset = AssetShape()
    kind = serializers.ChoiceField(Likeness.choices)
    distance = serializers.IntegerField(allow_null=True, help_text="Bits of PDQ that differ, of 256; 0: same bytes")
    closeness = serializers.FloatField(allow_null=True, help_text="How close the model finds them, inside one space")


@extend_schema_serializer(component_name="Duplicates")
class DuplicatesShape(Plain):
    results = DuplicateShape(many=True)


class Paging(Plain):
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MOST)
    cursor = serializers.CharField(required=False, allow_blank=True, max_length=500)


class AssetFilters(Paging):
    """Of the list. A cursor carries no filters: repeat them, as `next` does."""

    collection = serializers.SlugField(required=False, allow_blank=True)
    kind = serializers.ChoiceField(Kind.choices, required=False, allow_blank=True)
    status = serializers.ChoiceField(Status.choices, required=False, allow_blank=True)


class Words(Plain):
    title = serializers.CharField(required=False, allow_blank=True, max_length=300)
    caption = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_CAPTION)


class UploadFields(Words):
    collection = serializers.SlugField(max_length=80, help_text="The slug of a collection that you may upload to")


class Upload(UploadFields):
    """For the schema: the file itself is hashed while it streams, and never seen by a serializer."""

    file = serializers.FileField()


@extend_schema_serializer(
    examples=[
        OpenApiExample("Other words", value={"title": "Red boat at dawn"}, request_only=True),
        OpenApiExample("Back from the trash", value={"trashed": False}, request_only=True),
    ]
)
class Change(Words):
    collection = serializers.SlugField(required=False, max_length=80, help_text="Move it there")
    trashed = serializers.BooleanField(required=False, help_text="false brings it back")


class Tags(Plain):
    tags = serializers.ListField(child=serializers.CharField(max_length=LONGEST_NAME), max_length=MOST_NAMES)


@extend_schema_serializer(component_name="Tag")
class TagShape(Plain):
    name = serializers.CharField()
    slug = serializers.CharField(help_text="For `tag` of a search")
    count = serializers.IntegerField(help_text="Of the assets that you may see")


class TagFilters(Plain):
    q = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_NAME, help_text="How names begin")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MOST)
    cursor = serializers.CharField(required=False, allow_blank=True, max_length=500)


@extend_schema_serializer(
    component_name="Collection",
    examples=[OpenApiExample("One of bob's", value=examples.COLLECTION, response_only=True)],
)
class CollectionShape(CollectionSerializer):
    owner = serializers.CharField(source="owner.username")
    url = serializers.CharField(source="get_absolute_url", help_text="The page about it")
    may_upload = serializers.SerializerMethodField()
    may_curate = serializers.SerializerMethodField()

    class Meta:
        model = Collection
        fields = (
            *("slug", "name", "description", "visibility", "owner", "created_at", "url", "may_upload", "may_curate"),
        )

    def get_may_upload(self, collection: Collection) -> bool:
        return collection.pk in self.context["uploads"]

    def get_may_curate(self, collection: Collection) -> bool:
        return collection.pk in self.context["curates"]


@extend_schema_serializer(
    examples=[OpenApiExample("For a team", value=examples.NEW_COLLECTION, request_only=True)],
)
class NewCollection(Plain):
    name = serializers.CharField(max_length=120)
    slug = serializers.SlugField(required=False, max_length=80, help_text="Made from the name where it is missing")
    description = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_CAPTION)
    visibility = serializers.ChoiceField(Visibility.choices, default=Visibility.MEMBERS)


@extend_schema_serializer(
    examples=[OpenApiExample("Bob", value={"username": "bob", "password": "his password"}, request_only=True)]
)
class LogIn(Plain):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)


@extend_schema_serializer(component_name="Token")
class TokenShape(Plain):
    token = serializers.CharField(help_text="Send it as “Authorization: Token ...”")
