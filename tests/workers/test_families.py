"""Every family of models.toml, opened from files as it is published: pictures and texts become unit vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import timm
import torch

from archive.catalogue import default_model, models
from tests import pictures
from tests.workers.checkpoints import build, create_shallow, shallow_config, write_model
from workers.encoders.load import open_encoder
from workers.encoders.protocol import Encoder, EncoderRefused

# One of each family; of those in several sizes, one that pads and one that does not.
FAMILIES = {
    "OpenAI CLIP": "ViT-B-32-openai",
    "LAION-400M": "ViT-B-16-laion400m",
    "LAION-2B": "ViT-L-14-laion2b",
    "DataComp-1B": "ViT-B-32-datacomp",
    "DFN": "ViT-L-14-dfn2b",
    "EVA02-CLIP": "EVA02-B-16",
    "SigLIP": "ViT-B-16-SigLIP",
    "SigLIP 2": "ViT-B-16-SigLIP2-256",
    "MobileCLIP": "MobileCLIP-S1",
    "ALIGN": "ALIGN-base",
    "X-CLIP": "X-CLIP-B-32",
    "shipped with Sightline": "drawn-scenes",
}
TEXTS = ["a red boat", "a photo of a dog in the snow", ""]


@pytest.fixture(autouse=True)
def _shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timm, "create_model", create_shallow)


# Beside those above, at which more is looked: every other curated model that is brought from elsewhere.
OTHERS = [name for name, model in models().items() if name not in FAMILIES.values() and model.kind != "shipped"]


def look(encoder: Encoder, *seeds: int) -> Any:
    return encoder.encode_pictures([encoder.prepare(pictures.distinct(seed)) for seed in seeds])


def test_no_family_is_left_out() -> None:
    assert set(FAMILIES) == {model.family for model in models().values()}
    assert {model.family: model.name for model in models().values() if model.name in FAMILIES.values()} == FAMILIES
    assert default_model().name in FAMILIES.values()


@pytest.mark.parametrize("name", FAMILIES.values(), ids=FAMILIES)
def test_a_family_encodes_pictures_and_texts_to_unit_vectors_of_768(name: str, tmp_path: Path) -> None:
    model = models()[name]
    folder = tmp_path / name
    encoder = open_encoder(name, str(write_model(folder, model)) if model.kind != "shipped" else "")
    assert encoder.prepare(pictures.distinct(1)).shape == (3, model.size, model.size)
    seen, said = look(encoder, 1, 2, 3), encoder.encode_texts(TEXTS)
    for rows in (seen, said):
        assert rows.shape == (3, 768)
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
        assert (rows[:, model.numbers :] == 0).all()
        assert len({row.tobytes() for row in rows}) == 3
    identity = encoder.identity
    assert (identity.dimensions, identity.context_length) == (model.numbers, model.context)
    assert identity.scale is not None
    assert (identity.bias is not None) == ("SigLIP" in name)
    if model.kind != "shipped":
        assert open_encoder(name, str(folder)).identity.fingerprint == identity.fingerprint
        other = open_encoder(name, str(write_model(tmp_path / "other", model, seed=2)))
        assert other.identity.fingerprint != identity.fingerprint
        differing = {
            key
            for key in ("weights", "config", "preprocessing", "tokenizer")
            if getattr(other.identity, key) != getattr(identity, key)
        }
        assert differing == {"weights"}


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_every_curated_model_opens_from_a_checkpoint_and_encodes(name: str, tmp_path: Path) -> None:
    """Its own architecture, tokenizer class and picture size; one block deep, with random weights."""
    model = models()[name]
    encoder = open_encoder(name, str(write_model(tmp_path / name, model)))
    assert encoder.prepare(pictures.distinct(1)).shape == (3, model.size, model.size)
    for rows in (look(encoder, 1, 2), encoder.encode_texts(TEXTS[:2])):
        assert rows.shape == (2, 768)
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
        assert (rows[:, model.numbers :] == 0).all()
        assert len({row.tobytes() for row in rows}) == 2
    identity = encoder.identity
    assert (identity.dimensions, identity.context_length) == (model.numbers, model.context)
    assert identity.scale is not None
    assert (identity.bias is not None) == ("SigLIP" in name)


@pytest.mark.parametrize(("name", "quick"), [("ViT-B-32-openai", True), ("ViT-B-32-laion2b", False)])
def test_quick_gelu_follows_the_name_even_where_the_folder_does_not_say(name: str, quick: bool, tmp_path: Path) -> None:
    folder = write_model(tmp_path / name, models()[name])
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"].pop("quick_gelu", None)
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    encoder: Any = open_encoder(name, str(folder))
    kinds = {type(module).__name__ for module in encoder._model.modules()}
    assert ("QuickGELU" in kinds) == quick


def test_the_weights_tag_says_how_pictures_are_prepared_where_no_folder_does(tmp_path: Path) -> None:
    """LAION-2B's L/14 was not trained with OpenAI's mean and std, which open_clip takes for a file."""
    model = models()["ViT-L-14-laion2b"]
    folder = write_model(tmp_path / "whole", model)
    config = json.loads((folder / "open_clip_config.json").read_text())
    trained = open_clip.get_pretrained_cfg(model.architecture, model.tag)
    assert trained["mean"] != open_clip.get_pretrained_cfg(model.architecture, "openai")["mean"]
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config["model_cfg"]}))
    assert open_encoder(model.name, str(folder)).identity.preprocessing["mean"] == list(trained["mean"])


def test_a_bare_weights_file_under_a_known_name_needs_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As torch saved it, with the wrapper's prefix that training leaves."""
    torch.manual_seed(3)
    config = shallow_config("ViT-B-32-quickgelu")
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "ViT-B-32-quickgelu", config)
    bare: Any = build(config)
    path = tmp_path / "epoch_32.pt"
    torch.save({"state_dict": {f"module.{key}": value for key, value in bare.state_dict().items()}}, path)
    encoder: Any = open_encoder("ViT-B-32-openai", str(path))
    assert encoder.identity.config == {"name": "ViT-B-32-quickgelu"}
    picture = pictures.distinct(4)
    with torch.inference_mode():
        wanted = bare.encode_image(encoder._numbers(encoder.prepare(picture)[None]).float(), normalize=True)[0].numpy()
    found = encoder.encode_pictures([encoder.prepare(picture)])[0]
    assert found[:512] @ wanted > 0.999


def test_the_frames_of_a_clip_tell_each_other_what_they_see(tmp_path: Path) -> None:
    """X-CLIP: a clip is more than the mean of its frames, and its order counts."""
    encoder: Any = open_encoder("X-CLIP-B-32", str(write_model(tmp_path / "x", models()["X-CLIP-B-32"])))
    assert encoder.frames == 8
    frames = [encoder.prepare(pictures.distinct(seed)) for seed in range(8)]
    clip, backwards = encoder.encode_clips([frames, frames[::-1]])
    mean = encoder.encode_pictures(frames).mean(axis=0)
    assert clip @ (mean / np.linalg.norm(mean)) < 0.999
    assert clip @ backwards < 0.999
    still, repeated = encoder.encode_pictures(frames[:1])[0], encoder.encode_clips([frames[:1] * 8])[0]
    assert still @ repeated > 0.9999
    assert encoder._spread(3) == [0, 0, 1, 1, 1, 1, 2, 2]
    assert encoder._spread(15) == [0, 2, 4, 6, 8, 10, 12, 14]


def test_random_weights_of_any_architecture_measure_its_speed_without_a_tokenizer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What `benchmark encode --model` runs on: vectors of the right shape that mean nothing."""
    for name, architecture in (
        ("ViT-B-16-SigLIP", "ViT-B-16-SigLIP"),
        ("EVA02-B-16", "EVA02-B-16"),
        ("ViT-B-32-openai", "ViT-B-32-quickgelu"),
    ):
        monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, architecture, shallow_config(architecture))
        encoder = open_encoder(name, "random")
        assert look(encoder, 1, 2).shape == encoder.encode_texts(TEXTS[:2]).shape == (2, 768)
        assert encoder.identity.weights == "random"
        assert encoder.count_tokens("a red boat") == 5
    with pytest.raises(EncoderRefused, match="not on this machine"):
        open_encoder("ALIGN-base", "random")
