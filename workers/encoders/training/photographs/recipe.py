"""The recipe of the shipped model that knows photographs, as data."""

from dataclasses import asdict, dataclass
from typing import Any

NAME = "everyday-things"
TOWER = "tf_efficientnet_lite0"
IMAGE_SIZE = 224
NUMBERS, ABOUT_PHOTOGRAPHS = 768, 640  # of a vector; the rest is about drawn scenes
CONTEXT_LENGTH = 24
WIDTH = 256
EVERYDAY = 14_000  # so many of CLIP's words, the most frequent in captions, lead to meanings of their own
MERGES = 8_000  # CLIP's vocabulary cut to the merges that the training texts use most
VOCABULARY_SIZE = 2 * 256 + MERGES + 2
VOCABULARY_FILE = f"bpe_everyday_vocab_{MERGES}.txt.gz"

PREPROCESS_CFG: dict[str, Any] = {
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "interpolation": "bicubic",
    "resize_mode": "squash",  # the whole picture: what stands at its edge is searched for too
}


def model_cfg() -> dict[str, Any]:
    """open_clip's configuration: timm's EfficientNet-lite0 with a linear head, and a small text tower."""
    return {
        "embed_dim": NUMBERS,
        "vision_cfg": {
            "image_size": IMAGE_SIZE,
            "timm_model_name": TOWER,
            "timm_model_pretrained": False,
            "timm_pool": "avg",
            "timm_proj": "linear",
            "timm_proj_bias": True,
        },
        "text_cfg": {
            "context_length": CONTEXT_LENGTH,
            "vocab_size": VOCABULARY_SIZE,
            "width": WIDTH,
            "heads": 8,
            "layers": 2,
            "mlp_ratio": 2.0,
        },
    }


@dataclass(frozen=True, slots=True)
class Recipe:
    """`scenes` drawn scenes and `crops` of each photograph show what features look like; `steps` batches of
    `texts` texts about photographs and `captions` captions of drawn scenes train the text tower."""

    seed: int = 31
    scenes: int = 6_000
    crops: int = 24
    sharpness: float = 0.5
    steps: int = 1_400
    texts: int = 320
    captions: int = 40
    learning_rate: float = 1.5e-3
    warm_up: int = 60
    weight_decay: float = 0.02

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
