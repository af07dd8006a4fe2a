"""Answering queries: texts and reference pictures become vectors, away from bulk work."""

from __future__ import annotations

import base64
import io
import logging
from bisect import bisect_left
from typing import Any

import orjson
from django.conf import settings
from PIL import Image
from redis import Redis

from archive.models import Space
from workers.encoders.load import encoder_of
from workers.encoders.protocol import Encoder, EncoderRefused

log = logging.getLogger(__name__)
KEEP_SECONDS = 60

_redis: Redis | None = None
_spaces: dict[tuple[str, str], Space] = {}


def warm_up() -> None:
    """Load the model of the searched space, so that the first person who asks need not wait for it."""
    space = Space.objects.active()
    if space is None:
        return
    try:
        encoder_of(space).encode_texts(["a"])
    except EncoderRefused as error:
        log.error("space %s: %s", space.slug, error)


def answer(question: dict[str, Any]) -> None:
    """Encode what was asked and lay the vectors where the asker waits for them."""
    reply: dict[str, Any]
    try:
        space = find_space(question["space"], question["fingerprint"])
        reply = encode(encoder_of(space), question.get("texts", []), question.get("pictures", []))
    except (Space.DoesNotExist, EncoderRefused) as error:
        log.error("query: %s", error)
        reply = {"error": str(error)}
    redis = _connection()
    with redis.pipeline(transaction=False) as pipe:
        pipe.rpush(question["reply"], orjson.dumps(reply))
        pipe.expire(question["reply"], KEEP_SECONDS)
        pipe.execute()


def find_space(slug: str, fingerprint: str) -> Space:
    """The space that the asker means. Known ones come from memory: after each task Celery closes the
    connection to Postgres, and a new one takes longer than encoding a text.

    Raises `EncoderRefused` when the space of that name is another one by now: words of one model would be
    compared with pictures of another.
    """
    space = _spaces.get((slug, fingerprint))
    if space is None:
        space = Space.objects.get(slug=slug)
        if space.fingerprint != fingerprint:
            raise EncoderRefused(f"The space {slug} is another one by now. Ask again.")
        _spaces[slug, space.fingerprint] = space
    return space


def encode(encoder: Encoder, texts: list[str], pictures: list[str]) -> dict[str, Any]:
    """Vectors as base64 of float32: a third of the time that JSON numbers take."""
    vectors: list[str] = []
    if texts:
        vectors += [_packed(row) for row in encoder.encode_texts(texts)]
    if pictures:
        prepared = [encoder.prepare(_picture(data)) for data in pictures]
        vectors += [_packed(row) for row in encoder.encode_pictures(prepared)]
    cut = {text: words_read(encoder, text) for text in texts if not _fits(encoder, text)}
    return {"vectors": vectors, "cut": cut}


def words_read(encoder: Encoder, text: str) -> int:
    """How many words of a text that is too long the model reads as a whole. More words are never fewer tokens."""
    words = text.split()
    return bisect_left(range(1, len(words)), True, key=lambda n: not _fits(encoder, " ".join(words[:n])))


def _fits(encoder: Encoder, text: str) -> bool:
    return encoder.count_tokens(text) <= encoder.identity.context_length


def _picture(data: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(data)), formats=["JPEG"]).convert("RGB")


def _packed(row: Any) -> str:
    return base64.b64encode(row.astype("<f4").tobytes()).decode()


def _connection() -> Redis:
    global _redis  # noqa: PLW0603  (one connection pool a process)
    if _redis is None:
        _redis = Redis.from_url(settings.REDIS_URL, socket_timeout=5)
    return _redis
