"""`manage.py space`: what it prints, and the sentences in which it refuses."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from archive.models import Collection, Space, SpaceState, Step, Work, WorkState
from tests import pictures
from tests.prepared import make_prepared
from workers.encode import drain_encode
from workers.management.space_life import as_time
from workers.spaces import make_space

KEYS = {
    *("slug", "model", "state", "dimensions", "done", "total", "share", "waiting", "set_aside", "rate"),
    *("seconds_left", "index", "bytes", "activated_at", "parent", "takes_over"),
}


def run(*words: str) -> str:
    out = StringIO()
    call_command("space", *words, stdout=out)
    return out.getvalue().strip()


@pytest.fixture
def filled(transactional_db: None, harbour: Collection, fake_space: Space) -> Space:
    for seed in range(3):
        make_prepared(harbour, pictures.distinct(seed), fake_space)
    drain_encode()
    return fake_space


def test_the_list_has_every_space_with_all_that_is_known_of_it(filled: Space) -> None:
    make_space("next", "fake", "x")
    rows = json.loads(run("list", "--json"))
    assert [(row["slug"], row["state"], row["done"], row["total"]) for row in rows] == [
        ("fake", "active", 3, 3),
        ("next", "building", 0, 3),
    ]
    assert all(set(row) == KEYS for row in rows)
    assert rows[0]["seconds_left"] == 0.0
    assert rows[1]["seconds_left"] is None  # nothing fills it
    assert rows[0]["activated_at"]
    assert rows[1]["activated_at"] is None
    assert "3/3  exact" in run("list")


def test_a_line_tells_how_long_it_will_take(filled: Space) -> None:
    make_space("next", "fake", "x")
    run("backfill", "next")
    done = Work.objects.filter(target="next").order_by("pk")[:2].values_list("pk", flat=True)
    Work.objects.filter(pk__in=list(done)).update(state=WorkState.DONE, done_at="2000-01-01T00:00Z")
    assert "left" not in run("list")  # that was long ago
    drain_encode()
    assert "next" in run("list")
    assert [as_time(seconds) for seconds in (None, 5.2, 65, 7300)] == [
        *("an unknown time", "5 s", "1 min 5 s", "2 h 1 min"),
    ]


def test_a_whole_life_on_the_command_line(filled: Space) -> None:
    assert "Being filled" in run("create", "next", "--model", "fake", "--weights", "x")
    assert run("backfill", "next") == "3 to encode"
    assert run("backfill", "next", "--stop").startswith("3 wait no longer")
    assert run("backfill", "next") == "3 to encode"
    drain_encode()
    assert run("index", "next") == "too small to need an index: searched exactly"
    assert Space.objects.get(slug="next").state == SpaceState.READY
    assert run("activate", "next") == "next is searched now"
    assert run("rollback") == "fake is searched again"
    assert run("rollback") == "next is searched again"
    assert run("retire", "fake") == "fake is retired; its vectors are gone"
    assert json.loads(run("list", "--json"))[0]["state"] == "retired"
    assert "retired" in run("list")


def test_a_roll_back_says_what_is_missing_there(filled: Space, harbour: Collection) -> None:
    make_space("next", "fake", "x")
    run("backfill", "next")
    drain_encode()
    run("activate", "next")
    Work.objects.filter(target="fake").first().delete()  # type: ignore[union-attr]
    assert run("rollback") == "fake is searched again; it lacks 1 asset: `space backfill fake` fills it"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["activate", "next"], "next covers 0 of 3 assets"),
        (["activate", "next"], "Nothing fills it: run `manage.py space backfill next`"),
        (["retire", "fake"], "fake is the space that is searched"),
        (["rollback"], "none to go back to"),
        (["backfill", "nothing"], "There is no space 'nothing'. There are: fake, next"),
        (["create", "third", "--model", "fake", "--weights", "y"], "another one is being filled"),
        (["create", "fake", "--model", "fake"], "There is a space of that name"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(filled: Space, words: list[str], sentence: str) -> None:
    make_space("next", "fake", "x")
    with pytest.raises(CommandError) as refused:
        run(*words)
    assert sentence in str(refused.value)


def test_nothing_is_done_to_a_retired_space(filled: Space) -> None:
    make_space("next", "fake", "x")
    run("retire", "next")
    for verb in ("backfill", "index", "activate"):
        with pytest.raises(CommandError, match="next is retired"):
            run(verb, "next")
    assert not Work.objects.filter(step=Step.ENCODE, target="next").exists()
    assert run("retire", "next").startswith("next is retired")


def test_a_large_space_needs_its_index_or_a_word(filled: Space, settings: Any) -> None:
    make_space("next", "fake", "x")
    run("backfill", "next")
    drain_encode()
    settings.SIGHTLINE_INDEX_FROM = 3
    with pytest.raises(CommandError, match="has no valid index"):
        run("activate", "next")
    assert run("activate", "next", "--unindexed") == "next is searched now"
    assert run("index", "next") == "index is valid"
