"""Assets as a contact sheet: pictures instead of rows, found by what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.paginator import Paginator
from django.db.models import ForeignKey, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from archive.access import Shows, person
from archive.admin.choosing import CollectionField
from archive.admin.history import HistoryPage
from archive.admin.keyset import KeysetChangeList
from archive.estimates import EstimatingPaginator
from archive.models import Asset, Collection, Tag, Work
from archive.models.collections import CURATING
from archive.tags import get_concepts, set_tags, tags_of, with_tags
from search.admin.actions import AssetActions
from search.admin.filters import CollectionFilter, ProposedFilter, TagFilter, TrashFilter
from search.admin.forms import AssetForm
from search.admin.quick_tags import QuickTags
from search.finding import find_assets

if TYPE_CHECKING:
    TagTable = admin.TabularInline[Tag, Asset]
    WorkTable = admin.TabularInline[Work, Asset]
    AnyPaginator = Paginator[Asset]
else:
    TagTable = WorkTable = admin.TabularInline
    AnyPaginator = Paginator


class ContactSheet(KeysetChangeList):
    def apply_select_related(self, qs: QuerySet[Asset]) -> QuerySet[Asset]:
        """The collection and the tags with each asset, and nothing that no card shows."""
        shown: QuerySet[Asset] = super().apply_select_related(qs)
        return with_tags(shown.defer("exif", "notes", "caption", "keywords"))

    def get_results(self, request: HttpRequest) -> None:
        """Which cards take tags is asked for the whole page at once."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        curated = set(Collection.objects.open_to(request.user, CURATING).values_list("pk", flat=True))
        for asset in self.result_list:
            asset.takes_tags = asset.collection_id in curated


class WorkInline(WorkTable):
    """What was done to an asset, and what is still to do. Only to look at: the Work page acts."""

    model = Work
    fields = readonly_fields = ("step", "target", "state", "attempts", "crashes", "last_error", "done_at")
    ordering = ("id",)
    extra = max_num = 0
    can_delete = False
    verbose_name_plural = "work"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TagInline(TagTable):
    """Which tags there are, who or what put them there. They are changed above, by name."""

    model = Tag
    fields = readonly_fields = ("concept", "state", "source", "space", "score", "by", "at")
    ordering = ("concept__folded",)
    extra = max_num = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        return super().get_queryset(request).select_related("concept", "space", "by")


@admin.register(Asset)
class AssetAdmin(QuickTags, AssetActions, HistoryPage):
    shows = Shows.VISIBLE
    form = AssetForm
    list_display = ("card",)
    list_display_links = None
    list_filter = (
        "status",
        CollectionFilter,
        TagFilter,
        ProposedFilter,
        "kind",
        TrashFilter,
        ("added_at", admin.DateFieldListFilter),
        ("taken_at", admin.DateFieldListFilter),
    )
    list_select_related = ("collection",)
    list_per_page = 60
    list_max_show_all = 200
    sortable_by = ()
    keyset = ("added_at", "id")
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("filename",)  # shows the box; get_search_results does the finding
    search_help_text = "What it shows, its file name or id, or like: and an id."
    note = "New pictures come in by the upload page, the API, or:"
    note_command = "manage.py ingest FOLDER"
    readonly_fields = ("facts", "exif_table")
    inlines = (TagInline, WorkInline)
    fieldsets = (
        (None, {"fields": ("title", "caption", "collection", "taken_at", "place", "tag_names")}),
        ("Facts", {"fields": ("facts",)}),
        ("What the camera wrote", {"fields": ("exif_table",), "classes": ("collapse",)}),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ContactSheet]:
        return ContactSheet

    def get_queryset(self, request: HttpRequest) -> QuerySet[Asset]:
        return Asset.objects.seen_or_curated_by(request.user)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Asset], search_term: str
    ) -> tuple[QuerySet[Asset], bool]:
        """Rank by meaning. For an action on chosen pictures their ids say everything: nothing is searched then."""
        if request.method == "POST" and request.POST.get("select_across", "0") == "0":
            return queryset, False
        finding = find_assets(queryset, search_term, request.user)
        # The page says how it was found, and an action on everything checks that.
        request.finding = finding  # type: ignore[attr-defined]
        return finding.assets, False

    def save_model(self, request: HttpRequest, obj: Asset, form: Any, change: bool) -> None:
        """Only what was filled in: a worker may have written the rest since this row was read.

        New tags are made before the row is held, as everywhere.
        """
        names = form.cleaned_data["tag_names"] if "tag_names" in form.changed_data else None
        if names is not None:
            get_concepts(names, person(request))
        obj.save(update_fields=[name for name in form.changed_data if name != "tag_names"])
        if names is not None:
            set_tags(obj, names, person(request))

    def get_paginator(
        self, request: HttpRequest, queryset: Any, per_page: int, *rest: Any, **more: Any
    ) -> AnyPaginator:
        return EstimatingPaginator(queryset, per_page, *rest, **more)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        """An asset moves between collections that one curates, and to no others."""
        if db_field.name == "collection":
            kwargs["queryset"] = Collection.objects.open_to(request.user, CURATING)
            kwargs["form_class"] = CollectionField
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Without the small signs beside the choice of a collection, and with names for both boxes of a moment."""
        form = super().get_form(request, obj, change, **kwargs)
        if "taken_at" in form.base_fields:
            boxes: Any = form.base_fields["taken_at"].widget
            for box, name in zip(boxes.widgets, ("Date taken", "Time taken"), strict=True):
                box.attrs["aria-label"] = name
        if "collection" in form.base_fields:
            widget: Any = form.base_fields["collection"].widget
            widget.can_add_related = widget.can_change_related = widget.can_view_related = False
        return form

    # Roles in collections decide, not Django's permissions on models.
    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Asset | None = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Asset | None = None) -> bool:
        return obj is None or obj.may_be_curated_by(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Asset | None = None) -> bool:
        """The trash comes first, and empties itself."""
        return False

    def view_on_site(self, obj: Asset) -> str:
        return obj.get_absolute_url()

    # The id lets the picture be the label of its own checkbox.
    def action_checkbox(self, obj: Asset) -> SafeString:
        return format_html(
            '<input type="checkbox" name="{}" value="{}" id="pick-{}" class="action-select" aria-label="{}">',
            ACTION_CHECKBOX_NAME,
            obj.pk,
            obj.pk,
            f"Choose {obj}",
        )

    @admin.display(description="tags")
    def tag_names(self, asset: Asset) -> str:
        """For those who may only look; curators get the form's field of this name."""
        return ", ".join(concept.name for concept in tags_of(asset))

    @admin.display(description="asset")
    def card(self, asset: Asset) -> str:
        return render_to_string("admin/archive/asset/_card.html", {"asset": asset})

    @admin.display(description="")
    def facts(self, asset: Asset) -> str:
        return render_to_string("admin/archive/asset/_facts.html", {"asset": asset})

    @admin.display(description="")
    def exif_table(self, asset: Asset) -> str:
        return render_to_string("admin/archive/asset/_exif.html", {"exif": asset.exif, "notes": asset.notes})
