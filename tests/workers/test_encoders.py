"""Encoders: any model that open_clip reads, checked before it is believed."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from django.contrib.auth.models import User
from django.core.files import File
from PIL import Image
from safetensors.torch import load_file, save_file

from archive.models import Asset, Collection, Space, Status
from search.engine import search
from search.pictures import keep_picture
from search.query import Query
from tests import pictures
from tests.workers.test_prepare import take_in
from workers.encode import drain_encode
from workers.encoders.clip import ClipEncoder
from workers.encoders.device import Device
from workers.encoders.load import check_identity, encoder_of, open_encoder
from workers.encoders.protocol import EncoderRefused, unit_padded
from workers.prepare import drain_prepare
from workers.scenes.drawing import draw
from workers.scenes.scene import Group, place_scene
from workers.spaces import make_space

TINY: dict[str, Any] = {
    "embed_dim": 96,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "head_width": 32, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 1},
}
CPU = Device("cpu", torch.float32, "fp32")


def write_folder(folder: Path, *, seed: int = 1, **changes: Any) -> Path:
    """A model with random weights in open_clip's own format."""
    folder.mkdir(parents=True)
    config = {**TINY, **changes}
    torch.manual_seed(seed)
    model = open_clip.CLIP(**config)
    preprocess = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": preprocess}))
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors")
    return folder


def as_model(folder: Path) -> str:
    return f"local-dir:{folder}"


def look(encoder: ClipEncoder, picture: Image.Image) -> Any:
    return encoder.encode_pictures([encoder.prepare(picture)])[0]


def test_a_folder_is_a_model_with_padded_unit_vectors(tmp_path: Path) -> None:
    encoder = ClipEncoder(as_model(write_folder(tmp_path / "tiny")), device=CPU)
    rows = encoder.encode_pictures([encoder.prepare(pictures.distinct(seed)) for seed in range(3)])
    texts = encoder.encode_texts(["a red boat", ""])
    for found in (rows, texts):
        assert found.shape[1] == 768
        assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
        assert (found[:, 96:] == 0).all()
    assert (encoder.identity.dimensions, encoder.identity.context_length) == (96, 16)
    assert encoder.identity.bias is None


def test_zeros_behind_a_vector_change_no_inner_product() -> None:
    short = np.random.default_rng(0).normal(size=(20, 96)).astype(np.float32)
    unit = short / np.linalg.norm(short, axis=1, keepdims=True)
    padded = unit_padded(short)
    assert np.allclose(padded @ padded.T, unit @ unit.T, atol=1e-6)


def test_more_than_768_numbers_are_refused_by_name(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "wide", embed_dim=1024)
    with pytest.raises(EncoderRefused, match="gives 1024 numbers and the archive keeps 768"):
        ClipEncoder(as_model(folder), device=CPU)
    with pytest.raises(EncoderRefused, match="1000 numbers"):
        unit_padded(np.ones((1, 1000)))


def test_a_vector_that_is_not_finite_is_refused() -> None:
    for bad in (np.nan, np.inf):
        with pytest.raises(EncoderRefused, match="not finite"):
            unit_padded(np.array([[1.0, bad]]))
    with pytest.raises(EncoderRefused, match="not finite"):
        unit_padded(np.zeros((1, 8)))


def test_a_model_with_a_bias_like_siglip_s_keeps_it(tmp_path: Path) -> None:
    encoder = ClipEncoder(as_model(write_folder(tmp_path / "sig", init_logit_bias=-10)), device=CPU)
    assert encoder.identity.bias == -10
    assert encoder.identity.scale is not None


def test_an_architecture_with_a_weights_file_is_a_model(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = open_clip.create_model("ViT-B-32", pretrained_text=False)
    weights = tmp_path / "weights.safetensors"
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, weights)
    encoder = ClipEncoder("ViT-B-32", str(weights), CPU)
    model.eval()
    picture = pictures.distinct(4)
    with torch.inference_mode():
        bare = model.encode_image(encoder._numbers(encoder.prepare(picture)[None]), normalize=True)[0].numpy()
    assert np.allclose(look(encoder, picture)[:512], bare, atol=1e-4)
    assert (encoder.identity.dimensions, encoder.identity.context_length) == (512, 77)


@pytest.mark.parametrize(
    ("model", "pretrained", "words"),
    [
        ("ViT-Z-99", "", "knows no architecture"),
        ("ViT-B-32", "/nowhere/weights.pt", "no weights file"),
        ("ViT-B-32", "openai", "Download it first"),
        ("local-dir:/nowhere", "", "no open_clip_config.json"),
        ("shipped:nothing", "", "no open_clip_config.json"),
    ],
)
def test_what_is_not_there_is_refused_with_what_to_do(model: str, pretrained: str, words: str) -> None:
    with pytest.raises(EncoderRefused, match=words):
        open_encoder(model, pretrained)


def test_a_folder_without_weights_or_with_a_damaged_file_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "tiny")
    weights = folder / "open_clip_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EncoderRefused):
        ClipEncoder(as_model(folder), device=CPU)
    weights.unlink()
    with pytest.raises(EncoderRefused, match="no weights in"):
        ClipEncoder(as_model(folder), device=CPU)


def test_the_fingerprint_follows_weights_configuration_and_preprocessing(tmp_path: Path) -> None:
    def fingerprint(folder: Path) -> str:
        return ClipEncoder(as_model(folder), device=CPU).identity.fingerprint

    first = write_folder(tmp_path / "a")
    same = write_folder(tmp_path / "b")
    assert fingerprint(first) == fingerprint(same)
    assert fingerprint(write_folder(tmp_path / "c", seed=2)) != fingerprint(first)
    config = json.loads((same / "open_clip_config.json").read_text())
    config["preprocess_cfg"]["mean"] = [0.4] * 3
    (same / "open_clip_config.json").write_text(json.dumps(config))
    assert fingerprint(same) != fingerprint(first)


@pytest.mark.django_db
def test_weights_that_were_changed_are_refused_for_a_space_that_is_there(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "tiny")
    space = make_space("tiny", as_model(folder))
    assert encoder_of(space).identity.fingerprint == space.fingerprint
    weights = folder / "open_clip_model.safetensors"
    tampered = load_file(weights)
    tampered["visual.proj"] = tampered["visual.proj"] * 1.001
    save_file(tampered, weights)
    with pytest.raises(EncoderRefused, match="not the one of space tiny: weights: the space has"):
        check_identity(open_encoder(space.model), space)


def test_texts_longer_than_the_model_reads_are_counted(tmp_path: Path) -> None:
    encoder = ClipEncoder(as_model(write_folder(tmp_path / "tiny")), device=CPU)
    assert encoder.count_tokens("a red boat") == 5
    assert encoder.count_tokens("boat " * 40) == 42 > encoder.identity.context_length


def boats(colour: str, count: int) -> list[Image.Image]:
    random = Random(f"{colour} boats")
    places, skies = ("sea", "beach", "sea", "city"), ("day", "sunset", "day", "night")
    group = (Group("boat", colour, 1),)
    return [draw(place_scene(random, places[n % 4], skies[n % 4], group), 768, 512) for n in range(count)]


@pytest.mark.django_db(transaction=True)
def test_a_red_boat_is_found_above_blue_ones_by_words_and_by_a_picture(
    harbour: Collection, bob: User, drawn_space: Space, queries_in_process: None, tmp_path: Path
) -> None:
    """The shipped model through the whole path: upload, prepare, encode, search."""
    assert drawn_space.model == "shipped:drawn-scenes"
    drawn = {colour: boats(colour, 5) for colour in ("red", "blue")}
    for colour, seen in drawn.items():
        for number, picture in enumerate(seen[:4]):
            take_in(harbour, pictures.jpeg(picture), f"{colour}-{number}.jpg")
    drain_prepare()
    drain_encode()
    assert set(Asset.objects.values_list("status", flat=True)) == {Status.READY}

    def colours(query: Query) -> list[str]:
        return [hit.asset.filename.split("-")[0] for hit in search(query, bob).hits]

    assert colours(Query(text="a red boat")) == ["red"] * 4 + ["blue"] * 4
    assert colours(Query(text="a blue boat")) == ["blue"] * 4 + ["red"] * 4
    (tmp_path / "asked.jpg").write_bytes(pictures.jpeg(drawn["red"][4]))
    with (tmp_path / "asked.jpg").open("rb") as file:
        key = keep_picture(File(file), bob)
    assert colours(Query(picture=key))[:2] == ["red", "red"]  # then come places and skies that are alike
    assert colours(Query(text="a boat", without="red"))[:3] == ["blue"] * 3
