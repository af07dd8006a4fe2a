"""The recipe of the shipped model, as data."""

from dataclasses import asdict, dataclass
from typing import Any

IMAGE_SIZE = 64
CONTEXT_LENGTH = 32
MERGES = 4096
VOCABULARY_FILE = "bpe_simple_vocab_4096.txt.gz"
# 256 bytes, the same at the end of a word, the merges, start and end of a text.
VOCABULARY_SIZE = 2 * 256 + MERGES + 2

MODEL_CFG: dict[str, Any] = {
    "embed_dim": 768,
    "vision_cfg": {"image_size": IMAGE_SIZE, "layers": [1, 1, 1, 1], "width": 16, "patch_size": None},
    "text_cfg": {
        "context_length": CONTEXT_LENGTH,
        "vocab_size": VOCABULARY_SIZE,
        "width": 128,
        "heads": 4,
        "layers": 2,
    },
}
# Squashing keeps the whole scene in view: a centre crop would cut off the third boat.
PREPROCESS_CFG: dict[str, Any] = {
    "mean": [0.5, 0.5, 0.5],
    "std": [0.25, 0.25, 0.25],
    "interpolation": "bicubic",
    "resize_mode": "squash",
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """`steps` batches of `batch` scenes, drawn from `scenes` different ones; each comes with one full caption
    and `short_captions` short ones."""

    seed: int = 20
    scenes: int = 24_000
    steps: int = 1_000
    batch: int = 256
    short_captions: int = 1
    learning_rate: float = 1.5e-3
    warm_up: int = 100
    weight_decay: float = 0.05
    threads: int = 2

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
