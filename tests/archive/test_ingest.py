"""Ingest: a committed row always has its file, equal bytes are kept once, and what fails leaves nothing."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import DatabaseError, connections
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from archive import dispatch
from archive.incoming import TooLarge, receive, receive_file
from archive.ingest import EmptyFile, Ingested, StorageFull, clean_filename, ingest_file, original_key
from archive.models import Asset, Collection, Embedding, Space, Status, Step, Work, WorkState
from archive.sniff import UnsupportedMedia
from archive.sweeps import sweep_files, sweep_originals
from archive.trash import purge, trash
from tests import pictures
from workers.encode import drain_encode
from workers.prepare import drain_prepare

T = TypeVar("T")


@pytest.fixture(autouse=True)
def _own_store(settings: object, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"  # type: ignore[attr-defined]
    settings.STORAGES = {  # type: ignore[attr-defined]
        **settings.STORAGES,  # type: ignore[attr-defined]
        "default": {
            "BACKEND": "archive.storage.DurableStorage",
            "OPTIONS": {"location": str(tmp_path / "media")},
        },
    }


def ingest_bytes(data: bytes, collection: Collection, user: User | None = None, name: str = "a.jpg") -> Ingested:
    return ingest_file(receive([data]), collection=collection, uploader=user, filename=name)


def at_once(count: int, do: Callable[[int], T]) -> list[T]:
    """`do(0) ... do(count - 1)` in threads that start together, each with a connection of its own."""
    together = threading.Barrier(count)

    def one(number: int) -> T:
        together.wait()
        try:
            return do(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def files(tmp_path: Path) -> list[str]:
    store = tmp_path / "media"
    return sorted(str(path.relative_to(store)) for path in store.rglob("*") if path.is_file())


@pytest.mark.django_db
def test_a_new_file_lies_under_its_content_and_has_a_row_and_work(
    harbour: Collection, bob: User, tmp_path: Path
) -> None:
    data = pictures.jpeg()
    taken = ingest_bytes(data, harbour, bob, "Boot am Morgen.JPG")
    digest = hashlib.sha256(data).hexdigest()
    assert taken.new
    assert files(tmp_path) == [original_key(digest)]
    assert (tmp_path / "media" / original_key(digest)).read_bytes() == data
    asset = Asset.objects.get()
    assert (asset.sha256, asset.original, asset.size) == (digest, original_key(digest), len(data))
    assert (asset.filename, asset.media_type, asset.uploader) == ("Boot am Morgen.JPG", "image/jpeg", bob)
    assert asset.status == Status.PENDING
    assert Work.objects.get().step == Step.PREPARE


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("data", "refusal", "words"),
    [
        (b"", EmptyFile, "empty"),
        (b"GIF8? not quite", UnsupportedMedia, "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnsupportedMedia, "SVG"),
        (b"FLV\1\5" + bytes(64), UnsupportedMedia, "Convert it to MP4"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_sentence_and_leaves_nothing(
    harbour: Collection, tmp_path: Path, data: bytes, refusal: type[Exception], words: str
) -> None:
    with pytest.raises(refusal, match=words):
        ingest_bytes(data, harbour)
    assert files(tmp_path) == []
    assert not Asset.objects.exists()


@pytest.mark.django_db
def test_when_the_row_cannot_be_written_there_is_no_row_and_the_file_is_swept(
    harbour: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*args: object, **kwargs: object) -> None:
        raise DatabaseError("connection lost")

    data = pictures.jpeg()
    with monkeypatch.context() as patch:
        patch.setattr(Work.objects, "create", lost)
        with pytest.raises(DatabaseError, match="connection lost"):
            ingest_bytes(data, harbour)
    assert not Asset.objects.exists()
    key = original_key(hashlib.sha256(data).hexdigest())
    assert files(tmp_path) == [key]  # adopted before the row
    assert sweep_originals() == 0  # it might belong to a transaction that is still under way
    _make_old(tmp_path / "media" / key)
    assert sweep_originals() == 1
    assert files(tmp_path) == []


@pytest.mark.django_db
def test_the_sweep_keeps_every_original_that_has_a_row(harbour: Collection, tmp_path: Path) -> None:
    kept = [ingest_bytes(pictures.png(pictures.distinct(seed)), harbour).asset for seed in range(3)]
    trash(Asset.objects.filter(pk=kept[0].pk))
    for name in files(tmp_path):
        _make_old(tmp_path / "media" / name)
    assert sweep_originals() == 0
    assert files(tmp_path) == sorted(asset.original for asset in kept)


@pytest.mark.django_db
def test_a_process_that_dies_before_the_commit_leaves_no_row_and_the_next_try_succeeds(
    harbour: Collection, tmp_path: Path
) -> None:
    """Between the adoption of the file and the commit: the bytes lie there, nobody names them."""
    data = pictures.jpeg()
    key = original_key(hashlib.sha256(data).hexdigest())
    script = (
        "import os, django; django.setup()\n"
        "from pathlib import Path\n"
        "from django.core.files.storage import default_storage\n"
        "from archive.incoming import receive_file\n"
        f"incoming = receive_file(Path({str(tmp_path / 'in.jpg')!r}))\n"
        f"default_storage.adopt(incoming.path, {key!r})\n"
        "os.kill(os.getpid(), 9)\n"
    )
    (tmp_path / "in.jpg").write_bytes(data)
    environment = {**os.environ, "SIGHTLINE_MEDIA_URL": str(tmp_path / "media")}
    died = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=False)
    assert died.returncode == -9, died.stderr.decode()
    assert files(tmp_path) == [key]
    taken = ingest_bytes(data, harbour)
    assert taken.new
    assert files(tmp_path) == [key]
    assert default_storage.size(key) == len(data)


@pytest.mark.django_db
def test_half_a_file_under_the_right_name_is_replaced(harbour: Collection, tmp_path: Path) -> None:
    data = pictures.jpeg()
    key = original_key(hashlib.sha256(data).hexdigest())
    path = tmp_path / "media" / key
    path.parent.mkdir(parents=True)
    path.write_bytes(pictures.cut(data))
    ingest_bytes(data, harbour)
    assert path.read_bytes() == data


@pytest.mark.django_db
def test_the_same_file_again_is_answered_with_the_asset_that_is_there(
    harbour: Collection, alice: User, bob: User, tmp_path: Path
) -> None:
    first = ingest_bytes(pictures.jpeg(), harbour, alice, "first.jpg")
    again = ingest_bytes(pictures.jpeg(), harbour, bob, "again.jpg")
    assert (first.new, again.new) == (True, False)
    assert again.asset.pk == first.asset.pk
    assert again.asset.filename == "first.jpg"
    assert Work.objects.count() == 1
    assert len(files(tmp_path)) == 1


@pytest.mark.django_db
def test_equal_content_in_the_trash_comes_back(harbour: Collection, bob: User) -> None:
    asset = ingest_bytes(pictures.jpeg(), harbour).asset
    trash(Asset.objects.filter(pk=asset.pk))
    assert not Asset.objects.visible_to(bob).exists()
    again = ingest_bytes(pictures.jpeg(), harbour)
    assert (again.asset.pk, again.new) == (asset.pk, False)
    assert Asset.objects.visible_to(bob).get() == asset


@pytest.mark.django_db(transaction=True)
def test_the_same_file_twenty_times_at_once_is_one_asset_with_twenty_equal_answers(
    harbour: Collection, bob: User, tmp_path: Path
) -> None:
    data = pictures.jpeg()
    answers = at_once(20, lambda number: ingest_bytes(data, harbour, bob, f"{number}.jpg"))
    assert len({answer.asset.pk for answer in answers}) == 1
    assert [answer.new for answer in answers].count(True) == 1
    assert Asset.objects.count() == Work.objects.count() == 1
    assert files(tmp_path) == [answers[0].asset.original]


@pytest.mark.django_db(transaction=True)
def test_equal_bytes_of_two_people_are_two_assets_one_original_and_one_encoding(
    harbour: Collection, alice: User, bob: User, fake_space: Space, tmp_path: Path
) -> None:
    attic = Collection.objects.create(slug="attic", name="Attic", owner=bob)
    data = pictures.jpeg()
    places = [(harbour, alice), (attic, bob)]
    one, other = at_once(2, lambda number: ingest_bytes(data, *places[number]))
    assert one.asset.pk != other.asset.pk
    assert (one.new, other.new) == (True, True)
    assert files(tmp_path) == [one.asset.original] == [other.asset.original]
    drain_prepare()
    # The first is encoded, the second finds its vector: shown here by a batch of one.
    Work.objects.filter(asset=other.asset, step=Step.ENCODE).update(not_before="2999-01-01T00:00Z")
    drain_encode()
    Work.objects.filter(asset=other.asset, step=Step.ENCODE).update(not_before="2000-01-01T00:00Z")
    drain_encode()
    vectors = [Embedding.objects.get(asset=taken.asset).vector for taken in (one, other)]
    assert vectors[0] == vectors[1]
    assert set(Asset.objects.values_list("status", flat=True)) == {Status.READY}


@pytest.mark.django_db(transaction=True)
def test_a_purge_that_races_with_a_new_upload_never_leaves_a_row_without_its_file(harbour: Collection) -> None:
    data = pictures.jpeg()
    for _ in range(6):
        asset = ingest_bytes(data, harbour).asset
        trash(Asset.objects.filter(pk=asset.pk))

        def race(number: int, asset: Asset = asset) -> None:
            purge(asset) if number % 2 else ingest_bytes(data, harbour)

        at_once(6, race)
        left = Asset.objects.filter(sha256=asset.sha256).first()
        if left is not None:
            assert default_storage.exists(left.original)
            trash(Asset.objects.filter(pk=left.pk))
            assert purge(left)
        assert not default_storage.exists(asset.original)


@pytest.mark.django_db
def test_a_full_disk_refuses_before_it_writes(
    harbour: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1_000_000, "total": 10**9})
    monkeypatch.setattr("archive.incoming.shutil.disk_usage", lambda folder: usage)
    with pytest.raises(StorageFull, match="almost full"):
        ingest_bytes(pictures.jpeg(), harbour)
    assert files(tmp_path) == []


def test_a_disk_that_runs_full_in_the_middle_leaves_no_part(tmp_path: Path) -> None:
    """Shown by a limit on the size of files: a write fails in the same way, and needs no right to mount."""
    script = (
        "import resource, signal, django; django.setup()\n"
        "from archive.incoming import StorageFull, receive\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "for size in (65536, 100_001):\n"
        "    try:\n        receive(bytes(size) for _ in range(2))\n"
        "    except StorageFull as full:\n        print('refused:', full)\n"
    )
    environment = {**os.environ, "SIGHTLINE_MEDIA_URL": str(tmp_path / "media")}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=False)
    assert done.stdout.count(b"refused: The archive's disk is almost full") == 2, done.stderr.decode()
    assert files(tmp_path) == []


def test_a_broken_upload_leaves_nothing(tmp_path: Path) -> None:
    def cut_off() -> object:
        yield pictures.jpeg()[:1000]
        raise ConnectionResetError("the browser went away")

    with pytest.raises(ConnectionResetError):
        receive(cut_off())  # type: ignore[arg-type]
    assert files(tmp_path) == []


def test_one_byte_over_the_limit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    assert receive([bytes(500), bytes(500)], limit=1000).size == 1000
    with pytest.raises(TooLarge) as refused:
        receive([bytes(500), bytes(501)], limit=1000)
    assert refused.value.limit == 1000
    assert len(files(tmp_path)) == 1


def test_what_was_cut_off_more_than_a_day_ago_is_swept(tmp_path: Path) -> None:
    old, fresh = receive([b"old"]).path, receive([b"fresh"]).path
    _make_old(old)
    assert sweep_files() == 1
    assert (old.exists(), fresh.exists()) == (False, True)


def test_the_hash_and_the_head_are_of_the_bytes_that_came(tmp_path: Path) -> None:
    data = os.urandom(3 * 2**20 + 17)
    (tmp_path / "big").write_bytes(data)
    incoming = receive_file(tmp_path / "big")
    assert (incoming.sha256, incoming.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert incoming.head == data[:4096]
    assert incoming.path.read_bytes() == data


@given(st.text(max_size=600))
def test_a_file_name_is_data_whatever_it_says(name: str) -> None:
    cleaned = clean_filename(name)
    assert 0 < len(cleaned) <= 255
    assert "/" not in cleaned
    assert "\\" not in cleaned
    assert cleaned.isprintable() or " " in cleaned or cleaned == cleaned.strip()
    assert not any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in cleaned)
    assert clean_filename(cleaned) == cleaned


@pytest.mark.django_db
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.one_of(st.text(max_size=300), st.sampled_from(["../../etc/passwd", "C:\\x\\y.jpg", "..", ".", "\0"])))
def test_a_file_name_never_becomes_a_path(harbour: Collection, tmp_path: Path, name: str) -> None:
    asset = ingest_bytes(pictures.jpeg(), harbour, name=name).asset
    asset.refresh_from_db()
    assert asset.original == original_key(asset.sha256)
    assert files(tmp_path) == [asset.original]
    asset.delete()


@pytest.mark.django_db(transaction=True)
def test_the_bell_rings_only_after_the_commit_and_only_for_new_files(
    harbour: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int]] = []

    def send(name: str, *args: object, expires: float) -> None:
        def look(_: int) -> None:
            seen.append((name, Work.objects.filter(state=WorkState.READY).count()))

        at_once(1, look)

    monkeypatch.setattr(dispatch, "_send", send)
    ingest_bytes(pictures.jpeg(), harbour)
    ingest_bytes(pictures.jpeg(), harbour)
    assert seen == [("workers.drain_prepare", 1)]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_does_not_disturb_an_upload(harbour: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(name: str, *args: object, expires: float) -> None:
        raise dispatch.BrokerUnavailable("connection refused")

    monkeypatch.setattr(dispatch, "_send", down)
    assert ingest_bytes(pictures.jpeg(), harbour).new
    assert Work.objects.get().state == WorkState.READY


def _make_old(path: Path) -> None:
    yesterday = time.time() - 25 * 3600
    os.utime(path, (yesterday, yesterday))
