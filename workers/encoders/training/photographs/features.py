"""The frozen picture tower, and what it sees in pictures that may be used: 1,280 numbers each."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image, ImageOps

from workers.encoders.training.photographs.recipe import IMAGE_SIZE, PREPROCESS_CFG, TOWER
from workers.encoders.training.renders import ASPECTS, recompressed
from workers.scenes.drawing import draw
from workers.scenes.scene import Scene

Features = NDArray[np.float32]
BATCH = 16


def load_tower(weights: Path) -> Any:
    """EfficientNet-lite0 with its 1,000-class head. The package names its tensors otherwise than timm, but keeps
    them in the same order: paired by place, and `load_state_dict` refuses a shape that differs."""
    tower = timm.create_model(TOWER, pretrained=False)
    theirs = torch.load(weights, map_location="cpu", weights_only=True)
    tower.load_state_dict(dict(zip(tower.state_dict(), theirs.values(), strict=True)))
    return tower.eval()


def features_of(tower: Any, pictures: Iterable[Image.Image]) -> Features:
    """(pictures, 1280): pooled, before any class."""
    preprocess = image_transform_v2(PreprocessCfg(size=IMAGE_SIZE, **PREPROCESS_CFG), is_train=False)
    batches = _batches(preprocess(picture) for picture in pictures)
    with torch.inference_mode():
        rows = [tower.forward_head(tower.forward_features(batch), pre_logits=True).numpy() for batch in batches]
    return np.concatenate(rows)


def drawn(scenes: Sequence[Scene], seed: int) -> Iterator[Image.Image]:
    """The scenes as uploads would show them: in several shapes, pressed through JPEG."""
    random = Random(seed)
    for scene in scenes:
        across, down = random.choice(ASPECTS)
        unit = random.uniform(240, 360) / min(across, down)
        yield recompressed(draw(scene, round(across * unit), round(down * unit)), random.randint(75, 95))


def crops(photographs: Sequence[Path], each: int, seed: int) -> Iterator[Image.Image]:
    """Each photograph whole, then `each` random parts of it, some mirrored."""
    random = Random(seed)
    for path in photographs:
        with Image.open(path) as opened:
            opened.draft("RGB", (1024, 1024))
            picture = ImageOps.exif_transpose(opened).convert("RGB")
        picture.thumbnail((1280, 1280))
        yield picture
        for _ in range(each):
            part = _part(picture, random)
            yield ImageOps.mirror(part) if random.random() < 0.5 else part


def _part(picture: Image.Image, random: Random) -> Image.Image:
    area = picture.width * picture.height * random.uniform(0.04, 0.7)
    stretch = random.uniform(0.75, 1.6) ** 0.5
    width = min(picture.width, round(area**0.5 * stretch))
    height = min(picture.height, round(area**0.5 / stretch))
    left, top = random.randint(0, picture.width - width), random.randint(0, picture.height - height)
    return picture.crop((left, top, left + width, top + height))


def _batches(tensors: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
    held: list[torch.Tensor] = []
    for tensor in tensors:
        held.append(tensor)
        if len(held) == BATCH:
            yield torch.stack(held)
            held = []
    if held:
        yield torch.stack(held)
