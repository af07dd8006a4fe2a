"""Fingerprints: PDQ of what was decoded anyway, and for older archives of what is stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from PIL import Image

from archive import dispatch
from archive.doctor import fingerprints as doctor
from archive.fingerprints import fill_missing, without_fingerprint
from archive.models import Asset, Collection, Fingerprint, Rendition, Step, Work, WorkState
from archive.pdq import as_digits, colour_difference, from_digits, look_at, turned, turned_colours
from archive.trash import purge, trash
from tests import pictures
from tests.alike import compressed, drawn, half_size, make_scenes
from tests.cast import upload
from tests.prepared import as_jpeg, make_prepared
from workers import tasks
from workers.prepare import drain_prepare

pytestmark = pytest.mark.django_db(transaction=True)


def apart(one: Image.Image, other: Image.Image) -> int:
    return int(np.count_nonzero(look_at(as_jpeg(one)).bits ^ look_at(as_jpeg(other)).bits))


def test_copies_are_a_few_bits_apart_and_others_many() -> None:
    first, second = (drawn(scene) for scene in make_scenes(2))
    assert apart(first, compressed(first)) <= 10
    assert apart(first, half_size(first)) <= 16
    assert apart(first, second) > 60


@pytest.mark.parametrize("turn", list(Image.Transpose))
def test_turned_pictures_have_one_of_the_eight_hashes_and_its_colours(turn: Image.Transpose) -> None:
    scene = drawn(make_scenes(1)[0])
    looks = look_at(as_jpeg(scene)), look_at(as_jpeg(scene.transpose(turn)))
    distances = [int(np.count_nonzero(way ^ looks[1].bits)) for way in turned(looks[0].bits)]
    way = distances.index(min(distances))
    assert way > 0
    assert distances[way] <= 16
    ours, theirs = turned_colours(looks[0].colours)[way], turned_colours(looks[1].colours)[0]
    assert colour_difference(ours, theirs) < 8


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (64, 64), (2000, 3)])
def test_pictures_of_any_size_have_a_look(size: tuple[int, int]) -> None:
    look = look_at(as_jpeg(Image.new("RGB", size, "red")))
    assert (len(look.bits), look.quality, look.spread, len(look.colours)) == (256, 0, 0.0, 128)


def test_digits_are_the_bits() -> None:
    bits = look_at(as_jpeg(pictures.distinct(1))).bits
    assert (from_digits(as_digits(bits)) == bits).all()


def test_preparing_makes_the_fingerprint_and_filling_the_same_one(harbour: Collection, tmp_path: Path) -> None:
    path = tmp_path / "scene.jpg"
    drawn(make_scenes(1)[0], (1200, 800)).save(path, quality=90)
    upload(harbour, path)
    drain_prepare()
    made = Fingerprint.objects.get()
    assert made.quality == 100
    Fingerprint.objects.all().delete()
    assert fill_missing(60) is False
    filled = Fingerprint.objects.get()
    assert (filled.pdq, filled.quality, filled.spread) == (made.pdq, made.quality, made.spread)
    assert bytes(filled.colours) == bytes(made.colours)


def test_preparing_again_does_not_have_it_compared_again(harbour: Collection, tmp_path: Path) -> None:
    path = tmp_path / "scene.jpg"
    drawn(make_scenes(1)[0]).save(path)
    upload(harbour, path)
    drain_prepare()
    Fingerprint.objects.update(compared_at="2024-01-01T00:00:00Z")
    Work.objects.update(state=WorkState.READY)
    drain_prepare()
    assert Fingerprint.objects.get().compared_at is not None


def test_uploads_go_before_what_is_filled(harbour: Collection) -> None:
    asset = make_prepared(harbour, pictures.distinct(1))
    other = make_prepared(harbour, pictures.distinct(2))
    Work.objects.filter(asset=other).update(state=WorkState.READY)
    assert fill_missing(60) is False
    assert not Fingerprint.objects.exists()
    Work.objects.filter(asset=other).update(state=WorkState.DONE)
    fill_missing(60)
    assert set(Fingerprint.objects.values_list("pk", flat=True)) == {asset.pk, other.pk}


@pytest.mark.parametrize("damage", ["missing", "damaged", "unnamed"])
def test_what_has_no_good_rendition_is_prepared_again(harbour: Collection, damage: str) -> None:
    asset = make_prepared(harbour, pictures.distinct(1))
    good = make_prepared(harbour, pictures.distinct(2))
    rendition = Rendition.objects.get(asset=asset)
    if damage == "unnamed":
        rendition.delete()
    else:
        default_storage.delete(rendition.key)
        if damage == "damaged":
            with default_storage.open(rendition.key, "wb") as file:
                file.write(b"no picture")
    assert fill_missing(60) is False  # it ends, though one cannot be made
    assert Fingerprint.objects.get().pk == good.pk
    assert Work.objects.get(asset=asset, step=Step.PREPARE).state == WorkState.READY


def test_the_doctor_sees_what_is_missing_and_makes_it(harbour: Collection) -> None:
    for seed in range(3):
        make_prepared(harbour, pictures.distinct(seed))
    found = doctor.look()
    assert (found.ok, found.count) == (False, 3)
    assert doctor.repair() == 3
    assert doctor.look().ok
    assert not without_fingerprint().exists()


def test_a_purge_takes_the_fingerprint_along(harbour: Collection) -> None:
    asset = make_prepared(harbour, pictures.distinct(1))
    fill_missing(60)
    trash(Asset.objects.all())
    assert purge(asset)
    assert not Fingerprint.objects.exists()


def test_the_tasks_fill_and_compare_by_themselves(harbour: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep rings for what is missing, the tick for what is new; each does it."""
    rung: list[str] = []
    monkeypatch.setattr(dispatch, "_send", lambda name, *args, expires: rung.append(name))
    scene = drawn(make_scenes(1)[0])
    for edit in (half_size, compressed):
        make_prepared(harbour, edit(scene))
    tasks.sweep()
    assert dispatch.FILL_FINGERPRINTS in rung
    tasks.fill_fingerprints()
    Asset.objects.update(status="ready")
    tasks.tick()
    assert dispatch.COMPARE in rung
    tasks.compare()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), min(kind) FROM archive_duplicatepair")
        assert cursor.fetchone() == (1, "same")
    rung.clear()
    tasks.tick()
    assert dispatch.COMPARE not in rung


def test_the_command_does_both_here_and_now(harbour: Collection, capsys: pytest.CaptureFixture[str]) -> None:
    scene = drawn(make_scenes(1)[0])
    for edit in (half_size, compressed):
        make_prepared(harbour, edit(scene))
    Asset.objects.update(status="ready")
    call_command("duplicates", "fill")
    call_command("duplicates", "compare")
    call_command("duplicates", "compare", "--again")
    assert capsys.readouterr().out.splitlines()[1:] == ["2 compared, 1 pairs found"] * 2
