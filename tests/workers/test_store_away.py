"""A media folder that is not mounted: workers claim nothing, and no asset is at fault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from archive.doctor import pictures as doctor_pictures
from archive.doctor.originals import look as look_at_originals
from archive.fingerprints import fill_missing
from archive.models import Asset, Collection, Fingerprint, Space, Status, Step, Work, WorkState
from archive.work import encode_again
from search.candidates import find_candidates
from search.query import Query
from tests import films, pictures
from tests.workers.test_claims import skip_the_pause
from tests.workers.test_films import take_in as take_in_film
from tests.workers.test_films import work as work_on_films
from tests.workers.test_prepare import take_in
from workers import encode, play, prepare
from workers.encode import drain_encode
from workers.play import drain_play
from workers.prepare import drain_prepare

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    options = {"BACKEND": "archive.storage.DurableStorage", "OPTIONS": {"location": str(folder)}}
    settings.MEDIA_ROOT = folder
    settings.STORAGES = {**settings.STORAGES, "default": options}
    return folder


@contextmanager
def unmounted(folder: Path) -> Iterator[None]:
    """In its place is what a mount point is without its mount: an empty folder."""
    aside = folder.with_name("elsewhere")
    folder.rename(aside)
    folder.mkdir()
    try:
        yield
        assert list(folder.iterdir()) == []  # nothing was written where the mount would hide it
    finally:
        folder.rmdir()
        aside.rename(folder)


def states() -> set[tuple[str, str, int, str]]:
    return set(Work.objects.values_list("step", "state", "errors", "last_error"))


def test_redone_work_leaves_everything_in_search_and_an_unmounted_folder_harms_nothing(
    harbour: Collection, fake_space: Space, store: Path, caplog: pytest.LogCaptureFixture, alice: Any
) -> None:
    for seed in range(3):
        take_in(harbour, pictures.png(pictures.distinct(seed)))
    drain_prepare()
    drain_encode()
    assert encode_again(Asset.objects.all()) == 3
    assert find_candidates(Query(), alice).count() == 3
    with unmounted(store):
        take_in_later = Work.objects.filter(step=Step.PREPARE)
        take_in_later.filter(pk=take_in_later.earliest("pk").pk).update(state=WorkState.READY)
        assert not drain_encode()
        assert not drain_prepare()
    assert "media folder is not there" in caplog.text
    assert set(Work.objects.values_list("attempts", "errors", "last_error")) == {(1, 0, "")}
    assert find_candidates(Query(), alice).count() == 3
    drain_prepare()
    drain_encode()
    assert states() == {(Step.PREPARE, WorkState.DONE, 0, ""), (Step.ENCODE, WorkState.DONE, 0, "")}
    assert set(Asset.objects.values_list("status", flat=True)) == {Status.READY}


def test_a_folder_that_goes_away_in_the_middle_is_waited_for(
    harbour: Collection, fake_space: Space, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = take_in(harbour, pictures.png(pictures.distinct(1)))
    drain_prepare()
    take_in(harbour, pictures.png(pictures.distinct(2)))
    for module in (encode, prepare, play):
        monkeypatch.setattr(module, "store_is_there", iter([True, False, False]).__next__)
    with unmounted(store):
        drain_prepare()
        drain_encode()
    monkeypatch.undo()
    assert {(state, errors) for _, state, errors, _ in states()} == {(WorkState.READY, 0), (WorkState.DONE, 0)}
    assert sum("media folder is not there" in said for *_, said in states()) == 2  # one of each step
    assert Work.objects.get(asset=done, step=Step.PREPARE).state == WorkState.DONE  # not made again
    assert set(Asset.objects.values_list("status", flat=True)) == {Status.PENDING}
    skip_the_pause()
    drain_prepare()
    drain_encode()
    assert set(Asset.objects.values_list("status", flat=True)) == {Status.READY}


def test_nor_is_a_film_read_again_for_it(
    harbour: Collection, fake_space: Space, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = take_in_film(harbour, films.make_film(tmp_path / "film.mp4", films.scenes(2, 2.0)))
    work_on_films()
    encode_again(Asset.objects.filter(pk=film.pk))
    Work.objects.filter(asset=film, step=Step.PLAY).update(state=WorkState.READY, position=None)
    for module in (encode, play):
        monkeypatch.setattr(module, "store_is_there", iter([True, False, False]).__next__)
    with unmounted(store):
        drain_encode()
        drain_play()
    monkeypatch.undo()
    assert Work.objects.get(asset=film, step=Step.PREPARE).state == WorkState.DONE
    assert {(state, errors) for _, state, errors, _ in states()} == {(WorkState.READY, 0), (WorkState.DONE, 0)}
    film.refresh_from_db()
    assert film.status == Status.READY


def test_neither_fingerprints_nor_the_doctor_have_everything_made_again_for_it(
    harbour: Collection, fake_space: Space, store: Path
) -> None:
    take_in(harbour, pictures.png(pictures.distinct(1)))
    drain_prepare()
    Fingerprint.objects.all().delete()
    with unmounted(store):
        assert not fill_missing(1.0)
        assert "media folder is not there" in doctor_pictures.look().detail
        assert doctor_pictures.repair() == 0
        assert not look_at_originals(deep=False).ok
    assert Work.objects.get(step=Step.PREPARE).state == WorkState.DONE


def test_where_only_the_one_original_is_lost_that_asset_fails(harbour: Collection, fake_space: Space) -> None:
    lost, kept = (take_in(harbour, pictures.png(pictures.distinct(seed))) for seed in range(2))
    default_storage.delete(lost.original)
    drain_prepare()
    drain_encode()
    assert dict(Asset.objects.values_list("pk", "status")) == {lost.pk: Status.FAILED, kept.pk: Status.READY}
