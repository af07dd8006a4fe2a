"""Policies that hold what is new: hidden until it was looked at to its end, or people did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.models import (
    Answer,
    Asset,
    Flag,
    FlagState,
    Frame,
    LogEntry,
    Policy,
    PolicyLine,
    Status,
    Step,
    Verdict,
    Work,
    WorkState,
)
from archive.moderation.policies import withdraw
from archive.moderation.reviewing import answer
from archive.noticing import notice
from archive.readiness import settle
from archive.vectors import Rows as Vectors
from archive.vectors import read_vectors, store_vectors
from tests.archive.policies.scene import Scene, hidden
from tests.cast import make_jpeg, upload
from tests.prepared import make_encoded, random_rows
from workers.encode import drain_encode
from workers.prepare import drain_prepare

pytestmark = pytest.mark.django_db


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
