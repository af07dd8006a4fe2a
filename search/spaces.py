"""In which space a query is asked: the searched one, unless a curator names another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from archive.models import Space, SpaceState
from search.failures import NoSpace, NotForYou, SpaceGone
from search.query import BadQuery, Query

if TYPE_CHECKING:
    from archive.models.collections import Person

# A space is retired perhaps once a year; that two are within one search is no accident.
TRIES = 3

Answered = TypeVar("Answered")


def choose_space(query: Query, user: Person) -> Space:
    """Raises `NoSpace`, `NotForYou`, or `BadQuery` where no live space has that name."""
    if not query.space:
        return active_space()
    if not may_choose_space(user):
        raise NotForYou
    space = find_live(query.space)
    if space is None:
        live = ", ".join(space.slug for space in live_spaces()) or "none"
        raise BadQuery({"space": f"No space is named {query.space!r} that could be searched. There are: {live}."})
    return space


def may_choose_space(user: Person) -> bool:
    """Comparing models is curators' work; everybody else searches what was chosen for all."""
    return bool(user.is_authenticated and user.is_staff)


def active_space() -> Space:
    space = Space.objects.active()
    if space is None:
        raise NoSpace
    return space


def live_spaces() -> list[Space]:
    """The searched one first, then the newest."""
    found = Space.objects.live().slim().order_by("-created_at")
    return sorted(found, key=lambda space: space.state != SpaceState.ACTIVE)


def find_live(slug: str) -> Space | None:
    return Space.objects.live().slim().filter(slug=slug).first()


def asked_again(ask: Callable[[], Answered]) -> Answered:
    """Ask, and once more where the space was retired in the middle: the next look finds the one that is searched."""
    for _ in range(TRIES - 1):
        try:
            return ask()
        except SpaceGone:
            continue
    return ask()
