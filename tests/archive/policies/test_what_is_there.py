"""Policies look at what is there in the background, first dry, and are switched on and off."""

from __future__ import annotations

import numpy as np
import pytest

from archive.concepts.vectors import store_concepts
from archive.concepts.words import every_text
from archive.models import (
    Answer,
    Check,
    CheckState,
    Concept,
    ConceptKind,
    Event,
    Flag,
    FlagState,
    LogEntry,
    Policy,
    Space,
    SpaceState,
    Tag,
)
from archive.moderation.checking import judged_before, outlook, work_on_next_check
from archive.moderation.flagging import raise_flags
from archive.moderation.judging import judge
from archive.moderation.policies import NotSwitched, lines_of, start_check, switch_off, switch_on, withdraw
from archive.moderation.reviewing import answer
from archive.vectors import Rows as Vectors
from tests.archive.policies.scene import Scene, hidden, work
from tests.prepared import make_encoded, random_rows
from workers.encoders.fake import FakeEncoder
from workers.spaces import make_space

pytestmark = pytest.mark.django_db


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
