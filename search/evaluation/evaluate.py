"""All measures of a space, as one row of the table from which a model is chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from django.utils.timezone import now

from archive.models import Space
from archive.spaces import count_rows, coverage, index_state, is_large
from archive.spaces.partitions import bytes_of
from archive.vectors import asset_vectors
from search.evaluation.judged import Judged, searchable
from search.evaluation.measures import (
    QUERIES,
    ReadTexts,
    measure_captions,
    measure_index,
    measure_labels,
)

# Of fewer rows half-filled pages would be measured.
ROWS_TO_WEIGH = 100
# Where each caption is an exact scan of a large space: a share of so many is known to about five hundredths.
FEW = 100


class Pace(Protocol):
    """How fast a model is here: pictures a second in one process, and milliseconds for one text (p50)."""

    @property
    def pictures(self) -> float: ...

    @property
    def text_ms(self) -> float: ...

    @property
    def device(self) -> str: ...


@dataclass(frozen=True)
class Evaluation:
    """None: not measured, for there is nothing to measure it by."""

    slug: str
    state: str
    coverage: float
    rows: int
    indexed: bool
    recall: float | None  # @10, of its index
    captions: int
    r1: float | None
    r5: float | None
    labelled: int
    accuracy: float | None
    pictures_a_second: float
    text_ms: float
    device: str
    bytes_a_million: int | None
    at: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "slug": self.slug,
            "state": self.state,
            "coverage": _rounded(self.coverage),
            "rows": self.rows,
            "indexed": self.indexed,
            "recall@10": _rounded(self.recall),
            "captions": self.captions,
            "R@1": _rounded(self.r1),
            "R@5": _rounded(self.r5),
            "labelled": self.labelled,
            "accuracy": _rounded(self.accuracy),
            "pictures_a_second": round(self.pictures_a_second, 2),
            "text_ms": round(self.text_ms, 2),
            "device": self.device,
            "bytes_a_million": self.bytes_a_million,
            "at": self.at,
        }


def evaluate(space: Space, judged: Judged, read: ReadTexts, pace: Callable[[Space], Pace]) -> Evaluation:
    """Measure a live space; what was seen is kept beside it, for the admin."""
    measured = pace(space)
    if is_large(space) and not index_state(space).valid:
        judged = Judged(dict(islice(judged.captions.items(), FEW)), judged.labels)
    found = measure_captions(space, judged.captions, read)
    rows = count_rows(space)
    made = Evaluation(
        slug=space.slug,
        state=str(space.state),
        coverage=coverage(space).share,
        rows=rows,
        indexed=index_state(space).valid,
        recall=measure_index(space, _queries(space, judged, read)),
        captions=found.asked if found else 0,
        r1=found.at[1] if found else None,
        r5=found.at[5] if found else None,
        labelled=len(judged.labels),
        accuracy=measure_labels(space, judged.labels, read),
        pictures_a_second=measured.pictures,
        text_ms=measured.text_ms,
        device=measured.device,
        bytes_a_million=round(bytes_of(space) / rows * 1e6) if rows >= ROWS_TO_WEIGH else None,
        at=now().isoformat(timespec="seconds"),
    )
    Space.objects.filter(pk=space.pk).update(evaluation=made.as_dict())
    return made


def _queries(space: Space, judged: Judged, read: ReadTexts) -> list[Any]:
    """Words where there are captions, for words lie further from pictures than pictures do; else some pictures."""
    texts = sorted(set(judged.captions.values()))[:QUERIES]
    if len(texts) == QUERIES:
        return list(read(space, texts))
    some = searchable().order_by("sha256", "pk").values_list("pk", flat=True)[:QUERIES]
    return list(asset_vectors(space, list(some)).values())


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
