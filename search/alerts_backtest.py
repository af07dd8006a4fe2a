"""Before an alert is switched on: what it would have found lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.timezone import now

from archive.models import Asset
from search.alerts_asking import Asked, ask
from search.alerts_sequences import find_in_order
from search.candidates import find_candidates
from search.engine import OF_EACH_TERM
from search.judging import Judge
from search.neighbours import find_neighbours
from search.phrases import find_sayings
from search.query import MAX_DEPTH, Mode, Query
from search.sayings import Said, closest
from search.sequences import nearest_of_all, short_enough
from search.spaces import active_space, asked_again
from search.terms import Terms, encode_terms

DAYS = 30
MOST_DAYS = 366
SHOWN = 12


@dataclass(frozen=True)
class BackTest:
    """`capped`: it was not looked further, there may be more. `some` are the newest of them."""

    days: int
    count: int
    capped: bool
    some: list[Asset]

    @property
    def sentence(self) -> str:
        least = "at least " if self.capped else ""
        return f"The last {self.days} days would have given {least}{self.count:,}."


def back_test(query: Query, person: User, mode: Mode, days: int = DAYS) -> BackTest:
    """Of what was added in the last `days`, what the alert would have told. Raises as a search does."""
    found = asked_again(lambda: _ids(query, person, mode, days))
    assets = Asset.objects.visible_to(person).filter(pk__in=found).order_by("-added_at", "-pk")
    return BackTest(days, len(found), len(found) >= MAX_DEPTH, list(assets.defer("exif", "notes")[:SHOWN]))


def _ids(query: Query, person: User, mode: Mode, days: int) -> list[int]:
    asked = ask(query, person, mode, active_space())
    candidates = find_candidates(asked.query, person).filter(added_at__gte=now() - timedelta(days=days))
    if asked.wanted is None:
        return list(candidates.order_by("-added_at").values_list("pk", flat=True)[:MAX_DEPTH])
    if asked.terms is not None:
        return _in_order(asked, asked.terms, candidates)
    terms = encode_terms(asked.query, asked.space, person)
    near = find_neighbours(asked.space, terms.wanted, candidates, MAX_DEPTH).neighbours
    sayings = find_sayings(candidates, asked.words, MAX_DEPTH, asked.query.unwanted) if asked.words else []
    # Everything, judged; which of it counts is decided as for what is new.
    judge = Judge(asked.query.but(mode=Mode.EVERYTHING), terms, asked.space, person, asked.sight)
    hits = judge.rank(near, Said(sayings, closest(asked.space, terms.wanted, sayings))).hits
    return _well([(hit.asset_id, hit.closeness) for hit in hits], {hit.asset_id for hit in hits if hit.said}, asked)


def _in_order(asked: Asked, terms: Terms, candidates: QuerySet[Asset]) -> list[int]:
    """Of a sequence: among the videos that come nearest to any of its terms, as a search looks for it."""
    vectors = (terms.wanted, *terms.then, *terms.also)
    found = [find_neighbours(asked.space, one, candidates, OF_EACH_TERM).neighbours for one in vectors]
    near = nearest_of_all([[one.asset_id for one in each] for each in found])
    return [one.asset for one in find_in_order(asked, short_enough(near, len(vectors)))]


def _well(hits: list[tuple[int, float]], said: set[int], asked: Asked) -> list[int]:
    above = {asset: closeness for asset, closeness in hits if closeness >= asked.line.well and asset not in said}
    close = asked.beside_best(above)
    if close and not said and not asked.reaches(max(above[asset] for asset in close)):
        return []
    return [asset for asset, _ in hits if asset in said or asset in close]
