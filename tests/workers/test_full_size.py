"""The default model and the most common one at full size: what a user's own weights take, but for their values."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import save_file

from archive.catalogue import models
from tests import pictures
from tests.workers.checkpoints import PREPROCESSING, build, gemma
from workers.encoders.clip import ClipEncoder
from workers.encoders.device import Device
from workers.encoders.goldens import as_json, check_goldens, golden_vectors

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["ViT-B-32-openai", "ViT-B-16-SigLIP2-256"])
def test_a_full_size_model_loads_agrees_in_half_the_bits_and_says_how_fast_it_is(name: str, tmp_path: Path) -> None:
    model = models()[name]
    config = open_clip.get_model_config(model.architecture)
    trained = open_clip.get_pretrained_cfg(model.architecture, model.tag)
    preprocessing = {key: trained[key] for key in PREPROCESSING}
    (tmp_path / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": preprocessing}))
    if "hf_tokenizer_name" in config["text_cfg"]:
        gemma(tmp_path)
    torch.manual_seed(5)
    made = build(config)
    assert round(sum(parameter.numel() for parameter in made.parameters()) / 1e6, 2) == model.parameters
    save_file({key: value.half() for key, value in made.state_dict().items()}, tmp_path / "open_clip_model.safetensors")
    del made
    whole = ClipEncoder(name, str(tmp_path), Device("cpu", torch.float32, "fp32"))
    stored = as_json(golden_vectors(whole))
    half = ClipEncoder(name, str(tmp_path), Device("cpu", torch.bfloat16, "pure_bf16"))
    check_goldens(half, stored)
    assert half.identity.fingerprint == whole.identity.fingerprint
    prepared = [half.prepare(pictures.distinct(seed)) for seed in range(8)]
    begun = time.perf_counter()
    rows = half.encode_pictures(prepared)
    print(f"{name}: {len(prepared) / (time.perf_counter() - begun):.1f} pictures/s in bf16, one thread")
    assert rows.shape == (8, 768)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)
