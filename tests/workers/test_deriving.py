"""Derived vectors: an adapted space is filled from its parent's, and uploads go on being written to both."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.utils.timezone import now
from PIL import Image

from archive.models import Asset, Collection, Embedding, Space, SpaceState, Status, Step, Work, WorkState
from archive.spaces import activate, backfill, coverage, retire
from archive.storage import DurableStorage
from archive.vectors import asset_vectors, read_vectors
from archive.work import encode_again
from tests import pictures
from tests.prepared import fake_rows, make_encoded, make_prepared, random_rows, vector_of
from tests.workers.test_adapter import make_adapter
from workers import tasks
from workers.deriving import derive_vectors, derive_waiting
from workers.encode import drain_encode, waiting_spaces
from workers.encoders import load
from workers.encoders.adapter import PREFIX
from workers.encoders.adapter_files import find_adapter, keep_adapter, sweep_adapters
from workers.encoders.fake import FakeEncoder
from workers.encoders.load import encoder_of
from workers.encoders.protocol import EncoderRefused, Vectors
from workers.spaces import make_space

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_model_is_held() -> None:
    load._held.clear()


@pytest.fixture
def adapted(fake_space: Space) -> Space:
    """A space derived from the searched one."""
    return make_space("adapted", keep_adapter(make_adapter(FakeEncoder().identity)), parent=fake_space)


@pytest.fixture
def seen(adapted: Space, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures the model looked at, call by call; its goldens are over."""
    counts: list[int] = []
    encoder_of(adapted)
    look = FakeEncoder.encode_pictures

    def counted(self: FakeEncoder, prepared: Sequence[Any]) -> Vectors:
        counts.append(len(prepared))
        return look(self, prepared)

    monkeypatch.setattr(FakeEncoder, "encode_pictures", counted)
    return counts


def take_pictures(collection: Collection, count: int, *spaces: Space, first: int = 0) -> list[Asset]:
    seeds = range(first, first + count)
    return [make_prepared(collection, pictures.distinct(seed), *spaces, name=f"{seed}.jpg") for seed in seeds]


def likeness(space: Space, assets: Sequence[Asset], expected: Vectors) -> float:
    """The least cosine between what is stored and what was expected."""
    stored = np.stack([vector_of(space, asset) for asset in assets])
    return float((stored * expected).sum(axis=1).min())


def test_a_space_is_filled_from_its_parent_without_opening_one_picture(
    harbour: Collection, fake_space: Space, adapted: Space, monkeypatch: pytest.MonkeyPatch, seen: list[int]
) -> None:
    assets = take_pictures(harbour, 30, fake_space)
    drain_encode()
    assert sum(seen) == 30

    def opened(name: str, *args: Any) -> Any:
        assert name.startswith("adapters/"), f"{name} was opened"
        return whole(name, *args)

    whole = default_storage.open
    monkeypatch.setattr(type(default_storage._wrapped), "open", lambda self, name, *args: opened(name, *args))  # type: ignore[attr-defined]
    monkeypatch.setattr("workers.deriving.BATCH", 7)
    seen.clear()
    assert backfill(adapted) == 30
    assert derive_vectors(adapted) == 30
    assert seen == []
    assert coverage(adapted).share == 1
    expected = find_adapter(adapted).pictures(fake_rows([pictures.distinct(seed) for seed in range(30)]))
    assert likeness(adapted, assets, expected) > 0.999


def test_a_stored_derived_vector_is_what_the_wrapped_encoder_says_of_the_picture(
    harbour: Collection, drawn_space: Space
) -> None:
    """With the real model, through its own preprocessing."""
    model = keep_adapter(make_adapter(encoder_of(drawn_space).identity))
    space = make_space("adapted", model, parent=drawn_space)
    assets = take_pictures(harbour, 4, drawn_space, space)
    drain_encode()
    assert coverage(space).share == 1
    encoder = encoder_of(space)
    shown = []
    for asset in assets:
        with default_storage.open(asset.renditions.get(spec="encoder").key) as file:
            shown.append(encoder.prepare(Image.open(file).convert("RGB")))
    assert likeness(space, assets, encoder.encode_pictures(shown)) > 0.999
    assert likeness(space, assets, encoder_of(drawn_space).encode_pictures(shown)) < 0.99  # it is another space


def test_uploads_are_written_to_both_and_pass_through_the_model_once(
    harbour: Collection, fake_space: Space, adapted: Space, seen: list[int]
) -> None:
    assets = take_pictures(harbour, 12, fake_space, adapted)
    drain_encode()
    assert sum(seen) == 12
    assert [coverage(space).done for space in (fake_space, adapted)] == [12, 12]
    assert Embedding.objects.filter(space=adapted).count() == 12
    assert set(Work.objects.filter(step=Step.ENCODE).values_list("state", "attempts")) == {(WorkState.DONE, 1)}
    assert set(Asset.objects.values_list("status", flat=True)) == {Status.READY}
    activate(adapted)
    more = take_pictures(harbour, 3, fake_space, adapted, first=50)
    drain_encode()
    assert {Asset.objects.get(pk=asset.pk).status for asset in more} == {Status.READY}
    assert likeness(adapted, [*assets, *more], _expected(adapted, [*range(12), 50, 51, 52])) > 0.999


def _expected(space: Space, seeds: Sequence[int]) -> Vectors:
    return find_adapter(space).pictures(fake_rows([pictures.distinct(seed) for seed in seeds]))


def test_several_that_derive_at_once_share_the_work(
    harbour: Collection, fake_space: Space, adapted: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.deriving.BATCH", 5)
    assets = make_encoded(harbour, fake_space, random_rows(60))
    for slug, state in ((fake_space.slug, WorkState.DONE), (adapted.slug, WorkState.READY)):
        Work.objects.bulk_create(Work(asset=one, step=Step.ENCODE, target=slug, state=state) for one in assets)

    def derive(_: int) -> int:
        try:
            return derive_vectors(adapted)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(derive, range(3))) == 60
    assert set(Work.objects.filter(target="adapted").values_list("state", "attempts")) == {(WorkState.DONE, 1)}
    assert Embedding.objects.filter(space=adapted).count() == 60


def test_what_the_parent_lacks_goes_through_the_model(harbour: Collection, fake_space: Space, adapted: Space) -> None:
    assets = take_pictures(harbour, 5, fake_space, adapted)
    Work.objects.filter(step=Step.ENCODE, target=fake_space.slug).update(state=WorkState.QUARANTINED)
    assert derive_waiting() == 0
    drain_encode()
    assert not Embedding.objects.filter(space=fake_space).exists()
    assert likeness(adapted, assets, _expected(adapted, range(5))) > 0.999


def test_a_space_outlives_its_retired_parent(harbour: Collection, fake_space: Space, adapted: Space) -> None:
    activate(adapted, even_if_partial=True)
    Space.objects.filter(pk=fake_space.pk).update(state=SpaceState.RETIRED)
    assets = take_pictures(harbour, 3, adapted)
    drain_encode()
    assert likeness(adapted, assets, _expected(adapted, range(3))) > 0.999
    assert set(Asset.objects.values_list("status", flat=True)) == {Status.READY}


def test_a_vector_that_is_about_to_be_made_again_is_no_source(
    harbour: Collection, fake_space: Space, adapted: Space
) -> None:
    take_pictures(harbour, 4, fake_space, adapted)
    drain_encode()
    encode_again(Asset.objects.all())
    assert derive_waiting() == 0
    Work.objects.filter(step=Step.ENCODE, target=fake_space.slug).update(state=WorkState.DONE)
    assert derive_waiting() == 4


def test_the_parent_comes_first_even_when_the_derived_space_is_searched(
    harbour: Collection, fake_space: Space, adapted: Space
) -> None:
    activate(adapted, even_if_partial=True)
    other = make_space("next", "fake", "another")
    take_pictures(harbour, 1, fake_space, adapted, other)
    assert [space.slug for space in waiting_spaces()] == ["fake", "adapted", "next"]


def test_parent_and_adapted_space_share_one_model(
    fake_space: Space, adapted: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    load._held.clear()
    monkeypatch.setattr(load, "MOST", 2)
    encoder = encoder_of(adapted)
    assert encoder.base is encoder_of(fake_space)  # type: ignore[attr-defined]
    activate(adapted, even_if_partial=True)
    other = make_space("next", "fake", "another")
    third = make_space_beside(other)
    assert encoder_of(other) is encoder_of(other)
    assert encoder_of(adapted) is encoder
    encoder_of(other)
    encoder_of(third)  # one model too many: parent and adapter go together
    assert set(load._held) == {other.pk, third.pk}


def make_space_beside(filling: Space) -> Space:
    Space.objects.filter(pk=filling.pk).update(state=SpaceState.READY)
    return make_space("third", "fake", "yet another")


def test_a_worker_without_the_adapter_s_file_says_so_and_claims_nothing(
    harbour: Collection, fake_space: Space, adapted: Space, caplog: pytest.LogCaptureFixture
) -> None:
    take_pictures(harbour, 2, fake_space, adapted)
    load._held.clear()
    default_storage.delete(f"adapters/{adapted.model.removeprefix('adapter:')}.safetensors")
    with pytest.raises(EncoderRefused, match="gone from the store"):
        encoder_of(adapted)
    drain_encode()
    assert "space adapted: The adapter adapters/" in caplog.text
    assert coverage(fake_space).done == 2  # the others go on
    assert set(Work.objects.filter(target="adapted").values_list("state", "attempts")) == {(WorkState.READY, 0)}


def test_vectors_are_read_as_they_were_written(harbour: Collection, fake_space: Space) -> None:
    written = random_rows(9)
    assets = [asset.pk for asset in make_encoded(harbour, fake_space, written)]
    rows = read_vectors(fake_space, assets)
    order = [assets.index(asset) for asset in rows.assets]
    assert sorted(order) == list(range(9))
    assert np.allclose(rows.vectors, written[order], atol=1e-3)
    assert np.allclose(asset_vectors(fake_space, assets)[assets[4]], written[4], atol=1e-3)
    assert read_vectors(fake_space, []).vectors.shape == (0, 768)
    assert asset_vectors(fake_space, []) == {}


def test_the_adapter_of_a_retired_space_is_swept_after_a_day_and_that_of_a_live_one_never(
    fake_space: Space, adapted: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = f"adapters/{adapted.model.removeprefix(PREFIX)}.safetensors"
    long_ago = now() - timedelta(days=2)
    monkeypatch.setattr(DurableStorage, "get_modified_time", lambda self, name: long_ago)
    sweep_adapters()  # of what other tests left
    assert default_storage.exists(key)
    retire(adapted)
    with monkeypatch.context() as patch:
        patch.setattr(DurableStorage, "get_modified_time", lambda self, name: now())
        assert sweep_adapters() == 0  # somebody may be making a space of it in this moment
    assert default_storage.exists(key)
    tasks.sweep()
    assert not default_storage.exists(key)
    assert sweep_adapters() == 0
