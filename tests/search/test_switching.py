"""`manage.py space switch`: one command from a model's name to a space that is searched, and nothing changes before."""

from __future__ import annotations

import json
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from archive import dispatch
from archive.catalogue import models
from archive.models import Collection, Embedding, Space, SpaceState, Step, Work, WorkState
from archive.spaces import index_state, stop_backfill
from search.engine import search
from search.query import Query
from tests import pictures
from tests.prepared import make_prepared
from tests.workers.checkpoints import write_model
from workers.encode import drain_encode
from workers.encoders.fake import FakeEncoder
from workers.management import space_pace, space_switch
from workers.spaces import make_space

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _measured_shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space_pace, "SECONDS", 0.05)


@pytest.fixture
def filled(harbour: Collection, fake_space: Space) -> Space:
    for seed in range(6):
        make_prepared(harbour, pictures.distinct(seed), fake_space, name=f"{seed}.jpg")
    drain_encode()
    return fake_space


def switch(*words: str) -> tuple[str, str]:
    """What is printed, and what is said on the way."""
    out, err = StringIO(), StringIO()
    call_command("space", "switch", *words, stdout=out, stderr=err)
    return out.getvalue().strip(), err.getvalue()


def test_one_command_makes_fills_measures_and_switches(filled: Space, bob: User, queries_in_process: None) -> None:
    said, told = switch("next", "--model", "fake", "--weights", "x", "--here", "--yes")
    assert said == "next is searched now: 6 of 6 assets; `manage.py space rollback` goes back to fake"
    assert "next: 6 to encode; searches go on in the old space" in told
    assert "R@1" in told  # the table of both
    assert Space.objects.active() == Space.objects.get(slug="next")
    assert Space.objects.get(slug="fake").state == SpaceState.READY
    assert search(Query(text="red"), bob).space == "next"
    assert switch("next", "--yes")[0] == "next is searched now: 6 of 6 assets"


def test_a_curated_model_is_named_alone_and_its_weights_beside_it(
    filled: Space, tmp_path: Path, queries_in_process: None
) -> None:
    folder = write_model(tmp_path / "stick", models()["ViT-B-32-openai"])
    said, _ = switch("ViT-B-32-openai", "--weights", str(folder), "--here", "--yes", "--json")
    space = Space.objects.get(slug="vit-b-32-openai")
    assert (space.model, space.state, space.dimensions) == ("ViT-B-32-openai", SpaceState.ACTIVE, 512)
    told = json.loads(said)
    assert (told["space"], told["was"], told["done"], told["total"]) == ("vit-b-32-openai", "fake", 6, 6)
    assert [row["slug"] for row in told["spaces"]] == ["fake", "vit-b-32-openai"]


def test_a_switch_that_was_stopped_goes_on_where_it_stopped(
    filled: Space, monkeypatch: pytest.MonkeyPatch, settings: Any, queries_in_process: None
) -> None:
    settings.SIGHTLINE_ENCODE_BATCH = 2
    seen: list[int] = []
    encode = FakeEncoder.encode_pictures

    def encode_some(self: FakeEncoder, prepared: Any) -> Any:
        if len(prepared) == 2:
            seen.append(len(prepared))
        return encode(self, prepared)

    monkeypatch.setattr(FakeEncoder, "encode_pictures", encode_some)

    def stop(budget: float) -> bool:
        if Embedding.objects.filter(space__slug="next").exists():
            raise KeyboardInterrupt
        return drain_encode(0.0)

    with monkeypatch.context() as patch:
        patch.setattr(space_switch, "drain_encode", stop)
        with pytest.raises(CommandError, match="the same command goes on") as stopped:
            switch("next", "--model", "fake", "--weights", "x", "--here", "--yes")
    assert stopped.value.returncode == 130
    assert Space.objects.active() == filled
    done = Embedding.objects.filter(space__slug="next").count()
    assert 0 < done < 6
    seen.clear()
    switch("next", "--here", "--yes")
    assert sum(seen) == 6 - done  # nothing was encoded twice
    assert Space.objects.active() == Space.objects.get(slug="next")


def test_a_filling_that_somebody_stops_meanwhile_is_taken_up_again(
    filled: Space, monkeypatch: pytest.MonkeyPatch, queries_in_process: None
) -> None:
    """Else the command waits for what nobody works on."""
    rounds: list[int] = []

    def stop_at_first(budget: float) -> bool:
        rounds.append(stop_backfill(Space.objects.get(slug="next")) if not rounds else 0)
        assert len(rounds) < 5, "nothing waits, and nothing is added"
        return drain_encode(0.0) if len(rounds) > 1 else False

    monkeypatch.setattr(space_switch, "drain_encode", stop_at_first)
    said, told = switch("next", "--model", "fake", "--weights", "x", "--here", "--yes")
    assert rounds[0] == 6
    assert "next: 6 more to encode" in told
    assert said.startswith("next is searched now: 6 of 6 assets")


def test_a_large_space_has_its_index_before_it_is_searched(
    filled: Space, settings: Any, queries_in_process: None
) -> None:
    settings.SIGHTLINE_INDEX_FROM = 5
    switch("next", "--model", "fake", "--weights", "x", "--here", "--yes")
    assert index_state(Space.objects.get(slug="next")).valid


def test_it_does_not_switch_to_what_the_queries_worker_cannot_read(
    filled: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its machine may lack the model: every search by words would fail from then on."""

    def away(*_: Any, **__: Any) -> None:
        raise dispatch.BrokerUnavailable("no route")

    monkeypatch.setattr(dispatch, "ask", away)
    with pytest.raises(CommandError, match=r"no search by words would be answered after the switch: .*no route"):
        switch("next", "--model", "fake", "--weights", "x", "--here", "--yes", "--wait", "0")
    assert Space.objects.active() == filled
    switch("next", "--yes", "--even-if-unread")
    assert Space.objects.active() == Space.objects.get(slug="next")


def test_what_was_set_aside_is_told_and_not_waited_for(filled: Space) -> None:
    space = make_space("next", "fake", "x")
    call_command("space", "backfill", "next", stdout=StringIO())
    first = Work.objects.filter(step=Step.ENCODE, target=space.slug).first()
    assert first is not None
    Work.objects.filter(pk=first.pk).update(state=WorkState.QUARANTINED)
    with pytest.raises(CommandError, match="covers 5 of 6 assets, and 1 were set aside"):
        switch("next", "--here", "--yes")
    assert Space.objects.active() == filled


def test_somebody_is_asked_before_the_switch(
    filled: Space, monkeypatch: pytest.MonkeyPatch, queries_in_process: None
) -> None:
    with pytest.raises(CommandError, match="Nobody is here to be asked: add --yes"):
        switch("next", "--model", "fake", "--weights", "x")
    assert not Space.objects.filter(slug="next").exists()
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "n")
    said, _ = switch("next", "--model", "fake", "--weights", "x", "--here")
    assert said == "next is full and waits. Give the command again, or: manage.py space activate next"
    assert Space.objects.active() == filled
    monkeypatch.setattr("builtins.input", lambda question: "yes")
    assert switch("next")[0].startswith("next is searched now")


def test_what_cannot_be_is_refused_before_anything_is_done(filled: Space) -> None:
    make_space("other", "fake", "y")
    with pytest.raises(CommandError, match="other is being filled"):
        switch("next", "--model", "fake", "--yes")
    Space.objects.filter(slug="other").update(state=SpaceState.RETIRED)
    with pytest.raises(CommandError, match="other is retired"):
        switch("other", "--yes")
