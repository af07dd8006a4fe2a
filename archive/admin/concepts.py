"""Concepts: the names that tags have, everywhere in the archive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from archive.access import Shows, person
from archive.admin.counting import Counted, CountedList, as_count
from archive.concepts.ruling import tell_differences
from archive.models import Concept, Flag, Policy
from archive.models.concepts import fold
from archive.tag_names import BadTag, clean_one
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
            name = clean_one(self.cleaned_data["name"])
        except BadTag as error:
            raise forms.ValidationError(str(error)) from error
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

    tags = Counted("tag_count", "archive_tag", "concept_id")
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

    def view_on_site(self, obj: Concept) -> str:
        return obj.get_absolute_url()

    def get_deleted_objects(
        self, objs: QuerySet[Concept] | Sequence[Concept], request: HttpRequest
    ) -> tuple[list[Any], dict[str, Any], set[str], list[Any]]:
        """How many tags go with them, and what keeps them from going. The usual answer names each tag."""
        counts = self.tags.counts([concept.pk for concept in objs])
        named = [f"{concept}: {as_count(counts[concept.pk])} tags on assets" for concept in objs]
        policies = [f"The policy about “{policy}”" for policy in Policy.objects.filter(concept__in=counts)]
        flagged = Concept.objects.filter(pk__in=Flag.objects.filter(concept__in=counts).values("concept"))
        kept = policies + [f"Flags of “{concept}”" for concept in flagged]
        total = {"concepts": f"{len(counts):,}", "tags on assets": as_count(sum(counts.values()))}
        return named, total, set(), kept

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Concept | None:
        """What one may not open is not there, whatever page of it is asked for."""
        return super().get_object(request, object_id, from_field) if self.has_view_permission(request) else None

    @admin.display(description="assets")
    def assets(self, concept: Any) -> str:
        return as_count(concept.asset_count)
