"""What is filled in about a space to come: which model, from where, and what follows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django import forms

from archive.catalogue import Model, default_model, is_here, models
from archive.models import Setup, Space, Then

OWN = "own"  # among the names of models: none of them
LOSSES = (("softmax", "softmax, as CLIP is trained"), ("sigmoid", "sigmoid, as SigLIP is trained"))
WIDE = {"class": "vTextField"}


@dataclass(frozen=True)
class Row:
    model: Model
    here: bool
    chosen: bool


class NewSpaceForm(forms.Form):
    model = forms.ChoiceField(choices=lambda: [*((name, name) for name in models()), (OWN, "a folder of your own")])
    weights = forms.CharField(
        label="Folder or file",
        required=False,
        max_length=290,
        widget=forms.TextInput(attrs=WIDE),
        help_text="As the encode workers see it. Empty: from the models' folder on their machine, else from the hub.",
    )
    slug = forms.CharField(
        label="Name of the space",
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs=WIDE),
        help_text="Small letters, digits, dots and dashes. Empty: as the model is called.",
    )
    then = forms.ChoiceField(label="And then", choices=Then.choices, widget=forms.RadioSelect, initial=Then.SEARCH)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("model") == OWN and not data.get("weights"):
            self.add_error("weights", "Name the folder: one in open_clip's format, or of ALIGN or X-CLIP.")
        if data.get("then") == Then.FETCH and (data.get("model") == OWN or data.get("weights")):
            self.add_error("then", "A folder that you name needs no download.")
        return data

    def as_setup(self) -> Setup:
        data = self.cleaned_data
        own = data["model"] == OWN
        slug = data["slug"] or as_slug(data["weights"].rstrip("/").rpartition("/")[2] if own else data["model"])
        return Setup(
            slug="" if data["then"] == Then.FETCH else slug,
            model=f"local-dir:{data['weights']}" if own else data["model"],
            weights="" if own else data["weights"],
            then=data["then"],
        )

    def families(self) -> list[tuple[str, list[Row]]]:
        """The curated models as the table shows them, by family, with the one that is chosen."""
        chosen = self["model"].value() or default_model().name
        rows = [Row(model, is_here(model), model.name == chosen) for model in models().values()]
        return [(family, list(members)) for family, members in groupby(rows, lambda row: row.model.family)]

    def others(self) -> list[forms.BoundField]:
        """What is asked besides the model."""
        return [self[name] for name in ("weights", "slug", "then")]

    def own_is_chosen(self) -> bool:
        return bool(self["model"].value() == OWN)


class AdaptForm(forms.Form):
    parent = forms.ChoiceField(label="Adapt", help_text="The space whose vectors are turned; no picture is read again.")
    slug = forms.CharField(
        label="Name of the new space",
        max_length=60,
        widget=forms.TextInput(attrs=WIDE),
        help_text="Small letters, digits, dots and dashes.",
    )
    loss = forms.ChoiceField(label="Loss", choices=LOSSES)
    then = forms.ChoiceField(
        label="And then",
        choices=[(Then.SEARCH, "Search it as soon as it is full"), (Then.FILL, "Let me compare before I switch")],
        widget=forms.RadioSelect,
        initial=Then.FILL,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        live = Space.objects.live().filter(parent=None).order_by("-activated_at")
        field = self.fields["parent"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(slug, slug) for slug in live.values_list("slug", flat=True)]

    def as_setup(self) -> Setup:
        data = self.cleaned_data
        parent = Space.objects.get(slug=data["parent"])
        return Setup(slug=data["slug"], parent=parent, loss=data["loss"], then=data["then"])


def as_slug(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")[:60]
