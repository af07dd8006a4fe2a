"""Run the processes and start again what dies.

By circus, as a library: it spawns, streams, restarts and stops together. honcho restarts nothing, and
supervisor wants configuration files and a daemon of its own. What circus leaves to a plugin in another
process, slowing down what keeps dying, is done here in its hooks.
"""

import asyncio
import logging
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from circus.arbiter import Arbiter
from circus.exc import ConflictError
from circus.watcher import Watcher
from rich.console import Console
from tornado.ioloop import IOLoop

from archive.bundled import keeper
from archive.bundled.processes import Process
from archive.bundled.terminal import Lines, say

QUICK = 10.0  # a process that lives shorter than this counts as a quick death
LONGEST_PAUSE = 30.0
LOUD_AFTER = 5
STOP_WITHIN = 20.0
REFUSED_PAUSE = 120.0  # after EX_CONFIG: somebody has to put files in place first


@dataclass
class Deaths:
    """How often a process died in quick succession, and what follows from it."""

    clock: Callable[[], float] = time.monotonic
    started: float = 0.0
    quick: int = 0

    def start(self) -> None:
        self.started = self.clock()

    def pause(self, status: int | None = None) -> float:
        """Count a death. Seconds to wait before the next start: 0 after a long life, then 1, 2, 4 ... 30; more where
        the process said itself (EX_CONFIG) that it would end the same way again."""
        if status == os.EX_CONFIG:
            self.quick = 0
            return REFUSED_PAUSE
        self.quick = self.quick + 1 if self.clock() - self.started < QUICK else 0
        return 0.0 if not self.quick else min(2.0 ** (self.quick - 1), LONGEST_PAUSE)

    def words(self, status: int | None, pause: float) -> tuple[str, str, str]:
        """The line, its colour and its style: loud once it looks as if it will not get better by itself."""
        if status == os.EX_CONFIG:
            line = f"CANNOT WORK ON THIS MACHINE, its own lines above say why; next try in {pause:.0f} s"
            return line, "red", "bold red"
        if self.quick >= LOUD_AFTER:
            line = f"DIED {self.quick} TIMES IN A ROW, its own lines above say why; next try in {pause:.0f} s"
            return line, "red", "bold red"
        later = f" in {pause:.0f} s" if pause else ""
        return f"ended with status {status}, starts again{later}", "red", "red"


class Supervisor:
    """Blocks in `run` until Ctrl-C, SIGTERM or `stop`; make and run it in the main thread."""

    def __init__(self, processes: Iterable[Process], console: Console) -> None:
        self.console = console
        self.deaths: dict[str, Deaths] = {}
        self.ended: dict[str, int] = {}  # exit status of what was to run once
        logging.getLogger("circus").setLevel(logging.WARNING)
        # Addresses inside this process: nobody else can talk to the arbiter.
        self.arbiter = Arbiter(
            [self._watcher(process) for process in processes],
            "inproc://sightline-control",
            "inproc://sightline-events",
            check_delay=0.5,
            proc_name="sightline",
        )
        self.loop: IOLoop = self.arbiter.loop
        # circus's own handlers forget a signal that comes while it is busy, and reload at SIGHUP.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(number, lambda *_: self.stop())

    def run(self) -> None:
        self.arbiter.start()

    def stop(self) -> None:
        """Ask everything to end, then make it; `run` returns when that is done. Signal handlers may call it."""
        self.loop.add_callback_from_signal(self._insist, self.arbiter.stop)

    async def _insist(self, command: Callable[[], Any]) -> None:
        """circus does one thing at a time and refuses the next: ask until it is taken."""
        while not self.arbiter._stopping:
            try:
                await command()
                return
            except ConflictError:
                await asyncio.sleep(0.05)

    def _watcher(self, process: Process) -> Watcher:
        self.deaths[process.name] = Deaths()
        lines = {
            f"{stream}_stream": {"stream": Lines(self.console, process.name, process.colour)}
            for stream in ("stdout", "stderr")
        }
        return Watcher(
            process.name,
            shlex.quote(sys.executable),
            args=kept(process.command)[1:],
            working_dir=str(Path(__file__).parents[2]),
            copy_env=True,
            env={"PYTHONUNBUFFERED": "1", **process.environment},
            graceful_timeout=STOP_WITHIN,
            respawn=process.lasting,
            hooks={
                "after_spawn": (self._spawned, False),
                "after_reap": (self._reaped, True),
                "before_stop": (self._stopping, True),
            },
            **lines,
        )

    def _spawned(self, watcher: Watcher, **_: Any) -> bool:
        self.deaths[watcher.name].start()
        return True

    def _reaped(self, watcher: Watcher, exit_code: int | None = None, **_: Any) -> None:
        if self.arbiter._stopping or watcher.is_stopping() or watcher.is_stopped():
            return
        if not watcher.respawn:
            self.ended[watcher.name] = exit_code or 0
            if exit_code:
                say(self.console, watcher.name, f"ended with status {exit_code}", "red", "red")
            return
        deaths = self.deaths[watcher.name]
        pause = deaths.pause(exit_code)
        say(self.console, watcher.name, *deaths.words(exit_code, pause))
        if pause:
            # circus would start it at its next look, half a second on.
            watcher.respawn = False
            self.loop.call_later(pause, self._again, watcher)

    async def _again(self, watcher: Watcher) -> None:
        watcher.respawn = True
        await self._insist(watcher.start)

    def _stopping(self, **_: Any) -> None:
        """Stop looking after the processes once they are meant to end."""
        if self.arbiter._stopping:
            self.arbiter.ctrl.caller.stop()


def kept(command: Iterable[str]) -> list[str]:
    """`command` under a keeper of this process."""
    keep = [sys.executable, "-I", "-S", keeper.__file__, f"--parent={os.getpid()}", "--"]
    return [*keep, *command]
