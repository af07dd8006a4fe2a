"""Collections and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db import models
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from archive.access import Shows
from archive.models import Asset, Collection, Membership

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
    list_display = ("name", "owner", "visibility", "assets", "members")
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Collection]:
        visible = Collection.objects.visible_to(request.user).values("pk")
        return (
            super()
            .get_queryset(request)
            .filter(pk__in=visible)
            .annotate(
                asset_count=_counted(Asset.objects.filter(trashed_at__isnull=True)),
                member_count=_counted(Membership.objects.all()),
            )
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

    @admin.display(description="assets", ordering="asset_count")
    def assets(self, collection: Any) -> str:
        url = f"{reverse('admin:archive_asset_changelist')}?collection={collection.slug}"
        return format_html('<a href="{}">{}</a>', url, f"{collection.asset_count:,}")

    @admin.display(description="members", ordering="member_count")
    def members(self, collection: Any) -> str:
        return f"{collection.member_count:,}"


def _counted(rows: QuerySet[Any]) -> Coalesce:
    """How many of `rows` belong to the collection at hand."""
    counted = rows.filter(collection=OuterRef("pk")).order_by().values("collection").annotate(n=Count("pk"))
    return Coalesce(Subquery(counted.values("n"), output_field=IntegerField()), 0)
