"""What a policy looks for is changed by those who may change policies, and the moderation log tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archive.models import Policy
from archive.moderation.log import note_change

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.auth.models import User

    from archive.models import Concept

CHANGE = "archive.change_policy"
FIELDS = ("name", "kind", "prompts", "templates", "negatives")  # what decides what is found
LONGEST = 300


class NotYours(Exception):
    """A policy stands on this concept; the sentence says who may change it."""

    def __init__(self, concept: Concept) -> None:
        super().__init__(
            f"A policy looks for “{concept}”. Only those who may change policies change what it finds: ask one of them."
        )


def ask_leave(concept: Concept, by: User | None) -> None:
    """`by` is None for a program. Raises `NotYours`."""
    if by is None or not concept.pk or by.has_perm(CHANGE):
        return
    if Policy.objects.filter(concept=concept.pk).exists():
        raise NotYours(concept)


def tell_differences(was: Concept, concept: Concept, by: User | None, more: Iterable[str] = ()) -> None:
    """Tell the log what of a concept is another than it was, if a policy looks for it; `more` in words."""
    told = [
        f"{name}: {_written(getattr(concept, name))} instead of {_written(getattr(was, name))}"
        for name in FIELDS
        if getattr(was, name) != getattr(concept, name)
    ]
    if told := [*told, *more]:
        note_change(by, concept, "; ".join(told))


def _written(value: object) -> str:
    text = " / ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text[:LONGEST] or "nothing"
