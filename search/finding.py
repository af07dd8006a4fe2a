"""What a curator's search box finds: an asset by its name or id, or the nearest ones to words or a picture.

Unlike a search of the archive it looks through whatever the page shows (the trash, what failed), and it
answers with a queryset, so that filters, pages and actions on everything go on working.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, F, Func, IntegerField, Q, QuerySet, Value

from archive.models import Asset
from search.failures import NotAnswered
from search.neighbours import find_neighbours
from search.query import MAX_TEXT, Query
from search.spaces import active_space, asked_again
from search.terms import encode_terms

if TYPE_CHECKING:
    from archive.models.collections import Person

# Everything is near to something: so many are shown, and an action on all of them reaches no further.
NEAREST = 200
LIKE = re.compile(r"\blike:([0-9a-f-]{32,36})(?!\S)", re.IGNORECASE)


class By(StrEnum):
    """How assets were found."""

    EVERYTHING = "everything"
    NAME = "name"  # exactly this file name or id
    NEAREST = "nearest"
    WORDS = "words"  # in the file name or the title


@dataclass(frozen=True)
class Finding:
    """`assets` in the order in which they are shown; `note` says in a sentence what is not as expected."""

    assets: QuerySet[Asset]
    by: By = By.EVERYTHING
    note: str = ""


def find_assets(among: QuerySet[Asset], term: str, user: Person) -> Finding:
    """Find in `among` by a file name, an id, words, or `like:` with the id of an asset."""
    term = " ".join(term.split())[:MAX_TEXT]
    if not term:
        return Finding(among)
    named = among.filter(Q(uuid=term) if _is_uuid(term) else Q(filename=term))
    if named.exists():
        return Finding(named, By.NAME)
    query = read_term(term)
    try:
        ranked = rank(among, query, user)
    except NotAnswered as error:
        if not query.text:
            return Finding(among.none(), By.NEAREST, str(error))
        return Finding(find_by_words(among, query.text), By.WORDS, f"{error} Found by file name and title instead.")
    if ranked is None:
        note = "None of these has been read by the model. Found by file name and title instead."
        return Finding(find_by_words(among, query.text), By.WORDS, note)
    return Finding(ranked, By.NEAREST)


def read_term(term: str) -> Query:
    """`like:UUID red` asks for what is near to that asset and to the word together."""
    like = LIKE.search(term)
    if like is None or not _is_uuid(like[1]):
        return Query(text=term)
    return Query(text=" ".join(LIKE.sub(" ", term).split()), like=uuid.UUID(like[1]))


def rank(among: QuerySet[Asset], query: Query, user: Person) -> QuerySet[Asset] | None:
    """The nearest of `among`, nearest first; None where none of them has a vector. Raises `NotAnswered`."""
    ids = asked_again(lambda: nearest(among, query, user))
    if not ids:
        return None
    place = Func(
        Value(ids, output_field=ArrayField(BigIntegerField())),
        F("pk"),
        function="array_position",
        template="%(function)s(%(expressions)s)",
        output_field=IntegerField(),
    )
    return among.filter(pk__in=ids).order_by(place)


def nearest(among: QuerySet[Asset], query: Query, user: Person) -> list[int]:
    space = active_space()
    terms = encode_terms(query, space, user)
    return [n.asset_id for n in find_neighbours(space, terms.wanted, among, NEAREST).neighbours]


def find_by_words(among: QuerySet[Asset], text: str) -> QuerySet[Asset]:
    for word in text.split():
        among = among.filter(Q(filename__ilike=word) | Q(title__ilike=word))
    return among


def _is_uuid(term: str) -> bool:
    try:
        uuid.UUID(term)
    except ValueError:
        return False
    return len(term) >= 32
