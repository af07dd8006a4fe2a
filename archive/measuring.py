"""Measuring on a machine that does other things too: a value beside its limit, in turns, many times."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.db import connection


@dataclass(frozen=True)
class Row:
    """A measured value and its limit; `ratio` is 1.0 at the limit and smaller the further away from it."""

    name: str
    value: float
    unit: str
    limit: float
    ratio: float
    runs: int


@dataclass(frozen=True)
class Report:
    benchmark: str
    rows: list[Row]
    device: str = "cpu"

    def as_dict(self) -> dict[str, Any]:
        return {
            "benchmark": self.benchmark,
            "machine": {**machine(), "device": self.device},
            "rows": [asdict(row) for row in self.rows],
        }


Pairs = Sequence[tuple[float, float]]


def rate_row(name: str, unit: str, pairs: Pairs) -> Row:
    """(value, limit) of each turn, where more is better."""
    return _row(name, unit, pairs, [value / limit for value, limit in pairs])


def time_row(name: str, unit: str, pairs: Pairs) -> Row:
    """(value, limit) of each turn, where less is better."""
    return _row(name, unit, pairs, [limit / value for value, limit in pairs])


def _row(name: str, unit: str, pairs: Pairs, ratios: list[float]) -> Row:
    """The ratio is the median of each turn's own: other work slows both sides of a turn alike."""
    values, limits = zip(*pairs, strict=True)
    middle = [_digits(statistics.median(numbers)) for numbers in (values, limits, ratios)]
    return Row(name, middle[0], unit, middle[1], middle[2], len(pairs))


def in_turns(runs: int, value: Callable[[], float], limit: Callable[[], float]) -> list[tuple[float, float]]:
    """A B A B ...: what disturbs the machine for a while disturbs both of them."""
    return [(value(), limit()) for _ in range(runs)]


def milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def percentile(numbers: Sequence[float], share: float) -> float:
    return sorted(numbers)[min(len(numbers) - 1, int(share * len(numbers)))]


def machine() -> dict[str, Any]:
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "torch": version("torch"),
        "postgres": _asked("SHOW server_version"),
        "pgvector": _asked("SELECT extversion FROM pg_extension WHERE extname = 'vector'"),
    }


def _cpu() -> str:
    """Its name, from where Linux keeps it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _asked(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        (answer,) = cursor.fetchone() or ("",)
    return str(answer)


def _digits(number: float) -> float:
    """Four digits: more would be noise."""
    return float(f"{number:.4g}")
