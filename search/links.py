"""The links around a query: each is the same query with one thing changed."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.urls import reverse

from archive.models import Collection, Kind
from search.chips import Following, Weigh, Without
from search.negation import join_list, split_list
from search.query import FILTERS, TERMS, Mode, Order, Query, Shape
from search.weights import USUAL, join_weighed

KINDS = (("", "Everything"), (Kind.PHOTO, "Photos"), (Kind.VIDEO, "Videos"))
LENGTHS = ((Order.LONGEST, "Longest first"), (Order.SHORTEST, "Shortest first"))
ORDERS = ((Order.CLOSEST, "Closest first"), (Order.TAKEN, "Newest taken first"), (Order.ADDED, "Newest added first"))
BROWSED = ((Order.CLOSEST, "Newest added first"), (Order.TAKEN, "Newest taken first"))
MODES = (
    (Mode.STRICT, "Only what matches well"),
    (Mode.BALANCED, "A line where it gets less certain"),
    (Mode.EVERYTHING, "Everything, without a line"),
)
SHAPES = (("", "Any shape"), (Shape.LANDSCAPE, "Landscape"), (Shape.PORTRAIT, "Portrait"), (Shape.SQUARE, "Square"))
# The box sends these itself, as inputs that can be seen.
ASKED_BY_INPUTS = {
    *("q", "without", "like", "picture", "from", "to", "offset", "cursor"),
    *("tag", "alltags", "notags", "larger", "smaller", "by", "name", "placed", "longer", "shorter"),
    *("then", "also", "seconds", "pictureweight", "likeweight", "unlikeweight"),
}
NO_FILTERS = {name: getattr(Query, name) for name in FILTERS}
IN_SHEET = (
    "tags",
    "all_tags",
    "no_tags",
    "shape",
    "larger",
    "smaller",
    "uploader",
    "placed",
    "longer",
    "shorter",
    "name",
)


@dataclass(frozen=True)
class Pill:
    label: str
    url: str
    current: bool
    slug: str = ""  # of a collection


@dataclass(frozen=True)
class Links:
    query: Query
    kinds: list[Pill] = field(default_factory=list)
    collections: list[Pill] = field(default_factory=list)

    @property
    def collection(self) -> str:
        """The name of the collection that is filtered by."""
        return next((pill.label for pill in self.collections[1:] if pill.current), self.query.collection)

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What the form must carry along unseen."""
        asked = ASKED_BY_INPUTS | ({"balance"} if self.balances else set())
        return [(name, value) for name, value in self.query.params().items() if name not in asked]

    @property
    def balances(self) -> bool:
        """Whether words and pictures were weighed as a whole, as addresses may ask, and not chip by chip."""
        pictured = self.query.like or self.query.picture
        return bool(self.query.text and pictured and self.query.balance != Query.balance)

    @property
    def weigh_picture(self) -> Weigh | None:
        return self._weigh_wanted("your picture", self.query.picture_weight, "pictureweight")

    @property
    def weigh_like(self) -> Weigh | None:
        return self._weigh_wanted("the picture it is like", self.query.like_weight, "likeweight")

    def _weigh_wanted(self, of: str, weight: float, name: str) -> Weigh | None:
        """Alone, a term counts as much as there is."""
        wanted = sum(map(bool, (self.query.text, self.query.like, self.query.picture)))
        return Weigh(of, weight, name) if wanted > 1 or weight != USUAL else None

    @property
    def weigh_unlike(self) -> Weigh:
        return Weigh("the picture it is not like", self.query.unlike_weight, "unlikeweight")

    @property
    def carried(self) -> str:
        """The query for the address that takes a reference picture: words and filters stay."""
        return self.query.but(picture="", picture_weight=USUAL, box=None).url("")

    @property
    def drop_picture(self) -> str:
        return self.query.but(picture="", picture_weight=USUAL, box=None).url()

    @property
    def drop_like(self) -> str:
        return self.query.but(like=None, like_weight=USUAL, at=None, box=None).url()

    @property
    def turn_like(self) -> str:
        """The opposite: what looks like it is left out."""
        turned = self.query.but(like=None, like_weight=USUAL, at=None, box=None)
        return turned.but(unlike=self.query.like, unlike_weight=self.query.like_weight).url()

    @property
    def drop_unlike(self) -> str:
        return self.query.but(unlike=None, unlike_weight=USUAL).url()

    @property
    def turn_unlike(self) -> str:
        turned = self.query.but(unlike=None, unlike_weight=USUAL)
        return turned.but(like=self.query.unlike, like_weight=self.query.unlike_weight).url()

    @property
    def drop_box(self) -> str:
        return self.query.but(box=None).url()

    @property
    def without(self) -> list[Without]:
        return [self._without(n) for n in range(len(self.query.weighed))]

    def _without(self, n: int) -> Without:
        term, terms = self.query.weighed[n], self.query.weighed
        dropped = self.query.but(without=join_weighed(terms[:n] + terms[n + 1 :]))
        turned = dropped.but(text=f"{self.query.text} {term.words}".strip())
        return Without(term.words, dropped.url(), turned.url(), Weigh(f"“without {term.words}”", term.weight))

    @property
    def following(self) -> list[Following]:
        pause = self.query.within_seconds
        joint = f"then, within {pause:g} s," if pause and pause != Query.within_seconds else "then"
        return [*self._following("then", joint), *self._following("also", "also")]

    def _following(self, name: str, joint: str) -> list[Following]:
        terms = split_list(getattr(self.query, name))
        rest = [join_list(terms[:n] + terms[n + 1 :]) for n in range(len(terms))]
        return [Following(joint, words, self.query.but(**{name: rest[n]}).url()) for n, words in enumerate(terms)]

    @property
    def drop_sequence(self) -> str:
        return self.query.but(then="", also="", within_seconds=Query.within_seconds).url()

    @property
    def drop_without(self) -> str:
        return self.query.but(without="").url()

    @property
    def literally(self) -> str:
        """The words as they were typed, with nothing read into them."""
        said = " ".join([self.query.text, *(f"without {words}" for words in self.query.unwanted)])
        return self.query.but(text=said.strip(), without="", literal=True).url()

    @property
    def any_date(self) -> str:
        return self.query.but(date_from=None, date_to=None).url()

    @property
    def no_filters(self) -> str:
        return self.query.but(**NO_FILTERS).url()

    @property
    def no_details(self) -> str:
        return self.query.but(**{name: NO_FILTERS[name] for name in IN_SHEET}).url()

    @property
    def details(self) -> int:
        """How many of the filters in the sheet are set."""
        return sum(bool(getattr(self.query, name)) for name in IN_SHEET)

    @property
    def browse(self) -> str:
        nothing = {name: getattr(Query, name) for name in TERMS if name not in ("mode", "space")}
        return self.query.but(**nothing).url()

    @property
    def drop_space(self) -> str:
        return self.query.but(space="").url()

    @property
    def compare(self) -> str:
        """The same question in two spaces, side by side."""
        return self.query.but(space="").url(reverse("compare"))

    @property
    def act(self) -> str:
        """The page from which one acts on all that the query finds."""
        return self.query.but(limit=Query.limit).url("/act/")

    @property
    def save(self) -> str:
        """Where the form goes that gives the query a name."""
        return self.query.but(limit=Query.limit).url(reverse("saved_searches"))

    @property
    def exact(self) -> str:
        return self.query.but(exact=True).url()

    @property
    def inexact(self) -> str:
        return self.query.but(exact=False).url()

    @property
    def everything(self) -> str:
        return self.query.but(mode=Mode.EVERYTHING).url()

    @property
    def orders(self) -> list[Pill]:
        known = ORDERS if self.query.asks else BROWSED
        if self.query.kind == Kind.VIDEO or self.query.order in (Order.LONGEST, Order.SHORTEST):
            known = (*known, *LENGTHS)
        return [Pill(label, self.query.but(order=order).url(), self.query.order is order) for order, label in known]

    @property
    def modes(self) -> list[Pill]:
        return [Pill(label, self.query.but(mode=mode).url(), self.query.mode is mode) for mode, label in MODES]

    @property
    def shapes(self) -> list[Pill]:
        return [
            Pill(label, self.query.but(shape=str(shape)).url(), self.query.shape == shape) for shape, label in SHAPES
        ]


def links_around(query: Query, collections: list[Collection]) -> Links:
    kinds = [Pill(label, query.but(kind=str(kind)).url(), query.kind == kind) for kind, label in KINDS]
    any_place = Pill("Any collection", query.but(collection="").url(), not query.collection)
    places = [Pill(c.name, query.but(collection=c.slug).url(), query.collection == c.slug, c.slug) for c in collections]
    return Links(query, kinds, [any_place, *places])
