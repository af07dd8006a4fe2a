"""Clip reuse, on real films through the workers: what recurs is told to the second, and black frames are not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from PIL import Image, ImageDraw, ImageFont, ImageOps

from archive.access import Shows
from archive.models import Asset, Collection, Frame, Membership, Role, Space, StillFingerprint
from archive.models.duplicates import LEAST_QUALITY, LEAST_SPREAD
from archive.pdq import look_at
from archive.video.prints import get_prints
from archive.video.reuse import Stretch
from search.neighbours import pairs
from search.reuse import Reuse, find_reuse, looks_the_same
from search.reuse_views import reuse
from tests import films
from tests.prepared import as_jpeg
from tests.workers.test_films import take_in, work
from workers.scenes.drawing import draw
from workers.scenes.scene import draw_distinct_scenes

pytestmark = pytest.mark.django_db(transaction=True)
SIZE = (320, 240)
BLACK = Image.new("RGB", SIZE, "black")
SCENES = [draw(scene, *SIZE) for scene in draw_distinct_scenes(21, 12)]
SHARED = [(SCENES[0], 5.0), (SCENES[1], 6.0)]


@pytest.fixture
def original(harbour: Collection, drawn_space: Space, tmp_path: Path) -> Asset:
    """0 black, 2 a scene, 6 to 17 what the others have too, 17 a scene."""
    shown = [(BLACK, 2.0), (SCENES[2], 4.0), *SHARED, (SCENES[3], 4.0)]
    return take_in(harbour, films.make_film(tmp_path / "original.mp4", shown))


def bring(collection: Collection, path: Path, shown: list[films.Scene]) -> Asset:
    asset = take_in(collection, films.make_film(path, shown))
    work()
    return asset


def ends(one: Stretch) -> tuple[float, ...]:
    return (one.start, one.end, one.other_start, one.other_end)


def found_in(reuse: Reuse) -> dict[str, list[Stretch]]:
    return {film.asset.filename: film.stretches for film in reuse.films}


def test_a_stretch_is_found_in_a_film_that_was_coded_anew_and_black_frames_are_not(
    original: Asset, harbour: Collection, alice: User, tmp_path: Path
) -> None:
    smaller = [(picture.resize((240, 180)), seconds) for picture, seconds in SHARED]
    others = [(SCENES[4].resize((240, 180)), 3.5), (BLACK.resize((240, 180)), 2.0)]
    copy = bring(harbour, tmp_path / "copy.webm", [*others, *smaller, (SCENES[5].resize((240, 180)), 3.0)])
    bring(harbour, tmp_path / "black.mp4", [(BLACK, 6.0), (SCENES[6], 4.0), (BLACK, 5.0), (SCENES[7], 4.0)])
    found = found_in(find_reuse(alice, original))
    assert set(found) == {"copy.webm"}
    (stretch,) = found["copy.webm"]
    assert ends(stretch) == pytest.approx((6, 17, 5.5, 16.5), abs=1.01)
    assert (stretch.shots, stretch.mirrored) == (2, False)
    (back,) = found_in(find_reuse(alice, copy))["original.mp4"]
    assert ends(back) == pytest.approx((5.5, 16.5, 6, 17), abs=1.01)


def test_a_mirrored_copy_is_a_copy(original: Asset, harbour: Collection, alice: User, tmp_path: Path) -> None:
    shown = [(ImageOps.mirror(picture), seconds) for picture, seconds in SHARED]
    bring(harbour, tmp_path / "mirrored.mp4", [(SCENES[8], 3.0), *shown])
    (stretch,) = found_in(find_reuse(alice, original))["mirrored.mp4"]
    assert ends(stretch) == pytest.approx((6, 17, 3, 14), abs=1.01)
    assert stretch.mirrored


def test_nobody_learns_of_a_copy_that_they_may_not_see(
    original: Asset, alice: User, bob: User, client: Client, tmp_path: Path
) -> None:
    cellar = Collection.objects.create(slug="cellar", name="Cellar", owner=alice)
    bring(cellar, tmp_path / "kept.mp4", [(SCENES[9], 3.0), *SHARED])
    client.force_login(bob)
    address, page = f"/api/v1/assets/{original.uuid}/reuse", f"/reuse/{original.uuid}/"
    assert client.get(address).json() == {"results": [], "whole": True, "crowded": False}
    assert "kept.mp4" not in client.get(page).content.decode()
    Membership.objects.create(collection=cellar, user=bob, role=Role.VIEWER)
    (told,) = client.get(address).json()["results"]
    assert told["filename"] == "kept.mp4"
    (stretch,) = told["stretches"]
    assert stretch["other_start"] == pytest.approx(3.0, abs=1.0)
    shown = client.get(page, headers={"HX-Request": "true"}).content.decode()
    assert f"?t={stretch['other_start']:g}" in shown
    assert "<html" not in shown
    whole = client.get(page).content.decode()
    assert "Also seen in" in whole
    assert "kept.mp4" in whole
    assert f'hx-get="/reuse/{original.uuid}/"' in client.get(original.get_absolute_url()).content.decode()


def test_where_time_is_short_it_says_that_there_is_more(
    original: Asset, harbour: Collection, alice: User, tmp_path: Path
) -> None:
    bring(harbour, tmp_path / "copy.mp4", [*SHARED])
    assert find_reuse(alice, original, budget=0.0) == Reuse([], whole=False)
    assert not StillFingerprint.objects.exists()
    assert find_reuse(alice, original).whole
    assert StillFingerprint.objects.count() == Frame.objects.filter(representative=True).count()


def test_where_more_is_close_than_is_compared_it_says_so(
    original: Asset, harbour: Collection, alice: User, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (8, 9):
        bring(harbour, tmp_path / f"{number}.mp4", [(SCENES[number], 3.0), *SHARED])
    client.force_login(alice)
    assert not find_reuse(alice, original).crowded
    assert "there may be more" not in client.get(f"/reuse/{original.uuid}/").content.decode()
    monkeypatch.setattr("search.reuse.NEAREST", 1)
    told = find_reuse(alice, original)
    assert (told.whole, told.crowded) == (True, True)
    assert "there may be more" in client.get(f"/reuse/{original.uuid}/").content.decode()


def test_slates_with_text_are_not_left_out() -> None:
    """Unlike black frames and plain colours: to a fingerprint, words on a plain ground are a sharp picture."""
    slate = Image.new("RGB", SIZE, "white")
    ImageDraw.Draw(slate).text((40, 60), "SCENE 12", fill="black", font=ImageFont.load_default(size=48))
    words, plain = (look_at(as_jpeg(picture)) for picture in (slate, Image.new("RGB", SIZE, "navy")))
    assert (words.quality >= LEAST_QUALITY, words.spread >= LEAST_SPREAD) == (True, True)
    assert plain.quality < LEAST_QUALITY


def test_a_search_that_takes_too_long_is_given_up(
    original: Asset, drawn_space: Space, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    work()
    slow = pairs.CLOSE_SHOTS.replace("SELECT mine.frame_id,", "SELECT pg_sleep(9)::text::int,")
    monkeypatch.setattr(pairs, "CLOSE_SHOTS", slow)
    frames = list(Frame.objects.filter(asset=original, representative=True).values_list("pk", flat=True))
    everything = Asset.objects.visible_to(alice)
    assert pairs.close_shots(drawn_space, original.pk, frames, everything, -1.0, 16, 0.05) is None


def test_a_still_that_is_lost_has_no_fingerprint_and_breaks_nothing(original: Asset, alice: User) -> None:
    work()
    frame = Frame.objects.filter(asset=original, representative=True).latest("at")
    Frame.objects.filter(pk=frame.pk).update(still="renditions/gone.webp")
    prints = get_prints([frame.pk], time.monotonic() + 9)
    assert (prints.found, prints.whole) == ({}, True)
    assert find_reuse(alice, original) == Reuse([], whole=True)


def test_the_fingerprint_of_a_black_still_is_not_sharp(original: Asset) -> None:
    work()
    black, scene = Frame.objects.filter(asset=original, representative=True).order_by("at")[:2]
    prints = get_prints([black.pk, scene.pk], time.monotonic() + 9).found
    assert [prints[frame.pk].sharp for frame in (black, scene)] == [False, True]
    assert looks_the_same(prints[scene.pk].bits, prints[scene.pk].bits) is False
    assert looks_the_same(prints[scene.pk].bits, ~prints[scene.pk].bits) is None


def test_a_photo_is_no_film(harbour: Collection, fake_space: Space, alice: User) -> None:
    assert find_reuse(alice, Asset(kind="photo", collection=harbour)) == Reuse([], whole=True)
    assert reuse.shows == Shows.VISIBLE  # type: ignore[attr-defined]
