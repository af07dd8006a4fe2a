"""A process takes its own rights away, for good. Linux does all of it, other systems what they can.

Every step holds by itself; `confine` says which did, so that `doctor` and tests can tell.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import struct
from collections.abc import Callable

DEFAULT_MEMORY = 1536 * 1024 * 1024
OPEN_FILES = 8

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
NOBODY = 65534

# Landlock's system calls have these numbers on every architecture.
LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF = 444, 446
LANDLOCK_VERSION = 1

ORPHANED = signal.SIGHUP
"""Sent by the kernel when the thread that started the child ends."""


def confine(memory: int = DEFAULT_MEMORY) -> tuple[str, ...]:
    """Limit this process to `memory` bytes more than it has, no files, no network, no other program.

    Whatever is to be imported must be imported before: afterwards nothing can be opened.
    Returns the names of the steps that this system allowed.
    """
    _silence()
    libc = ctypes.CDLL(None, use_errno=True)
    steps: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("limits", lambda: _limits(memory)),
        ("no network", lambda: _no_network(libc)),
        ("nobody", _nobody),
        ("no new rights", lambda: libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0),
        ("no files", lambda: _no_files(libc)),
        # After the change of user, which would clear it.
        ("dies with its parent", lambda: libc.prctl(PR_SET_PDEATHSIG, int(ORPHANED), 0, 0, 0) == 0),
    )
    return tuple(name for name, step in steps if _held(step))


def grant_cpu(seconds: int) -> None:
    """Let this process compute for `seconds` from now on; after that the kernel ends it (SIGXCPU)."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _held(step: Callable[[], bool]) -> bool:
    try:
        return step()
    except (OSError, ValueError, AttributeError):  # not on this system, or not allowed here
        return False


def _silence() -> None:
    """libtiff writes its complaints straight to file descriptor 2."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.close(null)


def _limits(memory: int) -> bool:
    # No limit on processes: libde265, which reads HEIC, aborts where it cannot start a thread.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    limit = _address_space() + memory
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    return True


def _address_space() -> int:
    with contextlib.suppress(OSError), open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()
    return 512 * 1024 * 1024


def _no_network(libc: ctypes.CDLL) -> bool:
    """A network namespace with nothing in it. An ordinary user needs a user namespace around it."""
    return any(libc.unshare(flags) == 0 for flags in (CLONE_NEWNET, CLONE_NEWUSER | CLONE_NEWNET))


def _nobody() -> bool:
    if os.geteuid() != 0:
        return True
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    return True


def _no_files(libc: ctypes.CDLL) -> bool:
    """Landlock without a single exception: no path can be read, written, listed, made or run."""
    version = libc.syscall(LANDLOCK_CREATE_RULESET, None, 0, LANDLOCK_VERSION)
    if version < 1:
        return False
    rights = (1 << 13) - 1 | (1 << 13 if version >= 2 else 0) | (1 << 14 if version >= 3 else 0)
    rules = struct.pack("=Q", rights)
    if version >= 4:
        rules += struct.pack("=Q", 0b11)  # bind and connect of TCP
    if version >= 6:
        rules += struct.pack("=Q", 0b11)  # abstract sockets and signals to others
    ruleset = libc.syscall(LANDLOCK_CREATE_RULESET, rules, len(rules), 0)
    if ruleset < 0:
        return False
    held: bool = libc.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return held
