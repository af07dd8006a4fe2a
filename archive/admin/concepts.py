"""Concepts: the names that tags have, everywhere in the archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from archive.access import Shows, person
from archive.admin.counting import Counted, CountedList, as_count
from archive.concepts.ruling import tell_differences
from archive.models import Concept, Flag, Policy, Tag
from archive.models.concepts import fold
from archive.tag_names import BadTag, clean_name
from archive.tags import free_slug

if TYPE_CHECKING:
    ConceptModelAdmin = admin.ModelAdmin[Concept]
    ConceptModelForm = forms.ModelForm[Concept]
else:
    ConceptModelAdmin, ConceptModelForm = admin.ModelAdmin, forms.ModelForm


class ConceptForm(ConceptModelForm):
    class Meta:
        model = Concept
        fields = ("name",)

    def clean_name(self) -> str:
        try:
            name = clean_name(self.cleaned_data["name"])
        except BadTag as error:
            raise forms.ValidationError(str(error)) from error
        if not name or "," in name:
            raise forms.ValidationError("A name has no commas: they separate tags.")
        if Concept.objects.filter(folded=fold(name)).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("There is a tag of this name already.")
        return name


class ConceptAdmin(ConceptModelAdmin):
    """For whoever runs the archive: a name is seen wherever its tag is. Curators tag assets on their pages."""

    shows = Shows.VISIBLE
    form = ConceptForm
    list_display = ("name", "kind", "on_match", "parent", "assets", "created_by", "created_at")
    list_select_related = ("created_by", "parent")
    list_filter = ("kind", "on_match")
    list_per_page = 100
    search_fields = ("name", "slug")
    search_help_text = "By name."
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False

    counted = (Counted("asset_count", "archive_tag", "concept_id", "state = 'accepted'"),)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[CountedList]:
        return CountedList

    def save_model(self, request: HttpRequest, obj: Concept, form: Any, change: bool) -> None:
        """The address stays when the name changes: links and saved searches carry it."""
        if not change:
            obj.slug, obj.created_by = free_slug(obj.name), person(request)
        was = Concept.objects.filter(pk=obj.pk).first()
        obj.save()
        if was is not None:
            tell_differences(was, obj, person(request))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Concept | None:
        """What one may not open is not there, whatever page of it is asked for."""
        return super().get_object(request, object_id, from_field) if self.has_view_permission(request) else None

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Names and counts: a concept may be on a million assets, and each is not for a page to list."""
        concepts = list(objs)
        policies = Policy.objects.filter(concept__in=concepts).select_related("concept")
        kept = [f"the policy for {policy}" for policy in policies]
        if flags := Flag.objects.filter(concept__in=concepts).count():
            kept.append(f"flags: {flags:,}")
        counts = {"concepts": len(concepts), "tags": Tag.objects.filter(concept__in=concepts).count()}
        return [str(one) for one in concepts], counts, set(), kept

    @admin.display(description="assets")
    def assets(self, concept: Any) -> str:
        return as_count(concept.asset_count)
