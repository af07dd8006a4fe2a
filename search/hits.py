"""What a search answers: hits, and how they were found."""

from __future__ import annotations

from dataclasses import dataclass, field

from archive.models import Asset

# What a page or a list of hits shows of an asset: reading the rest took longer than finding it.
SHOWN = (
    *("uuid", "collection", "kind", "status", "filename", "title", "width", "height", "duration"),
    *("taken_at", "added_at"),
)
MOST_OTHERS = 4


@dataclass(frozen=True)
class Moment:
    """A run of a video that matches; all in seconds. A photo has one, at 0. `well`: by itself, it matches well."""

    start: float
    end: float
    at: float
    score: float
    well: bool = True
    still: str = ""  # the address of its picture


@dataclass(frozen=True)
class Hit:
    """`well`: it matches well; `said`: the words stand in what is written about it; `share`: of pictures at
    large, so many are less close."""

    asset: Asset
    score: float  # inner product of unit vectors: higher is closer, comparable inside one answer only
    rank: int  # from 1
    moments: tuple[Moment, ...] = ()
    well: bool = True
    said: bool = False
    share: float = 0.0
    sequence: bool = False  # its moments are those of a sequence, in the order of its terms

    @property
    def at(self) -> float:
        """The second to open it at."""
        return self.moments[0].at if self.moments else 0.0

    @property
    def still(self) -> str:
        """The picture of the moment that it opens at."""
        return self.moments[0].still if self.moments else ""

    @property
    def others(self) -> tuple[Moment, ...]:
        """What else is worth a look in the same video, beside the moment that it opens at."""
        return tuple(moment for moment in self.moments[1:] if moment.well or self.sequence)[:MOST_OTHERS]

    @property
    def words(self) -> str:
        """The score as people say it."""
        if self.said:
            return "says it"
        if self.sequence:
            return ""
        closer = min(int(self.share * 100), 99)
        return f"closer than {closer} in 100" if closer else ""


@dataclass(frozen=True)
class Answer:
    """`asked` and `got` count rows, `took` is milliseconds a step, `more` says that a next page exists.

    `well`: how many are known to match well, of all that were ranked. `note`: what was done otherwise than asked.
    """

    hits: tuple[Hit, ...] = ()
    plan: str = ""  # "exact" | "hnsw" | "shots" | "newest" | "words"; of a sequence, that of its terms
    space: str = ""
    asked: int = 0
    got: int = 0
    took: dict[str, float] = field(default_factory=dict)
    more: bool = False
    well: int = 0
    well_is_all: bool = True
    cut: bool = False
    note: str = ""
    cursor: str = ""

    @property
    def milliseconds(self) -> float:
        return round(sum(self.took.values()), 1)

    @property
    def divide(self) -> int:
        """The rank from which on hits are less certain; 0: nowhere."""
        return self.well + 1 if self.well else 0

    @property
    def nothing_well(self) -> bool:
        """Hits, and none of them matches well."""
        return bool(self.hits) and not self.well and self.plan != "newest"
