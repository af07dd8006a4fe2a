"""PREPARE: from an original to facts, renditions, a frame, and work for every live space."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from PIL import Image

from archive.decoder.refusals import DecoderCrashed, DecoderTimedOut
from archive.decoder.sandbox import Sandbox
from archive.incoming import receive
from archive.ingest import ingest_file
from archive.models import Asset, Collection, Frame, Space, Status, Step, Work, WorkState
from archive.models.work import Priority
from archive.trash import purge, trash
from tests import pictures
from tests.cast import make_jpeg, upload
from workers.claims import claim
from workers.prepare import drain_prepare, prepare
from workers.spaces import make_space

pytestmark = pytest.mark.django_db(transaction=True)


def take_in(collection: Collection, data: bytes, name: str = "picture.jpg") -> Asset:
    return ingest_file(receive([data]), collection=collection, uploader=None, filename=name).asset


def test_a_prepared_picture_has_its_facts_renditions_and_frame(harbour: Collection, fake_space: Space) -> None:
    asset = take_in(harbour, pictures.travel("JPEG"))
    assert drain_prepare() is False
    asset.refresh_from_db()
    assert (asset.width, asset.height, asset.media_type) == (320, 240, "image/jpeg")
    assert asset.camera == "Canon EOS R6"
    assert asset.taken_at is not None
    assert asset.taken_at.isoformat() == "2024-05-01T10:30:45.120000+00:00"
    assert {r.spec for r in asset.renditions.all()} == {"thumbnail", "preview", "encoder"}
    assert all(default_storage.exists(r.key) for r in asset.renditions.all())
    assert list(asset.frames.values_list("at", "representative")) == [(0.0, True)]
    assert asset.status == Status.PENDING  # its vector is still missing


def test_every_live_space_gets_work_as_urgent_as_the_upload(harbour: Collection, fake_space: Space) -> None:
    make_space("next", "fake", "another")
    incoming = receive([pictures.jpeg()])
    asset = ingest_file(
        incoming, collection=harbour, uploader=None, filename="a.jpg", priority=Priority.INTERACTIVE
    ).asset
    drain_prepare()
    waiting = Work.objects.filter(asset=asset, step=Step.ENCODE).order_by("target")
    assert [(w.target, w.priority, w.state) for w in waiting] == [
        ("fake", Priority.INTERACTIVE, WorkState.READY),
        ("next", Priority.INTERACTIVE, WorkState.READY),
    ]


def test_a_damaged_file_fails_alone_with_a_sentence_and_keeps_its_original(
    harbour: Collection, bob: User, tmp_path: Path
) -> None:
    good = [upload(harbour, make_jpeg(tmp_path, f"{c}.jpg", c), bob) for c in ("red", "green", "blue")]
    bad = take_in(harbour, pictures.cut(pictures.jpeg()), "cut.jpg")
    drain_prepare()
    bad.refresh_from_db()
    assert bad.status == Status.FAILED
    assert bad.error == (
        "This JPEG ends too early: the file is damaged or was cut off in transfer. Upload it again from the source."
    )
    assert default_storage.exists(bad.original)
    assert not bad.renditions.exists()
    assert set(Asset.objects.filter(pk__in=[a.pk for a in good]).values_list("status", flat=True)) == {Status.READY}


def test_a_missing_original_says_so(harbour: Collection) -> None:
    asset = take_in(harbour, pictures.jpeg())
    default_storage.delete(asset.original)
    drain_prepare()
    asset.refresh_from_db()
    assert asset.status == Status.FAILED
    assert "original file is gone" in asset.error


def test_a_decoder_that_dies_is_tried_again_later_and_one_that_hangs_is_not(
    harbour: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashing, hanging = take_in(harbour, pictures.jpeg()), take_in(harbour, pictures.png())
    problems: dict[str, Exception] = {"image/jpeg": DecoderCrashed(11), "image/png": DecoderTimedOut(20)}

    class BadDay(Sandbox):
        def decode(self, source: object, **options: object) -> None:  # type: ignore[override]
            head = source.read(8)  # type: ignore[attr-defined]
            raise problems["image/png" if head.startswith(b"\x89PNG") else "image/jpeg"]

    with BadDay() as sandbox:
        for one in claim(Step.PREPARE, "", 8, "me"):
            prepare(one, sandbox)
    again, aside = (Work.objects.get(asset=asset) for asset in (crashing, hanging))
    assert (again.state, again.errors) == (WorkState.READY, 1)
    assert "signal 11" in again.last_error
    assert aside.state == WorkState.QUARANTINED
    hanging.refresh_from_db()
    assert "longer than 20 seconds" in hanging.error


def test_an_asset_that_was_deleted_meanwhile_is_passed_over(harbour: Collection) -> None:
    gone, kept = take_in(harbour, pictures.jpeg()), take_in(harbour, pictures.png())
    claims = claim(Step.PREPARE, "", 8, "me")
    trash(Asset.objects.filter(pk=gone.pk))
    assert purge(gone)
    with Sandbox() as sandbox:
        for one in claims:
            prepare(one, sandbox)
    assert list(Frame.objects.values_list("asset", flat=True)) == [kept.pk]


def test_a_late_result_writes_nothing(harbour: Collection) -> None:
    asset = take_in(harbour, pictures.jpeg())
    (one,) = claim(Step.PREPARE, "", 8, "me")
    Work.objects.update(token=None, state=WorkState.READY)  # its lease ended and was reaped
    with Sandbox() as sandbox:
        prepare(one, sandbox)
    asset.refresh_from_db()
    assert (asset.width, asset.renditions.count(), asset.frames.count()) == (None, 0, 0)
    assert not Work.objects.filter(step=Step.ENCODE).exists()


def test_words_that_a_person_wrote_stay(harbour: Collection) -> None:
    asset = take_in(harbour, pictures.jpeg_with_iptc("From the agency", "A long caption"))
    Asset.objects.filter(pk=asset.pk).update(title="Mine")
    drain_prepare()
    asset.refresh_from_db()
    assert (asset.title, asset.caption) == ("Mine", "A long caption")


def test_the_pixel_limit_of_the_settings_holds(harbour: Collection, settings: object) -> None:
    settings.SIGHTLINE_PIXEL_LIMIT = 50_000  # type: ignore[attr-defined]
    asset = take_in(harbour, pictures.jpeg(Image.new("RGB", (400, 300))))
    drain_prepare()
    asset.refresh_from_db()
    assert asset.status == Status.FAILED
    assert "400 x 300" in asset.error
