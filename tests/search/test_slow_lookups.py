"""Words, browsing and counting that would take too long: the database is stopped, and whoever asked is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.test import Client

from archive.models import Asset, Collection, Space
from search import browsing, candidates, engine, facets, phrases
from search.engine import search
from search.facets import count_facets
from search.failures import TooSlow
from search.neighbours import compile_candidates
from search.phrases import find_sayings
from search.query import Order, Query
from tests.api import client_of, error_of
from tests.prepared import make_encoded, random_rows
from workers.client import Encoded, remember_text

pytestmark = pytest.mark.django_db
SAID = "This search took too long and was stopped"


def slowly(found: QuerySet[Asset]) -> QuerySet[Asset]:
    """Each row takes half a minute."""
    return found.annotate(slept=RawSQL("pg_sleep(30)::text", [], output_field=TextField())).filter(slept="")


@pytest.fixture
def boats(harbour: Collection, fake_space: Space) -> list[Asset]:
    remember_text(fake_space, "boat", Encoded(random_rows(1)[0]))
    return make_encoded(harbour, fake_space, random_rows(3), prefix="boat")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(query: Query, user: User, **how: Any) -> QuerySet[Asset]:
        return slowly(candidates.find_candidates(query, user, **how))

    for module in (browsing, facets):
        monkeypatch.setattr(module, "find_candidates", find)
    monkeypatch.setattr(engine, "choose", lambda query, user: compile_candidates(find(query, user)))
    for module in (browsing, facets, phrases):
        monkeypatch.setattr(module, "WITHIN_MS", 100)


@pytest.mark.parametrize(
    "ask",
    [
        lambda user: find_sayings(slowly(Asset.objects.visible_to(user)), "boat", 10),
        lambda user: find_sayings(slowly(Asset.objects.visible_to(user)), "boat-00001.jpg", 10),
        lambda user: search(Query(text="boat"), user),
        lambda user: search(Query(), user),
        lambda user: search(Query(order=Order.LONGEST), user),
        lambda user: count_facets(Query(), user),
    ],
)
def test_each_of_them_is_stopped(boats: list[Asset], bob: User, slow: None, ask: Callable[[User], Any]) -> None:
    with pytest.raises(TooSlow, match=SAID):
        ask(bob)
    assert Asset.objects.count() == 3  # and the connection goes on


def test_counting_what_was_ranked_is_stopped_too(
    boats: list[Asset], bob: User, slow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets, "find_relevant_ids", lambda *_: [boat.pk for boat in boats])
    with pytest.raises(TooSlow, match=SAID):
        count_facets(Query(text="boat"), bob)


def test_people_and_programs_are_told(boats: list[Asset], bob: User, slow: None, client: Client) -> None:
    client.force_login(bob)
    for address in ("/", "/?q=boat"):
        page = client.get(address)
        assert page.status_code == 503
        assert SAID in page.content.decode()
    assert SAID in client.get("/search/facets/").content.decode()
    for asked in ({}, {"q": "boat"}):
        answer = client_of(bob).get("/api/v1/search", asked)
        assert (answer.status_code, error_of(answer)["code"]) == (503, "too_slow")
        assert answer.headers["Retry-After"] == "5"
