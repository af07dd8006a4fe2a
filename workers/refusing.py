"""An encode worker that can serve no space of this archive says what differs and ends, having claimed nothing.

It is the worker that ends, not the child of its pool, which would be started anew at once. The status is EX_CONFIG
(78): whoever looks after processes can tell that starting it again changes nothing.
"""

from __future__ import annotations

import logging
import os
import signal
from typing import Any

from celery.worker import state

from archive.models import Space
from workers.encoders.load import encoder_of, refusal_of
from workers.encoders.protocol import EncoderRefused, NotNow

log = logging.getLogger(__name__)
REFUSED = os.EX_CONFIG
_worker = 0  # the process that children of the pool were forked from


def find_refusals() -> list[str]:
    """Why this machine serves none of the live spaces; empty where it serves one, or where none was refused.

    A worker that lacks one model of two goes on with the other: while a new one is brought to the machines,
    uploads must go on being encoded for the searched one.
    """
    live = list(Space.objects.live().select_related("parent"))
    if not any(refusal_of(space) for space in live):
        return []
    said = []
    for space in live:
        try:
            encoder_of(space)
        except EncoderRefused as error:
            said.append(f"space {space.slug}: {error}")
        except NotNow:  # it may serve this one in a moment
            return []
        else:
            return []
    return said


def listen() -> None:
    """In the worker, before it forks: end when a child says that it is of no use."""
    global _worker  # noqa: PLW0603  (one worker a process)
    _worker = os.getpid()
    signal.signal(signal.SIGUSR2, _end)


def end_worker(refusals: list[str]) -> None:
    """Say why, and have the worker end when what it is at is done."""
    log.critical(
        "This worker claims nothing and ends (status %d): its encoders are not those of the archive's spaces. %s",
        REFUSED,
        " ".join(refusals),
    )
    if _worker:
        os.kill(_worker, signal.SIGUSR2)


def _end(*_: Any) -> None:
    state.should_stop = REFUSED  # type: ignore[assignment]  # Celery gives it no type
