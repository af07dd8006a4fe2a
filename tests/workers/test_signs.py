"""How long a search waits for the queries worker: as long as it loads or works, and not where it hangs."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pytest
from redis import Redis

from archive import dispatch, signs
from archive.models import Space
from workers import client, queries
from workers.encoders import load

pytestmark = pytest.mark.django_db
VECTOR = np.zeros(768, dtype="<f4").tobytes()
Question = dict[str, Any]


@pytest.fixture
def redis(settings: Any) -> Redis:
    settings.SIGHTLINE_QUERY_TIMEOUT = 12.0
    settings.SIGHTLINE_QUERY_PATIENCE = 0.4
    return Redis.from_url(settings.REDIS_URL)


def answer(redis: Redis, question: Question) -> None:
    redis.rpush(question["reply"], orjson.dumps({"vectors": [base64.b64encode(VECTOR).decode()], "cut": {}}))


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Question], None]], None]:
    """Puts something in place of the queries worker, which goes on beside whoever asks."""

    def put(worker: Callable[[Question], None]) -> None:
        def send(name: str, question: Question, *, expires: float) -> None:
            threading.Thread(target=worker, args=[question], daemon=True).start()

        monkeypatch.setattr(dispatch, "_send", send)

    return put


def test_a_worker_that_hangs_is_given_up_soon(
    fake_space: Space, redis: Redis, work: Callable[[Callable[[Question], None]], None]
) -> None:
    work(lambda question: None)
    signs.mark_ready(redis, fake_space.fingerprint)
    start = time.monotonic()
    with pytest.raises(client.EncoderUnavailable, match="no answer within"):
        client.encode_text(fake_space, "a boat")
    # The first wait may fall into the moments after its last answer.
    assert 0.3 < time.monotonic() - start < 6


def test_a_model_that_is_being_loaded_is_waited_for(
    fake_space: Space, redis: Redis, work: Callable[[Callable[[Question], None]], None]
) -> None:
    def load_first(question: Question) -> None:
        signs.mark_loading(redis, fake_space.fingerprint)
        time.sleep(1.5)
        answer(redis, question)

    work(load_first)
    signs.mark_ready(redis, fake_space.fingerprint)  # another worker has it, or an earlier one had
    assert client.encode_text(fake_space, "a boat").vector.tobytes() == VECTOR


def test_of_a_worker_that_nothing_is_known_of_all_is_hoped(
    fake_space: Space, redis: Redis, work: Callable[[Callable[[Question], None]], None]
) -> None:
    def start_first(question: Question) -> None:
        time.sleep(1.5)
        answer(redis, question)

    work(start_first)
    signs.mark_ready(redis, fake_space.fingerprint)
    queries.forget_signs()
    assert client.encode_text(fake_space, "a boat").vector.tobytes() == VECTOR


def test_a_worker_that_answers_others_is_waited_for(
    fake_space: Space, redis: Redis, work: Callable[[Callable[[Question], None]], None], settings: Any
) -> None:
    settings.SIGHTLINE_QUERY_PATIENCE = 1.5

    def answer_others_first(question: Question) -> None:
        for _ in range(20):
            signs.mark_ready(redis, fake_space.fingerprint)
            time.sleep(0.1)
        answer(redis, question)

    work(answer_others_first)
    assert client.encode_text(fake_space, "a boat").vector.tobytes() == VECTOR


def test_many_texts_are_given_more_time(settings: Any) -> None:
    settings.SIGHTLINE_QUERY_TIMEOUT, settings.SIGHTLINE_QUERY_PATIENCE = 10.0, 3.0
    assert signs.patience() == 3.0
    assert 5 < signs.patience(client.TEXTS) <= 10
    settings.SIGHTLINE_QUERY_TIMEOUT = 2.0
    assert signs.patience() == 2.0


def test_the_worker_says_when_it_loads_and_when_it_has_read(
    fake_space: Space, redis: Redis, queries_in_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    opened = load._opened

    def watched(space: Space) -> Any:
        seen.append(bool(redis.hexists(signs.READY, space.fingerprint)))
        return opened(space)

    monkeypatch.setattr(load, "_opened", watched)
    load.unload_idle(0)
    signs.mark_ready(redis, fake_space.fingerprint)
    client.encode_text(fake_space, "a boat")
    assert seen == [False]
    assert redis.hexists(signs.READY, fake_space.fingerprint)
    queries.forget_signs()
    queries.warm_up()
    assert redis.hexists(signs.READY, fake_space.fingerprint)
    assert redis.exists(signs.LIVELY)
