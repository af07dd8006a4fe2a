"""Goldens: a worker that computes other vectors than the space holds must not fill it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch

from archive.catalogue import models
from archive.models import Collection, Space, Step, Work, WorkState
from tests import pictures
from tests.prepared import Rows, make_prepared
from tests.workers.checkpoints import create_shallow, write_model
from workers import queries
from workers.encode import drain_encode
from workers.encoders import align, clip, load, xclip
from workers.encoders.device import Device
from workers.encoders.fake import FakeEncoder
from workers.encoders.goldens import as_json, check_goldens, golden_pictures, golden_vectors
from workers.encoders.protocol import EncoderRefused, unit_padded


class Tilted(FakeEncoder):
    """The same files, other arithmetic: as a wrong resize or a broken driver would be."""

    def encode_pictures(self, prepared: Sequence[Any]) -> Rows:
        return super().encode_pictures([one * np.linspace(0.5, 1.5, one.size) for one in prepared])


def test_the_same_encoder_passes() -> None:
    check_goldens(FakeEncoder(), as_json(golden_vectors(FakeEncoder())))


def test_other_arithmetic_is_refused_with_the_figure() -> None:
    with pytest.raises(EncoderRefused, match=r"golden pictures agree only to 0\.\d+ where 0.999 is needed"):
        check_goldens(Tilted(), as_json(golden_vectors(FakeEncoder())))


def test_golden_pictures_depend_on_nothing_outside() -> None:
    first, second = golden_pictures(), golden_pictures()
    assert [p.tobytes() for p in first] == [p.tobytes() for p in second]
    assert len({p.tobytes() for p in first}) == 4


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_fails_its_goldens_claims_nothing(
    harbour: Collection, fake_space: Space, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_prepared(harbour, pictures.distinct(1), fake_space)
    monkeypatch.setattr(load, "open_encoder", lambda model, pretrained="": Tilted(pretrained))
    assert drain_encode() is False
    assert "computes other vectors than the space holds" in caplog.text
    work = Work.objects.get(step=Step.ENCODE)
    assert (work.state, work.attempts) == (WorkState.READY, 0)


FP32 = Device("cpu", torch.float32, "fp32")
BF16 = Device("cpu", torch.bfloat16, "pure_bf16")
CLASSES = {"open_clip": clip.ClipEncoder, "align": align.AlignEncoder, "xclip": xclip.XClipEncoder}


@pytest.fixture
def _shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timm, "create_model", create_shallow)


def opened(name: str, folder: Path, device: Device = FP32, seed: int = 1) -> Any:
    if not folder.exists():
        write_model(folder, models()[name], seed=seed)
    return CLASSES[models()[name].kind](name, str(folder), device)


@pytest.mark.usefixtures("_shallow")
@pytest.mark.parametrize("name", ["ViT-B-16-SigLIP", "ViT-B-16-SigLIP2-256"])
def test_siglip_reads_texts_padded_to_its_full_context_and_would_rank_otherwise_without(
    name: str, tmp_path: Path
) -> None:
    encoder = opened(name, tmp_path / name)
    tokens = encoder._tokenize(["a red boat"])
    assert tokens.shape == (1, 64)
    padding = encoder._tokenize.tokenizer.pad_token_id
    assert (tokens[0, -50:] == padding).all()  # behind the text, never in front
    bare = encoder._tokenize.tokenizer(["a red boat"], return_tensors="pt").input_ids
    assert bare.shape[1] < 10
    assert (tokens[0, : bare.shape[1]] == bare[0]).all()
    with torch.inference_mode():
        padded, short = (unit_padded(encoder._model.encode_text(ids).numpy()) for ids in (tokens, bare))
    assert np.allclose(encoder.encode_texts(["a red boat"]), padded, atol=1e-5)
    assert (padded @ short.T).item() < 0.9
    seen = encoder.encode_pictures([encoder.prepare(pictures.distinct(seed)) for seed in range(12)])
    assert np.argsort(seen @ padded[0]).tolist() != np.argsort(seen @ short[0]).tolist()


@pytest.mark.parametrize(("name", "end"), [("ViT-B-32-openai", 49407), ("X-CLIP-B-32", 53)])
def test_clip_reads_77_tokens_and_a_text_that_is_cut_keeps_its_end(name: str, end: int, tmp_path: Path) -> None:
    encoder = opened(name, tmp_path / name)
    long = "a boat " * 60
    tokens = encoder._words([long], FP32)["input_ids"] if name == "X-CLIP-B-32" else encoder._tokenize([long])
    assert tokens.shape == (1, 77)
    assert tokens[0, -1] == end  # where the model looks for what the text means
    assert tokens[0, :-1].max() < end
    assert encoder.count_tokens(long) > 77 >= encoder.count_tokens("a boat")


@pytest.mark.usefixtures("_shallow")
@pytest.mark.parametrize(
    "name", ["ViT-B-32-openai", "ViT-B-16-SigLIP", "ViT-B-16-SigLIP2-256", "ALIGN-base", "X-CLIP-B-32"]
)
def test_whoever_asks_is_told_when_a_text_was_cut(name: str, tmp_path: Path) -> None:
    encoder = opened(name, tmp_path / name)
    context = encoder.identity.context_length
    words = "sea " * 100
    fits = max(n for n in range(1, 100) if encoder.count_tokens("sea " * n) <= context)
    texts = ["a red boat", ("sea " * fits).strip(), ("sea " * (fits + 1)).strip(), words]
    assert list(queries.encode(encoder, texts, [])["cut"]) == texts[2:]
    exact, more = encoder.encode_texts(texts[2:])  # both are cut to the same
    assert exact @ more > 0.999


class Mixed(FakeEncoder):
    """The pictures of one model and the words of another: both files whole, their vectors not comparable."""

    def __init__(self, seeing: Any, reading: Any) -> None:
        self.identity, self.seeing, self.reading = seeing.identity, seeing, reading

    def prepare(self, picture: Any) -> Any:
        return self.seeing.prepare(picture)

    def encode_pictures(self, prepared: Sequence[Any]) -> Rows:
        rows: Rows = self.seeing.encode_pictures(prepared)
        return rows

    def encode_texts(self, texts: Sequence[str]) -> Rows:
        rows: Rows = self.reading.encode_texts(texts)
        return rows


def test_the_pictures_of_one_space_and_the_words_of_another_are_refused(tmp_path: Path) -> None:
    one, other = (opened("ViT-B-32-openai", tmp_path / str(seed), seed=seed) for seed in (1, 2))
    stored = as_json(golden_vectors(one))
    check_goldens(Mixed(one, one), stored)
    with pytest.raises(EncoderRefused, match=r"golden texts agree only to -?0\.\d+"):
        check_goldens(Mixed(one, other), stored)
    with pytest.raises(EncoderRefused, match=r"golden pictures agree only to -?0\.\d+"):
        check_goldens(Mixed(other, one), stored)


@pytest.mark.django_db
def test_a_question_for_a_space_that_is_another_by_now_gets_no_vector(fake_space: Space) -> None:
    queries._spaces.clear()
    assert queries.find_space(fake_space.slug, fake_space.fingerprint) == fake_space
    with pytest.raises(EncoderRefused, match="is another one by now"):
        queries.find_space(fake_space.slug, "0" * 64)


def test_align_is_held_in_fp32_whatever_the_device_likes(tmp_path: Path) -> None:
    assert opened("ALIGN-base", tmp_path / "a", BF16).device == FP32


@pytest.mark.usefixtures("_shallow")
@pytest.mark.parametrize(
    "name",
    [
        "ViT-B-32-openai",
        "EVA02-B-16",
        "ViT-B-16-SigLIP2-256",
        "MobileCLIP-S1",
        "MobileCLIP-B",
        "X-CLIP-B-32",
    ],
)
def test_half_of_the_bits_give_the_same_vectors(name: str, tmp_path: Path) -> None:
    """bf16 weights are the same space: their goldens agree with those of fp32, both ways."""
    whole, half = opened(name, tmp_path / name), opened(name, tmp_path / name, BF16)
    assert half.identity.fingerprint == whole.identity.fingerprint
    check_goldens(half, as_json(golden_vectors(whole)))
    check_goldens(whole, as_json(golden_vectors(half)))
