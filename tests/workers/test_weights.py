"""Weights: what is read is what was recorded, and nothing that runs when it is read."""

from __future__ import annotations

import json
import pickle
import time
from pathlib import Path
from typing import Any

import open_clip
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from archive.catalogue import models
from archive.models import Space
from tests.workers.checkpoints import create_shallow, write_model
from workers.encoders import load
from workers.encoders.load import check_identity, encoder_of, identity_fields, open_encoder, refusal_of, unload_idle
from workers.encoders.protocol import EncoderRefused
from workers.encoders.weights import OPEN_CLIP, sha256_of, weights_in
from workers.spaces import make_space

SMALL = "ViT-B-32-openai"
# Of the shipped drawn scenes as the first release wrote it into spaces, on machines with bf16 and without.
FIRST_RELEASE = {
    "8edb08ec9df4bb17ebc0f66d687f75a7a02a13ea6f5703d6f2a5553b580977a1": 27.028,
    "73efef5873420111eaac739b30c510f7feb414b05dae6c312ad155b562b761f8": 27.081,
}


@pytest.fixture(autouse=True)
def _shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timm, "create_model", create_shallow)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / SMALL, models()[SMALL])


@pytest.mark.parametrize(("fingerprint", "scale"), FIRST_RELEASE.items())
def test_spaces_of_the_first_release_are_not_refused(fingerprint: str, scale: float) -> None:
    """A device's rounding was part of them: two machines that agree on every vector refused each other."""
    encoder = open_encoder("shipped:drawn-scenes")
    assert encoder.identity.fingerprint == list(FIRST_RELEASE)[1]  # on every machine now
    written = {**identity_fields(encoder), "scale": scale}
    check_identity(encoder, Space(slug="drawn-scenes", fingerprint=fingerprint, identity=written))
    with pytest.raises(EncoderRefused, match=r"scale: the space has 20, this machine 27\.081"):
        check_identity(encoder, Space(slug="drawn-scenes", fingerprint="", identity={**written, "scale": 20}))


def test_a_known_name_and_a_path_to_the_same_files_are_one_encoder(folder: Path) -> None:
    by_name, by_path = open_encoder(SMALL, str(folder)), open_encoder(f"local-dir:{folder}")
    assert by_name.identity.fingerprint == by_path.identity.fingerprint
    assert open_encoder("drawn-scenes").identity.fingerprint == list(FIRST_RELEASE)[1]


def test_what_is_hashed_is_what_open_clip_loads(tmp_path: Path) -> None:
    for number in range(1 << 4):
        folder = tmp_path / str(number)
        folder.mkdir()
        names = ("model.safetensors", "open_clip_pytorch_model.bin", "a.safetensors", "epoch.pth")
        for bit, name in enumerate(names):
            if number >> bit & 1:
                (folder / name).write_bytes(b"")
        chosen = open_clip.factory._find_checkpoint_in_dir(folder)
        if chosen is None:
            with pytest.raises(EncoderRefused, match="no weights in"):
                weights_in(folder)
        else:
            assert str(weights_in(folder, OPEN_CLIP)) == chosen


def test_a_torchscript_archive_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As OpenAI published its weights: open_clip's tag of that name would run them."""

    def ran(*_: Any, **__: Any) -> Any:
        raise AssertionError("torch.jit.load was called")

    path = tmp_path / "ViT-B-32.pt"
    program: Any = torch.jit.script(torch.nn.Linear(2, 2))
    program.save(str(path))
    monkeypatch.setattr(torch.jit, "load", ran)
    for name in (SMALL, "ViT-B-32"):
        with pytest.raises(EncoderRefused, match=r"is a TorchScript archive: a program.*as safetensors"):
            open_encoder(name, str(path))


def test_no_way_in_leads_through_torch_jit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of a tag is no weights: open_clip would fetch that, and load OpenAI's as a program."""
    called: list[str] = []
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: called.append("jit"))
    monkeypatch.setattr(open_clip.pretrained, "download_pretrained_from_url", lambda *_, **__: called.append("url"))
    open_encoder(SMALL, str(folder))
    for name in (SMALL, "ViT-B-32", "ViT-B-32-quickgelu"):
        with pytest.raises(EncoderRefused):
            open_encoder(name, "openai")
    assert called == []


class Bomb:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (Path.touch, (Path("ran"),))  # type: ignore[return-value]


@pytest.mark.parametrize("name", [SMALL, "ALIGN-base"])
def test_a_pickle_that_would_run_something_is_refused_and_does_not(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = write_model(tmp_path / name, models()[name])
    for path in folder.glob("*.safetensors"):
        path.unlink()
    bad = folder / ("open_clip_pytorch_model.bin" if name == SMALL else "pytorch_model.bin")
    torch.save({"logit_scale": Bomb()}, bad)
    with pytest.raises(EncoderRefused, match=f"cannot be used as {name}"):
        open_encoder(name, str(folder))
    bad.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(EncoderRefused, match=f"cannot be used as {name}"):
        open_encoder(name, str(folder))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", [SMALL, "ALIGN-base", "X-CLIP-B-32"])
def test_weights_that_are_cut_short_or_another_model_s_are_refused(name: str, tmp_path: Path) -> None:
    folder = write_model(tmp_path / name, models()[name])
    (path,) = folder.glob("*.safetensors")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EncoderRefused, match=r"Is it cut short, or another model's\?"):
        open_encoder(name, str(folder))
    save_file({"something.else": torch.zeros(3)}, path)
    with pytest.raises(EncoderRefused, match=f"cannot be used as {name}"):
        open_encoder(name, str(folder))
    tensors = load_file_from(whole, tmp_path)
    save_file({key: value for key, value in tensors.items() if key != sorted(tensors)[-1]}, path)
    with pytest.raises(EncoderRefused, match=f"cannot be used as {name}"):
        open_encoder(name, str(folder))


def load_file_from(data: bytes, folder: Path) -> dict[str, torch.Tensor]:
    path = folder / "again.safetensors"
    path.write_bytes(data)
    found: dict[str, torch.Tensor] = load_file(path)
    return found


def test_the_folder_of_another_model_does_not_pass_under_a_known_name(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", models()["ViT-B-16-SigLIP2-256"])
    with pytest.raises(
        EncoderRefused, match=r"does not hold ViT-L-14-openai: .* 768 numbers, 256 pixels and 64 tokens"
    ):
        open_encoder("ViT-L-14-openai", str(folder))
    quick = write_model(tmp_path / "quick", models()[SMALL])
    with pytest.raises(EncoderRefused, match="with quick GELU"):
        open_encoder("ViT-B-32-laion2b", str(quick))
    with pytest.raises(EncoderRefused, match=r"There is no open_clip_config.json"):
        open_encoder("ALIGN-base", str(write_model(tmp_path / "x", models()["X-CLIP-B-32"])))


def test_more_numbers_than_the_archive_keeps_are_refused_before_any_weights_are_looked_for() -> None:
    for name in ("ViT-H-14", "ViT-SO400M-14-SigLIP2", "ViT-L-16-SigLIP-256"):
        with pytest.raises(EncoderRefused) as refused:
            open_encoder(name, "/nowhere/weights.safetensors")
        assert "the archive keeps 768" in str(refused.value)
        assert all(known in str(refused.value) for known in models())


def test_weights_found_under_a_pinned_name_must_be_the_published_ones(settings: Any, tmp_path: Path) -> None:
    settings.SIGHTLINE_MODELS = tmp_path
    folder = write_model(tmp_path / "ViT-B-16-SigLIP", models()["ViT-B-16-SigLIP"])
    with pytest.raises(EncoderRefused, match=r"is not what was published as ViT-B-16-SigLIP"):
        open_encoder("ViT-B-16-SigLIP")
    assert open_encoder("ViT-B-16-SigLIP", str(folder)).identity.dimensions == 768  # named: one's own


def test_a_tokenizer_that_pads_otherwise_is_another_encoder(tmp_path: Path) -> None:
    name = "ViT-B-16-SigLIP2-256"
    folder = write_model(tmp_path / name, models()[name])
    first = open_encoder(name, str(folder)).identity
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["padding"] = {
        **{"strategy": "BatchLongest", "direction": "Left", "pad_to_multiple_of": None},
        **{"pad_id": 0, "pad_type_id": 0, "pad_token": "<pad>"},
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    second = open_encoder(name, str(folder)).identity
    assert second.fingerprint != first.fingerprint
    assert {**second.tokenizer, "tokenizer.json": ""} == {**first.tokenizer, "tokenizer.json": ""}


def test_without_a_tokenizer_that_can_be_read_a_model_is_refused(tmp_path: Path) -> None:
    for name in ("ViT-B-16-SigLIP2-256", "X-CLIP-B-32"):
        folder = write_model(tmp_path / name, models()[name])
        for path in folder.glob("tokenizer*"):
            path.write_text("{")
        with pytest.raises(EncoderRefused, match=r"tokenizer files of .* cannot be read"):
            open_encoder(name, str(folder))
        for path in folder.glob("tokenizer*"):
            path.unlink()
        with pytest.raises(EncoderRefused, match="needs its tokenizer"):
            open_encoder(name, str(folder))


def test_a_hash_is_of_the_bytes_that_are_there_now(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    first = sha256_of(path)
    assert sha256_of(path) == first
    path.write_bytes(b"two")
    assert sha256_of(path) != first


@pytest.mark.django_db
def test_tampered_weights_are_refused_before_they_are_read_and_again_from_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = make_space("clip", SMALL, str(folder))
    assert space.identity["weights"] == sha256_of(folder / "open_clip_model.safetensors")
    path = folder / "open_clip_model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    opened: list[str] = []
    monkeypatch.setattr(load, "open_encoder", lambda *words: opened.append(words[0]))
    for _ in range(2):
        with pytest.raises(
            EncoderRefused, match=r"not the one of space clip: weights: the space has .* in /.*safetensors"
        ):
            encoder_of(space)
    assert opened == []
    assert "weights: the space has" in str(refusal_of(space))
    assert refusal_of(Space(pk=space.pk, fingerprint="another")) is None


@pytest.mark.django_db
def test_an_idle_model_is_let_go_of_and_comes_back(folder: Path) -> None:
    space = make_space("clip", SMALL, str(folder))
    first = encoder_of(space)
    assert unload_idle(60) == 0
    assert encoder_of(space) is first
    assert unload_idle(0) >= 1
    again = encoder_of(space)
    assert again is not first
    assert again.identity.fingerprint == first.identity.fingerprint


@pytest.mark.django_db
def test_the_process_that_holds_the_model_unloads_it_by_itself(folder: Path, settings: Any) -> None:
    settings.SIGHTLINE_UNLOAD_SECONDS = 1
    space = make_space("clip", SMALL, str(folder))
    encoder_of(space)
    assert space.pk in load._held
    until = time.monotonic() + 10
    while space.pk in load._held:
        assert time.monotonic() < until
        time.sleep(0.05)
