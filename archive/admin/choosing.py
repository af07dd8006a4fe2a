"""A collection is chosen by typing its name: of a thousand of them no page has a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Q
from django.urls import reverse

from archive.models import Collection

if TYPE_CHECKING:
    CollectionChoice = forms.ModelChoiceField[Collection]
else:
    CollectionChoice = forms.ModelChoiceField

NOT_ONE = "You curate no collection of this name. Type a part of its name, and choose from what is offered."
SEVERAL = "Several collections have this name. Write the address of the one: %(slugs)s."


class NameInput(forms.TextInput):
    """Completed by js/names.js, and by itself a box for a name or an address."""

    choices = ()  # Django's admin looks for them in whatever stands for a related row

    def __init__(self) -> None:
        super().__init__({"class": "vTextField", "autocomplete": "off"})

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        names = f"{reverse('admin:archive_asset_names')}?of=curated"
        return super().get_context(name, value, {**(attrs or {}), "data-names": names})


class CollectionField(CollectionChoice):
    """By its address (the slug) or its name, whatever the case."""

    def __init__(self, queryset: Any, **options: Any) -> None:
        kept = {name: options[name] for name in ("label", "help_text", "required", "initial") if name in options}
        super().__init__(queryset, empty_label=None, widget=NameInput(), **kept)

    def prepare_value(self, value: Any) -> Any:
        """What stands in the box: of a row its address, else what was typed."""
        if isinstance(value, int):
            value = Collection.objects.filter(pk=value).first()
        return str(value.slug) if isinstance(value, Collection) else value

    def to_python(self, value: Any) -> Collection | None:
        written = str(value or "").strip()
        if not written:
            return None
        if "\0" in written:
            raise forms.ValidationError(NOT_ONE)
        among = self.queryset if self.queryset is not None else Collection.objects.none()
        found: list[Collection] = list(among.filter(Q(slug=written) | Q(name__iexact=written))[:20])
        exact = [one for one in found if one.slug == written] or found
        if not exact:
            raise forms.ValidationError(NOT_ONE)
        if len(exact) > 1:
            raise forms.ValidationError(SEVERAL, params={"slugs": ", ".join(one.slug for one in exact)})
        return exact[0]
