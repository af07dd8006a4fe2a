"""What people fill in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib.auth.models import Group, User
from django.utils.text import slugify

from archive.models import Asset, Collection, Membership, Role
from archive.models.assets import may_upload_to

if TYPE_CHECKING:
    AssetModelForm = forms.ModelForm[Asset]
    CollectionModelForm = forms.ModelForm[Collection]
else:
    AssetModelForm = CollectionModelForm = forms.ModelForm


class AssetForm(AssetModelForm):
    class Meta:
        model = Asset
        fields = ("title", "caption")
        widgets: ClassVar = {"caption": forms.Textarea(attrs={"rows": 4})}


class CollectionForm(CollectionModelForm):
    class Meta:
        model = Collection
        fields = ("name", "description", "visibility")
        widgets: ClassVar = {"description": forms.Textarea(attrs={"rows": 2})}

    def create(self, owner: User) -> Collection:
        collection = self.save(commit=False)
        collection.owner = owner
        collection.slug = free_slug(collection.name)
        collection.save()
        return collection


class MemberForm(forms.Form):
    """Somebody, or a group of people, becomes a member, or gets another role."""

    name = forms.CharField(label="Name or group", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(choices=Role.choices, initial=Role.VIEWER)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        self.user = User.objects.filter(username=name, is_active=True).first()
        self.group = None if self.user else Group.objects.filter(name=name).first()
        if not self.user and not self.group:
            raise forms.ValidationError("Nobody has that name, and no group either.")
        return name

    def add_to(self, collection: Collection) -> Membership:
        member, _ = Membership.objects.update_or_create(
            collection=collection,
            user=self.user,
            group=self.group,
            defaults={"role": self.cleaned_data["role"]},
        )
        return member


class UploadForm(forms.Form):
    """Where files go: a collection that one may upload to, or a new one."""

    collection = forms.ModelChoiceField(Collection.objects.none(), to_field_name="slug", required=False)
    new = forms.CharField(max_length=120, required=False, widget=forms.TextInput(attrs={"placeholder": "Name"}))

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        field = self.fields["collection"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = may_upload_to(user)
        field.empty_label = None

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not self.errors and not data.get("new") and not data.get("collection"):
            self.add_error("new", "Choose a collection, or name a new one.")
        return data

    def get_collection(self) -> Collection:
        """The chosen collection; one of the given name that the person may upload to, else a new one."""
        name = " ".join(self.cleaned_data["new"].split())
        if not name:
            chosen: Collection = self.cleaned_data["collection"]
            return chosen
        known = may_upload_to(self.user).filter(name=name).first()
        return known or Collection.objects.create(name=name, slug=free_slug(name), owner=self.user)


def free_slug(name: str) -> str:
    """An address for `name`; with a number behind it where that address is taken."""
    base = slugify(name)[:70] or "collection"
    taken = set(Collection.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)
