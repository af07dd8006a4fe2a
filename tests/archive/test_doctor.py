"""`manage.py doctor`: what it sees, what it repairs, and what it leaves alone."""

from __future__ import annotations

import json
import os
import time
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.db.models import F
from django.utils import timezone
from redis.exceptions import ConnectionError as NoRedis

from archive.doctor import orphans
from archive.doctor.rounds import all_checks
from archive.models import (
    Action,
    Asset,
    Batch,
    BatchState,
    Collection,
    Embedding,
    Frame,
    Rendition,
    Space,
    Status,
    Work,
    WorkState,
)
from archive.spaces import activate, backfill, has_partitions, index_name, index_state, partition, retire
from tests.cast import make_jpeg, upload
from workers.encode import drain_encode
from workers.prepare import drain_prepare
from workers.spaces import make_space
from workers.tasks import sweep

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> dict[str, dict[str, Any]]:
    """The checks by name."""
    out = StringIO()
    status = 0
    try:
        call_command("doctor", "--json", *arguments, stdout=out)
    except CommandError as error:
        status = error.returncode
    report = json.loads(out.getvalue())
    assert set(report) == {"ok", "checks"}
    assert report["ok"] == all(check["ok"] for check in report["checks"])
    assert status == (0 if report["ok"] else 1)
    for check in report["checks"]:
        assert set(check) == {"name", "ok", "count", "detail"}
    return {check["name"]: check for check in report["checks"]}


def ill(report: dict[str, dict[str, Any]]) -> dict[str, int]:
    return {name: check["count"] for name, check in report.items() if not check["ok"]}


def old(key: str) -> Path:
    """A file of the storage that was written two days ago."""
    path = Path(default_storage.path(key))
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(b"left behind")
    then = time.time() - 2 * 86400
    os.utime(path, (then, then))
    return path


@pytest.fixture
def empty_store(media_root: Path) -> None:
    """Files of other tests, whose rows are gone, would all be orphans."""
    for path in media_root.rglob("*"):
        if path.is_file():
            path.unlink()


@pytest.fixture
def red(harbour: Collection, bob: User, fake_space: Space, tmp_path: Path, empty_store: None) -> Asset:
    """A ready asset."""
    asset = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    work()
    asset.refresh_from_db()
    assert asset.status == Status.READY
    return asset


def work() -> None:
    drain_prepare()
    drain_encode()


def test_a_healthy_archive_is_well_in_every_check(red: Asset) -> None:
    report = run("--deep")
    assert ill(report) == {}
    assert list(report) == [check.name for check in all_checks()]


def test_the_plain_report_has_a_line_a_check(red: Asset) -> None:
    out = StringIO()
    call_command("doctor", stdout=out, no_color=True)
    lines = out.getvalue().splitlines()
    assert len(lines) == len(all_checks())
    assert all(line.startswith("well ") for line in lines)


def test_a_missing_original_is_named_and_never_repaired_away(red: Asset) -> None:
    Path(default_storage.path(red.original)).unlink()
    report = run("--repair")
    assert ill(report) == {"originals": 1}
    assert str(red.uuid) in report["originals"]["detail"]
    assert "backup" in report["originals"]["detail"]
    assert Asset.objects.filter(pk=red.pk).exists()


def test_a_shorter_original_is_seen_at_once_and_other_bytes_when_looking_deep(red: Asset) -> None:
    path = Path(default_storage.path(red.original))
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert ill(run()) == {}
    assert ill(run("--deep")) == {"originals": 1}
    path.write_bytes(data[:-1])
    assert ill(run()) == {"originals": 1}


def test_a_lost_rendition_is_made_again(red: Asset) -> None:
    thumbnail = Rendition.objects.get(asset=red, spec="thumbnail")
    default_storage.delete(thumbnail.key)
    assert ill(run()) == {"renditions": 1}
    assert ill(run("--repair")) == {}
    work()
    assert default_storage.exists(thumbnail.key)
    red.refresh_from_db()
    assert red.status == Status.READY
    assert ill(run()) == {}


def test_a_rendition_without_a_row_is_made_again(red: Asset) -> None:
    Rendition.objects.filter(asset=red, spec="preview").delete()
    assert ill(run())["renditions"] == 1
    run("--repair")
    work()
    assert red.renditions.count() == 3


def test_a_lost_vector_is_made_again(red: Asset, fake_space: Space) -> None:
    Embedding.objects.filter(asset=red).delete()
    report = run()
    assert ill(report) == {"vectors": 1}
    assert str(red.uuid) in report["vectors"]["detail"]
    assert ill(run("--repair")) == {}  # under way
    drain_encode()
    assert Embedding.objects.filter(asset=red, space=fake_space).count() == 1
    assert ill(run()) == {}


def test_a_vector_whose_work_was_lost_too_is_made_again(red: Asset) -> None:
    Embedding.objects.filter(asset=red).delete()
    Work.objects.filter(asset=red, step="encode").delete()
    run("--repair")
    drain_encode()
    assert Embedding.objects.filter(asset=red).count() == 1


def test_what_waits_or_was_set_aside_lacks_nothing(red: Asset, harbour: Collection, bob: User, tmp_path: Path) -> None:
    upload(harbour, make_jpeg(tmp_path, "blue.jpg", "blue"), bob)
    Embedding.objects.filter(asset=red).delete()
    Work.objects.filter(asset=red, step="encode").update(state=WorkState.QUARANTINED)
    report = run()
    assert ill(report) == {}
    assert (report["set aside"]["ok"], report["set aside"]["count"]) == (True, 1)


def test_vectors_of_no_frame_are_removed(red: Asset, harbour: Collection, bob: User, tmp_path: Path) -> None:
    blue = upload(harbour, make_jpeg(tmp_path, "blue.jpg", "blue"), bob)
    work()
    Frame.objects.filter(asset=blue).update(asset=red, at=F("at") + 1)
    assert ill(run())["stray vectors"] == 1
    run("--repair")
    assert not Embedding.objects.filter(asset=blue).exists()
    assert Embedding.objects.filter(asset=red).count() == 1


def test_no_space_to_search_is_no_health(db: None, empty_store: None) -> None:
    assert set(ill(run())) == {"vectors", "index"}


def test_a_missing_index_is_built(red: Asset, fake_space: Space, settings: Any) -> None:
    settings.SIGHTLINE_INDEX_FROM = 1
    assert ill(run()) == {"index": 1}
    assert ill(run("--repair")) == {}
    assert index_state(fake_space).valid


def test_a_space_that_is_kept_for_a_roll_back_must_be_whole_and_one_that_is_filled_need_not(
    red: Asset, fake_space: Space, settings: Any
) -> None:
    other = make_space("next", "fake", "x")
    report = run()
    assert ill(report) == {}
    assert "next is being filled: 0 of 1." in report["vectors"]["detail"]
    backfill(other)
    drain_encode()
    activate(other)
    assert ill(run()) == {}
    Embedding.objects.filter(space=fake_space).delete()
    report = run()
    assert ill(report) == {"vectors": 1}
    assert "1 in fake" in report["vectors"]["detail"]
    assert ill(run("--repair")) == {}
    drain_encode()
    assert Embedding.objects.filter(space=fake_space).count() == 1
    settings.SIGHTLINE_INDEX_FROM = 1
    assert ill(run()) == {"index": 2}
    assert ill(run("--repair")) == {}
    assert index_state(fake_space).valid


def test_what_a_retired_space_left_behind_is_removed(red: Asset, fake_space: Space) -> None:
    other = make_space("next", "fake", "x")
    backfill(other)
    retire(other)  # and whoever clears away was killed
    assert ill(run()) == {"retired spaces": 1}
    assert ill(run("--repair")) == {}
    assert not has_partitions(other)
    assert not Work.objects.filter(target="next").exists()


def test_an_invalid_index_is_rebuilt(
    red: Asset, harbour: Collection, bob: User, fake_space: Space, tmp_path: Path, settings: Any
) -> None:
    upload(harbour, make_jpeg(tmp_path, "blue.jpg", "blue"), bob)
    work()
    settings.SIGHTLINE_INDEX_FROM = 1
    broken = f"CREATE UNIQUE INDEX CONCURRENTLY {index_name(fake_space)} ON {partition(fake_space)} ((1))"
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute(broken)  # ends half-way, as one does whose server was stopped
    assert ill(run()) == {"index": 1}
    assert ill(run("--repair")) == {}
    assert index_state(fake_space).valid


def test_work_that_nobody_does_is_seen(red: Asset) -> None:
    long_ago = timezone.now() - timedelta(minutes=30)
    Work.objects.filter(asset=red, step="encode").update(state=WorkState.READY, not_before=long_ago)
    report = run("--repair")
    assert ill(report) == {"work moves": 1}
    assert "manage.py drain" in report["work moves"]["detail"]
    held = timezone.now() + timedelta(minutes=1)
    Work.objects.filter(asset=red, step="prepare").update(state=WorkState.RUNNING, lease_until=held)
    assert "work moves" not in ill(run())


def test_a_batch_that_does_not_move_is_seen(red: Asset, alice: User) -> None:
    batch = Batch.objects.create(owner=alice, action=Action.TRASH, what="Everything")
    assert ill(run()) == {}
    Batch.objects.filter(pk=batch.pk).update(touched_at=timezone.now() - timedelta(minutes=30))
    assert ill(run("--repair")) == {"batches move": 1}
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.DONE)
    assert ill(run()) == {}


def test_leases_that_nobody_frees_are_seen(red: Asset) -> None:
    long_ago = timezone.now() - timedelta(minutes=30)
    Work.objects.filter(asset=red, step="encode").update(state=WorkState.RUNNING, lease_until=long_ago)
    assert ill(run()) == {"leases": 1}


def test_old_files_of_no_asset_are_removed_and_nothing_else(red: Asset) -> None:
    sha = "f" * 64
    lost = [
        old(f"originals/ff/ff/{sha}"),
        old(f"renditions/1/ff/ff/{sha}.thumbnail"),
        old("renditions/1/ff/ff/.0123.part"),
        old("incoming/0123.part"),
    ]
    young = Path(default_storage.path("incoming/young.part"))
    young.write_bytes(b"on its way")
    kept = [old(red.original), *(old(key) for key in red.renditions.values_list("key", flat=True))]
    assert ill(run()) == {"orphan files": 4}
    assert all(path.exists() for path in lost)
    assert ill(run("--repair")) == {}
    assert not any(path.exists() for path in lost)
    assert young.exists()
    assert all(path.exists() for path in kept)


def test_what_is_left_of_a_deleted_film_is_swept_without_anybody_asking(red: Asset) -> None:
    """A worker was at it when it was purged: what it wrote is named by no row."""
    sha = "f" * 64
    names = ("frames-1000-0.zip", "still-4000.webp", "play-0")
    lost = [old(f"renditions/1/ff/ff/{sha}.{name}") for name in names]
    old_still = old(f"renditions/1/aa/aa/{red.sha256}.still-0.webp")
    red.frames.update(still=f"renditions/1/aa/aa/{red.sha256}.still-0.webp")
    stale = old(f"renditions/1/aa/aa/{red.sha256}.still-9.webp")
    young = Path(default_storage.path(f"renditions/1/ff/ff/{sha}.frames-1000-60000.zip"))
    young.write_bytes(b"its row is about to commit")
    kept = [old_still, young, *(old(key) for key in red.renditions.values_list("key", flat=True))]
    assert orphans.sweep_renditions(budget=0) == 0  # its time is bounded
    sweep()
    assert [path.name for path in (*lost, stale) if path.exists()] == []
    assert all(path.exists() for path in kept)


def test_a_file_that_an_upload_takes_up_again_meanwhile_is_kept(
    red: Asset, harbour: Collection, bob: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the removal somebody uploads the very bytes."""
    blue = upload(harbour, make_jpeg(tmp_path, "blue.jpg", "blue"), bob)
    key = blue.original
    Work.objects.filter(asset=blue).delete()
    Asset.objects.filter(pk=blue.pk).delete()
    old(key)
    assert list(orphans.find_orphans()) == [key]
    monkeypatch.setattr(orphans, "find_orphans", lambda: [key])
    upload(harbour, make_jpeg(tmp_path, "blue.jpg", "blue"), bob)
    assert orphans.repair() == 0
    assert default_storage.exists(key)


def test_redis_away_is_seen_and_the_rest_is_still_looked_at(red: Asset, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*args: Any, **kwargs: Any) -> None:
        raise NoRedis("no such socket")

    monkeypatch.setattr("django.core.cache.backends.redis.RedisCache.has_key", gone)
    report = run()
    assert set(ill(report)) == {"redis"}
    assert len(report) == len(all_checks())


def test_migrations_that_are_not_applied_end_the_round(red: Asset) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(name) FROM django_migrations WHERE app = 'archive'")
        (newest,) = cursor.fetchone()
        cursor.execute("DELETE FROM django_migrations WHERE app = 'archive' AND name = %s", [newest])
    try:
        report = run()
        assert ill(report) == {"migrations": 1}
        assert list(report)[-1] == "migrations"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('archive', %s, now())", [newest])


def test_a_disk_that_is_almost_full_is_seen(red: Asset, settings: Any) -> None:
    settings.SIGHTLINE_UPLOAD_LIMIT = 2**60
    assert set(ill(run())) == {"disk"}
