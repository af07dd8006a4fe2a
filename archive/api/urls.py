"""Addresses of the archive's part of the API, under /api/v1/. Search brings its own."""

from django.urls import path

from archive.api.assets import AssetsView, AssetView
from archive.api.collections import CollectionsView, CollectionView
from archive.api.duplicates import DuplicatesView
from archive.api.files import OriginalView, RenditionView
from archive.api.log_in import TokenView
from archive.api.schema import SchemaView

urlpatterns = [
    path("token", TokenView.as_view(), name="api_token"),
    path("assets", AssetsView.as_view(), name="api_assets"),
    path("assets/<uuid:asset>", AssetView.as_view(), name="api_asset"),
    path("assets/<uuid:asset>/original", OriginalView.as_view(), name="api_original"),
    path("assets/<uuid:asset>/duplicates", DuplicatesView.as_view(), name="api_duplicates"),
    path("assets/<uuid:asset>/<slug:spec>", RenditionView.as_view(), name="api_rendition"),
    path("collections", CollectionsView.as_view(), name="api_collections"),
    path("collections/<slug:slug>", CollectionView.as_view(), name="api_collection"),
    path("schema", SchemaView.as_view(), name="api_schema"),
]
