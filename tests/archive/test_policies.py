"""Policies at work: what comes is looked at before it is seen, what is there in the background, and first dry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.concepts.scoring import score
from archive.concepts.vectors import find_concept_vectors, store_concepts
from archive.concepts.words import every_text
from archive.models import (
    Answer,
    Asset,
    Check,
    CheckState,
    Collection,
    Concept,
    ConceptKind,
    Event,
    Flag,
    FlagState,
    Frame,
    LogEntry,
    Policy,
    PolicyLine,
    Space,
    SpaceState,
    Status,
    Step,
    Tag,
    Verdict,
    Work,
    WorkState,
)
from archive.moderation.checking import judged_before, outlook, work_on_next_check
from archive.moderation.flagging import raise_flags
from archive.moderation.judging import judge
from archive.moderation.moments import merged, moments_of
from archive.moderation.policies import NotSwitched, lines_of, start_check, switch_off, switch_on, withdraw
from archive.moderation.reviewing import answer
from archive.moving import move
from archive.noticing import notice
from archive.readiness import settle
from archive.vectors import Rows as Vectors
from archive.vectors import read_vectors, store_vectors
from tests.cast import make_jpeg, upload
from tests.pictures import distinct
from tests.prepared import Rows, fake_rows, make_encoded, make_prepared, random_rows
from workers.encode import drain_encode
from workers.encoders.fake import FakeEncoder
from workers.prepare import drain_prepare
from workers.spaces import make_space

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Scene:
    """An archive of sixty pictures, and a prohibited concept that was read for it."""

    space: Space
    harbour: Collection
    concept: Concept
    policy: Policy
    assets: list[Asset]
    alice: User

    def vector(self) -> Rows:
        """(1, 768): a picture of nothing but the concept."""
        return find_concept_vectors(self.space, [self.concept]).vectors

    def scores(self, rows: Rows) -> list[float]:
        found: list[float] = score(rows, find_concept_vectors(self.space, [self.concept]))[:, 0].tolist()
        return found

    def line(self, review_at: float, quarantine_at: float | None = None) -> None:
        PolicyLine.objects.update_or_create(
            policy=self.policy, space=self.space, defaults={"review_at": review_at, "quarantine_at": quarantine_at}
        )

    def come(self, rows: Rows, *, collection: Collection | None = None, prefix: str = "new") -> list[Asset]:
        """Pictures whose vectors are stored, and noticed, as the workers do it."""
        assets = make_encoded(collection or self.harbour, self.space, rows, prefix=prefix)
        notice(self.space, read_vectors(self.space, [asset.pk for asset in assets]))
        return assets


def work() -> None:
    while work_on_next_check():
        pass


def hidden() -> set[int]:
    return set(Asset.objects.filter(quarantined=True).values_list("pk", flat=True))


@pytest.fixture
def scene(fake_space: Space, harbour: Collection, alice: User) -> Scene:
    assets = make_encoded(harbour, fake_space, random_rows(60))
    weapon = Concept.objects.create(slug="weapon", name="weapon", kind=ConceptKind.PROHIBITED)
    texts = every_text([weapon])
    store_concepts(fake_space, [weapon], dict(zip(texts, FakeEncoder().encode_texts(texts), strict=True)))
    policy = Policy.objects.create(concept=weapon)
    return Scene(fake_space, harbour, weapon, policy, assets, alice)


# ---- what comes -------------------------------------------------------------------------------------


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


@pytest.mark.django_db(transaction=True)
def test_a_policy_can_hold_uploads_until_they_were_looked_at(scene: Scene, bob: User, tmp_path: Path) -> None:
    scene.line(-99.0, 99.0)
    first = upload(scene.harbour, make_jpeg(tmp_path, "before.jpg", "teal"), bob)
    Policy.objects.update(is_on=True, holds_new=True)
    held = upload(scene.harbour, make_jpeg(tmp_path, "held.jpg", "olive"), bob)
    assert hidden() == {held.pk}
    drain_prepare()
    assert set(Asset.objects.visible_to(bob).filter(status=Status.PENDING)) == {first}
    drain_encode()
    assert hidden() == set()  # nothing that hides was found
    PolicyLine.objects.update(quarantine_at=-98.0)
    worse = upload(scene.harbour, make_jpeg(tmp_path, "worse.jpg", "navy"), bob)
    drain_prepare()
    drain_encode()
    assert hidden() == {worse.pk}
    assert Flag.objects.get(asset=worse).hides


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", [Step.PREPARE, Step.ENCODE])
def test_a_held_video_that_fails_half_way_stays_hidden_and_goes_to_review(scene: Scene, step: Step) -> None:
    scene.line(8.0, 99.0)
    Policy.objects.update(is_on=True, holds_new=True)
    film = held_film(scene)
    store_and_notice(scene, film)  # a doubt about its first minute that hides nothing by itself
    assert Flag.objects.get().hides is False
    assert hidden() == {film.pk}
    Work.objects.filter(asset=film, step=step).update(state=WorkState.QUARANTINED, last_error="It is damaged.")
    settle([film.pk])
    film.refresh_from_db()
    assert film.status == Status.FAILED
    assert hidden() == {film.pk}
    flag = Flag.objects.reviewed_by(scene.alice).get()
    assert (flag.state, flag.hides) == (FlagState.OPEN, True)
    assert "to its end. It is damaged." in LogEntry.objects.filter(flag_id=flag.pk).latest("id").reason
    settle([film.pk])
    assert Flag.objects.get().version == flag.version  # told once
    answer(scene.alice, flag.pk, Answer.DISMISS, flag.version)
    settle([film.pk])
    assert hidden() == set()


@pytest.mark.parametrize("step", [Step.PREPARE, Step.ENCODE])
def test_a_held_photo_that_fails_is_shown_to_nobody_before_people_looked(
    scene: Scene, step: Step, bob: User, client: Client
) -> None:
    """Its file is there, and nothing has looked at what it shows."""
    Policy.objects.update(is_on=True, holds_new=True)
    photo = held_film(scene)
    photo.kind, photo.filename, photo.uploader = "photo", "broken.jpg", bob
    photo.save()
    Work.objects.filter(asset=photo, step=step).update(state=WorkState.QUARANTINED, last_error="It is damaged.")
    settle([photo.pk])
    photo.refresh_from_db()
    assert photo.status == Status.FAILED
    assert hidden() == {photo.pk}
    client.force_login(bob)
    (told,) = client.get("/upload/status/", {"id": str(photo.uuid)}).json()["assets"]
    assert told["status"] == "held"
    assert "damaged" not in str(told)
    assert client.get(photo.original_url).status_code == 404
    flag = Flag.objects.reviewed_by(scene.alice).get()
    client.force_login(scene.alice)
    assert "No picture could be made of it. It is damaged." in client.get(flag.get_absolute_url()).text
    answer(scene.alice, flag.pk, Answer.DISMISS, flag.version)
    assert hidden() == set()
    client.force_login(bob)
    assert client.get("/upload/status/", {"id": str(photo.uuid)}).json()["assets"][0]["status"] == "failed"


def test_an_answer_about_its_first_minutes_shows_no_video_that_is_held(scene: Scene) -> None:
    scene.line(8.0, 9.0)
    Policy.objects.update(is_on=True, holds_new=True)
    film = held_film(scene)
    store_and_notice(scene, film)
    answer(scene.alice, Flag.objects.get().pk, Answer.DISMISS, 1)
    assert hidden() == {film.pk}
    Work.objects.filter(asset=film).update(state=WorkState.DONE)
    settle([film.pk])
    assert hidden() == set()


def test_a_video_that_failed_where_nothing_holds_is_shown_as_failed(scene: Scene) -> None:
    film = held_film(scene)  # the policy was switched off meanwhile
    Work.objects.filter(asset=film, step=Step.PREPARE).update(state=WorkState.QUARANTINED)
    settle([film.pk])
    assert hidden() == set()
    assert not Flag.objects.exists()


def held_film(scene: Scene) -> Asset:
    """A video that came when a policy held new ones, with a frame read of it."""
    film = Asset.objects.create(
        collection=scene.harbour,
        kind="video",
        sha256="f" * 64,
        original="originals/film",
        filename="film.mp4",
        media_type="video/mp4",
        size=1,
        quarantined=True,
    )
    Frame.objects.create(asset=film, at=0.0)
    Work.objects.create(asset=film, step=Step.PREPARE)
    Work.objects.create(asset=film, step=Step.ENCODE, target=scene.space.slug)
    return film


def store_and_notice(scene: Scene, film: Asset) -> None:
    store_vectors(scene.space, list(film.frames.values_list("pk", flat=True)), [film.pk], scene.vector())
    notice(scene.space, read_vectors(scene.space, [film.pk]))


def test_a_held_film_stays_held_until_its_last_batch_was_looked_at(scene: Scene) -> None:
    """Whatever is found in the first one, answered or withdrawn meanwhile: that may be the good half."""
    (film,) = make_encoded(scene.harbour, scene.space, random_rows(1, seed=5), prefix="film")
    Asset.objects.filter(pk=film.pk).update(kind="video", status=Status.PENDING, quarantined=True)
    work = Work.objects.create(asset=film, step=Step.ENCODE, target=scene.space.slug)
    frames = Frame.objects.bulk_create(Frame(asset=film, at=float(second)) for second in range(1, 5))
    rows = np.repeat(scene.vector(), 4, axis=0)
    store_vectors(scene.space, [frame.pk for frame in frames], [film.pk] * 4, rows)
    parts = [Vectors([f.pk for f in frames[at : at + 2]], [film.pk] * 2, rows[at : at + 2]) for at in (0, 2)]
    scene.line(3.0)  # nothing is hidden at once
    Policy.objects.update(is_on=True, holds_new=True)
    notice(scene.space, parts[0])
    settle([film.pk])
    assert hidden() == {film.pk}
    answer(scene.alice, Flag.objects.get().pk, Answer.DISMISS, 1)
    assert hidden() == {film.pk}
    Flag.objects.update(state=FlagState.OPEN)
    Verdict.objects.all().delete()
    assert withdraw(scene.policy, scene.alice, "Too low.") == 1
    assert hidden() == {film.pk}
    notice(scene.space, parts[1])
    Work.objects.filter(pk=work.pk).update(state=WorkState.DONE)
    settle([film.pk])
    assert Flag.objects.get().state == FlagState.OPEN
    assert hidden() == set()


# ---- what is there ----------------------------------------------------------------------------------


def test_switching_on_looks_at_the_whole_archive_with_progress(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.moderation.checking.ROWS", 20)
    bad = make_encoded(scene.harbour, scene.space, np.repeat(scene.vector(), 3, axis=0), prefix="bad")
    scene.line(8.0, 9.0)
    check = switch_on(scene.policy, scene.alice)
    assert (check.total, check.state) == (63, CheckState.WAITING)
    assert work_on_next_check()
    check.refresh_from_db()
    assert (check.seen, check.state) == (20, CheckState.RUNNING) or 0 < check.seen < 63
    work()
    check.refresh_from_db()
    assert (check.seen, check.doubted, check.hidden, check.raised) == (63, 3, 3, 3)
    assert check.state == CheckState.DONE
    assert hidden() == {one.pk for one in bad}
    told = LogEntry.objects.filter(concept="weapon", event=Event.SWITCHED_ON).latest("id")
    assert (told.person, "hidden at once from 9.0000" in told.reason) == ("alice", True)


def test_looking_again_brings_back_nothing_that_was_dismissed(scene: Scene) -> None:
    make_encoded(scene.harbour, scene.space, scene.vector(), prefix="bad")
    scene.line(8.0, 9.0)
    switch_on(scene.policy, scene.alice)
    work()
    answer(scene.alice, Flag.objects.get().pk, Answer.DISMISS, 1)
    switch_on(scene.policy, scene.alice)
    work()
    assert Flag.objects.get().state == FlagState.DISMISSED
    assert hidden() == set()
    assert Check.objects.order_by("-id")[0].raised == 0


def test_a_dismissed_flag_does_not_come_back_with_another_space(scene: Scene) -> None:
    """Encoded again by a model that is searched from now on."""
    (bad,) = make_encoded(scene.harbour, scene.space, scene.vector(), prefix="bad")
    scene.line(8.0, 9.0)
    switch_on(scene.policy, scene.alice)
    work()
    answer(scene.alice, Flag.objects.get().pk, Answer.DISMISS, 1)
    found = Vectors(list(bad.frames.values_list("pk", flat=True)), [bad.pk], scene.vector())
    doubts = judge(scene.space, found, lines_of(scene.space, [scene.policy]))
    assert doubts[0].hides
    other = Space.objects.create(slug="other", model="fake", dimensions=768, fingerprint="0" * 64)
    assert raise_flags(other, doubts) == 0
    assert hidden() == set()


def test_a_dry_run_counts_and_flags_nothing(scene: Scene) -> None:
    bad = make_encoded(scene.harbour, scene.space, np.repeat(scene.vector(), 4, axis=0), prefix="bad")
    scene.line(8.0, 9.0)
    Tag.objects.create(asset=bad[0], concept=scene.concept, decided=True)
    Tag.objects.create(asset=bad[1], concept=scene.concept, state="rejected", decided=True)
    Flag.objects.create(asset=bad[2], concept=scene.concept, state=FlagState.UPHELD)
    check = start_check(scene.policy, scene.alice, dry=True)
    work()
    check.refresh_from_db()
    assert (check.state, check.seen, check.doubted, check.hidden, check.raised) == (CheckState.DONE, 64, 4, 4, 0)
    assert Flag.objects.count() == 1
    seen = outlook(check, 8.0)
    assert (seen.reached, seen.upheld, seen.judged) == (4, 2, 3)
    assert seen.precision == pytest.approx(2 / 3)
    assert outlook(check, -99.0).reached == 64
    assert outlook(check, 999.0).precision is None
    assert judged_before([one.pk for one in bad], scene.concept.pk) == {
        bad[0].pk: True,
        bad[1].pk: False,
        bad[2].pk: True,
    }


def test_a_check_goes_on_in_the_space_that_is_searched_by_then(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.moderation.checking.ROWS", 20)
    scene.line(8.0, 9.0)
    first = switch_on(scene.policy, scene.alice)
    assert work_on_next_check()
    other = make_space("other", "fake")
    Space.objects.filter(pk=scene.space.pk).update(state=SpaceState.READY)
    Space.objects.filter(pk=other.pk).update(state=SpaceState.ACTIVE)
    assert work_on_next_check()
    first.refresh_from_db()
    assert (first.state, 0 < first.seen < 60) == (CheckState.STOPPED, True)
    assert "has no vector in other yet" in first.error
    second = switch_on_in(scene, other)
    Check.objects.filter(pk=second.pk).update(space=scene.space)  # as if it had begun before
    work()
    second.refresh_from_db()
    last = Check.objects.order_by("-pk")[0]
    assert (second.state, second.seen, last.space, last.state) == (CheckState.STOPPED, 0, other, CheckState.DONE)
    assert (last.asked_by, last.review_at) == (scene.alice, second.review_at)


def switch_on_in(scene: Scene, space: Space) -> Check:
    texts = every_text([scene.concept])
    vectors = FakeEncoder().encode_texts(texts)
    store_concepts(space, [scene.concept], dict(zip(texts, vectors, strict=True)))
    make_encoded(scene.harbour, space, random_rows(30), prefix="there")
    return switch_on(scene.policy, scene.alice)


def test_a_concept_that_was_not_read_or_is_a_tag_is_not_switched_on(scene: Scene) -> None:
    new = Concept.objects.create(slug="new", name="new", kind=ConceptKind.PROHIBITED)
    with pytest.raises(NotSwitched, match="Wait until its words are read"):
        switch_on(Policy.objects.create(concept=new), scene.alice)
    Concept.objects.filter(pk=scene.concept.pk).update(kind=ConceptKind.TAG)
    with pytest.raises(NotSwitched, match="prohibited concept first"):
        switch_on(scene.policy, scene.alice)


def test_switching_off_stops_looking_and_withdrawing_shows_what_nobody_answered(scene: Scene) -> None:
    bad = make_encoded(scene.harbour, scene.space, np.repeat(scene.vector(), 3, axis=0), prefix="bad")
    scene.line(8.0, 9.0)
    switch_on(scene.policy, scene.alice)
    work()
    answer(scene.alice, Flag.objects.get(asset=bad[0]).pk, Answer.UPHOLD, 1)
    check = switch_on(scene.policy, scene.alice)
    switch_off(scene.policy, scene.alice)
    check.refresh_from_db()
    assert check.state == CheckState.STOPPED
    assert len(hidden()) == 3
    assert withdraw(scene.policy, scene.alice, "The threshold was too low.") == 2
    assert hidden() == {bad[0].pk}
    told = LogEntry.objects.filter(asset=bad[1].uuid).latest("id")
    assert (told.event, told.reason) == (Event.WITHDRAWN, "The threshold was too low.")
    scene.come(scene.vector(), prefix="later")
    assert len(hidden()) == 1
