"""Flags as a list: to find one again. They are decided on the pages of the review, where pictures are blurred."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from archive.access import Shows
from archive.estimates import EstimatingPaginator
from archive.models import Flag

if TYPE_CHECKING:
    FlagModelAdmin = admin.ModelAdmin[Flag]
else:
    FlagModelAdmin = admin.ModelAdmin


class FlagAdmin(FlagModelAdmin):
    shows = Shows.VISIBLE
    list_display = ("review", "concept", "state_badge", "hides", "collection", "score", "space", "raised_at")
    list_display_links = None
    list_filter = ("state", "hides", ("concept", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("asset__collection", "concept", "space")
    list_per_page = 50
    search_fields = ("asset__filename",)
    search_help_text = "By file name."
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    sortable_by = ()
    ordering = ("-id",)
    actions = None
    paginator = EstimatingPaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[Flag]:
        """Those that the person reviews."""
        mine = Flag.objects.reviewed_by(request.user)
        return super().get_queryset(request).filter(pk__in=mine.values("pk")).defer("asset__exif", "asset__notes")

    # Models raise them and reviewers decide; here they are only looked at.
    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Flag | None = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Flag | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Flag | None = None) -> bool:
        return False

    def view_on_site(self, obj: Flag) -> str:
        return obj.get_absolute_url()

    @admin.display(description="flag")
    def review(self, flag: Flag) -> str:
        return format_html('<a href="{}">{}</a>', flag.get_absolute_url(), flag.asset.filename)

    @admin.display(description="state")
    def state_badge(self, flag: Flag) -> str:
        return format_html('<span class="badge {}">{}</span>', flag.state, flag.get_state_display())

    @admin.display(description="collection")
    def collection(self, flag: Any) -> str:
        return str(flag.asset.collection)
