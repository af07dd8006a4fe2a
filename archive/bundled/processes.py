"""The processes of one machine, as a table: what `up` runs, and what a unit file of one's own would name."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from archive.bundled.errors import NotACount
from archive.bundled.gpus import count_gpus

# Encoding multiplies matrices; beside it, two threads of one process that wait for each other by spinning
# lose more than they win (8.1 pictures a second became 0.6). So: more processes, one thread each.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# Celery waits for running tasks for ever at SIGTERM. Remapped, it waits as long as its soft shutdown says.
# Its page about root is said once by `up`, in one line.
CELERY = {"REMAP_SIGTERM": "SIGQUIT", "PYTHONWARNINGS": "ignore:You're running the worker with superuser"}

# Addresses to listen on that mean all of them, and where to find such a server from here.
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104  only if asked for


@dataclass(frozen=True)
class Process:
    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    colour: str = "white"
    lasting: bool = True  # False: runs once and may end


def processes(*, host: str, port: int, data: Path) -> tuple[Process, ...]:
    media = _count("SIGHTLINE_MEDIA_PROCESSES", 2)
    encode = _count("SIGHTLINE_ENCODE_PROCESSES", count_gpus() or min(os.cpu_count() or 1, 4))
    return (
        Process("web", _web(host, port), _allowed_hosts(host), "cyan"),
        Process("media", _worker("media", media), CELERY | ONE_THREAD, "green"),
        Process("encode", _worker("encode", encode), CELERY | ONE_THREAD, "magenta"),
        Process("queries", _worker("queries", 1), CELERY, "blue"),
        Process("beat", _beat(data), colour="yellow"),
    )


def manage(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, str(Path(__file__).parents[2] / "manage.py"), *arguments)


def _web(host: str, port: int) -> tuple[str, ...]:
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    # Not preloaded: no connection and no thread crosses a fork.
    options = "--worker-class gthread --workers 2 --threads 8 --timeout 60 --graceful-timeout 10"
    quiet = "--no-control-socket --log-level warning"
    gunicorn = (sys.executable, "-m", "gunicorn", "archive.wsgi", "--bind", address)
    return (*gunicorn, *options.split(), *quiet.split())


def _allowed_hosts(host: str) -> dict[str, str]:
    """An address that was asked for is one that may be asked; names beyond it are ALLOWED_HOSTS' business."""
    if os.environ.get("ALLOWED_HOSTS") or host in {"127.0.0.1", "localhost", "::1", *EVERYWHERE}:
        return {}
    return {"ALLOWED_HOSTS": f"localhost,127.0.0.1,[::1],{f'[{host}]' if ':' in host else host}"}


def _worker(queue: str, children: int) -> tuple[str, ...]:
    options = f"-Q {queue} -n {queue}@%h -P prefork -c {children} --loglevel INFO"
    # Workers know each other through the database.
    quiet = "--without-gossip --without-mingle --without-heartbeat"
    celery = (sys.executable, "-m", "celery", "--quiet", "-A", "workers", "worker")
    return (*celery, *options.split(), *quiet.split())


def _beat(data: Path) -> tuple[str, ...]:
    celery = (sys.executable, "-m", "celery", "--quiet", "-A", "workers", "beat")
    return (*celery, "--schedule", str(data / "beat-schedule"), "--pidfile=", "--loglevel", "WARNING")


def _count(variable: str, default: int) -> int:
    said = os.environ.get(variable) or str(default)
    if not said.strip().isdecimal():
        raise NotACount(variable, said)
    return max(1, int(said))
