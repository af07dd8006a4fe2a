"""What is set for a statement of the search: no generic plan is ever used, and nothing of it outlives the statement."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from archive.models import Asset, Collection, Space
from search.engine import search
from search.failures import SpaceGone, TooSlow
from search.moments import Aim, best_moments
from search.neighbours import find_neighbours, limited_to, read_rows
from search.neighbours.pairs import close_pairs, close_shots, looking_alike
from search.phrases import find_sayings
from search.query import Query
from tests.prepared import make_encoded, random_rows
from workers.client import Encoded, remember_text

SET = (
    *("hnsw.iterative_scan", "hnsw.ef_search", "hnsw.max_scan_tuples", "hnsw.scan_mem_multiplier"),
    *("plan_cache_mode", "statement_timeout", "jit"),
)
MANY = 12  # Postgres considers a generic plan from the sixth time on, psycopg prepares from the sixth on


@pytest.fixture
def boats(transactional_db: None, harbour: Collection, fake_space: Space) -> list[Asset]:
    remember_text(fake_space, "boat", Encoded(random_rows(1)[0]))
    return make_encoded(harbour, fake_space, random_rows(40), prefix="boat")


def ask(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def settings_now() -> dict[str, str]:
    return {name: ask(f"SHOW {name}")[0][0] for name in SET}


def generic_plans() -> int:
    return int(ask("SELECT coalesce(sum(generic_plans), 0) FROM pg_prepared_statements")[0][0])


def test_a_search_never_uses_a_generic_plan(boats: list[Asset], bob: User) -> None:
    for _ in range(MANY):
        assert search(Query(text="boat", collection="harbour"), bob).got == 40
    assert generic_plans() == 0


def test_nor_would_it_if_the_driver_prepared_its_statements(boats: list[Asset]) -> None:
    """As behind a driver or a pool that prepares: the same statement again and again, in the search's own cursor."""
    sql = "SELECT count(*) FROM archive_asset WHERE id > $1"
    ask_again = "EXECUTE asked(0)"
    with connection.cursor() as cursor:
        cursor.execute(f"PREPARE asked(bigint) AS {sql}")
    try:
        for _ in range(MANY):
            with limited_to(10_000) as cursor:
                cursor.execute(ask_again)
        assert generic_plans() == 0
        for _ in range(MANY):
            ask(ask_again)
        assert generic_plans() > 0  # left alone, Postgres would
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE asked")


@pytest.mark.parametrize(
    "ask_for",
    [
        lambda space, boats, user: find_neighbours(space, random_rows(1)[0], Asset.objects.all(), 10),
        lambda space, boats, user: find_sayings(Asset.objects.all(), "boat", 10),
        lambda space, boats, user: search(Query(text="boat"), user),
        lambda space, boats, user: search(Query(), user),
        lambda space, boats, user: best_moments(Aim(space, random_rows(1)[0]), [boats[0].pk]),
        lambda space, boats, user: close_pairs(space, [boat.pk for boat in boats], 0.1, 5),
        lambda space, boats, user: close_shots(space, boats[0].pk, [1], Asset.objects.all(), 0.1, 5, 10.0),
        lambda space, boats, user: looking_alike([(boats[0].pk, "0" * 256)], 20, 5),
    ],
)
@pytest.mark.parametrize("outer", [True, False])
def test_inside_another_transaction_and_alone_what_was_set_is_put_back(
    boats: list[Asset], fake_space: Space, bob: User, ask_for: Callable[..., Any], outer: bool
) -> None:
    ask("SELECT '[1]'::vector")  # loads pgvector into a new connection, with its settings
    if not outer:
        before = settings_now()
        ask_for(fake_space, boats, bob)
        assert settings_now() == before
        return
    with transaction.atomic():
        with connection.cursor() as cursor:  # somebody's own, for their transaction
            cursor.execute("SET LOCAL hnsw.ef_search = 77")
            cursor.execute("SET LOCAL statement_timeout = '45s'")
        Asset.objects.filter(pk=boats[0].pk).update(title="Kept")
        before = settings_now()
        assert (before["hnsw.ef_search"], before["statement_timeout"]) == ("77", "45s")
        ask_for(fake_space, boats, bob)
        assert settings_now() == before
    assert Asset.objects.get(pk=boats[0].pk).title == "Kept"


def test_what_was_stopped_leaves_nothing_behind_either(boats: list[Asset]) -> None:
    with transaction.atomic():
        before = settings_now()
        Asset.objects.filter(pk=boats[0].pk).update(title="Kept")
        with pytest.raises(TooSlow), limited_to(50) as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        assert settings_now() == before
    assert settings_now() == before
    assert Asset.objects.get(pk=boats[0].pk).title == "Kept"


@pytest.mark.parametrize("outer", [True, False])
def test_a_statement_and_its_settings_go_together_where_nothing_is_around_them(
    transactional_db: None, outer: bool
) -> None:
    asked: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    show = "SELECT current_setting('hnsw.ef_search'), current_setting('statement_timeout'), %(said)s"
    with transaction.atomic() if outer else nullcontext(), connection.execute_wrapper(note):
        assert read_rows(show, {"said": "it's %"}, 70, 777) == [("777", "70ms", "it's %")]
    assert outer or len(asked) == 1
    assert settings_now()["statement_timeout"] == "0"


@pytest.mark.parametrize("outer", [True, False])
def test_and_is_stopped_alone_as_well(transactional_db: None, outer: bool) -> None:
    with transaction.atomic() if outer else nullcontext():
        with pytest.raises(TooSlow):
            read_rows("SELECT pg_sleep(%(long)s)", {"long": 5}, 50)
        assert read_rows("SELECT 1", {}, 50) == [(1,)]


def test_a_table_that_went_is_told_in_either_way(transactional_db: None) -> None:
    for around in (transaction.atomic(), nullcontext()):
        with pytest.raises(SpaceGone), around:
            read_rows("SELECT 1 FROM archive_embedding_0", {}, 50)
