"""Reference pictures: decoded in the sandbox, encoded once, kept for an hour as numbers and a stamp.

The picture itself is kept, reduced, only while another space than the searched one is live: its numbers mean
nothing there, and the hour must outlive a switch.
"""

from __future__ import annotations

import base64
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from archive.decoder.sandbox import Sandbox
from archive.decoder.specs import ENCODER, Spec
from archive.models import Space
from archive.vectors import Vector
from search.failures import EncoderUnavailable, PictureExpired
from search.spaces import active_space
from workers import client

if TYPE_CHECKING:
    from django.core.files.base import File

    from archive.models.collections import Person

KEEP_SECONDS = 3600
STAMP = Spec("stamp", "image/webp", quality=75, longest=128)


@dataclass(frozen=True)
class Picture:
    vector: Vector
    thumbnail: bytes  # WebP
    space: str
    jpeg: bytes = b""  # as encoders read it, or nothing


def keep_picture(file: File[bytes], user: Person) -> str:
    """Encode an uploaded picture for `user`; returns the key under which it is kept for an hour.

    Raises `archive.decoder.refusals.DecoderError` and `EncoderUnavailable`, with words for people.
    """
    space = active_space()
    picture = encode_upload(space, file.read())
    key = secrets.token_urlsafe(16)
    packed = {
        "space": picture.space,
        "vector": _packed(picture.vector.astype("<f4").tobytes()),
        "stamp": _packed(picture.thumbnail),
        "jpeg": _packed(picture.jpeg if another_is_live(space) else b""),
    }
    try:
        cache.set(_name(key, user), orjson.dumps(packed), KEEP_SECONDS)
    except (RedisError, OSError) as error:
        raise EncoderUnavailable(str(error)) from error
    return key


def encode_upload(space: Space, data: bytes) -> Picture:
    """A picture file's bytes, read in the sandbox and by the encoder of `space`."""
    decoded = _sandbox().decode(data, specs=(ENCODER, STAMP))
    jpeg = decoded.renditions["encoder"].data
    return Picture(encode_jpeg(space, jpeg), decoded.renditions["stamp"].data, space.slug, jpeg)


def encode_jpeg(space: Space, jpeg: bytes) -> Vector:
    try:
        return client.encode_picture(space, jpeg)
    except client.EncoderUnavailable as error:
        raise EncoderUnavailable(str(error)) from error


def another_is_live(space: Space) -> bool:
    return Space.objects.live().exclude(pk=space.pk).exists()


def find_picture(key: str, user: Person) -> Picture | None:
    """The picture that `user` uploaded under `key`, unless the hour is over."""
    try:
        kept: bytes | None = cache.get(_name(key, user))
    except (RedisError, OSError):
        return None
    if kept is None:
        return None
    packed: dict[str, Any] = orjson.loads(kept)
    vector = np.frombuffer(base64.b64decode(packed["vector"]), dtype="<f4")
    return Picture(vector, base64.b64decode(packed["stamp"]), packed["space"], base64.b64decode(packed["jpeg"]))


def picture_vector(picture: Picture, space: Space) -> Vector:
    """Its vector in `space`, which may be searched only since it came. Raises `PictureExpired`."""
    if picture.space == space.slug:
        return picture.vector
    if not picture.jpeg:
        raise PictureExpired
    return encode_jpeg(space, picture.jpeg)


def _packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _name(key: str, user: Person) -> str:
    return f"picture:{user.pk}:{key[:40]}"


_local = threading.local()


def _sandbox() -> Sandbox:
    """One decoder process a thread, kept warm."""
    if not hasattr(_local, "sandbox"):
        _local.sandbox = Sandbox(max_pixels=settings.SIGHTLINE_PIXEL_LIMIT)
    sandbox: Sandbox = _local.sandbox
    return sandbox
