"""Trash, restore, and the end of an asset with everything that was made of it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils.timezone import now

from archive.models import Asset, Collection, Embedding, Frame, Rendition, Space, Work
from archive.trash import purge, purge_expired, restore, trash
from tests import pictures
from tests.prepared import make_prepared
from workers.encode import drain_encode

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_trash_keeps_everything_until_it_is_restored(harbour: Collection, bob: User) -> None:
    asset = make_prepared(harbour, pictures.distinct(1))
    assert trash(Asset.objects.all()) == 1
    assert trash(Asset.objects.all()) == 0  # its day in the trash does not begin again
    assert not Asset.objects.visible_to(bob).exists()
    assert default_storage.exists(asset.original)
    assert restore(Asset.objects.all()) == 1
    assert Asset.objects.visible_to(bob).get() == asset


def test_a_purge_leaves_no_row_no_file_and_no_vector(harbour: Collection, fake_space: Space) -> None:
    asset = make_prepared(harbour, pictures.distinct(2), fake_space)
    drain_encode()
    keys = [asset.original, *asset.renditions.values_list("key", flat=True)]
    trash(Asset.objects.all())
    assert purge(asset)
    for model in (Asset, Rendition, Frame, Work, Embedding):
        assert not model.objects.exists(), model
    assert [key for key in keys if default_storage.exists(key)] == []


def test_what_is_not_in_the_trash_is_not_purged(harbour: Collection) -> None:
    asset = make_prepared(harbour, pictures.distinct(3))
    assert purge(asset) is False
    trash(Asset.objects.all())
    restore(Asset.objects.all())
    assert purge(asset) is False
    assert default_storage.exists(asset.original)


def test_files_that_another_asset_names_stay(harbour: Collection, alice: User) -> None:
    attic = Collection.objects.create(slug="attic", name="Attic", owner=alice)
    here, there = (make_prepared(place, pictures.distinct(4)) for place in (harbour, attic))
    assert here.original == there.original
    trash(Asset.objects.filter(pk=here.pk))
    assert purge(here)
    assert default_storage.exists(there.original)
    assert default_storage.exists(there.renditions.get().key)


def test_the_trash_is_emptied_when_its_days_are_over(harbour: Collection, settings: Any) -> None:
    settings.SIGHTLINE_TRASH_DAYS = 30
    old, fresh = (make_prepared(harbour, pictures.distinct(seed)) for seed in (5, 6))
    trash(Asset.objects.all())
    Asset.objects.filter(pk=old.pk).update(trashed_at=now() - timedelta(days=31))
    Asset.objects.filter(pk=fresh.pk).update(trashed_at=now() - timedelta(days=29))
    assert purge_expired() == 1
    assert Asset.objects.get() == fresh


@pytest.mark.django_db(transaction=True)
def test_what_is_being_restored_is_not_purged(harbour: Collection) -> None:
    asset = make_prepared(harbour, pictures.distinct(9))
    trash(Asset.objects.all())
    purged: list[bool] = []

    def purge_meanwhile() -> None:
        try:
            purged.append(purge(asset))
        finally:
            connection.close()

    sweep = threading.Thread(target=purge_meanwhile)
    with transaction.atomic():
        assert restore(Asset.objects.all()) == 1
        sweep.start()
        sweep.join(0.5)  # it waits for this transaction
    sweep.join(20)
    assert purged == [False]
    assert default_storage.exists(Asset.objects.get().original)
