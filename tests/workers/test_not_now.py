"""A full device and a disk that is away pass: no model is called wrong for them, and no worker ends."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from transformers import AlignModel

from archive.catalogue import models
from archive.models import Collection, Embedding, Space, Step, Work, WorkState
from tests.pictures import distinct
from tests.prepared import make_prepared
from tests.workers.checkpoints import write_model
from tests.workers.test_weights import SMALL
from workers.encode import drain_encode
from workers.encoders import load, weights
from workers.encoders.load import encoder_of, open_encoder
from workers.encoders.protocol import EncoderRefused, NotNow, OutOfMemory
from workers.refusing import find_refusals
from workers.spaces import make_space


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    load._held.clear()
    yield
    load._not_now.clear()


def failing(monkeypatch: pytest.MonkeyPatch, name: str, error: Exception) -> None:
    """The library that reads the weights of `name` raises `error`."""

    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    if name == SMALL:
        monkeypatch.setattr(open_clip, "create_model_and_transforms", fail)
    else:
        monkeypatch.setattr(AlignModel, "from_pretrained", fail)


@pytest.mark.parametrize("name", [SMALL, "ALIGN-base"])
@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("MPS backend out of memory"), MemoryError()],
)
def test_a_device_that_is_full_is_no_wrong_model(
    name: str, error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_model(tmp_path / name, models()[name])
    failing(monkeypatch, name, error)
    with pytest.raises(OutOfMemory, match="not the memory for this model now"):
        open_encoder(name, str(folder))


@pytest.mark.parametrize("name", [SMALL, "ALIGN-base"])
def test_a_disk_that_cannot_be_read_is_no_wrong_model_and_bad_files_are(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_model(tmp_path / name, models()[name])
    failing(monkeypatch, name, OSError(errno.EIO, "Input/output error"))
    with pytest.raises(NotNow, match=f"The files of {name} cannot be read at the moment .*Input/output error"):
        open_encoder(name, str(folder))
    for other in (OSError("Unable to load weights."), FileNotFoundError(errno.ENOENT, "gone"), RuntimeError("shapes")):
        failing(monkeypatch, name, other)
        with pytest.raises(EncoderRefused, match=f"cannot be used as {name}"):
            open_encoder(name, str(folder))


@pytest.mark.django_db(transaction=True)
def test_no_worker_ends_for_it_and_it_goes_on_when_there_is_room(
    harbour: Collection, fake_space: Space, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_prepared(harbour, distinct(1), fake_space)
    tries: list[Space] = []

    def full(space: Space) -> None:
        tries.append(space)
        raise OutOfMemory("There is no room.")

    with monkeypatch.context() as patch:
        patch.setattr(load, "open_encoder_of", full)
        for _ in range(3):
            assert drain_encode() is False
            assert find_refusals() == []
    assert "space fake: There is no room." in caplog.text
    assert len(tries) == 1  # a try takes seconds: not one a question
    encoding = Work.objects.get(step=Step.ENCODE)
    assert (encoding.state, encoding.attempts, encoding.errors) == (WorkState.READY, 0, 0)
    monkeypatch.setattr(load, "NOT_NOW_SECONDS", 0.0)
    drain_encode()
    assert Embedding.objects.count() == 1


@pytest.mark.django_db
def test_a_worker_that_may_serve_one_space_in_a_moment_does_not_end_for_another(
    fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    def both(space: Space) -> None:
        raise (NotNow if space == fake_space else EncoderRefused)("No.")

    other = make_space("next", "fake", "another")
    monkeypatch.setattr(load, "open_encoder_of", both)
    with pytest.raises(EncoderRefused):
        encoder_of(other)
    assert find_refusals() == []


def test_weights_on_a_disk_that_is_away_are_not_called_other_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_model(tmp_path / SMALL, models()[SMALL])

    def stale(path: Path) -> str:
        raise OSError(errno.ESTALE, "Stale file handle")

    assert weights.sha256_of(next(folder.glob("*.safetensors")))
    monkeypatch.setattr(load, "sha256_of", stale)
    with pytest.raises(NotNow, match="Stale file handle"):
        encoder_of(Space(pk=1, slug="s", model=SMALL, pretrained=str(folder), identity={"weights": "0" * 64}))
