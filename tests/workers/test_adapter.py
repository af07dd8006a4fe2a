"""Adapters: a small map behind both towers, kept as a file, trained with both of open_clip's losses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from archive.models import Space
from tests import pictures
from workers.adapting.gain import figures, ranks_with
from workers.encoders.adapter import AdaptedEncoder, Adapter, Map, Pairs, read_adapter
from workers.encoders.adapter_files import find_adapter, keep_adapter
from workers.encoders.adapter_recipe import Recipe
from workers.encoders.adapting import _batches, learn
from workers.encoders.fake import FakeEncoder
from workers.encoders.protocol import EncoderRefused, Identity, Vectors, unit_padded

SMALL = 48


def make_adapter(parent: Identity, *, seed: int = 0, strength: float = 0.3) -> Adapter:
    """One that turns vectors visibly, otherwise by chance."""
    dice = np.random.default_rng(seed)

    def some_map() -> Map:
        parts = [dice.normal(size=size) for size in ((4, parent.dimensions), (parent.dimensions, 4))]
        bias = dice.normal(size=parent.dimensions) / parent.dimensions
        return Map(*(np.asarray(part * strength, dtype=np.float32) for part in (*parts, bias)))

    return Adapter(some_map(), some_map(), parent.fingerprint, "sigmoid", 12.5, -9.75)


def small_identity(**changes: object) -> Identity:
    return replace(FakeEncoder().identity, **{"dimensions": SMALL, **changes})  # type: ignore[arg-type]


def rows(count: int, seed: int) -> Vectors:
    return unit_padded(np.random.default_rng(seed).normal(size=(count, SMALL)))


def turned_pairs(count: int, seed: int = 3) -> Pairs:
    """Captions in another language: the pictures' vectors, turned, with some noise."""
    dice = np.random.default_rng(seed)
    turn = np.linalg.qr(dice.normal(size=(SMALL, SMALL)))[0]
    seen = rows(count, seed)
    read = unit_padded(seen[:, :SMALL] @ turn + dice.normal(size=(count, SMALL)) * 0.02)
    return Pairs(seen, read, np.arange(count), np.arange(count))


def test_an_adapted_vector_has_unit_length_and_zeros_where_the_model_has_none() -> None:
    turned = make_adapter(small_identity()).pictures(rows(20, 1))
    assert turned.shape == (20, 768)
    assert np.allclose(np.linalg.norm(turned, axis=1), 1, atol=1e-5)
    assert (turned[:, SMALL:] == 0).all()
    assert np.abs((turned * rows(20, 1)).sum(axis=1)).max() < 0.99  # it does turn them


def test_an_adapter_survives_its_file() -> None:
    adapter = make_adapter(small_identity())
    again = read_adapter(adapter.as_bytes())
    assert (again.parent, again.loss, again.scale, again.bias) == (adapter.parent, "sigmoid", 12.5, -9.75)
    assert np.array_equal(again.texts(rows(5, 2)), adapter.texts(rows(5, 2)))
    assert adapter.as_bytes() == again.as_bytes()


@pytest.mark.parametrize("data", [b"", b"no adapter", make_adapter(small_identity()).as_bytes()[:-40]])
def test_what_is_no_adapter_is_refused(data: bytes) -> None:
    with pytest.raises(EncoderRefused, match="no adapter"):
        read_adapter(data)


@pytest.mark.django_db
def test_a_file_that_was_changed_or_is_gone_or_of_another_model_is_refused() -> None:
    adapter = make_adapter(small_identity())
    space = Space(slug="adapted", model=keep_adapter(adapter), parent=Space(fingerprint=adapter.parent))
    key = f"adapters/{space.model.removeprefix('adapter:')}.safetensors"
    assert find_adapter(space).scale == 12.5
    with pytest.raises(EncoderRefused, match="trained for another model than its parent's"):
        find_adapter(Space(slug="adapted", model=space.model, parent=Space(fingerprint="another")))
    default_storage.save(key, ContentFile(make_adapter(small_identity(), seed=1).as_bytes()))
    with pytest.raises(EncoderRefused, match="damaged: restore it"):
        find_adapter(space)
    default_storage.delete(key)
    with pytest.raises(EncoderRefused, match="gone from the store"):
        find_adapter(space)


def test_the_encoder_is_the_parent_s_with_the_adapter_behind_it() -> None:
    base = FakeEncoder()
    adapter = make_adapter(base.identity)
    encoder = AdaptedEncoder(base, adapter, "adapter:1f")
    prepared = [encoder.prepare(pictures.distinct(seed)) for seed in range(3)]
    assert np.allclose(encoder.encode_pictures(prepared), adapter.pictures(base.encode_pictures(prepared)))
    assert np.allclose(encoder.encode_texts(["red"]), adapter.texts(base.encode_texts(["red"])))
    assert (encoder.identity.scale, encoder.identity.bias) == (12.5, -9.75)
    assert encoder.count_tokens("a red boat") == base.count_tokens("a red boat")


def test_the_fingerprint_covers_the_parent_and_the_adapter_s_bytes() -> None:
    def fingerprint(base: FakeEncoder, model: str) -> str:
        return AdaptedEncoder(base, make_adapter(base.identity), model).identity.fingerprint

    first = fingerprint(FakeEncoder(), "adapter:1f")
    assert first == fingerprint(FakeEncoder(), "adapter:1f")
    assert len({first, fingerprint(FakeEncoder(), "adapter:2e"), fingerprint(FakeEncoder("x"), "adapter:1f")}) == 3


@pytest.mark.parametrize("loss", ["softmax", "sigmoid"])
def test_both_losses_learn_what_carries_over_to_captions_that_they_did_not_see(loss: str) -> None:
    whole = turned_pairs(500)
    trained, watched, held_out = (whole[part] for part in np.split(np.arange(500), [300, 400]))
    heard: list[tuple[int, float, float]] = []
    adapter = learn(
        trained,
        small_identity(),
        Recipe(loss=loss, keep=0, learning_rate=1e-2, most_steps=300),
        lambda now: figures(ranks_with(now, watched)).reciprocal_rank,
        lambda *said: heard.append(said),
    )
    before, after = (figures(ranks_with(used, held_out)) for used in (None, adapter))
    assert before.recall_at_5 < 0.3
    assert after.recall_at_5 > 0.8
    assert heard[-1][1] < heard[0][1]  # the loss
    assert (adapter.bias is None) == (loss == "softmax")
    assert adapter.parent == small_identity().fingerprint


def test_where_nothing_can_be_learnt_the_adapter_changes_nothing() -> None:
    adapter = learn(turned_pairs(80), small_identity(), Recipe(patience=2), lambda now: 0.0, lambda *said: None)
    assert np.allclose(adapter.pictures(rows(9, 5)), rows(9, 5), atol=1e-6)
    assert np.allclose(adapter.texts(rows(9, 5)), rows(9, 5), atol=1e-6)


def test_keeping_costs_some_gain_and_saves_what_the_model_knew() -> None:
    """Texts near their picture are what the model understood before: the map of texts must leave them there."""
    pairs = turned_pairs(400)

    last = iter(range(100))

    def kept(keep: float) -> float:
        recipe = Recipe(keep=keep, learning_rate=1e-2, most_steps=100, look_every=100)
        adapter = learn(pairs, small_identity(), recipe, lambda now: next(last), lambda *said: None)
        return float((adapter.texts(pairs.pictures) * pairs.pictures).sum(axis=1).mean())

    assert kept(30) > kept(0) + 0.2


def test_scale_and_bias_begin_at_the_parent_s_where_it_was_trained_with_that_loss() -> None:
    def beginning(loss: str, **parent: float) -> tuple[float, float | None]:
        recipe = Recipe(loss=loss, look_every=1, patience=1)
        adapter = learn(turned_pairs(60), small_identity(**parent), recipe, lambda now: 0.0, lambda *said: None)
        return adapter.scale, adapter.bias

    assert beginning("softmax", scale=50.0) == (50.0, None)
    assert beginning("softmax", scale=110.0, bias=-12.0) == (14.286, None)
    assert beginning("sigmoid", scale=110.0, bias=-12.0) == (110.0, -12.0)
    assert beginning("sigmoid", scale=50.0) == (10.0, -10.0)


def without_vectors(groups: npt.NDArray[np.int64], words: npt.NDArray[np.int64]) -> Pairs:
    nothing = np.zeros((len(groups), 0), dtype=np.float32)
    return Pairs(nothing, nothing, groups, words)


def test_equal_tags_never_meet_in_a_batch_nor_does_a_picture_meet_itself() -> None:
    """Twelve pictures with a caption each; all but the last two have the same tags."""
    groups = np.array([*range(12), *range(12)])
    words = np.array([*range(12), *[12] * 10, 13, 14])
    seen = list(_batches(without_vectors(groups, words), Recipe(batch=12, most_steps=40)))
    assert all(len(set(groups[batch])) == len(set(words[batch])) == 12 for batch in seen)
    assert {word for batch in seen for word in words[batch]} == set(range(15))


def test_equal_captions_never_meet_in_a_batch_and_every_caption_has_its_turn() -> None:
    groups = np.array([0] * 50 + [1] * 3 + list(range(2, 12)))
    seen = list(_batches(without_vectors(groups, groups), Recipe(batch=5, most_steps=40)))
    assert len(seen) == 40
    assert all(len(set(groups[batch])) == len(batch) == 5 for batch in seen)
    assert {group for batch in seen for group in groups[batch]} == set(range(12))
    assert len({row for batch in seen for row in batch if row < 50}) > 5  # not always the same picture of a caption
