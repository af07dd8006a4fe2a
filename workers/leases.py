"""Keeping claims while working: a heartbeat that beats only as long as there is progress."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from types import TracebackType

from django.conf import settings
from django.db import DatabaseError, connection

from workers.claims import Claim, renew

log = logging.getLogger(__name__)

# A worker that hangs (a decoder in a loop, a driver that never returns) makes no progress and
# so loses its lease: somebody else takes over.
STUCK_AFTER_LEASES = 5


class Heartbeat:
    """Renews the leases of whatever is held, from a thread of its own.

    `hold()` and `drop()` tell it what is held; `progress()` says that the worker is alive.
    """

    def __init__(self) -> None:
        self._held: dict[int, Claim] = {}
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._moved = time.monotonic()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def hold(self, claims: Sequence[Claim]) -> None:
        with self._lock:
            self._held.update((c.work_id, c) for c in claims)
        self.progress()

    def drop(self, claims: Sequence[Claim]) -> None:
        with self._lock:
            for claim in claims:
                self._held.pop(claim.work_id, None)
        self.progress()

    def progress(self) -> None:
        self._moved = time.monotonic()

    @property
    def held(self) -> list[Claim]:
        with self._lock:
            return list(self._held.values())

    def _beat(self) -> None:
        lease = settings.SIGHTLINE_LEASE_SECONDS
        try:
            while not self._done.wait(lease / 3):
                if time.monotonic() - self._moved > lease * STUCK_AFTER_LEASES:
                    log.error("no progress for %d leases: letting go", STUCK_AFTER_LEASES)
                    return
                held = self.held
                if held:
                    self._renew(held)
        finally:
            connection.close()

    def _renew(self, held: list[Claim]) -> None:
        try:
            ours = renew(held)
        except DatabaseError as error:
            log.warning("could not renew %d leases: %s", len(held), error)
            connection.close()
            return
        lost = [c for c in held if c.token not in ours]
        with self._lock:
            for claim in lost:
                if self._held.get(claim.work_id) == claim:
                    del self._held[claim.work_id]
