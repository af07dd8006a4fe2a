"""Rules about a person are written down once a process: for each person they say what Django would say of them."""

from __future__ import annotations

import uuid
from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User

from archive.models import Collection, Membership, Role
from archive.models.collections import Visibility
from search import candidates
from search.boxes import Box
from search.candidates import NARROWS_NOTHING, choose, find_candidates
from search.neighbours import SOMEBODY, compile_candidates
from search.query import Mode, Order, Query, Shape
from search.sight import EVERYTHING, sight_of

pytestmark = pytest.mark.django_db
SOME: dict[str, Any] = {
    **{"like": uuid.UUID(int=1), "unlike": uuid.UUID(int=2), "within": uuid.UUID(int=3), "at": 1.5},
    **{"box": Box(0.1, 0.1, 0.5, 0.5), "date_from": date(2024, 1, 1), "date_to": date(2024, 1, 2)},
    **{"mode": Mode.STRICT, "order": Order.TAKEN, "shape": Shape.SQUARE.value, "placed": "no"},
}


def something(name: str) -> Query:
    """A query that says something there."""
    usual = getattr(Query, name)
    other: Any = SOME.get(name)
    if other is None:
        other = "cat" if isinstance(usual, str) else not usual if isinstance(usual, bool) else usual + 1
    return replace(Query(), **{name: other})


@pytest.mark.parametrize("name", [field.name for field in fields(Query)])
def test_whatever_a_query_says_the_candidates_are_those_that_it_means(name: str, bob: User, visitor: User) -> None:
    query = something(name)
    assert query != Query()
    for user in (bob, visitor, bob):
        assert choose(query, user) == compile_candidates(find_candidates(query, user))


def test_quotes_a_superuser_and_a_stranger_have_their_own(bob: User, db: None) -> None:
    root = User.objects.create_superuser("root")
    strangers: Any = (root, AnonymousUser())
    for user in (bob, *strangers):
        for query in (Query(text="cat"), Query(text='"a cat"'), Query(text='"a cat" at home', without="dog")):
            assert choose(query, user) == compile_candidates(find_candidates(query, user))
    assert choose(Query(text="cat"), strangers[1]).sql == ""
    assert choose(Query(text="cat"), root).params != choose(Query(text="cat"), bob).params


def test_it_is_not_written_down_again(bob: User, visitor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(Query(), bob)
    monkeypatch.setattr(candidates, "find_candidates", None)
    for name in NARROWS_NOTHING:
        assert choose(something(name), bob) != choose(something(name), visitor)


def test_nobody_is_somebody(db: None) -> None:
    assert not User.objects.filter(pk=SOMEBODY.pk).exists()
    assert (SOMEBODY.is_superuser, SOMEBODY.is_staff, SOMEBODY.is_authenticated) == (False, False, True)


def test_sight_changes_with_what_is_open_and_with_nothing_else(harbour: Collection, bob: User, visitor: User) -> None:
    def sights() -> list[str]:
        return [sight_of(user) for user in (bob, visitor, AnonymousUser())]

    before = sights()
    assert len(set(before)) == 3
    Collection.objects.create(slug="other", name="Other", owner=harbour.owner)
    assert sights() == before
    open_to_all = Collection.objects.create(
        slug="open", name="Open", owner=harbour.owner, visibility=Visibility.EVERYONE
    )
    opened = sights()
    assert [one != other for one, other in zip(before, opened, strict=True)] == [True, True, False]
    open_to_all.delete()
    assert sights() == before
    group = Group.objects.create(name="rowers")
    Membership.objects.create(collection=harbour, group=group, role=Role.VIEWER)
    assert sights() == before
    visitor.groups.add(group)
    assert [one != other for one, other in zip(before, sights(), strict=True)] == [False, True, False]
    visitor.groups.clear()
    assert sights() == before
    Collection.objects.create(slug="own", name="Own", owner=visitor)
    assert [one != other for one, other in zip(before, sights(), strict=True)] == [False, True, False]
    assert sight_of(User.objects.create_superuser("root")) == EVERYTHING
