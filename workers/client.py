"""What the web process asks of the workers: vectors of words and of reference pictures.

The question goes as a Celery message to the `queries` worker, the answer comes through a Redis
list of its own, so any number of web threads can wait. The vectors of texts are kept by
(space, text): a text is encoded once. What is not kept is counted for whoever asks (archive.allowance).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from django.conf import settings
from django.core.cache import cache
from redis import Redis
from redis.exceptions import RedisError

from archive import dispatch, signs
from archive.allowance import count_question
from archive.models import Space

Vector = npt.NDArray[np.float32]
TEXT_DAYS = 30
TEXTS = 64  # a large model reads so many within two seconds

_redis: Redis | None = None


class EncoderUnavailable(Exception):
    """No worker answered; what needs no new vector still works."""


class EncoderBusy(EncoderUnavailable):
    """A worker answered that it cannot at this moment: its device is full, or its disk away."""


@dataclass(frozen=True)
class Encoded:
    """`cut`: the text was longer than the model reads: so many words of it were `read`, where that is known."""

    vector: Vector
    cut: bool = False
    read: int = 0


def encode_text(space: Space, text: str) -> Encoded:
    """The unit vector (768,) of a text, from the cache or the queries worker. Raises `EncoderUnavailable`, and
    `AskedTooOften` of `archive.allowance`, as those below do."""
    found = recall_text(space, text)
    if found is not None:
        return found
    count_question()
    reply = _ask(space, texts=[text])
    encoded = _encoded(reply, reply["vectors"][0], text)
    remember_text(space, text, encoded)
    return encoded


def recall_text(space: Space, text: str) -> Encoded | None:
    """Only if it is remembered: no worker is asked."""
    found = _remembered(_key(space, text))
    if found is None:
        return None
    return Encoded(np.frombuffer(found[1:], dtype="<f4"), cut=found[0] > 0, read=max(0, found[0] - 1))


def encode_texts(space: Space, texts: Sequence[str]) -> dict[str, Vector]:
    """The unit vectors (768,) of many texts, those that are not remembered by `TEXTS` a question."""
    kept = {text: found for text in dict.fromkeys(texts) if (found := recall_text(space, text)) is not None}
    read = {text: found.vector for text, found in kept.items()}
    rest = [text for text in dict.fromkeys(texts) if text not in read]
    for some in (rest[i : i + TEXTS] for i in range(0, len(rest), TEXTS)):
        count_question()
        reply = _ask(space, texts=some)
        for text, packed in zip(some, reply["vectors"], strict=True):
            encoded = _encoded(reply, packed, text)
            read[text] = encoded.vector
            remember_text(space, text, encoded)
    return read


def make_sure_it_reads(space: Space) -> None:
    """Whether the queries worker reads words in a space that is to be searched; it loads the model for that, and keeps
    it. Raises `EncoderUnavailable` with the reason."""
    _ask(space, texts=["a photo"])


def remember_text(space: Space, text: str, encoded: Encoded) -> None:
    """Answer this text without a worker from now on."""
    first = min(1 + encoded.read, 255) if encoded.cut else 0
    _remember(_key(space, text), bytes([first]) + encoded.vector.astype("<f4").tobytes())


def forget_texts(space: Space) -> None:
    """Drop the remembered vectors of all texts in a space: it is gone, and 3 kB each are not nothing."""
    try:
        for name in _connection().scan_iter(match=cache.make_key(f"{_prefix(space)}*"), count=1000):
            _connection().unlink(name)
    except (RedisError, OSError):
        return


def encode_picture(space: Space, jpeg: bytes) -> Vector:
    """The unit vector (768,) of a picture, given as the `encoder` rendition that the sandbox made."""
    count_question()
    return _vector(_ask(space, pictures=[base64.b64encode(jpeg).decode()])["vectors"][0])


def _ask(space: Space, *, texts: Sequence[str] = (), pictures: Sequence[str] = ()) -> dict[str, Any]:
    timeout = settings.SIGHTLINE_QUERY_TIMEOUT
    reply_to = f"sightline:reply:{secrets.token_hex(16)}"
    question = {
        "space": space.slug,
        "fingerprint": space.fingerprint,
        "texts": list(texts),
        "pictures": list(pictures),
        "reply": reply_to,
    }
    start = time.monotonic()
    try:
        dispatch.ask(question, expires=timeout)
        found = _wait(reply_to, space, timeout, signs.patience(len(texts) + len(pictures)))
    except (dispatch.BrokerUnavailable, RedisError, OSError) as error:
        raise EncoderUnavailable(f"Redis does not answer: {error}") from error
    if found is None:
        raise EncoderUnavailable(f"The queries worker gave no answer within {time.monotonic() - start:.1f} seconds.")
    reply: dict[str, Any] = orjson.loads(found)
    if "error" in reply:
        raise (EncoderBusy if reply.get("passing") else EncoderUnavailable)(reply["error"])
    return reply


def _wait(reply_to: str, space: Space, timeout: float, patience: float) -> bytes | str | None:
    """The reply. None after `timeout` seconds, which a model may take to load, or where nobody is at work any more."""
    until = time.monotonic() + timeout
    while (left := until - time.monotonic()) > 0:
        found = _connection().blpop([reply_to], timeout=max(0.01, min(patience, left)))
        if found is not None:
            return found[1]
        if signs.hangs(_connection(), space.fingerprint):
            break
    return None


def _encoded(reply: dict[str, Any], packed: str, text: str) -> Encoded:
    return Encoded(_vector(packed), cut=text in reply["cut"], read=reply["cut"].get(text, 0))


def _vector(packed: str) -> Vector:
    return np.frombuffer(base64.b64decode(packed), dtype="<f4")


def _key(space: Space, text: str) -> str:
    return f"{_prefix(space)}{hashlib.sha256(text.encode()).hexdigest()}"


def _prefix(space: Space) -> str:
    return f"text:{space.fingerprint[:16]}:"


def _remembered(key: str) -> bytes | None:
    try:
        found: bytes | None = cache.get(key)
    except (RedisError, OSError):
        return None
    return found


def _remember(key: str, value: bytes) -> None:
    try:
        cache.set(key, value, TEXT_DAYS * 86400)
    except (RedisError, OSError):
        return


def _connection() -> Redis:
    global _redis  # noqa: PLW0603  (one connection pool a process)
    if _redis is None:
        _redis = Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=1,
            socket_timeout=settings.SIGHTLINE_QUERY_TIMEOUT + 2,
            health_check_interval=30,
        )
    return _redis
