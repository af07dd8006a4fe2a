"""models.toml tells the truth: its figures are the libraries' own, and the pages say what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AlignConfig, AlignModel, XCLIPConfig, XCLIPModel

from archive.catalogue import Model, default_model, find_model, models, names_that_fit
from tests.workers.checkpoints import build
from workers.encoders.sources import SHIPPED
from workers.encoders.weights import sha256_of
from workers.models_page import table

OPEN_CLIP = [model for model in models().values() if model.kind == "open_clip"]
PAGE = Path(__file__).parents[2] / "docs/models.md"


def millions(make: Any) -> float:
    """Of parameters, counted without making them."""
    with torch.device("meta"):
        made = make()
    count: int = sum(parameter.numel() for parameter in made.parameters())
    return round(count / 1e6, 2)


def gflops(model: Model, tower: Any, pictures: int = 1) -> float:
    """Of one picture, counted without computing them."""
    made = torch.zeros(pictures, 3, model.size, model.size, device="meta")
    with FlopCounterMode(display=False) as counter:
        tower(made)
    return round(float(counter.get_total_flops()) / pictures / 1e9, 2)


@pytest.mark.parametrize("model", OPEN_CLIP, ids=lambda model: model.name)
def test_a_model_of_open_clip_takes_the_operations_that_are_told(model: Model) -> None:
    config = open_clip.get_model_config(model.architecture)
    with torch.device("meta"):
        tower: Any = build(config).eval()
    assert model.gflops == gflops(model, tower.encode_image)
    assert model.convolutions == any(
        isinstance(part, torch.nn.Conv2d) and part.groups > 1 for part in tower.visual.modules()
    )


@pytest.mark.parametrize("model", OPEN_CLIP, ids=lambda model: model.name)
def test_a_model_of_open_clip_is_described_as_open_clip_has_it(model: Model) -> None:
    config = open_clip.get_model_config(model.architecture)
    assert config is not None
    assert model.numbers == config["embed_dim"]
    assert model.size == config["vision_cfg"]["image_size"]
    assert model.context == config["text_cfg"].get("context_length", 77)
    assert model.parameters == millions(lambda: build(config))
    tags = open_clip.list_pretrained_tags_by_model(model.architecture)
    assert model.tag in tags
    trained = open_clip.get_pretrained_cfg(model.architecture, model.tag)
    assert model.hub == trained["hf_hub"].strip("/")
    assert config.get("quick_gelu", False) == model.quick_gelu
    # open_clip's table forgets one of LAION-400M, whose file name says it.
    assert model.quick_gelu == (trained.get("quick_gelu", False) or "quickgelu" in trained["url"])


@pytest.mark.parametrize(
    ("name", "config", "kind"), [("ALIGN-base", AlignConfig, AlignModel), ("X-CLIP-B-32", XCLIPConfig, XCLIPModel)]
)
def test_a_model_of_transformers_is_described_as_transformers_has_it(name: str, config: Any, kind: Any) -> None:
    model = models()[name]
    assert model.numbers == config().projection_dim
    assert model.parameters == millions(lambda: kind(config()))
    assert model.context <= config().text_config.max_position_embeddings
    with torch.device("meta"):
        tower = kind(config()).eval().vision_model
    # X-CLIP encodes the frames of a clip together.
    assert model.gflops == gflops(model, tower, getattr(config().vision_config, "num_frames", 1))


def test_the_shipped_model_is_described_as_its_folder_has_it() -> None:
    for model in models().values():
        if model.kind == "shipped":
            folder = SHIPPED / model.name
            config = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
            described = config["embed_dim"], config["vision_cfg"]["image_size"], config["text_cfg"]["context_length"]
            assert (model.numbers, model.size, model.context) == described
            assert model.sha256 == sha256_of(folder / "open_clip_model.safetensors")
            with torch.device("meta"):
                tower: Any = build(config).eval()
            assert model.gflops == gflops(model, tower.encode_image)
            assert ("LICENCES.txt" in model.licence) == (folder / "LICENCES.txt").is_file()


def test_the_list_that_was_asked_for_is_there() -> None:
    for data in ("laion400m", "laion2b", "datacomp"):
        assert {f"{size}-{data}" for size in ("ViT-B-32", "ViT-B-16", "ViT-L-14")} <= set(models())
    assert {f"{size}-openai" for size in ("ViT-B-32", "ViT-B-16", "ViT-L-14", "ViT-L-14-336")} <= set(models())
    sizes = {model.size for model in OPEN_CLIP if model.family == "SigLIP"}
    assert sizes == {model.size for model in OPEN_CLIP if model.family == "SigLIP 2"} == {224, 256, 384, 512}
    rest = {"EVA02-B-16", "EVA02-L-14", "ViT-B-32-SigLIP2-256", "ViT-L-14-dfn2b", "ALIGN-base", "X-CLIP-B-32"}
    assert rest | {f"MobileCLIP-{size}" for size in ("S1", "S2", "B")} <= set(models())
    assert default_model().name == "ViT-B-16-SigLIP2-256"


def test_every_figure_of_accuracy_has_a_source_and_every_model_a_licence_and_a_reason() -> None:
    for model in models().values():
        assert model.source.startswith("https://") or model.imagenet is None
        assert model.licence
        assert model.languages
        assert model.choose
        assert not model.sha256 or len(bytes.fromhex(model.sha256)) == 32
        assert model.name in names_that_fit(768)
    assert names_that_fit(511) == ""
    assert find_model("ViT-H-14") is None


def test_the_page_about_models_has_the_table_of_the_file() -> None:
    assert table() in PAGE.read_text(), "write it anew: python -m workers.models_page"
