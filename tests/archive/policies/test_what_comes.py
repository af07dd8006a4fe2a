"""Policies look at what comes before it is seen, and name the moments of a video."""

from __future__ import annotations

import pytest

from archive.models import Asset, Collection, Flag, Frame, Policy, Space, SpaceState, Status
from archive.moderation.moments import merged, moments_of
from archive.moving import move
from archive.noticing import notice
from archive.vectors import read_vectors, store_vectors
from tests.archive.policies.scene import Scene, hidden
from tests.pictures import distinct
from tests.prepared import fake_rows, make_encoded, make_prepared, random_rows
from workers.encode import drain_encode

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_an_upload_that_has_to_be_hidden_is_hidden_when_it_becomes_ready(scene: Scene) -> None:
    """From the encoder's batch to the flag in one transaction."""
    pictures = [distinct(number) for number in range(6)]
    scores = scene.scores(fake_rows(pictures))
    worst = sorted(scores, reverse=True)
    scene.line((worst[1] + worst[2]) / 2, (worst[0] + worst[1]) / 2)
    Policy.objects.update(is_on=True)
    made = [make_prepared(scene.harbour, one, scene.space, name=f"{n}.jpg") for n, one in enumerate(pictures)]
    drain_encode()
    assert Asset.objects.filter(pk__in=[one.pk for one in made], status=Status.READY).count() == 6
    assert hidden() == {made[scores.index(worst[0])].pk}
    flagged = Flag.objects.order_by("-score")
    assert [flag.asset_id for flag in flagged] == [made[scores.index(one)].pk for one in worst[:2]]
    assert [flag.hides for flag in flagged] == [True, False]
    assert flagged[0].score == pytest.approx(worst[0], abs=0.05)


def test_a_policy_that_is_off_or_of_a_space_that_is_filled_flags_nothing(scene: Scene) -> None:
    scene.line(3.0, 4.0)
    scene.come(scene.vector())
    assert not Flag.objects.exists()
    Policy.objects.update(is_on=True)
    Space.objects.update(state=SpaceState.READY)
    scene.come(scene.vector(), prefix="later")
    assert not Flag.objects.exists()


def test_a_policy_holds_in_its_collections_and_in_what_is_moved_there(scene: Scene) -> None:
    attic = Collection.objects.create(slug="attic", name="Attic", owner=scene.alice)
    scene.line(3.0, 4.0)
    Policy.objects.update(is_on=True, everywhere=False)
    scene.policy.collections.add(scene.harbour)
    (outside,) = scene.come(scene.vector(), collection=attic)
    assert hidden() == set()
    move(Asset.objects.filter(pk=outside.pk), scene.harbour)
    assert hidden() == {outside.pk}
    scene.harbour.assets.all()
    scene.policy.collections.clear()  # as when its last collection is deleted: nowhere, and not everywhere
    scene.come(scene.vector(), prefix="later")
    assert hidden() == {outside.pk}


def test_without_a_line_of_its_own_a_space_hides_nothing_at_once(scene: Scene) -> None:
    Policy.objects.update(is_on=True)
    (found,) = scene.come(scene.vector())
    assert Flag.objects.get(asset=found).hides is False
    assert hidden() == set()


def test_of_a_video_the_flag_names_the_moments(scene: Scene) -> None:
    (video,) = make_encoded(scene.harbour, scene.space, random_rows(1, seed=5), prefix="film")
    Asset.objects.filter(pk=video.pk).update(kind="video")
    frames = Frame.objects.bulk_create(Frame(asset=video, at=float(second)) for second in range(1, 40))
    rows = random_rows(39, seed=9)
    rows[[9, 10, 11, 29]] = scene.vector()
    store_vectors(scene.space, [frame.pk for frame in frames], [video.pk] * 39, rows)
    scene.line(8.0, 9.0)
    Policy.objects.update(is_on=True)
    notice(scene.space, read_vectors(scene.space, [video.pk]))
    first, second = Flag.objects.get().moments
    assert (first["start"], first["end"], second["start"], second["end"]) == (10.0, 12.0, 30.0, 30.0)
    assert second["frame"] == frames[29].pk
    assert first["at"] in (10.0, 11.0, 12.0)
    assert hidden() == {video.pk}


def test_frames_within_seconds_are_one_moment_and_the_worst_are_kept_in_order() -> None:
    frames = [(float(at), at, float(at)) for at in (1, 2, 4, 9, 30)]
    assert [(m["start"], m["end"], m["at"], m["score"]) for m in moments_of(frames)] == [
        *((1.0, 4.0, 4.0, 4.0), (9.0, 9.0, 9.0, 9.0), (30.0, 30.0, 30.0, 30.0))
    ]
    many = [(10.0 * at, at, float(at)) for at in range(60)]
    kept = moments_of(many)
    assert [moment["frame"] for moment in kept] == list(range(10, 60))


def test_of_a_long_film_in_parts_the_worst_moments_are_kept_wherever_they_are() -> None:
    early = moments_of([(10.0 * at, at, 1.0 + at / 100) for at in range(50)])
    late = moments_of([(10.0 * at, at, 2.0 + at / 100) for at in range(50, 90)])
    kept = merged(early, late)
    assert [moment["frame"] for moment in kept] == list(range(40, 90))
    assert merged(kept, late) == kept  # the same part once more


def test_what_was_seen_before_and_in_another_way_is_one_moment() -> None:
    before = moments_of([(float(at), at, 2.0) for at in (10, 11, 12)])
    again = moments_of([(float(at), at, 3.0 if at == 14 else 1.0) for at in range(9, 15)])
    (one,) = merged(before, again)
    assert (one["start"], one["end"], one["frame"], one["score"]) == (9.0, 14.0, 14, 3.0)
    assert [moment["start"] for moment in merged(before, moments_of([(20.0, 20, 1.0)]))] == [10.0, 20.0]
