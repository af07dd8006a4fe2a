"""What was asked for in the admin, on a worker: fetched slice by slice, opened, filled, and searched when full."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from archive import dispatch
from archive.catalogue import models
from archive.models import Collection, Setup, SetupState, Space, SpaceState, Step, Then, Work
from archive.setups import ask_for, cancel, find_open, try_again
from tests import pictures
from tests.prepared import make_prepared
from tests.workers.checkpoints import write_model
from tests.workers.hub import Hub, a_hub
from workers import fetch as fetching
from workers import setups, tasks, upkeep
from workers.client import EncoderUnavailable
from workers.encode import drain_encode
from workers.setups import alone, work_on_setup
from workers.upkeep import look_after_spaces

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "ViT-B-32-openai"
WEIGHTS = "open_clip_model.safetensors"


@pytest.fixture(autouse=True)
def _no_doorbells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_send", lambda name, *args, expires: None)
    monkeypatch.setattr(fetching, "PAUSE", 0.01)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("hub") / "repository", models()[NAME])


@pytest.fixture
def hub(published: Path, settings: Any, tmp_path: Path) -> Iterator[Hub]:
    settings.SIGHTLINE_MODELS = tmp_path / "models"
    settings.SIGHTLINE_OFFLINE = False
    with a_hub() as hub:
        settings.HF_ENDPOINT = hub.url
        hub.repositories[models()[NAME].hub] = published
        yield hub


def asked(**fields: Any) -> Setup:
    return ask_for(Setup(**{"slug": "clip", "model": NAME, "then": Then.FILL, **fields}))


def ended(setup: Setup) -> tuple[str, str]:
    setup.refresh_from_db()
    return setup.state, setup.said


def test_a_model_comes_from_the_hub_and_its_space_is_filled(harbour: Collection, fake_space: Space, hub: Hub) -> None:
    make_prepared(harbour, pictures.distinct(1), fake_space)
    setup = asked()
    assert work_on_setup() is False
    assert ended(setup) == (SetupState.DONE, "clip is made; 1 pictures are read for it.")
    space = Space.objects.get(slug="clip")
    assert (space.model, space.dimensions, space.state, space.takes_over) == (NAME, 512, SpaceState.BUILDING, False)
    assert Work.objects.filter(step=Step.ENCODE, target="clip").count() == 1
    assert setup.size == setup.here == (hub.repositories[models()[NAME].hub] / WEIGHTS).stat().st_size


def test_a_download_is_cut_into_slices_and_each_goes_on_where_the_last_one_stopped(
    fake_space: Space, hub: Hub, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (hub.repositories[models()[NAME].hub] / WEIGHTS).stat().st_size
    monkeypatch.setattr(fetching, "CHUNK", size // 6)
    monkeypatch.setattr(setups, "TOLD_EVERY", 0)
    setup = asked(then=Then.FETCH, slug="")
    here = []
    while work_on_setup(budget=0.0):
        assert ended(setup)[0] == SetupState.FETCHING
        here.append((setup.file, setup.here))
        assert len(here) < 30
    assert ended(setup)[0] == SetupState.DONE
    parts = [size for file, size in here if file == WEIGHTS]
    assert len(parts) > 3
    assert parts == sorted(parts)
    assert [span for name, span in hub.asked if name == WEIGHTS and span][:2] == [
        f"bytes={size // 6}-",
        f"bytes={size // 6 * 2}-",
    ]
    assert not Space.objects.filter(slug="clip").exists()
    assert (Path(settings.SIGHTLINE_MODELS) / NAME / "SHA256SUMS").is_file()


def test_a_download_that_broke_off_says_so_and_goes_on_when_tried_again(fake_space: Space, hub: Hub) -> None:
    hub.cut = 1000
    setup = asked()
    assert work_on_setup() is False
    state, said = ended(setup)
    assert state == SetupState.FAILED
    assert f"{WEIGHTS} stopped after 4,000 of" in said
    hub.cut = None
    try_again(setup)
    work_on_setup()
    assert ended(setup)[0] == SetupState.DONE
    assert (WEIGHTS, "bytes=4000-") in hub.asked


def test_without_a_hub_the_sentence_says_what_to_do(fake_space: Space, hub: Hub, settings: Any) -> None:
    settings.HF_ENDPOINT = "http://127.0.0.1:9"
    setup = asked()
    work_on_setup()
    state, said = ended(setup)
    assert state == SetupState.FAILED
    assert "does not answer" in said
    assert "copy its folder here" in said
    settings.SIGHTLINE_OFFLINE = True
    try_again(setup)
    work_on_setup()
    assert "The weights of ViT-B-32-openai are not on this machine" in ended(setup)[1]


def test_a_copied_folder_needs_no_hub_and_a_wrong_one_is_named(
    fake_space: Space, hub: Hub, published: Path, tmp_path: Path
) -> None:
    work_on_setup_of = asked(weights=str(tmp_path / "nowhere"))
    work_on_setup()
    assert f"there is no {tmp_path / 'nowhere'}" in ended(work_on_setup_of)[1]
    (tmp_path / "empty").mkdir()
    other = asked(model=f"local-dir:{tmp_path / 'empty'}", slug="empty")
    work_on_setup()
    assert "There is no open_clip_config.json in" in ended(other)[1]
    right = asked(weights=str(published))
    work_on_setup()
    assert ended(right)[0] == SetupState.DONE
    assert hub.asked == []


def test_a_model_with_more_numbers_than_fit_is_refused_with_those_that_do(fake_space: Space, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "wide", models()[NAME])
    config = (folder / "open_clip_config.json").read_text()
    (folder / "open_clip_config.json").write_text(config.replace('"embed_dim": 512', '"embed_dim": 1024'))
    setup = asked(model=f"local-dir:{folder}")
    work_on_setup()
    state, said = ended(setup)
    assert state == SetupState.FAILED
    assert "gives 1024 numbers and the archive keeps 768. Models that fit: ViT-B-32-openai" in said
    assert not Space.objects.filter(slug="clip").exists()


def test_a_cancelled_download_stops_and_keeps_what_is_here(
    fake_space: Space, hub: Hub, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "CHUNK", 1 << 16)
    monkeypatch.setattr(setups, "TOLD_EVERY", 0)
    setup = asked()
    note = setups._note

    def note_and_cancel(one: Setup, **changed: Any) -> None:
        note(one, **changed)
        if changed.get("file") == WEIGHTS:
            cancel(one)

    monkeypatch.setattr(setups, "_note", note_and_cancel)
    assert work_on_setup() is False
    assert ended(setup)[0] == SetupState.CANCELLED
    assert (Path(settings.SIGHTLINE_MODELS) / NAME / f"{WEIGHTS}.part").stat().st_size > 0
    assert not Space.objects.filter(slug="clip").exists()


def test_one_worker_at_a_time_and_a_worker_that_died_is_followed_by_the_next(
    fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = asked(model="fake", weights="x")
    with alone() as mine:
        assert mine
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(hashtext('sightline setup'), 0)")
            assert cursor.fetchone() == (False,)
        other.close()

    def die(*_: Any) -> Space:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(setups, "make_space", die)
        for _ in range(setups.TRIES):
            with pytest.raises(SystemExit):
                work_on_setup()
            assert ended(setup)[0] == SetupState.OPENING
        work_on_setup()
    assert ended(setup) == (
        SetupState.FAILED,
        "A worker died 3 times while it did this: too little memory for this model is the usual cause.",
    )
    try_again(setup)
    work_on_setup()
    assert ended(setup)[0] == SetupState.DONE


def test_a_worker_that_died_after_the_space_was_made_does_not_make_it_twice(
    fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = asked(model="fake", weights="x", then=Then.SEARCH)

    def die(space: Space) -> int:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(setups, "backfill", die)
        with pytest.raises(SystemExit):
            work_on_setup()
    work_on_setup()
    assert ended(setup)[0] == SetupState.DONE
    assert Space.objects.get(slug="clip").takes_over


def test_the_tick_rings_for_what_nobody_is_at(fake_space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr(dispatch, "_send", lambda name, *args, expires: rung.append(name))
    tasks.tick()
    assert dispatch.SET_UP not in rung
    asked()
    rung.clear()
    tasks.tick()
    assert dispatch.SET_UP in rung


def test_captions_too_few_to_learn_from_are_told(fake_space: Space) -> None:
    setup = asked(parent=fake_space, model="", loss="softmax")
    work_on_setup()
    state, said = ended(setup)
    assert state == SetupState.FAILED
    assert "an adapter needs at least 50" in said


def test_a_space_takes_over_when_it_is_full_and_the_queries_worker_reads_in_it(
    harbour: Collection, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(3):
        make_prepared(harbour, pictures.distinct(seed), fake_space, name=f"{seed}.jpg")
    drain_encode()
    asked(model="fake", weights="x", then=Then.SEARCH)
    work_on_setup()
    look_after_spaces()
    new = Space.objects.get(slug="clip")
    assert (new.state, find_open()) == (SpaceState.BUILDING, None)  # not full yet
    drain_encode()

    def nobody(space: Space) -> None:
        raise EncoderUnavailable("The queries worker gave no answer.")

    with monkeypatch.context() as patch:
        patch.setattr(upkeep, "make_sure_it_reads", nobody)
        look_after_spaces()
    new.refresh_from_db()
    assert (new.state, new.takes_over) == (SpaceState.READY, True)
    assert Space.objects.active() == fake_space
    monkeypatch.setattr(upkeep, "make_sure_it_reads", lambda space: None)
    look_after_spaces()
    new.refresh_from_db()
    assert (new.state, new.takes_over) == (SpaceState.ACTIVE, False)
    assert Space.objects.active() == new
    fake_space.refresh_from_db()
    assert fake_space.state == SpaceState.READY
