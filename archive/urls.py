"""Every address. Search has its own list; this room must not import it, so it is named by a string."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from archive.views import (
    assets,
    batches,
    collections,
    duplicates,
    files,
    health,
    help,
    review,
    review_log,
    review_pictures,
    tables,
    tags,
    trash,
    upload,
    videos,
)

handler500 = "archive.middleware.unexpected"
urlpatterns = [
    path("", include("search.urls")),
    path("assets/<uuid:asset>/", assets.asset, name="asset"),
    path("assets/<uuid:asset>/original/", files.original, name="original"),
    path("assets/<uuid:asset>/play/", files.playable, name="playable"),
    path("assets/<uuid:asset>/stills/<int:frame>/", files.still, name="still"),
    path("assets/<uuid:asset>/previews.vtt", videos.previews, name="previews"),
    path("assets/<uuid:asset>/trash/", assets.trash, name="trash_asset"),
    path("assets/<uuid:asset>/restore/", assets.restore, name="restore"),
    path("assets/<uuid:asset>/retry/", assets.retry, name="retry"),
    path("assets/<uuid:asset>/tags/", tags.retag, name="retag"),
    path("assets/<uuid:asset>/<slug:spec>/", files.rendition, name="rendition"),
    path("upload/", upload.upload, name="upload"),
    path("upload/status/", upload.upload_status, name="upload_status"),
    path("collections/", collections.collections, name="collections"),
    path("collections/<slug:slug>/", collections.collection, name="collection"),
    path("collections/<slug:slug>/members/", collections.add_member, name="add_member"),
    path(
        "collections/<slug:slug>/members/<int:member>/remove/",
        collections.remove_member,
        name="remove_member",
    ),
    path("batches/", batches.batches, name="batches"),
    path("batches/<uuid:batch>/", batches.batch, name="batch"),
    path("batches/<uuid:batch>/undo/", batches.undo_batch, name="undo_batch"),
    path("batches/<uuid:batch>/download/", batches.download, name="download_batch"),
    path("tables/", tables.tables, name="tables"),
    path("tables/file/", tables.table_file, name="table_file"),
    path("trash/", trash.trash, name="trash"),
    path("trash/restore/", trash.restore_all, name="restore_all"),
    path("duplicates/", duplicates.review, name="duplicates"),
    path("duplicates/decide/", duplicates.decide, name="decide_duplicates"),
    path("duplicates/<int:decision>/undo/", duplicates.undo, name="undo_duplicates"),
    path("review/", review.review, name="review"),
    path("review/held/", review.held, name="review_held"),
    path("review/log/", review_log.entries, name="review_log"),
    path("review/log/export/", review_log.export_log, name="review_log_export"),
    path("review/figures/", review_log.figures, name="review_figures"),
    path("review/<int:flag>/", review.flag, name="review_flag"),
    path("review/<int:flag>/decide/", review.decide, name="review_decide"),
    path("review/<int:flag>/undo/", review.undo, name="review_undo"),
    path("review/<int:flag>/picture/", review_pictures.picture, name="review_picture"),
    path("help/models/", help.models, name="models_help"),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("healthz", health.healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("search.api_urls")),  # before the renditions of an asset, which may have any name
    path("api/v1/", include("archive.api.urls")),
    path("api/v1/", include("archive.api.unknown_urls")),  # last: whatever is left below it
]
