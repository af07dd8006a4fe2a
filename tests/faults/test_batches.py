"""A batch under kill -9: real workers, real doorbells; nothing is lost and nothing is done twice."""

from __future__ import annotations

import os
import signal
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from archive import exports
from archive.batches import make_batch, read_order, undo
from archive.models import Asset, Batch, BatchState, Collection, ItemState, Space, Tag
from tests.faults.workers import Fleet, Running, wait_for
from tests.prepared import make_encoded, random_rows

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

MANY = 4000


@pytest.fixture
def fleet(tmp_path: Path, db: None) -> Iterator[Fleet]:
    with Fleet(tmp_path) as fleet:
        yield fleet


@pytest.fixture
def assets(harbour: Collection, fake_space: Space) -> list[Asset]:
    return make_encoded(harbour, fake_space, random_rows(MANY))


def begin(alice: User, action: str, **arguments: object) -> Batch:
    return make_batch(read_order(action, arguments, alice, "Everything", {}), alice, Asset.objects.all())


def kill_in_the_middle(media: Running, batch: Batch, times: int) -> int:
    """kill -9 of the pool's children while the batch is on its way; returns how many died in time."""
    killed = 0
    for n in range(times):
        goal = (n + 1) * MANY // (times + 2)
        wait_for(lambda goal=goal: through(batch) >= goal, 60, "the batch goes on")  # type: ignore[misc]
        if not Batch.objects.filter(pk=batch.pk, finished_at__isnull=True).exists():
            break
        for child in media.children():
            for pool in Path(f"/proc/{child}/task/{child}/children").read_text().split() or [str(child)]:
                os.kill(int(pool), signal.SIGKILL)
                killed += 1
        time.sleep(0.2)
    return killed


def through(batch: Batch) -> int:
    batch.refresh_from_db()
    return batch.behind


def is_over(batch: Batch) -> bool:
    batch.refresh_from_db()
    return not batch.is_open


def test_children_killed_in_the_middle_tag_each_asset_once_and_untag_it_again(
    fleet: Fleet, assets: list[Asset], alice: User
) -> None:
    media, _ = fleet.start("media", "beat")
    batch = begin(alice, "tag", tags=["sea", "old"])
    assert kill_in_the_middle(media, batch, 3)
    wait_for(lambda: is_over(batch), 60, "the batch ends")
    assert (batch.state, batch.done, batch.skipped) == (BatchState.DONE, MANY, 0)
    assert Tag.objects.count() == 2 * MANY
    undo(batch)
    assert kill_in_the_middle(media, batch, 3)
    wait_for(lambda: is_over(batch), 60, "the undoing ends")
    assert (batch.state, batch.undone, batch.kept) == (BatchState.UNDONE, MANY, 0)
    assert not Tag.objects.exists()


def test_children_killed_in_the_middle_make_one_whole_zip(fleet: Fleet, assets: list[Asset], alice: User) -> None:
    for n, asset in enumerate(assets):
        default_storage.save(asset.original, ContentFile(f"{n} ".encode() * 20_000))
    media, _ = fleet.start("media", "beat")
    batch = begin(alice, "download")
    assert kill_in_the_middle(media, batch, 3)
    wait_for(lambda: is_over(batch), 120, "the file is made")
    assert (batch.state, batch.done, batch.error) == (BatchState.DONE, MANY, "")
    assert batch.items.filter(state=ItemState.DONE).count() == MANY
    with zipfile.ZipFile(exports.finished(batch)) as whole:
        assert whole.testzip() is None
        assert {whole.read(name).split(maxsplit=1)[0] for name in whole.namelist()} == {
            str(n).encode() for n in range(MANY)
        }
    exports.discard(batch)
