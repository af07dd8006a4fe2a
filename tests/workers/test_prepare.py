"""PREPARE: from an original to facts, renditions, a frame, and work for every live space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import OperationalError
from PIL import Image
from PIL.ExifTags import IFD, Base

from archive.decoder.refusals import DecoderCrashed, DecoderTimedOut
from archive.decoder.sandbox import Sandbox
from archive.incoming import receive
from archive.ingest import ingest_file
from archive.models import Asset, Collection, Frame, Rendition, Space, Status, Step, Work, WorkState
from archive.models.work import Priority
from archive.trash import purge, trash
from tests import pictures
from tests.cast import make_jpeg, upload
from workers.claims import claim
from workers.prepare import drain_prepare, prepare, read_original
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


@pytest.mark.parametrize(("written", "kept"), [("9999:12:31 23:59:59", None), ("2024:05:01 12:30:45", 2024)])
def test_a_camera_at_the_end_of_the_calendar_harms_no_list(
    harbour: Collection, fake_space: Space, written: str, kept: int | None
) -> None:
    tags = Image.Exif()
    tags.get_ifd(IFD.Exif).update({Base.DateTimeOriginal: written, Base.OffsetTimeOriginal: "-12:00"})
    asset = take_in(harbour, pictures.jpeg(exif=tags))
    drain_prepare()
    found = Asset.objects.get(pk=asset.pk)  # a moment after the year 9999 could not be read back
    assert (found.taken_at.year if found.taken_at else None) == kept
    assert Rendition.objects.filter(asset=asset).exists()


def test_words_written_while_a_file_is_decoded_stay(
    harbour: Collection, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = take_in(harbour, pictures.travel("JPEG"))
    read = read_original

    def read_while_somebody_writes(*given: Any) -> Any:
        decoded = read(*given)
        Asset.objects.update(title="By a person", caption="Words", latitude=1.0, longitude=2.0)
        return decoded

    monkeypatch.setattr("workers.prepare.read_original", read_while_somebody_writes)
    drain_prepare()
    asset.refresh_from_db()
    assert (asset.title, asset.caption, asset.latitude) == ("By a person", "Words", 1.0)
    assert asset.width == 320


def test_an_error_that_nobody_expected_holds_up_only_its_own_asset(
    harbour: Collection, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd, *others = [take_in(harbour, pictures.png(pictures.distinct(seed))) for seed in range(3)]
    read = read_original

    def read_but_one(asset: Asset, sandbox: Sandbox) -> Any:
        if asset.pk == odd.pk:
            raise RuntimeError("nobody thought of this")
        return read(asset, sandbox)

    monkeypatch.setattr("workers.prepare.read_original", read_but_one)
    assert drain_prepare() is False
    states = dict(Work.objects.filter(step=Step.PREPARE).values_list("asset", "state"))
    assert states == {odd.pk: WorkState.READY, **{other.pk: WorkState.DONE for other in others}}
    work = Work.objects.get(asset=odd)
    assert (work.errors, "RuntimeError" in work.last_error) == (1, True)


def test_where_postgres_goes_away_nothing_is_held_against_an_asset(
    harbour: Collection, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(harbour, pictures.jpeg())

    def away(*given: Any) -> Any:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr("workers.prepare.read_original", away)
    with pytest.raises(OperationalError):
        drain_prepare()
    assert Work.objects.values_list("state", "errors", "attempts").get() == (WorkState.READY, 0, 0)
