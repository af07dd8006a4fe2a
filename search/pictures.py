"""Reference pictures: decoded in the sandbox, kept small in memory for an hour, and only for who brought them.

What came is never stored: what stays is the rendition that the model reads, so that a box can be drawn on it,
a stamp to show, and the vector.
"""

from __future__ import annotations

import hashlib
import io
import re
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np
from django.conf import settings
from django.core.cache import cache
from PIL import Image
from redis.exceptions import RedisError

from archive.decoder.refusals import Undecodable
from archive.decoder.sandbox import Sandbox
from archive.decoder.specs import ENCODER, Spec
from archive.incoming import TooLarge
from archive.models import SavedSearch, Space
from archive.sniff import HEAD, UnsupportedMedia, sniff_picture
from archive.vectors import Vector
from search.asking import asked_of_the_worker
from search.boxes import Box
from search.failures import EncoderUnavailable
from workers import client

if TYPE_CHECKING:
    from django.core.files.base import File

    from archive.models.collections import Person

KEEP_SECONDS = 3600
STAMP = Spec("stamp", "image/webp", quality=75, longest=128)
KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")
LENGTH = 4  # bytes in front of the rendition that say how long it is


@dataclass(frozen=True)
class Picture:
    rendition: bytes  # JPEG, as the model reads it
    thumbnail: bytes  # WebP


def keep_picture(file: File[bytes], user: Person) -> str:
    """Decode an uploaded picture for `user`; returns the key under which it is kept for an hour.

    Raises `archive.decoder.refusals.DecoderError`, `archive.incoming.TooLarge` and `EncoderUnavailable`, with words
    for people.
    """
    _refuse(file)
    # The open file, not its bytes: the decoder reads it, and this process stays as small as it is.
    decoded = _sandbox().decode(cast(BinaryIO, file.file), specs=(ENCODER, STAMP))
    rendition, stamp = decoded.renditions["encoder"].data, decoded.renditions["stamp"].data
    key = secrets.token_urlsafe(16)
    try:
        cache.set(_name(key, user), len(rendition).to_bytes(LENGTH, "big") + rendition + stamp, KEEP_SECONDS)
    except (RedisError, OSError) as error:
        raise EncoderUnavailable(str(error)) from error
    return key


def _refuse(file: File[bytes]) -> None:
    """What is no picture, or larger than pictures may be, before more than its beginning is read."""
    file.seek(0)
    head = file.read(HEAD)
    file.seek(0)
    try:
        sniff_picture(head)
    except UnsupportedMedia as problem:
        raise Undecodable(str(problem), "empty" if problem.empty else "unsupported") from None
    if file.size > settings.SIGHTLINE_UPLOAD_LIMIT:
        raise TooLarge(settings.SIGHTLINE_UPLOAD_LIMIT)


def find_picture(key: str, user: Person) -> Picture | None:
    """The picture that `user` uploaded under `key`, unless the hour is over, or that a saved search of theirs keeps."""
    try:
        kept: bytes | None = cache.get(_name(key, user))
    except (RedisError, OSError):
        kept = None
    if kept is None:
        return _saved_picture(key, user)
    end = LENGTH + int.from_bytes(kept[:LENGTH], "big")
    return Picture(kept[LENGTH:end], kept[end:])


def _saved_picture(key: str, user: Person) -> Picture | None:
    if not KEY.fullmatch(key):
        return None
    kept = SavedSearch.objects.visible_to(user).filter(picture_key=key, picture__isnull=False)
    found = kept.values_list("picture", "stamp").first()
    rendition, stamp = found or (None, None)
    return Picture(bytes(rendition), bytes(stamp)) if rendition and stamp else None


def encode_part(space: Space, picture: bytes, box: Box | None = None) -> Vector:
    """The unit vector (768,) of a JPEG, or of the part of it (or of a WebP) that a box was drawn around.

    Remembered for an hour: who turns pages, or adds a word, has the same picture encoded once.
    """
    name = f"part:{space.fingerprint[:16]}:{hashlib.sha256(picture).hexdigest()}:{box or ''}"
    try:
        kept: bytes | None = cache.get(name)
    except (RedisError, OSError):
        kept = None
    if kept is not None:
        return np.frombuffer(kept, dtype="<f4")
    with asked_of_the_worker():
        vector = client.encode_picture(space, _cut(picture, box) if box else picture)
    try:
        cache.set(name, vector.astype("<f4").tobytes(), KEEP_SECONDS)
    except (RedisError, OSError):
        return vector
    return vector


def _cut(data: bytes, box: Box) -> bytes:
    """A JPEG of that part. `data` is a rendition of ours: nobody's original is decoded here."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(data), formats=["JPEG", "WEBP"]) as picture:
        box.cut(picture.convert("RGB")).save(out, "JPEG", quality=95)
    return out.getvalue()


def _name(key: str, user: Person) -> str:
    return f"picture:{user.pk}:{key[:40]}"


_local = threading.local()


def _sandbox() -> Sandbox:
    """One decoder process a thread, kept warm."""
    if not hasattr(_local, "sandbox"):
        _local.sandbox = Sandbox(max_pixels=settings.SIGHTLINE_PIXEL_LIMIT)
    sandbox: Sandbox = _local.sandbox
    return sandbox
