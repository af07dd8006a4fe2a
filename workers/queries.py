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
from redis.exceptions import RedisError

from archive import signs
from archive.models import Space
from workers.encoders.load import encoder_of, is_held
from workers.encoders.protocol import Encoder, EncoderRefused, NotNow

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
        _at_hand(space).encode_texts(["a"])
    except (EncoderRefused, NotNow) as error:
        log.error("space %s: %s", space.slug, error)
    else:
        signs.mark_ready(_connection(), space.fingerprint)


def forget_signs() -> None:
    """This worker has just started, and what an earlier one had at hand may be gone."""
    try:
        signs.mark_started(_connection())
    except (RedisError, OSError) as error:
        log.warning("not told that the worker has started: %s", error)


def answer(question: dict[str, Any]) -> None:
    """Encode what was asked and lay the vectors where the asker waits for them, or why there are none: somebody who is
    told nothing waits the whole time."""
    reply: dict[str, Any]
    redis = _connection()
    try:
        space = find_space(question["space"], question["fingerprint"])
        texts, pictures = question.get("texts", []), question.get("pictures", [])
        encoder = _at_hand(space)
        if len(texts) + len(pictures) > 1:
            signs.mark_lively(redis, len(texts) + len(pictures))  # whoever waits behind it is not to give up
        reply = encode(encoder, texts, pictures)
    except (Space.DoesNotExist, EncoderRefused) as error:
        log.error("query: %s", error)
        reply = {"error": str(error)}
    except NotNow as error:
        log.error("query: %s", error)
        reply = {"error": str(error), "passing": True}
    except Exception as error:
        log.exception("query")
        reply = {"error": f"Something unexpected happened ({type(error).__name__}); the worker's log has more."}
    with redis.pipeline(transaction=False) as pipe:
        pipe.rpush(question["reply"], orjson.dumps(reply))
        pipe.expire(question["reply"], KEEP_SECONDS)
        if "error" in reply:
            signs.mark_lively(pipe)
        else:
            signs.mark_ready(pipe, question["fingerprint"])
        pipe.execute()


def _at_hand(space: Space) -> Encoder:
    """The encoder; while it is loaded, whoever waits for it is patient. Raises `EncoderRefused` and
    `NotNow`."""
    if not is_held(space):
        signs.mark_loading(_connection(), space.fingerprint)
    return encoder_of(space)


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
