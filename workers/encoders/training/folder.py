"""The model's folder in open_clip's own format, written once and read by what reads any other model."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.tokenizer import default_bpe
from safetensors.torch import save

from workers.encoders.training.recipe import MERGES, MODEL_CFG, PREPROCESS_CFG, VOCABULARY_FILE

CONFIG_FILE = "open_clip_config.json"
WEIGHTS_FILE = "open_clip_model.safetensors"
CARD_FILE = "MODEL.json"


def begin(folder: Path) -> None:
    """Writes the configuration and the vocabulary: what is needed before there are weights."""
    write_config(folder, MODEL_CFG, PREPROCESS_CFG)
    with gzip.open(default_bpe(), "rt", encoding="utf-8") as whole:
        lines = whole.read().split("\n")[: MERGES + 1]
    # mtime=0: the same vocabulary gives the same bytes.
    (folder / VOCABULARY_FILE).write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))


def write_config(folder: Path, model_cfg: dict[str, Any], preprocess_cfg: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_cfg": model_cfg, "preprocess_cfg": preprocess_cfg}
    (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n")


def finish(folder: Path, model: Any, card: dict[str, Any]) -> None:
    """Writes the weights as 16-bit floats and MODEL.json with their hash."""
    weights = {name: _halved(tensor) for name, tensor in model.state_dict().items()}
    # Not save_file, whose file only its owner may read: workers may run as another user.
    packed = save(weights, metadata={"format": "pt"})
    (folder / WEIGHTS_FILE).write_bytes(packed)
    write_card(folder, {**card, "weights_sha256": hashlib.sha256(packed).hexdigest()})


def write_card(folder: Path, card: dict[str, Any]) -> None:
    (folder / CARD_FILE).write_text(json.dumps(card, indent=2) + "\n")


def read_card(folder: Path) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((folder / CARD_FILE).read_text())
    return card


def new_model(folder: Path) -> Any:
    """An untrained model of the folder's configuration."""
    return open_clip.create_model(f"local-dir:{folder}", load_weights=False)


def tokenizer(folder: Path) -> Any:
    (vocabulary,) = folder.glob("bpe*.txt.gz")
    return open_clip.get_tokenizer(f"local-dir:{folder}", bpe_path=str(vocabulary))


def load(folder: Path) -> tuple[Any, Any, Any]:
    """Model, preprocessing and tokenizer of a finished folder. A folder without weights is an error."""
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}", require_pretrained=True)
    return model.eval(), preprocess, tokenizer(folder)


def _halved(tensor: torch.Tensor) -> torch.Tensor:
    return (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
