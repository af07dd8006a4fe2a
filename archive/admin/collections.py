"""Collections and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from archive.access import Shows
from archive.admin.counting import Counted, CountedList, as_count
from archive.models import Collection, Membership

if TYPE_CHECKING:
    CollectionModelAdmin = admin.ModelAdmin[Collection]
    MembershipTable = admin.TabularInline[Membership, Collection]
    MembershipModelForm = forms.ModelForm[Membership]
else:
    CollectionModelAdmin, MembershipTable = admin.ModelAdmin, admin.TabularInline
    MembershipModelForm = forms.ModelForm


class MembershipForm(MembershipModelForm):
    class Meta:
        model = Membership
        fields = ("user", "group", "role")
        widgets: ClassVar = {"role": forms.Select(attrs={"aria-label": "Role"})}

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not self.errors and bool(data.get("user")) == bool(data.get("group")):
            self.add_error("user", "Name either a person or a group.")
        return data


class MembershipInline(MembershipTable):
    model = Membership
    form = MembershipForm
    autocomplete_fields = ("user", "group")
    verbose_name = "member"
    extra = 1


class CollectionAdmin(CollectionModelAdmin):
    shows = Shows.VISIBLE
    list_display = ("name", "owner", "visibility", "asset_total", "member_total")
    list_filter = ("visibility",)
    list_select_related = ("owner",)
    search_fields = ("name", "slug", "description")
    search_help_text = "By name or description."
    prepopulated_fields = {"slug": ("name",)}
    autocomplete_fields = ("owner",)
    fields = ("name", "slug", "description", "owner", "visibility", "frames_per_second")
    inlines = (MembershipInline,)
    formfield_overrides = {models.TextField: {"widget": AdminTextareaWidget(attrs={"rows": 3})}}
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    list_per_page = 50
    sortable_by = ("name", "owner", "visibility")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Collection]:
        visible = Collection.objects.visible_to(request.user).values("pk")
        return super().get_queryset(request).filter(pk__in=visible)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CountedList]:
        return CountedList

    counted = (
        Counted("asset_count", "archive_asset", "collection_id", "trashed_at IS NULL AND NOT quarantined"),
        Counted("member_count", "archive_membership", "collection_id"),
    )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Not several at once: only an empty collection can be deleted."""
        return {}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Collection | None = None) -> bool:
        return True

    # Owners who are no superusers manage their members on the collection's own page.
    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Collection | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Collection | None = None) -> bool:
        return bool(request.user.is_superuser) and obj is not None and not obj.assets.exists()

    def view_on_site(self, obj: Collection) -> str:
        return obj.get_absolute_url()

    @admin.display(description="assets")
    def asset_total(self, collection: Any) -> str:
        url = f"{reverse('admin:archive_asset_changelist')}?collection={collection.slug}"
        return format_html('<a href="{}">{}</a>', url, as_count(collection.asset_count))

    @admin.display(description="members")
    def member_total(self, collection: Any) -> str:
        return as_count(collection.member_count)
