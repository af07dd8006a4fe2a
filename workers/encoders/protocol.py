"""What an encoder is: code that maps pictures and texts into one space. No torch here."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from archive.catalogue import names_that_fit
from archive.models.spaces import DIMENSIONS

Vectors = npt.NDArray[np.float32]


class EncoderRefused(Exception):
    """The model cannot be used; the sentence says what differs and what to do."""


class NotNow(Exception):
    """The model cannot be used at this moment, through no fault of its own or of a picture; the sentence says why."""


class Damaged(Exception):
    """The file of a picture cannot be decoded, whatever its decoder calls that."""


class OutOfMemory(NotNow):
    """The device could not hold the batch, so try a smaller one, or not even the model."""


@dataclass(frozen=True)
class Identity:
    """Everything that changes a vector. Two encoders with one fingerprint may share a space."""

    model: str
    weights: str  # sha256 of the weights file
    config: dict[str, Any]
    preprocessing: dict[str, Any]
    tokenizer: dict[str, Any]
    dimensions: int
    normalised: bool = True
    library: str = ""  # informative: not part of the fingerprint
    scale: float | None = None
    bias: float | None = None
    context_length: int = field(default=77)

    @property
    def fingerprint(self) -> str:
        covered = {k: v for k, v in asdict(self).items() if k not in ("library", "model")}
        return hashlib.sha256(json.dumps(covered, sort_keys=True, default=str).encode()).hexdigest()


class Encoder(Protocol):
    """Maps into unit vectors of 768 numbers; shorter models are padded with zeros.

    `prepare` runs in decode threads, the other two in the thread that owns the model.
    """

    identity: Identity

    def prepare(self, picture: Image.Image) -> Any: ...

    def prepare_jpeg(self, data: bytes) -> Any:
        """As `prepare`, of the bytes of a rendition or a frame. Raises `Damaged`."""
        ...

    def encode_pictures(self, prepared: Sequence[Any]) -> Vectors:
        """(n, 768) float32, unit length. Raises `OutOfMemory`."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """(n, 768) float32, unit length. Longer texts are cut at the context length."""
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens that the text needs, begin and end included."""
        ...


def picture_of(data: bytes) -> Image.Image:
    """RGB, of a JPEG. Raises `Damaged`."""
    with decoding():
        return Image.open(io.BytesIO(data), formats=["JPEG"]).convert("RGB")


@contextmanager
def decoding() -> Iterator[None]:
    """Decoders raise many kinds of errors on a damaged file: all become `Damaged`, but not a full memory."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        raise Damaged(first_line(error)) from error


def refuse_too_many_numbers(name: str, numbers: int) -> None:
    if numbers > DIMENSIONS:
        raise EncoderRefused(
            f"{name} gives {numbers} numbers and the archive keeps {DIMENSIONS}. "
            f"Models that fit: {names_that_fit(DIMENSIONS)}."
        )


def first_line(error: Exception) -> str:
    """What a library said, short enough for a sentence."""
    said = str(error).strip().split("\n")[0] or type(error).__name__
    return (said if len(said) <= 200 else f"{said[:197]}...").rstrip(".") + "."


def unit_padded(vectors: npt.NDArray[Any]) -> Vectors:
    """(n, d <= 768) -> (n, 768): unit length, zeros behind. Zeros change no inner product."""
    array = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(array, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths == 0).any():
        raise EncoderRefused("The model gave a vector that is not finite. Its weights are damaged or overflow.")
    array = array / lengths
    if array.shape[1] > DIMENSIONS:
        raise EncoderRefused(f"The model gives {array.shape[1]} numbers; the archive keeps {DIMENSIONS}.")
    return np.pad(array, ((0, 0), (0, DIMENSIONS - array.shape[1])))
