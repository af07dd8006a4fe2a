"""What a curator fills in for a concept."""

from __future__ import annotations

import math
import re
import uuid
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet

from archive.concepts.keeping import Surroundings, kept_by
from archive.concepts.words import MOST_EXAMPLES, MOST_PROMPTS, TEMPLATES, BadPrompt, clean_lines, clean_templates
from archive.models import Asset, Collection, Concept, ConceptExample, ConceptKind, OnMatch
from archive.models.collections import CURATING
from archive.models.concepts import LONGEST_NAME, fold
from archive.tag_names import BadTag, clean_one

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
FURTHEST = 1000.0  # no score is
STEP = 0.011  # of the slider, and a rounding


def _lines(rows: int, placeholder: str = "") -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "placeholder": placeholder})


class ConceptForm(forms.Form):
    name = forms.CharField(max_length=4 * LONGEST_NAME, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    on_match = forms.ChoiceField(label="When the model sees it", choices=OnMatch.choices, initial=OnMatch.PROPOSE)
    prompts = forms.CharField(
        label="What it looks like",
        required=False,
        widget=_lines(3, "a wooden boat"),
        help_text="In words, one description a line. Without any, its name.",
    )
    negatives = forms.CharField(
        label="What it is mistaken for",
        required=False,
        widget=_lines(2, "a toy"),
        help_text="One a line. A picture that resembles these more than most does counts less.",
    )
    kind = forms.ChoiceField(choices=ConceptKind.choices, initial=ConceptKind.TAG)
    parent = forms.ModelChoiceField(Concept.objects.none(), required=False, empty_label="None")
    scope = forms.ModelMultipleChoiceField(
        Collection.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Where it is looked for",
    )
    examples = forms.CharField(
        label="Pictures that show it",
        required=False,
        widget=_lines(2),
        help_text="Addresses of pictures here, one a line.",
    )
    counters = forms.CharField(label="Pictures that do not", required=False, widget=_lines(2))
    templates = forms.CharField(
        label="Templates",
        required=False,
        widget=_lines(3, "\n".join(TEMPLATES[:3])),
        help_text="Each description is put in the place of {} in each. Without any, the usual six.",
    )
    note = forms.CharField(
        label="What it means here", required=False, max_length=2000, widget=_lines(2), help_text="For people who judge."
    )
    line = forms.FloatField(required=False, min_value=-FURTHEST, max_value=FURTHEST, widget=forms.HiddenInput)
    calibrated = forms.FloatField(required=False, min_value=-FURTHEST, max_value=FURTHEST, widget=forms.HiddenInput)

    def __init__(self, user: User, concept: Concept, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.concept = user, concept
        parent, scope = self.fields["parent"], self.fields["scope"]
        assert isinstance(parent, forms.ModelChoiceField)
        assert isinstance(scope, forms.ModelMultipleChoiceField)
        parent.queryset = kept_by(user).exclude(pk=concept.pk)
        scope.queryset = Collection.objects.open_to(user, CURATING)
        scope.required = not user.is_superuser
        scope.help_text = "Nothing chosen means everywhere." if user.is_superuser else "Choose at least one."

    def clean_name(self) -> str:
        try:
            name = clean_one(self.cleaned_data["name"])
        except BadTag as error:
            raise forms.ValidationError(str(error)) from error
        there = Concept.objects.filter(folded=fold(name)).exclude(pk=self.concept.pk)
        if kept_by(self.user).filter(pk__in=there.values("pk")).exists():
            raise forms.ValidationError("There is a concept of this name already. Change that one: it is in the list.")
        if there.exists():
            raise forms.ValidationError(
                f"There is a tag “{name}” already, and other collections may use it: ask whoever runs the archive to "
                "have a model look for it where you curate. Or choose another name."
            )
        return name

    def clean_prompts(self) -> list[str]:
        return self._lines_of("prompts", "descriptions")

    def clean_negatives(self) -> list[str]:
        return self._lines_of("negatives", "mistakes")

    def clean_templates(self) -> list[str]:
        try:
            return clean_templates(self.cleaned_data["templates"])
        except BadPrompt as error:
            raise forms.ValidationError(str(error)) from error

    def clean_examples(self) -> list[Asset]:
        return self._assets_of("examples")

    def clean_counters(self) -> list[Asset]:
        return self._assets_of("counters")

    def chosen_line(self) -> float | None:
        """None where the slider stands where the model was calibrated, for that moves with the words."""
        line, calibrated = self.cleaned_data["line"], self.cleaned_data["calibrated"]
        if line is None or not math.isfinite(line):
            return None
        return None if calibrated is not None and abs(line - calibrated) <= STEP else float(line)

    def draft(self) -> Concept:
        """The concept as the form says it, not saved."""
        for name in ("name", "on_match", "prompts", "negatives", "kind", "parent", "templates", "note"):
            setattr(self.concept, name, self.cleaned_data[name])
        return self.concept

    def surroundings(self) -> Surroundings:
        told = self.cleaned_data
        examples, counters = ([*told[name], *self._unseen(name == "counters")] for name in ("examples", "counters"))
        return Surroundings(list(told["scope"]), examples, counters, self.chosen_line())

    def draft_examples(self) -> list[ConceptExample]:
        around = self.surroundings()
        shown = dict.fromkeys(around.counters, True) | dict.fromkeys(around.examples, False)
        return [ConceptExample(concept=self.concept, asset=asset, counter=counter) for asset, counter in shown.items()]

    def _unseen(self, counter: bool) -> list[Asset]:
        """Examples that are in the trash, in quarantine or elsewhere: the form neither shows nor takes them away."""
        seen = Asset.objects.visible_to(self.user).order_by().values("pk")
        kept = self._kept().filter(counter=counter).exclude(asset__in=seen)
        return [one.asset for one in kept.select_related("asset")]

    def _kept(self) -> QuerySet[ConceptExample]:
        return ConceptExample.objects.filter(concept=self.concept.pk).order_by("pk")

    def _lines_of(self, field: str, what: str) -> list[str]:
        try:
            return clean_lines(self.cleaned_data[field], MOST_PROMPTS, what)
        except BadPrompt as error:
            raise forms.ValidationError(str(error)) from error

    def _assets_of(self, field: str) -> list[Asset]:
        written = [line for line in self.cleaned_data[field].splitlines() if line.strip()]
        ids = [found[0] if (found := ID.findall(line)) else "" for line in written]
        if len(ids) > MOST_EXAMPLES:
            raise forms.ValidationError(f"At most {MOST_EXAMPLES} pictures, please.")
        named = [pk for pk in ids if pk]
        known = {str(one.uuid): one for one in Asset.objects.visible_to(self.user).filter(uuid__in=named)}
        # One that went out of sight while somebody wrote.
        kept = self._kept().filter(asset__uuid__in=named).select_related("asset")
        known |= {str(one.asset.uuid): one.asset for one in kept}
        for line, pk in zip(written, ids, strict=True):
            if not pk or str(uuid.UUID(pk)) not in known:
                raise forms.ValidationError(f"“{line.strip()[:80]}” is no address of a picture that you may see.")
        return list({known[str(uuid.UUID(pk))] for pk in ids})


def initial_of(concept: Concept, line: float | None, user: User) -> dict[str, Any]:
    """What the form shows `user` of a saved concept."""
    told = {name: getattr(concept, name) for name in ("name", "on_match", "kind", "parent", "note")}
    told |= {name: "\n".join(getattr(concept, name)) for name in ("prompts", "negatives", "templates")}
    seen = Asset.objects.visible_to(user).order_by().values("pk")
    shown = list(concept.examples.filter(asset__in=seen).select_related("asset").order_by("pk"))
    for name, counter in (("examples", False), ("counters", True)):
        told[name] = "\n".join(f"/assets/{one.asset.uuid}/" for one in shown if one.counter == counter)
    return {**told, "scope": list(concept.scope.all()), "line": line}
