"""The only place that enqueues: task names, their queues, and the ringing of doorbells.

A message carries no work. What is to be done stands in the tables `Work` and `Batch`, so losing every
message costs at most one tick of beat.
"""

import logging
from functools import cache, partial
from typing import Any

from celery import signature
from django.db import transaction
from kombu import Connection
from kombu.exceptions import LimitExceeded, OperationalError
from kombu.pools import producers

from archive.broker import app
from archive.models import Step

log = logging.getLogger(__name__)

DRAIN = {
    Step.PREPARE: "workers.drain_prepare",
    Step.ENCODE: "workers.drain_encode",
    Step.PLAY: "workers.drain_play",
}
BATCHES = "workers.drain_batches"
TICK = "workers.tick"
SWEEP = "workers.sweep"
ANSWER_QUERY = "workers.answer_query"
WARM_UP = "workers.warm_up"
LOOK_AFTER_SPACES = "workers.look_after_spaces"
INDEX_SPACE = "workers.index_space"
EVALUATE_SPACE = "workers.evaluate_space"
FILL_FINGERPRINTS = "workers.fill_fingerprints"
COMPARE = "workers.compare"

QUEUES = {
    DRAIN[Step.PREPARE]: "media",
    DRAIN[Step.ENCODE]: "encode",
    DRAIN[Step.PLAY]: "media",
    BATCHES: "media",
    TICK: "media",
    SWEEP: "media",
    ANSWER_QUERY: "queries",
    WARM_UP: "queries",
    LOOK_AFTER_SPACES: "media",
    INDEX_SPACE: "media",
    EVALUATE_SPACE: "encode",
    FILL_FINGERPRINTS: "media",
    COMPARE: "media",
}


# Whoever rings must not wait: left alone, kombu tries for six seconds to reach a broker that is
# away, and for ever at one that accepts and says nothing.
IMPATIENT = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 1,
    "max_retries": 1,
    "interval_start": 0,
    "interval_max": 0,
    "connect_retries_timeout": 0.5,
}


class BrokerUnavailable(Exception):
    """Redis did not take the message."""


def ring(step: Step) -> None:
    """Tell the workers of `step` that there is work. A broker that is down is no error: beat rings again."""
    _ring(DRAIN[step])


def ring_on_commit(step: Step) -> None:
    transaction.on_commit(partial(ring, step), robust=True)


def ring_batches() -> None:
    """Tell the workers that a batch waits."""
    _ring(BATCHES)


def ask(*args: Any, expires: float) -> None:
    """Send a question to the queries worker; the answer comes by another way (workers.client)."""
    _send(ANSWER_QUERY, *args, expires=expires)


def warm_up() -> None:
    """Have the queries worker load its model; without a broker it will load at the first question."""
    try:
        _send(WARM_UP, expires=60)
    except BrokerUnavailable as error:
        log.warning("not warmed up: %s", error)


def look_after_spaces() -> None:
    """Have what waits to be done for spaces done now; without a broker beat rings for it."""
    _ring(LOOK_AFTER_SPACES)


def index_space(slug: str) -> None:
    """Have the index of a space built by a worker. Raises `BrokerUnavailable`."""
    _send(INDEX_SPACE, slug, expires=600)


def evaluate_space(slug: str) -> None:
    """Have a space measured by a worker that holds its model. Raises `BrokerUnavailable`."""
    _send(EVALUATE_SPACE, slug, expires=600)


def fill_fingerprints() -> None:
    """Have what older archives lack made in spare time; without a broker the next sweep rings again."""
    _ring(FILL_FINGERPRINTS)


def compare() -> None:
    """Have new assets compared with all others, for near-duplicates."""
    _ring(COMPARE)


def _ring(task: str) -> None:
    try:
        _send(task, expires=60)
    except BrokerUnavailable as error:
        log.warning("no doorbell (%s); beat will ring", error)


@cache
def _connection() -> Connection:
    return app.connection_for_write(transport_options=IMPATIENT)


def _send(name: str, *args: Any, expires: float) -> None:
    try:
        with producers[_connection()].acquire(block=True, timeout=2) as producer:
            signature(name, args=args, app=app).apply_async(
                queue=QUEUES[name], expires=expires, retry=False, producer=producer
            )
    except (OperationalError, LimitExceeded, OSError) as error:
        raise BrokerUnavailable(str(error)) from error
