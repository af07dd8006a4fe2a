"""Addresses of the archive's part of the API, under /api/v1/. Search brings its own."""

from django.urls import path

from archive.api.assets import AssetsView, AssetView
from archive.api.batches import BatchFileView, BatchView, UndoView
from archive.api.collections import CollectionsView, CollectionView
from archive.api.duplicates import DuplicatesView
from archive.api.files import OriginalView, RenditionView
from archive.api.log_in import TokenView
from archive.api.review import FlagView, QueueView
from archive.api.schema import SchemaView
from archive.api.tags import AssetTagsView, AssetTagView, TagsView

urlpatterns = [
    path("token", TokenView.as_view(), name="api_token"),
    path("assets", AssetsView.as_view(), name="api_assets"),
    path("assets/<uuid:asset>", AssetView.as_view(), name="api_asset"),
    path("assets/<uuid:asset>/original", OriginalView.as_view(), name="api_original"),
    path("assets/<uuid:asset>/tags", AssetTagsView.as_view(), name="api_asset_tags"),
    path("assets/<uuid:asset>/tags/<path:name>", AssetTagView.as_view(), name="api_asset_tag"),
    path("assets/<uuid:asset>/duplicates", DuplicatesView.as_view(), name="api_duplicates"),
    path("assets/<uuid:asset>/<slug:spec>", RenditionView.as_view(), name="api_rendition"),
    path("batches/<uuid:batch>", BatchView.as_view(), name="api_batch"),
    path("batches/<uuid:batch>/undo", UndoView.as_view(), name="api_batch_undo"),
    path("batches/<uuid:batch>/file", BatchFileView.as_view(), name="api_batch_file"),
    path("collections", CollectionsView.as_view(), name="api_collections"),
    path("collections/<slug:slug>", CollectionView.as_view(), name="api_collection"),
    path("review", QueueView.as_view(), name="api_review"),
    path("review/<int:flag>", FlagView.as_view(), name="api_flag"),
    path("tags", TagsView.as_view(), name="api_tags"),
    path("schema", SchemaView.as_view(), name="api_schema"),
]
