"""The links around a query: each is the same query with one thing changed."""

from __future__ import annotations

from dataclasses import dataclass, field

from archive.models import Collection, Kind
from search.query import Query

KINDS = (("", "Everything"), (Kind.PHOTO, "Photos"), (Kind.VIDEO, "Videos"))
# The box sends these itself, as inputs that can be seen.
ASKED_BY_INPUTS = {"q", "without", "like", "picture", "from", "to", "offset"}


@dataclass(frozen=True)
class Pill:
    label: str
    url: str
    current: bool


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
        return [(name, value) for name, value in self.query.params().items() if name not in ASKED_BY_INPUTS]

    @property
    def carried(self) -> str:
        """The query for the address that takes a reference picture: words and filters stay."""
        return self.query.but(picture="").url("")

    @property
    def drop_picture(self) -> str:
        return self.query.but(picture="").url()

    @property
    def drop_like(self) -> str:
        return self.query.but(like=None).url()

    @property
    def drop_without(self) -> str:
        return self.query.but(without="").url()

    @property
    def turn_without(self) -> str:
        return self.query.but(text=f"{self.query.text} {self.query.without}".strip(), without="").url()

    @property
    def any_date(self) -> str:
        return self.query.but(date_from=None, date_to=None).url()

    @property
    def no_filters(self) -> str:
        return self.query.but(collection="", kind="", date_from=None, date_to=None).url()

    @property
    def browse(self) -> str:
        return self.query.but(text="", without="", like=None, picture="").url()

    @property
    def act(self) -> str:
        """The page from which one acts on all that the query finds."""
        return self.query.but(limit=Query.limit).url("/act/")

    @property
    def exact(self) -> str:
        return self.query.but(exact=True).url()

    @property
    def inexact(self) -> str:
        return self.query.but(exact=False).url()


def links_around(query: Query, collections: list[Collection]) -> Links:
    kinds = [Pill(label, query.but(kind=str(kind)).url(), query.kind == kind) for kind, label in KINDS]
    any_place = Pill("Any collection", query.but(collection="").url(), not query.collection)
    places = [Pill(c.name, query.but(collection=c.slug).url(), query.collection == c.slug) for c in collections]
    return Links(query, kinds, [any_place, *places])
