"""ENCODE: every picture gets its own right vector, whatever happens to its neighbours."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from archive.admin import numbers
from archive.admin.numbers import numbers_of_work
from archive.models import Asset, Collection, Embedding, Space, Status, Step, Work, WorkState
from archive.models.work import NO_ROOM, Priority
from archive.spaces import activate
from archive.work import encode_again, retry_assets, skip
from tests import pictures
from tests.prepared import Rows, fake_rows, make_prepared, vector_of
from tests.workers.test_claims import skip_the_pause
from tests.workers.test_prepare import take_in
from workers import encode
from workers.claims import ERRORS, Claim, claim, reap
from workers.encode import Item, Pipeline, drain_encode
from workers.encoders import load
from workers.encoders.fake import FakeEncoder
from workers.encoders.protocol import EncoderRefused, OutOfMemory, Vectors
from workers.prepare import drain_prepare
from workers.spaces import make_space

pytestmark = pytest.mark.django_db(transaction=True)


def states(step: Step = Step.ENCODE) -> list[str]:
    return list(Work.objects.filter(step=step).order_by("pk").values_list("state", flat=True))


def test_each_of_forty_pictures_gets_its_own_vector(
    harbour: Collection, fake_space: Space, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SIGHTLINE_ENCODE_BATCH = 7  # so that batches overlap, and the last one is short
    seen = [pictures.distinct(seed) for seed in range(40)]
    assets = [take_in(harbour, pictures.png(picture), f"{seed}.png") for seed, picture in enumerate(seen)]
    assert drain_prepare() is False
    assert drain_encode() is False
    encoder = FakeEncoder()
    expected = encoder.encode_pictures([encoder.prepare(picture) for picture in seen])
    stored = np.stack([vector_of(fake_space, asset) for asset in assets])
    likeness = stored @ expected.T
    assert np.diagonal(likeness).min() > 0.999
    assert (likeness.argmax(axis=1) == np.arange(40)).all()
    assert set(Asset.objects.values_list("status", flat=True)) == {Status.READY}
    assert set(states()) == {WorkState.DONE}
    assert set(Work.objects.values_list("attempts", "crashes", "errors")) == {(1, 0, 0)}


def test_a_missing_encoder_rendition_is_made_again(harbour: Collection, fake_space: Space) -> None:
    assets = [take_in(harbour, pictures.png(pictures.distinct(seed))) for seed in range(3)]
    drain_prepare()
    default_storage.delete(assets[1].renditions.get(spec="encoder").key)
    drain_encode()
    assert states() == [WorkState.DONE, WorkState.READY, WorkState.DONE]
    drain_prepare()
    skip_the_pause()
    drain_encode()
    assert set(Asset.objects.values_list("status", flat=True)) == {Status.READY}
    assert Embedding.objects.count() == 3


def test_a_damaged_encoder_rendition_is_made_again_and_harms_nobody_else(
    harbour: Collection, fake_space: Space
) -> None:
    assets = [take_in(harbour, pictures.png(pictures.distinct(seed))) for seed in range(4)]
    drain_prepare()
    for asset, damage in ((assets[1], b"no picture at all"), (assets[2], None)):
        key = asset.renditions.get(spec="encoder").key
        with default_storage.open(key) as file:
            whole = file.read()
        default_storage.save(key, ContentFile(damage or pictures.cut(whole)))
    drain_encode()
    assert states() == [WorkState.DONE, WorkState.READY, WorkState.READY, WorkState.DONE]
    drain_prepare()
    skip_the_pause()
    drain_encode()
    assert set(states()) == {WorkState.DONE}
    assert set(Asset.objects.values_list("status", flat=True)) == {Status.READY}


def test_where_the_original_is_damaged_too_only_that_asset_fails(harbour: Collection, fake_space: Space) -> None:
    assets = [take_in(harbour, pictures.png(pictures.distinct(seed))) for seed in range(3)]
    drain_prepare()
    default_storage.delete(assets[1].renditions.get(spec="encoder").key)
    default_storage.save(assets[1].original, ContentFile(pictures.cut(pictures.png())))
    for _ in range(2):
        drain_encode()
        drain_prepare()
        skip_the_pause()
    assert list(Asset.objects.order_by("pk").values_list("status", flat=True)) == ["ready", "failed", "ready"]
    assert "damaged" in Asset.objects.get(pk=assets[1].pk).error


def test_a_memory_that_is_full_while_decoding_is_waited_for_and_blamed_on_no_picture(
    harbour: Collection, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(2):
        take_in(harbour, pictures.png(pictures.distinct(seed)))
    drain_prepare()

    def no_room(*_: Any) -> Any:
        raise MemoryError

    with monkeypatch.context() as for_now:
        for_now.setattr(FakeEncoder, "prepare_jpeg", no_room)
        drain_encode()
    work = Work.objects.filter(step=Step.ENCODE)
    assert {(one.state, one.last_error, one.errors) for one in work} == {(WorkState.READY, NO_ROOM, 0)}
    skip_the_pause()
    drain_encode()
    assert set(Asset.objects.values_list("status", flat=True)) == {Status.READY}


NOBODY = Claim(0, 0, uuid.uuid4())


class Cramped(FakeEncoder):
    """Its device holds three pictures."""

    room = 3

    def __init__(self, variant: str = "") -> None:
        super().__init__(variant)
        self.asked: list[int] = []

    def encode_pictures(self, prepared: Sequence[Any]) -> Rows:
        self.asked.append(len(prepared))
        if len(prepared) > self.room:
            raise OutOfMemory
        return super().encode_pictures(prepared)


def test_a_full_device_halves_the_batch_and_nobody_fails(
    harbour: Collection, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = [pictures.distinct(seed) for seed in range(20)]
    assets = [make_prepared(harbour, picture, fake_space) for picture in seen]
    encoder = Cramped()
    assert Pipeline(fake_space, encoder).run(float("inf")) is False
    assert np.allclose(np.stack([vector_of(fake_space, a) for a in assets]), fake_rows(seen), atol=1e-3)
    assert set(states()) == {WorkState.DONE}
    assert set(Work.objects.values_list("errors", "crashes")) == {(0, 0)}
    assert max(encoder.asked[encoder.asked.index(2) :]) == 2  # the size that fits is remembered
    assert Pipeline(fake_space, encoder).batch == 2  # by the process, too
    monkeypatch.setattr(encode, "REMEMBER_SECONDS", -1.0)
    encoder.room = 1
    Pipeline(fake_space, encoder).encode([Item(NOBODY, 0, encoder.prepare(seen[0]))] * 2)
    assert Pipeline(fake_space, encoder).batch == 32  # but not for ever


def test_a_device_that_holds_not_even_one_is_waited_for_and_other_spaces_go_on(
    harbour: Collection,
    alice: User,
    fake_space: Space,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    other = make_space("next", "fake", "another")
    for seed in range(3):
        make_prepared(harbour, pictures.distinct(seed), fake_space, other)
    encoder = Cramped()
    encoder.room = 0
    monkeypatch.setattr(encode, "encoder_of", lambda space: encoder if space == fake_space else load.encoder_of(space))
    drain_encode()
    assert "space fake: The device has not the memory for even one picture." in caplog.text
    assert Embedding.objects.filter(space=other).count() == 3
    mine = Work.objects.filter(step=Step.ENCODE, target="fake")
    untouched = {(WorkState.READY, 0, 0, 0)}
    assert set(mine.values_list("state", "errors", "crashes", "attempts")) == untouched
    for _ in range(ERRORS + 1):  # a batch was put off for a while each time
        skip_the_pause()
        drain_encode()
    assert set(mine.values_list("state", "errors", "crashes", "attempts")) == untouched
    assert set(Asset.objects.values_list("status", flat=True)) == {Status.PENDING}
    held_up = numbers_of_work(alice)[0]
    assert (held_up.label, held_up.alarm) == ("held up by a full device", True)
    monkeypatch.setattr(numbers, "MOST_COUNTED", 3)
    Work.objects.filter(target="fake").update(priority=Priority.INTERACTIVE)
    behind = make_prepared(harbour, pictures.distinct(9))
    Work.objects.create(pk=-1, asset=behind, step=Step.ENCODE, target="fake", priority=Priority.BACKFILL)
    assert numbers_of_work(alice)[0].value == "3"  # though a backfill was begun before
    behind.delete()
    encoder.room = 1
    for _ in range(3):  # one at a time by now
        skip_the_pause()
        drain_encode()
    assert Embedding.objects.filter(space=fake_space).count() == 3
    assert set(Asset.objects.values_list("status", flat=True)) == {Status.READY}
    assert numbers_of_work(alice)[0].label == "steps waiting"


def test_equal_content_is_copied_and_not_encoded(
    harbour: Collection, alice: User, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    attic = Collection.objects.create(slug="attic", name="Attic", owner=alice)
    data = pictures.png(pictures.distinct(1))
    first = take_in(harbour, data)
    drain_prepare()
    drain_encode()
    encoder = load.encoder_of(fake_space)
    monkeypatch.setattr(encoder, "encode_pictures", lambda prepared: pytest.fail("encoded again"))
    second = take_in(attic, data)
    drain_prepare()
    drain_encode()
    assert (vector_of(fake_space, first) == vector_of(fake_space, second)).all()
    second.refresh_from_db()
    assert second.status == Status.READY


def test_a_late_result_is_not_stored(harbour: Collection, fake_space: Space) -> None:
    asset, other = (make_prepared(harbour, pictures.distinct(seed), fake_space) for seed in range(2))

    class Slow(FakeEncoder):
        """While it computes, the lease of one ends and another worker takes it."""

        def encode_pictures(self, prepared: Sequence[Any]) -> Rows:
            Work.objects.filter(asset=asset, step=Step.ENCODE).update(token=uuid.uuid4(), worker="somebody else")
            return super().encode_pictures(prepared)

    Pipeline(fake_space, Slow()).run(float("inf"))
    taken = Work.objects.get(asset=asset, step=Step.ENCODE)
    assert (taken.state, taken.worker) == (WorkState.RUNNING, "somebody else")
    assert list(Embedding.objects.values_list("asset", flat=True)) == [other.pk]


def test_an_error_in_the_middle_gives_back_what_was_claimed(harbour: Collection, fake_space: Space) -> None:
    for seed in range(6):
        make_prepared(harbour, pictures.distinct(seed), fake_space)

    class Broken(FakeEncoder):
        def encode_pictures(self, prepared: Sequence[Any]) -> Rows:
            raise RuntimeError("driver lost")

    with pytest.raises(RuntimeError, match="driver lost"):
        Pipeline(fake_space, Broken()).run(float("inf"))
    assert set(states()) == {WorkState.READY}
    assert set(Work.objects.filter(step=Step.ENCODE).values_list("attempts", flat=True)) == {0}


def test_a_budget_that_is_over_leaves_the_rest_for_the_next_ring(
    harbour: Collection, fake_space: Space, settings: Any
) -> None:
    settings.SIGHTLINE_ENCODE_BATCH = 2
    for seed in range(9):
        make_prepared(harbour, pictures.distinct(seed), fake_space)
    assert drain_encode(budget=0) is True
    assert WorkState.RUNNING not in states()
    assert 0 < states().count(WorkState.DONE) < 9
    assert drain_encode() is False
    assert set(states()) == {WorkState.DONE}


def test_a_deleted_asset_is_passed_over(
    harbour: Collection, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, kept = (make_prepared(harbour, pictures.distinct(seed), fake_space) for seed in range(2))

    class Slow(FakeEncoder):
        def encode_pictures(self, prepared: Sequence[Any]) -> Rows:
            Asset.objects.filter(pk=gone.pk).delete()
            return super().encode_pictures(prepared)

    Pipeline(fake_space, Slow()).run(float("inf"))
    assert list(Embedding.objects.values_list("asset", flat=True)) == [kept.pk]


def test_another_fingerprint_is_refused_by_name_and_claims_nothing(
    harbour: Collection, fake_space: Space, caplog: pytest.LogCaptureFixture
) -> None:
    make_prepared(harbour, pictures.distinct(1), fake_space)
    identity = {**fake_space.identity, "preprocessing": {"side": 32}}
    Space.objects.update(fingerprint="0" * 64, identity=identity)
    assert drain_encode() is False
    assert "not the one of space fake" in caplog.text
    assert "preprocessing: the space has {'side': 32}, this machine {'side': 16}" in caplog.text
    assert "weights" not in caplog.text
    work = Work.objects.get(step=Step.ENCODE)
    assert (work.state, work.attempts) == (WorkState.READY, 0)


def test_a_refused_space_does_not_hold_up_the_others(harbour: Collection, fake_space: Space) -> None:
    other = make_space("next", "fake", "another")
    asset = make_prepared(harbour, pictures.distinct(1), fake_space, other)
    Space.objects.filter(pk=fake_space.pk).update(fingerprint="0" * 64)
    drain_encode()
    assert vector_of(other, asset) @ vector_of(other, asset) == pytest.approx(1, abs=1e-3)
    assert states() == [WorkState.READY, WorkState.DONE]


def test_a_new_space_is_filled_beside_the_searched_one(harbour: Collection, fake_space: Space) -> None:
    other = make_space("next", "fake", "another")
    asset = make_prepared(harbour, pictures.distinct(1), fake_space, other)
    drain_encode()
    assert abs(float(vector_of(fake_space, asset) @ vector_of(other, asset))) < 0.99
    activate(other)
    assert Space.objects.active() == other


def test_the_searched_space_is_encoded_first(harbour: Collection, fake_space: Space) -> None:
    other = make_space("next", "fake", "another")
    make_prepared(harbour, pictures.distinct(1), other, fake_space)
    assert [space.slug for space in encode.waiting_spaces()] == ["fake", "next"]


def test_encoding_again_replaces_the_vector(harbour: Collection, fake_space: Space) -> None:
    asset = make_prepared(harbour, pictures.distinct(1), fake_space)
    drain_encode()
    before = vector_of(fake_space, asset)
    key = asset.renditions.get(spec="encoder").key
    default_storage.save(key, ContentFile(pictures.jpeg(pictures.distinct(2))))
    assert encode_again(Asset.objects.filter(pk=asset.pk)) == 1
    asset.refresh_from_db()
    assert asset.status == Status.READY  # found by its old vector meanwhile
    drain_encode()
    assert float(before @ vector_of(fake_space, asset)) < 0.99


def test_a_skipped_asset_fails_with_a_word_and_a_retry_brings_it_back(harbour: Collection, fake_space: Space) -> None:
    asset = make_prepared(harbour, pictures.distinct(1), fake_space)
    assert skip(Work.objects.filter(asset=asset, step=Step.ENCODE)) == 1
    asset.refresh_from_db()
    assert (asset.status, asset.error) == (Status.FAILED, "Skipped by a curator.")
    assert drain_encode() is False
    assert not Embedding.objects.exists()
    assert retry_assets([asset]) == 1
    drain_encode()
    asset.refresh_from_db()
    assert (asset.status, asset.error) == (Status.READY, "")


def test_what_a_worker_died_on_is_held_by_itself(harbour: Collection, fake_space: Space, settings: Any) -> None:
    """Else a deadly picture would take its innocent neighbours in the pipeline with it, time after time."""
    settings.SIGHTLINE_ENCODE_BATCH = 2
    assets = [make_prepared(harbour, pictures.distinct(seed), fake_space) for seed in range(9)]
    Work.objects.filter(asset__in=assets[2:5], step=Step.ENCODE).update(crashes=1)
    held: list[list[bool]] = []

    class Watched(FakeEncoder):
        def encode_pictures(self, prepared: Sequence[Any]) -> Rows:
            running = Work.objects.filter(step=Step.ENCODE, state=WorkState.RUNNING)
            held.append([crashes > 0 for crashes in running.values_list("crashes", flat=True)])
            time.sleep(0.1)  # the loader is ahead by now
            return super().encode_pictures(prepared)

    assert Pipeline(fake_space, Watched()).run(float("inf")) is False
    assert set(states()) == {WorkState.DONE}
    assert held.count([True]) == 3
    assert all(not any(others) for others in held if others != [True])


def test_a_dead_worker_s_batch_is_done_by_the_next(harbour: Collection, fake_space: Space) -> None:
    assets = [make_prepared(harbour, pictures.distinct(seed), fake_space) for seed in range(5)]
    claim(Step.ENCODE, "fake", 3, "dead")
    Work.objects.filter(state=WorkState.RUNNING).update(lease_until="2020-01-01T00:00Z")
    assert reap() == 3
    drain_encode()
    assert {a.pk for a in assets} == set(Embedding.objects.values_list("asset", flat=True))
    assert sorted(Work.objects.filter(step=Step.ENCODE).values_list("crashes", flat=True)) == [0, 0, 1, 1, 1]


class Overflows(FakeEncoder):
    """Gives no finite vector for a picture that is black."""

    def encode_pictures(self, prepared: Sequence[Any]) -> Vectors:
        if any(np.max(pixels) < 0 for pixels in prepared):
            raise EncoderRefused("The model gave a vector that is not finite.")
        return super().encode_pictures(prepared)


def test_a_picture_that_overflows_the_model_fails_alone(harbour: Collection, fake_space: Space) -> None:
    black = Image.new("RGB", (64, 64))
    shown = [pictures.distinct(1), black, pictures.distinct(2)]
    assets = [make_prepared(harbour, picture, fake_space) for picture in shown]
    assert Pipeline(fake_space, Overflows()).run(time.monotonic() + 60) is False
    assert states() == [WorkState.DONE, WorkState.QUARANTINED, WorkState.DONE]
    assert Embedding.objects.count() == 2
    assets[1].refresh_from_db()
    assert assets[1].status == Status.FAILED
    assert assets[1].error.startswith("The model cannot read this picture.")


def test_a_model_that_reads_no_picture_at_all_is_not_held_against_them(harbour: Collection, fake_space: Space) -> None:
    for side in (40, 50):
        make_prepared(harbour, Image.new("RGB", (side, side)), fake_space)
    with pytest.raises(EncoderRefused):
        Pipeline(fake_space, Overflows()).run(time.monotonic() + 60)
    assert states() == [WorkState.READY, WorkState.READY]


def test_nor_does_it_keep_other_spaces_from_their_turn(
    harbour: Collection, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_space("next", "fake", "another")
    for side in (40, 50):
        make_prepared(harbour, Image.new("RGB", (side, side)), fake_space, other)
    monkeypatch.setattr(
        encode, "encoder_of", lambda space: Overflows() if space == fake_space else load.encoder_of(space)
    )
    assert drain_encode() is False
    assert Embedding.objects.filter(space=other).count() == 2
