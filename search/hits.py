"""What a search answers: hits, and how they were found."""

from __future__ import annotations

from dataclasses import dataclass, field

from archive.models import Asset


@dataclass(frozen=True)
class Moment:
    """A run of a video that matches; all in seconds. A photo has one, at 0."""

    start: float
    end: float
    at: float
    score: float


@dataclass(frozen=True)
class Hit:
    asset: Asset
    score: float  # inner product of unit vectors: higher is closer, comparable inside one answer only
    rank: int  # from 1
    moments: tuple[Moment, ...] = ()


@dataclass(frozen=True)
class Answer:
    """`asked` and `got` count rows, `took` is milliseconds a step, `more` says that a next page exists."""

    hits: tuple[Hit, ...] = ()
    plan: str = ""  # "exact" | "hnsw" | "newest"
    space: str = ""
    asked: int = 0
    got: int = 0
    took: dict[str, float] = field(default_factory=dict)
    more: bool = False

    @property
    def milliseconds(self) -> float:
        return round(sum(self.took.values()), 1)
