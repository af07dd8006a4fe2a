"""One question: frozen, readable from a URL and writable to one. Pages, API and command line share it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from search import reading
from search.boxes import Box
from search.negation import split_negations
from search.reading import MAX_DEPTH, MAX_LIMIT, MAX_OFFSET, MAX_TEXT, MOST_NAMES, BadQuery, Mode, Order, Shape
from search.weights import LEAST, MOST, USUAL, Weighed, join_weighed, split_weighed

__all__ = ["MAX_DEPTH", "MAX_LIMIT", "MAX_TEXT", "BadQuery", "Box", "Mode", "Order", "Query", "Shape"]

FILTERS = (
    *("collection", "kind", "tags", "all_tags", "no_tags", "date_from", "date_to", "shape", "larger", "smaller"),
    *("uploader", "placed", "longer", "shorter", "name", "within"),
)
# What is asked, without filters and how the answer should be.
TERMS = (
    *("text", "without", "like", "at", "unlike", "picture", "box", "balance", "literal"),
    *("picture_weight", "like_weight", "unlike_weight"),
    *("then", "also", "within_seconds", "mode", "space"),
)


@dataclass(frozen=True)
class Query:
    """Terms, filters, and how the answer should be. Lists are texts with commas, as people write them.

    The URL carries only what differs from the defaults: `Query.from_params(q.params()) == q`.
    """

    # Terms. `box` is the part of the picture (or of the liked asset) that is meant; `balance` says how much the
    # words weigh beside them, in [0.05, 0.95]. `literal`: "no" and "without" are words like any other. How much
    # a picture counts is in [0.25, 4], beside other terms; in `without` it stands behind the words: "people^2".
    text: str = ""
    without: str = ""
    like: uuid.UUID | None = None
    at: float | None = None  # the second of the liked video that is meant, and not the whole of it
    unlike: uuid.UUID | None = None
    picture: str = ""  # the key under which an uploaded picture is kept for a while
    box: Box | None = None
    balance: float = 0.5
    literal: bool = False
    picture_weight: float = USUAL
    like_weight: float = USUAL
    unlike_weight: float = USUAL
    # Sequences, in one video: what comes `then`, one after the other, and what is `also` there. `within_seconds`:
    # the longest pause between two that follow each other; 0: any.
    then: str = ""
    also: str = ""
    within_seconds: float = 60.0
    # Filters: yes or no, and exact.
    collection: str = ""
    kind: str = ""
    tags: str = ""  # any of them
    all_tags: str = ""
    no_tags: str = ""
    date_from: date | None = None
    date_to: date | None = None
    shape: str = ""
    larger: float = 0.0  # megapixels at least
    smaller: float = 0.0  # and at most
    uploader: str = ""
    placed: str = ""  # yes or no: whether it is known where it was taken
    longer: float = 0.0  # seconds at least
    shorter: float = 0.0  # and at most
    name: str = ""  # in the file name
    within: uuid.UUID | None = None  # only in this asset: all of its moments
    # The answer
    mode: Mode = Mode.BALANCED
    order: Order = Order.CLOSEST
    offset: int = 0
    space: str = ""  # curators may name one; else the one that is searched
    cursor: str = ""  # of the answer whose next page this is: search.ranking, search.browsing
    limit: int = 60
    exact: bool = False

    @property
    def asks(self) -> bool:
        """Whether there is something to rank by; without it a page browses the newest."""
        return bool(self.text or self.without or self.like or self.unlike or self.picture or self.sequence)

    @property
    def sequence(self) -> bool:
        """Whether several moments of one video are asked for together."""
        return bool(self.then or self.also)

    @property
    def filters(self) -> bool:
        return any(getattr(self, name) for name in FILTERS)

    @property
    def carried(self) -> str:
        """The terms, for the address of a page about one hit."""
        return urlencode(Query(**{name: getattr(self, name) for name in TERMS}).params())

    @property
    def unwanted(self) -> tuple[str, ...]:
        """The words to leave out, one by one."""
        return tuple(term.words for term in self.weighed)

    @property
    def weighed(self) -> tuple[Weighed, ...]:
        """The same, each with how much it counts."""
        return split_weighed(self.without)

    def but(self, **changes: Any) -> Query:
        """The same query with something changed, from its first page on."""
        return replace(self, **{"offset": 0, "cursor": "", **changes})

    def params(self) -> dict[str, str]:
        found = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                found[NAMES.get(field.name, field.name)] = _written(value)
        return found

    def url(self, path: str = "/") -> str:
        params = self.params()
        return f"{path}?{urlencode(params)}" if params else path

    @classmethod
    def names(cls) -> frozenset[str]:
        """As they stand in an address."""
        return frozenset(NAMES.get(field.name, field.name) for field in fields(cls))

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> Query:
        """Read a URL's parameters. Unknown ones are ignored, senseless ones raise `BadQuery`."""
        problems: dict[str, str] = {}
        values: dict[str, Any] = {}
        for field in fields(cls):
            name = NAMES.get(field.name, field.name)
            raw = params.get(name, "").replace("\x00", "").strip()
            if not raw:
                continue
            try:
                values[field.name] = READERS[field.name](raw)
            except ValueError as error:
                problems[name] = str(error)
        crossed: set[str] = set()
        for low, high, name, sentence in RANGES:
            if low in values and high in values and values[low] > values[high]:
                problems.setdefault(name, sentence)
                crossed |= {low, high}
        if problems:
            raise BadQuery(problems, cls(**{name: value for name, value in values.items() if name not in crossed}))
        return _with_negations(cls(**values))


# A file name is no sentence: "boat without sail.jpg".
NAME = re.compile(r"\.\w{2,5}$")


def _with_negations(query: Query) -> Query:
    """ "Without ..." in the text becomes a term of its own, unless the words are meant literally."""
    if query.literal or not query.text or NAME.search(query.text):
        return query
    wanted, unwanted = split_negations(query.text)
    if not unwanted:
        return query
    parts = list(query.weighed)
    try:
        found = [term for words in unwanted for term in split_weighed(words)]
    except ValueError as error:
        raise BadQuery({"q": str(error)}) from error
    parts += [term for term in found if term.words not in query.unwanted]
    without = join_weighed(tuple(parts[:MOST_NAMES]))
    if len(parts) > MOST_NAMES or len(without) > MAX_TEXT:
        raise BadQuery({"q": f"At most {MOST_NAMES} things can be left out at once, in {MAX_TEXT} characters."})
    return replace(query, text=wanted, without=without)


def _written(value: Any) -> str:
    if value is True:
        return "1"
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


NAMES = {
    "text": "q",
    "date_from": "from",
    "date_to": "to",
    "tags": "tag",
    "all_tags": "alltags",
    "no_tags": "notags",
    "uploader": "by",
    "within_seconds": "seconds",
    "picture_weight": "pictureweight",
    "like_weight": "likeweight",
    "unlike_weight": "unlikeweight",
}
RANGES = (
    ("date_from", "date_to", "from", "The first date lies after the last one."),
    ("larger", "smaller", "larger", "The smallest size is larger than the largest."),
    ("longer", "shorter", "longer", "The shortest time is longer than the longest."),
)
READERS: dict[str, Callable[[str], Any]] = {
    "text": reading.words,
    "without": reading.weighed,
    "like": reading.identity,
    "at": reading.number(0, 1_000_000),
    "unlike": reading.identity,
    "picture": reading.key,
    "box": Box.read,
    "balance": reading.number(0.05, 0.95),
    "literal": reading.truth,
    **dict.fromkeys(("picture_weight", "like_weight", "unlike_weight"), reading.number(LEAST, MOST)),
    "then": reading.few,
    "also": reading.few,
    "within_seconds": reading.number(0, 100_000),
    "collection": reading.short,
    "kind": reading.KIND,
    "tags": reading.listed,
    "all_tags": reading.listed,
    "no_tags": reading.listed,
    "date_from": reading.day,
    "date_to": reading.day,
    "shape": reading.one_of([shape.value for shape in Shape], "A shape"),
    "larger": reading.number(0, 10_000),
    "smaller": reading.number(0, 10_000),
    "uploader": reading.short,
    "placed": reading.either,
    "longer": reading.number(0, 1_000_000),
    "shorter": reading.number(0, 1_000_000),
    "name": reading.short,
    "within": reading.identity,
    "mode": reading.one_of(Mode, "A mode"),
    "order": reading.one_of(Order, "An order"),
    "offset": reading.whole(0, MAX_OFFSET),
    "space": reading.short,
    "cursor": reading.short,
    "limit": reading.whole(1, MAX_LIMIT),
    "exact": reading.truth,
}
