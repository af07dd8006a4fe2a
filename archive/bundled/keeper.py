"""Run a command and see to it that nothing of it outlives this process's parent.

Run by path, as `python -I -S keeper.py --parent PID -- COMMAND`. A tether alone holds one process; web and
worker processes fork others, which a kill -9 above would leave behind. The keeper adopts whatever its command
leaves orphaned. When its parent dies it kills all of them at once; when the command ends, the rest with it.
Signals are passed on, the exit status is the command's.
"""

import argparse
import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PARENT_DIED = signal.SIGUSR2
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1)
TETHER = str(Path(__file__).with_name("tether.py"))


def keep(parent: int, command: list[str]) -> int:
    """The exit status of `command`, as a shell counts it: 128 + n for signal n."""
    awaited = {PARENT_DIED, signal.SIGCHLD, *PASSED_ON}
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        libc.prctl(PR_SET_PDEATHSIG, int(PARENT_DIED), 0, 0, 0)
    if os.getppid() != parent:
        return 0
    # Should the keeper itself be killed, its command goes too.
    tether = [sys.executable, "-I", "-S", TETHER, f"--parent={os.getpid()}", "--signal=KILL", "--"]
    child = os.posix_spawn(sys.executable, [*tether, *command], os.environ, setsigmask=[])
    while True:
        heard = signal.sigwait(awaited)
        if heard == PARENT_DIED:
            break
        if heard == signal.SIGCHLD:
            status = _reap(child)
            if status is not None:
                _kill_descendants()
                return status
        else:
            os.kill(child, heard)
    _kill_descendants()
    return 128 + signal.SIGKILL


def _reap(child: int) -> int | None:
    """Wait for all that have ended; the status of `child`, once it is among them."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            found = code if code >= 0 else 128 - code


def _kill_descendants() -> None:
    """Again until none is left: a process may have forked while we looked."""
    while alive := _descendants():
        for pid in alive:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        _reap(0)


def _descendants() -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path(f"/proc/{entry}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry))
    found: list[int] = []
    generation = children.get(os.getpid(), [])
    while generation:
        found += generation
        generation = [pid for parent in generation for pid in children.get(parent, [])]
    return found


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="keeper")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("command", nargs="+")
    asked = parser.parse_args(arguments)
    return keep(asked.parent, asked.command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
