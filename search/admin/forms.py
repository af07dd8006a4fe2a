"""What curators fill in about assets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.urls import reverse

from archive.admin.choosing import CollectionField
from archive.models import Asset, Collection
from archive.models.collections import CURATING
from archive.tag_names import BadTag, clean_names, refuse_prohibited
from archive.tags import tags_of

if TYPE_CHECKING:
    from archive.models.collections import Person

    AssetModelForm = forms.ModelForm[Asset]
else:
    AssetModelForm = forms.ModelForm


class AssetForm(AssetModelForm):
    tag_names = forms.CharField(
        label="Tags",
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="Separated by commas",
    )

    class Meta:
        model = Asset
        fields = ("title", "caption", "collection", "taken_at", "place")
        widgets: ClassVar = {
            "title": forms.TextInput(attrs={"class": "vTextField"}),
            "caption": forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["tag_names"] = ", ".join(concept.name for concept in tags_of(self.instance))

    def clean_tag_names(self) -> list[str]:
        try:
            names = clean_names([self.cleaned_data["tag_names"]])
            refuse_prohibited(names)
        except BadTag as error:
            raise forms.ValidationError(str(error)) from error
        return names

    def clean_collection(self) -> Collection:
        chosen: Collection = self.cleaned_data["collection"]
        twins = Asset.objects.filter(collection=chosen, sha256=self.instance.sha256).exclude(pk=self.instance.pk)
        if twins.exists():
            raise forms.ValidationError(f"{chosen} has this very picture already.")
        return chosen


class ActForm(forms.Form):
    """What an action on many assets wants to know: tags, a collection, or whether to put sidecars in."""

    tags = forms.CharField(
        max_length=1000, help_text="Separated by commas", widget=forms.TextInput(attrs={"class": "vTextField"})
    )
    collection = CollectionField(Collection.objects.none(), label="Into the collection")
    sidecars = forms.BooleanField(
        required=False, label="An XMP file beside each picture, with its title, caption and tags"
    )
    WANTS: ClassVar = {"tag": "tags", "untag": "tags", "move": "collection", "download": "sidecars"}

    def __init__(self, user: Person, action: str, data: Any = None) -> None:
        super().__init__(data)
        for name in [name for name in self.fields if name != self.WANTS.get(action)]:
            del self.fields[name]
        if "collection" in self.fields:
            field = self.fields["collection"]
            assert isinstance(field, CollectionField)
            field.queryset = Collection.objects.open_to(user, CURATING)
        if "tags" in self.fields:
            self.fields["tags"].widget.attrs |= {"data-names": reverse("admin:archive_asset_names")}

    def clean_tags(self) -> list[str]:
        try:
            return clean_names([self.cleaned_data["tags"]])
        except BadTag as error:
            raise forms.ValidationError(str(error)) from error

    def arguments(self) -> dict[str, Any]:
        """As `archive.deeds` reads them."""
        place: Collection | None = self.cleaned_data.get("collection")
        return {**self.cleaned_data, "collection": place.slug if place else ""}
