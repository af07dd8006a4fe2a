"""The training pictures: drawn, pressed through JPEG and squashed to the model's size once, kept as bytes."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.encoders.training.recipe import IMAGE_SIZE
from workers.scenes.drawing import draw
from workers.scenes.scene import Scene

# Width and height of what people upload; squashing turns each into the same square.
ASPECTS = ((3, 2), (4, 3), (16, 9), (1, 1), (3, 4), (2, 3), (3, 2), (4, 3))


def render(scenes: Sequence[Scene], file: Path, seed: int, report: Callable[[int], None]) -> NDArray[np.uint8]:
    """An array (scenes, IMAGE_SIZE, IMAGE_SIZE, 3), mapped to `file`. `report` hears how many are done."""
    shape = (len(scenes), IMAGE_SIZE, IMAGE_SIZE, 3)
    pixels: NDArray[np.uint8] = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=shape)
    random = Random(seed)
    for index, scene in enumerate(scenes):
        pixels[index] = np.asarray(_seen_by_the_model(scene, random))
        if (index + 1) % 1000 == 0:
            report(index + 1)
    return pixels


def _seen_by_the_model(scene: Scene, random: Random) -> Image.Image:
    across, down = random.choice(ASPECTS)
    side = random.uniform(120, 200)
    stretch = (across / down) ** 0.5
    picture = draw(scene, round(side * stretch), round(side / stretch))
    picture = recompressed(picture, random.randint(70, 95))
    return picture.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BICUBIC)


def recompressed(picture: Image.Image, quality: int) -> Image.Image:
    """The picture as it comes back from a JPEG file."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    with Image.open(file) as again:
        return again.convert("RGB")
