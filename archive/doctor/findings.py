"""What a check says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

EXAMPLES = 5


@dataclass(frozen=True)
class Finding:
    """`count`: how many are wrong, or for information how many there are. `detail`: a sentence for people."""

    name: str
    ok: bool
    count: int
    detail: str


@dataclass(frozen=True)
class Check:
    """`repair` returns how many it took in hand; it never deletes what a row names."""

    name: str
    look: Callable[[], Finding]
    repair: Callable[[], int] | None = None


def fine(name: str, detail: str, count: int = 0) -> Finding:
    return Finding(name, True, count, detail)


def wrong(name: str, count: int, sentence: str, examples: Iterable[Any] = ()) -> Finding:
    some = [str(example) for example in examples][:EXAMPLES]
    more = ", ..." if count > len(some) else ""
    return Finding(name, False, count, f"{sentence} For example: {', '.join(some)}{more}" if some else sentence)
