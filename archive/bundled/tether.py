"""Become a command that dies with its parent, even when the parent is killed with -9.

Run by path, as `python -I -S tether.py --parent PID --signal INT [--uid U --gid G [--namespace]] -- COMMAND`:
it imports next to nothing, because it stands between the launcher and every server start.

With --uid it takes that user on; with --namespace it instead shows itself as that user inside a user
namespace, while its files stay those of the user outside. That is how a database that refuses root runs
below a folder that only root may enter.

The order matters: the kernel forgets the death signal at every change of user, so it is set last. It also
binds to the *thread* that started us: start from a thread that lives as long as the parent.
"""

import argparse
import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000


def die_with_parent(parent: int, death: signal.Signals) -> None:
    """Have the kernel send `death` to this process when `parent` ends; leave at once if it already has."""
    if sys.platform == "linux":
        _libc().prctl(PR_SET_PDEATHSIG, int(death), 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit("the parent process is gone")


def take_on(uid: int, gid: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def show_as(uid: int, gid: int) -> None:
    """Enter a user namespace in which the present user is called `uid`."""
    outside_uid, outside_gid = os.geteuid(), os.getegid()
    libc = _libc()
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    for name, content in (
        ("setgroups", "deny"),  # the kernel asks for it before it lets a process map its group
        ("uid_map", f"{uid} {outside_uid} 1"),
        ("gid_map", f"{gid} {outside_gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(content)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="tether")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--signal", default="TERM")
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("--namespace", action="store_true")
    parser.add_argument("command", nargs="+")
    asked = parser.parse_args(arguments)
    if asked.uid is not None:
        (show_as if asked.namespace else take_on)(asked.uid, asked.gid)
    die_with_parent(asked.parent, signal.Signals[f"SIG{asked.signal}"])
    os.execv(asked.command[0], asked.command)  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
