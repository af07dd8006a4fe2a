"""Reference pictures: decoded in the sandbox, encoded once, kept for an hour as numbers and a stamp.

The picture itself is never stored.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from archive.decoder.sandbox import Sandbox
from archive.decoder.specs import ENCODER, Spec
from archive.models import DIMENSIONS, Space
from archive.vectors import Vector
from search.failures import EncoderUnavailable, NoSpace
from workers import client

if TYPE_CHECKING:
    from django.core.files.base import File

    from archive.models.collections import Person

KEEP_SECONDS = 3600
VECTOR_BYTES = 4 * DIMENSIONS
STAMP = Spec("stamp", "image/webp", quality=75, longest=128)


@dataclass(frozen=True)
class Picture:
    vector: Vector
    thumbnail: bytes  # WebP
    space: str


def keep_picture(file: File[bytes], user: Person) -> str:
    """Encode an uploaded picture for `user`; returns the key under which it is kept for an hour.

    Raises `archive.decoder.refusals.DecoderError` and `EncoderUnavailable`, with words for people.
    """
    space = Space.objects.active()
    if space is None:
        raise NoSpace
    vector, stamp = encode_upload(space, file.read())
    key = secrets.token_urlsafe(16)
    head = vector.astype("<f4").tobytes() + bytes([len(space.slug)]) + space.slug.encode()
    try:
        cache.set(_name(key, user), head + stamp, KEEP_SECONDS)
    except (RedisError, OSError) as error:
        raise EncoderUnavailable(str(error)) from error
    return key


def encode_upload(space: Space, data: bytes) -> tuple[Vector, bytes]:
    """The unit vector of a picture file's bytes, and its stamp."""
    decoded = _sandbox().decode(data, specs=(ENCODER, STAMP))
    try:
        vector = client.encode_picture(space, decoded.renditions["encoder"].data)
    except client.EncoderUnavailable as error:
        raise EncoderUnavailable(str(error)) from error
    return vector, decoded.renditions["stamp"].data


def find_picture(key: str, user: Person) -> Picture | None:
    """The picture that `user` uploaded under `key`, unless the hour is over."""
    try:
        kept: bytes | None = cache.get(_name(key, user))
    except (RedisError, OSError):
        return None
    if kept is None:
        return None
    end = VECTOR_BYTES + 1 + kept[VECTOR_BYTES]
    vector = np.frombuffer(kept[:VECTOR_BYTES], dtype="<f4")
    return Picture(vector, kept[end:], kept[VECTOR_BYTES + 1 : end].decode())


def _name(key: str, user: Person) -> str:
    return f"picture:{user.pk}:{key[:40]}"


_local = threading.local()


def _sandbox() -> Sandbox:
    """One decoder process a thread, kept warm."""
    if not hasattr(_local, "sandbox"):
        _local.sandbox = Sandbox(max_pixels=settings.SIGHTLINE_PIXEL_LIMIT)
    sandbox: Sandbox = _local.sandbox
    return sandbox
