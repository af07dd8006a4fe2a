"""What a model can do on this machine, in this process: for `space evaluate`."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from django.core.files.storage import default_storage
from PIL import Image

from archive.measuring import milliseconds
from archive.models import Rendition, Space
from workers.encoders.goldens import golden_pictures
from workers.encoders.load import encoder_of
from workers.encoders.protocol import Encoder, Vectors

SAMPLE = 32
BATCH = 8
SECONDS = 3.0
TEXTS = 15


@dataclass(frozen=True)
class Pace:
    """`pictures`: from a stored rendition to its vector, a second; `text_ms`: the p50 of one short text."""

    pictures: float
    text_ms: float
    device: str


def measure_pace(space: Space) -> Pace:
    """A few seconds. Raises `EncoderRefused` where this machine has not the model of the space."""
    encoder = encoder_of(space)
    files = sample()
    _encode(encoder, files[:1])
    done, start = 0, time.perf_counter()
    while not done or time.perf_counter() - start < SECONDS:
        batch = [files[(done + i) % len(files)] for i in range(BATCH)]
        _encode(encoder, batch)
        done += len(batch)
    pictures = done / (time.perf_counter() - start)
    times = [milliseconds(partial(encoder.encode_texts, [f"a red boat number {i}"])) for i in range(TEXTS)]
    device = getattr(encoder, "device", None)
    return Pace(pictures, statistics.median(times), f"{device.name}, {device.precision}" if device else "cpu")


def read_texts(space: Space, texts: Sequence[str]) -> Vectors:
    """(n, 768), here and not by the queries worker, which has people waiting."""
    encoder = encoder_of(space)
    parts = [encoder.encode_texts(texts[start : start + SAMPLE]) for start in range(0, len(texts), SAMPLE)]
    return np.concatenate(parts)


def sample() -> list[bytes]:
    """Some renditions of the archive as encoders read them; without any, the golden pictures."""
    found = []
    keys = Rendition.objects.filter(spec="encoder").order_by("asset__sha256").values_list("key", flat=True)
    for key in keys[:SAMPLE]:
        try:
            with default_storage.open(key) as file:
                found.append(file.read())
        except OSError:
            continue
    return found or [_jpeg(picture) for picture in golden_pictures()]


def _encode(encoder: Encoder, files: Sequence[bytes]) -> None:
    opened = (Image.open(io.BytesIO(data), formats=["JPEG"]).convert("RGB") for data in files)
    encoder.encode_pictures([encoder.prepare(picture) for picture in opened])


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=92)
    return out.getvalue()
