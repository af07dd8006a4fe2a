"""A space takes the search over in one moment: when it is full, when somebody insists, and back again."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection

from archive.models import Collection, Space, SpaceState, Work, WorkState
from archive.spaces import SpaceNotReady, activate, backfill, coverage, gaps, rollback
from archive.work import skip
from tests import pictures
from tests.prepared import make_prepared
from workers.encode import drain_encode
from workers.spaces import make_space

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_a_half_filled_space_does_not_take_over_unless_asked(harbour: Collection, fake_space: Space) -> None:
    for seed in range(3):
        make_prepared(harbour, pictures.distinct(seed), fake_space)
    drain_encode()
    other = make_space("next", "fake", "another")
    assert backfill(other) == 3
    assert backfill(other) == 0
    assert (coverage(fake_space).done, coverage(other).done, coverage(other).total) == (3, 0, 3)
    with pytest.raises(SpaceNotReady, match="covers 0 of 3"):
        activate(other)
    assert Space.objects.active() == fake_space
    activate(other, even_if_partial=True)
    assert Space.objects.active() == other
    fake_space.refresh_from_db()
    assert fake_space.state == SpaceState.READY
    activate(fake_space)  # and back
    assert Space.objects.active() == fake_space


def test_a_roll_back_needs_a_space_of_before(fake_space: Space) -> None:
    make_space("next", "fake", "another")
    with pytest.raises(SpaceNotReady, match="none to go back to"):
        rollback()


@pytest.mark.django_db(transaction=True)
def test_uploads_of_this_moment_do_not_hold_a_switch_up(harbour: Collection, fake_space: Space) -> None:
    make_prepared(harbour, pictures.distinct(0), fake_space)
    drain_encode()
    other = make_space("next", "fake", "another")
    backfill(other)
    drain_encode()
    late = make_prepared(harbour, pictures.distinct(1), fake_space, other)
    assert gaps(other).count == 0  # on its way in both: nobody loses it
    Work.objects.filter(asset=late, target="fake").update(state=WorkState.DONE)
    assert (gaps(other).count, gaps(other).arriving) == (1, 1)
    with pytest.raises(SpaceNotReady, match="covers 1 of 2"):
        activate(other)

    def encode_soon() -> None:
        try:
            time.sleep(0.5)
            drain_encode()
        finally:
            connection.close()

    worker = threading.Thread(target=encode_soon)
    worker.start()
    activate(other, patience=20)
    worker.join(20)
    assert Space.objects.active() == other


@pytest.mark.django_db(transaction=True)
def test_what_was_set_aside_holds_a_switch_up_until_a_curator_decides(harbour: Collection, fake_space: Space) -> None:
    make_prepared(harbour, pictures.distinct(0), fake_space)
    bad = make_prepared(harbour, pictures.distinct(1), fake_space)
    drain_encode()
    other = make_space("next", "fake", "another")
    backfill(other)
    Work.objects.filter(asset=bad, target="next").update(state=WorkState.QUARANTINED)
    drain_encode()
    with pytest.raises(SpaceNotReady, match="1 were set aside"):
        activate(other)
    skip(Work.objects.filter(asset=bad, target="next"))
    assert (coverage(other).done, coverage(other).total) == (1, 1)
    activate(other)
