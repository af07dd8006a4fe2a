"""What is asked while the database works on something else: the same answers, on a connection of its own or without."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, connections, transaction
from django.db.models import TextField
from django.db.models.expressions import RawSQL

from archive.models import Asset, Collection, Space
from search import meanwhile as module
from search import phrases, sayings
from search.candidates import find_candidates
from search.engine import search
from search.failures import TooSlow
from search.hits import Answer
from search.meanwhile import MOST, meanwhile
from search.phrases import Saying
from search.query import Query
from tests.prepared import make_encoded, random_rows
from workers.client import Encoded, remember_text

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in the web process: connections are kept from one request to the next."""
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 600)
    yield
    together = threading.Barrier(MOST)

    def end(_: int) -> None:
        together.wait()
        connections.close_all()

    threads = module._threads()
    list(threads.map(end, range(MOST)))
    threads.shutdown()
    module._threads.cache_clear()


@pytest.fixture
def boats(harbour: Collection, fake_space: Space) -> list[Asset]:
    rows = random_rows(90)
    remember_text(fake_space, "boat", Encoded(rows[0]))
    boats = make_encoded(harbour, fake_space, rows, prefix="picture")
    for boat in boats[70:75]:  # far from the question, so that only their words find them
        Asset.objects.filter(pk=boat.pk).update(title="A boat at sunset")
    Asset.objects.filter(pk=boats[71].pk).update(title="A boat at dawn")
    return boats


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def here() -> tuple[int, str]:
    return backend(), threading.current_thread().name


def told(answer: Answer) -> list[tuple[Any, ...]]:
    return [(hit.asset.pk, hit.score, hit.share, hit.rank, hit.well, hit.said) for hit in answer.hits]


def test_it_is_asked_beside_whoever_goes_on(kept: None) -> None:
    begun, go = threading.Event(), threading.Event()

    def ask() -> tuple[int, str]:
        begun.set()
        assert go.wait(10)
        return here()

    wait = meanwhile(ask)
    assert begun.wait(10)
    mine = backend()
    go.set()
    other, name = wait()
    assert other != mine
    assert name.startswith("meanwhile")
    assert meanwhile(here)()[0] in {other, *(meanwhile(here)()[0] for _ in range(MOST))}  # the connection is kept


def test_where_no_connection_is_free_one_thing_comes_after_the_other(kept: None) -> None:
    go = threading.Event()
    busy = [meanwhile(lambda: go.wait(10)) for _ in range(MOST)]
    assert meanwhile(here)() == here()
    go.set()
    assert [wait() for wait in busy] == [True] * MOST
    assert meanwhile(here)() != here()


def test_inside_a_transaction_and_in_commands_too(kept: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction.atomic():
        assert meanwhile(here)() == here()
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    assert meanwhile(here)() == here()


def test_what_it_raises_is_raised_where_it_is_waited_for_and_frees_its_place(kept: None) -> None:
    def fail() -> None:
        raise TooSlow

    for _ in range(3 * MOST):
        wait = meanwhile(fail)
        with pytest.raises(TooSlow):
            wait()
    assert meanwhile(here)() != here()


def test_where_the_server_gives_no_second_connection_it_is_asked_in_turn(
    kept: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, kind = threading.get_ident(), type(connections["default"])
    ensure = kind.ensure_connection

    def refuse(self: Any) -> None:
        if threading.get_ident() != mine:
            raise OperationalError("sorry, too many clients already")
        ensure(self)

    monkeypatch.setattr(kind, "ensure_connection", refuse)
    for _ in range(3 * MOST):
        assert meanwhile(here)() == here()


def test_a_connection_that_was_lost_is_made_anew(kept: None) -> None:
    for lost in {meanwhile(here)()[0] for _ in range(4)}:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [lost])
    for _ in range(3 * MOST):
        assert meanwhile(here)() != here()


@pytest.mark.parametrize(
    "query",
    [Query(text="boat"), Query(text="boat", limit=5), Query(text="boat", without="sunset"), Query(text='"boat"')],
)
def test_a_search_finds_the_same_either_way(
    boats: list[Asset], fake_space: Space, bob: User, query: Query, monkeypatch: pytest.MonkeyPatch, kept: None
) -> None:
    remember_text(fake_space, "sunset", Encoded(random_rows(90)[70]))
    names: list[str] = []
    find = sayings.find_said

    def noted(*arguments: Any) -> Any:
        names.append(threading.current_thread().name)
        return find(*arguments)

    monkeypatch.setattr("search.engine.find_said", noted)
    beside = search(query, bob)
    with transaction.atomic():
        alone = search(query, bob)
    assert told(beside) == told(alone)
    assert any(hit.said for hit in beside.hits)
    assert names[0].startswith("meanwhile")
    assert not names[1].startswith("meanwhile")
    assert set(beside.took) == {"encode", "neighbours", "words", "judge", "hits"}


def test_words_that_take_too_long_beside_are_told_too(
    boats: list[Asset], bob: User, kept: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(query: Query, among: Any) -> list[Saying]:
        found = find_candidates(query, bob)
        found = found.annotate(slept=RawSQL("pg_sleep(30)::text", [], output_field=TextField())).filter(slept="")
        return phrases.find_sayings(found, query.text, 10)

    with monkeypatch.context() as for_now:
        for_now.setattr(sayings, "find_words", slowly)
        for_now.setattr(phrases, "WITHIN_MS", 100)
        for _ in range(3 * MOST):
            with pytest.raises(TooSlow):
                search(Query(text="boat"), bob)
    assert search(Query(text="boat"), bob).hits


def test_no_place_is_lost_where_no_thread_can_be_had(kept: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(*_: Any) -> Any:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as for_now:
        for_now.setattr(ThreadPoolExecutor, "submit", no_thread)
        for _ in range(3 * MOST):
            assert meanwhile(here)() == here()
    assert meanwhile(here)() != here()


def test_no_place_is_lost_where_closing_a_connection_fails(kept: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise OSError("no route to host")

    with monkeypatch.context() as for_now:
        for_now.setattr("search.meanwhile.close_old_connections", fails)
        for _ in range(3 * MOST):
            with pytest.raises(OSError, match="no route"):
                meanwhile(here)()
    assert meanwhile(here)() != here()
