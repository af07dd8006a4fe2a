"""Near-duplicates: what is found to be the same picture, a burst, similar, or nothing at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from PIL import Image, ImageDraw

from archive.models import Asset, Collection, DuplicatePair, Fingerprint, Likeness, PairState, Space, Status
from archive.pdq import look_at
from search.comparing import MOMENTS, _pairs, compare_batch, compare_new, forget_comparisons
from search.neighbours.pairs import in_order
from tests import pictures
from tests.alike import (
    EDITS,
    compressed,
    cropped,
    drawn,
    half_size,
    make_ready,
    make_scenes,
    mirrored,
    with_colour,
)
from tests.prepared import as_jpeg

pytestmark = pytest.mark.django_db
NOON = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)


def bits_apart(one: Image.Image, other: Image.Image) -> int:
    """By PDQ alone."""
    return int(np.count_nonzero(look_at(as_jpeg(one)).bits ^ look_at(as_jpeg(other)).bits))


def found() -> dict[tuple[int, int], str]:
    compare_new()
    return {(pair.low_id, pair.high_id): pair.kind for pair in DuplicatePair.objects.all()}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_copy_is_the_same_picture(harbour: Collection, drawn_space: Space, edit: str) -> None:
    scenes = [drawn(scene) for scene in make_scenes(4)]
    first, *_ = [make_ready(harbour, scene, drawn_space) for scene in scenes]
    copy = make_ready(harbour, EDITS[edit](scenes[0]), drawn_space)
    assert found() == {(first.pk, copy.pk): Likeness.SAME}


def test_a_copy_with_more_cut_off_is_found_by_what_the_model_says(harbour: Collection, drawn_space: Space) -> None:
    scenes = [drawn(scene) for scene in make_scenes(6, seed=2)]
    for scene in scenes:
        make_ready(harbour, scene, drawn_space)
    copies = [make_ready(harbour, cropped(scene, 0.02), drawn_space) for scene in scenes]
    same = {high for (_, high), kind in found().items() if kind == Likeness.SAME}
    assert len(same & {copy.pk for copy in copies}) >= 5
    assert DuplicatePair.objects.filter(kind=Likeness.SAME, distance__gt=31).exists()


@pytest.mark.parametrize("turn", list(Image.Transpose))
def test_a_turned_or_mirrored_copy_is_the_same_picture(harbour: Collection, turn: Image.Transpose) -> None:
    scene = drawn(make_scenes(1)[0])
    make_ready(harbour, scene)
    make_ready(harbour, scene.transpose(turn))
    assert list(found().values()) == [Likeness.SAME]


def test_the_same_scene_in_another_colour_is_not_the_same_picture(harbour: Collection, drawn_space: Space) -> None:
    """Lightness alone, which is all that PDQ knows, does not tell them apart."""
    in_two = [[drawn(with_colour(scene, colour)) for colour in ("red", "blue")] for scene in make_scenes(12)]
    red, blue = next(pair for pair in in_two if bits_apart(*pair) <= 31)
    for picture in (red, blue):
        make_ready(harbour, picture, drawn_space)
    assert Likeness.SAME not in found().values()


def test_different_scenes_are_nothing_to_each_other(harbour: Collection, drawn_space: Space) -> None:
    for scene in make_scenes(12, seed=8):
        make_ready(harbour, drawn(scene), drawn_space)
    assert Likeness.SAME not in found().values()


def test_equal_bytes_in_two_collections_are_the_same_picture(harbour: Collection, alice: User) -> None:
    attic = Collection.objects.create(slug="attic", name="Attic", owner=alice)
    here, there = (make_ready(place, drawn(make_scenes(1)[0])) for place in (harbour, attic))
    assert found() == {(here.pk, there.pk): Likeness.SAME}
    assert DuplicatePair.objects.get().distance == 0


def noisy(level: int, noise: float, seed: int) -> Image.Image:
    grain = np.random.default_rng(seed).normal(level, noise, (*pictures.SIZE[::-1], 3))
    return Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8))


def with_clock(text: str) -> Image.Image:
    frame = Image.new("RGB", (640, 480))
    ImageDraw.Draw(frame).text((520, 440), text, fill="white", font_size=24)
    return frame


EMPTY = {
    "black": lambda n: Image.new("RGB", (640, 480 + n)),
    "white": lambda n: Image.new("RGB", (640, 480 + n), "white"),
    "one colour": lambda n: Image.new("RGB", (640, 480 + n), (200, 30, 30)),
    "dark with noise": lambda n: noisy(8, 8, n),
    "grey with noise": lambda n: noisy(128, 25, n),
    "black with a clock": lambda n: with_clock(f"12:00:0{n}"),
    "nearly black, a faint band": lambda n: Image.eval(Image.linear_gradient("L").rotate(n), lambda v: v // 12),
}


@pytest.mark.parametrize("kind", EMPTY)
def test_empty_frames_are_never_duplicates(harbour: Collection, alice: User, drawn_space: Space, kind: str) -> None:
    """Neither of each other, though the model finds them equal and seconds lie between them, nor byte for byte."""
    attic = Collection.objects.create(slug="attic", name="Attic", owner=alice)
    for number in (0, 1, 2):
        frame = EMPTY[kind](number).convert("RGB")
        make_ready(harbour, frame, drawn_space, taken_at=NOON + timedelta(seconds=number), camera="One")
    make_ready(attic, EMPTY[kind](0).convert("RGB"), drawn_space, taken_at=NOON, camera="One")
    assert found() == {}
    assert not Fingerprint.objects.new().exists()


def burst(harbour: Collection, space: Space, seconds: float, **fields: Any) -> dict[tuple[int, int], str]:
    scene = drawn(make_scenes(1)[0], (700, 460))
    shots = (scene.crop((0, 0, 600, 400)), scene.crop((30, 20, 630, 420)))  # the hand moved
    for other in make_scenes(4, seed=3)[1:]:
        make_ready(harbour, drawn(other), space)
    for number, shot in enumerate(shots):
        about = {name: values[number] for name, values in fields.items()}
        make_ready(harbour, shot, space, taken_at=NOON + timedelta(seconds=number * seconds), **about)
    return found()


def test_two_shots_within_seconds_are_a_burst(harbour: Collection, drawn_space: Space) -> None:
    assert list(burst(harbour, drawn_space, 2, camera=("One", "One")).values()) == [Likeness.BURST]


def test_two_shots_an_hour_apart_are_no_burst(harbour: Collection, drawn_space: Space) -> None:
    assert Likeness.BURST not in burst(harbour, drawn_space, 3700, camera=("One", "One")).values()


def test_of_many_of_one_second_the_nearest_by_number_are_candidates_and_nothing_is_sorted(harbour: Collection) -> None:
    def taken(name: str, seconds: int) -> Asset:
        moment = NOON + timedelta(seconds=seconds)
        return Asset.objects.create(collection=harbour, sha256=name, size=1, taken_at=moment)

    many = [taken(f"{number}", 0) for number in range(40)]
    early, late = taken("early", -9), taken("late", 11)
    params: dict[str, Any] = {"assets": [many[20].pk], "seconds": timedelta(seconds=10), "nearest": 3}
    ids = [asset.pk for asset in many]
    assert _pairs(MOMENTS, **params) == {in_order(ids[20], other) for other in (*ids[17:20], *ids[21:24])}
    first = _pairs(MOMENTS, **{**params, "assets": [ids[0]]})
    assert first == {in_order(ids[0], other) for other in (early.pk, *ids[1:4])}
    assert not any(late.pk in pair for pair in first)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {MOMENTS}", params)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert plan.count("asset_taken") == 2
    assert "Sort" not in plan


def test_two_cameras_make_no_burst(harbour: Collection, drawn_space: Space) -> None:
    assert Likeness.BURST not in burst(harbour, drawn_space, 2, camera=("One", "Two")).values()


def test_two_shots_that_look_the_same_are_a_burst_and_not_a_copy(harbour: Collection, drawn_space: Space) -> None:
    """A camera on a tripod: what says that it was taken at another second is no copy."""
    scenes = [drawn(scene) for scene in make_scenes(3)]
    for scene in scenes:
        make_ready(harbour, scene, drawn_space, taken_at=NOON, camera="One")
    make_ready(harbour, compressed(scenes[0]), drawn_space, taken_at=NOON + timedelta(seconds=3), camera="One")
    assert list(found().values()) == [Likeness.BURST]


BARE = {"DateTimeOriginal": "2024:05:01 12:00:00"}
ZONED = {**BARE, "OffsetTimeOriginal": "+02:00"}


def and_a_copy(harbour: Collection, space: Space, apart: timedelta, *exif: dict[str, str]) -> set[str]:
    """What a picture and a smaller one of it are, that say they were taken so far `apart`."""
    scenes = [drawn(scene) for scene in make_scenes(3)]
    first, *_ = [make_ready(harbour, scene, space, taken_at=NOON, exif=exif[0], camera="One") for scene in scenes]
    copy = make_ready(harbour, half_size(scenes[0]), space, taken_at=NOON + apart, exif=exif[1], camera="One")
    return {kind for pair, kind in found().items() if pair == (first.pk, copy.pk)}


@pytest.mark.parametrize("exif", [(ZONED, BARE), (BARE, ZONED)])
@pytest.mark.parametrize("hours", [-2, 5.75, 14])
def test_a_copy_that_lost_its_time_zone_is_still_a_copy(
    harbour: Collection, drawn_space: Space, hours: float, exif: tuple[dict[str, str], ...]
) -> None:
    assert and_a_copy(harbour, drawn_space, timedelta(hours=hours), *exif) == {Likeness.SAME}


@pytest.mark.parametrize("exif", [BARE, ZONED, {}, {**BARE, "OffsetTime": "+02:00"}])
@pytest.mark.parametrize("minutes", [15, 60, -24 * 60])
def test_a_camera_that_takes_a_picture_every_hour_takes_no_copies(
    harbour: Collection, drawn_space: Space, minutes: int, exif: dict[str, str]
) -> None:
    assert and_a_copy(harbour, drawn_space, timedelta(minutes=minutes), exif, exif) == {Likeness.SIMILAR}


@pytest.mark.parametrize("apart", [timedelta(hours=15), timedelta(hours=2, seconds=5)])
def test_what_no_zone_explains_is_another_moment(harbour: Collection, drawn_space: Space, apart: timedelta) -> None:
    assert and_a_copy(harbour, drawn_space, apart, ZONED, BARE) == {Likeness.SIMILAR}


def test_what_only_the_model_finds_close_is_similar(harbour: Collection, drawn_space: Space) -> None:
    scene = drawn(make_scenes(1, seed=6)[0], (700, 460))
    for other in make_scenes(5, seed=3):
        make_ready(harbour, drawn(other), drawn_space)
    make_ready(harbour, scene.crop((0, 0, 600, 400)), drawn_space)
    make_ready(harbour, scene.crop((45, 30, 645, 430)), drawn_space)
    pair = DuplicatePair.objects.get() if found() else None
    assert pair is not None
    assert pair.kind == Likeness.SIMILAR
    assert pair.closeness is not None


def test_each_is_compared_once_and_what_comes_later_finds_what_is_there(harbour: Collection) -> None:
    scene = drawn(make_scenes(1)[0])
    first = make_ready(harbour, scene)
    assert compare_batch().assets == 1
    assert compare_batch().assets == 0
    second = make_ready(harbour, half_size(scene))
    assert found() == {(first.pk, second.pk): Likeness.SAME}


def test_what_is_not_ready_is_compared_when_it_is(harbour: Collection) -> None:
    scene = drawn(make_scenes(1)[0])
    first, second = make_ready(harbour, scene), make_ready(harbour, mirrored(scene))
    Asset.objects.filter(pk=second.pk).update(status=Status.PENDING)
    assert found() == {}
    Asset.objects.filter(pk=second.pk).update(status=Status.READY)
    assert found() == {(first.pk, second.pk): Likeness.SAME}


def test_comparing_again_keeps_what_people_decided(harbour: Collection) -> None:
    for edit in (lambda p: p, half_size, compressed):
        make_ready(harbour, edit(drawn(make_scenes(1)[0])))
    assert len(found()) == 3
    kept = DuplicatePair.objects.first()
    assert kept is not None
    DuplicatePair.objects.filter(pk=kept.pk).update(state=PairState.DISMISSED)
    forget_comparisons()
    assert DuplicatePair.objects.count() == 1
    assert len(found()) == 3
    kept.refresh_from_db()
    assert kept.state == PairState.DISMISSED


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_while_comparing_leaves_it_to_the_next(harbour: Collection) -> None:
    for edit in (half_size, compressed):
        make_ready(harbour, edit(drawn(make_scenes(1)[0])))
    with transaction.atomic():
        assert compare_batch().assets == 2
        transaction.set_rollback(True)
    assert len(found()) == 1


def test_the_hash_is_searched_by_its_index(harbour: Collection) -> None:
    from search.neighbours.pairs import COMPARABLE, LOOKING_ALIKE

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN " + LOOKING_ALIKE.format(comparable=COMPARABLE),
            {"assets": [1], "hashes": ["01" * 128], "nearest": 16, "most": 48},
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "fingerprint_pdq" in plan
