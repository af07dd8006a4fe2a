"""What people fill in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib.auth.models import Group, User

from archive.models import Asset, Collection, Membership, Role
from archive.models.assets import may_upload_to
from archive.shelves import collection_named, create_collection

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

    def save(self, commit: bool = True) -> Asset:
        """Only what was filled in: a worker may have written the rest since this row was read."""
        self.instance.save(update_fields=self.changed_data)
        return self.instance


class CollectionForm(CollectionModelForm):
    class Meta:
        model = Collection
        fields = ("name", "description", "visibility")
        widgets: ClassVar = {"description": forms.Textarea(attrs={"rows": 2})}

    def create(self, owner: User) -> Collection:
        return create_collection(owner=owner, **self.cleaned_data)


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
        return collection_named(name, self.user)
