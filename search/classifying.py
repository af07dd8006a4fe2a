"""Which of some labels assets are: one asset, or all that a query finds. Pictures are not read, their vectors are."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from archive.models import Asset, Space
from archive.vectors import asset_vectors
from search.acting import choose_all
from search.engine import search
from search.failures import NotEncodedYet
from search.neighbours import tables_that_may_go
from search.query import MAX_DEPTH, Query
from search.spaces import active_space, asked_again
from search.terms import find_seed
from search.zero_shot import Guess, Labels, guess, read_labels

if TYPE_CHECKING:
    from archive.models.collections import Person

TOP = 5
MOST = 5000  # assets of one answer
CHUNK = 500  # vectors at a time


@dataclass(frozen=True)
class Classified:
    """What each asset probably is, of those that have a vector in `space`, in the order of the question.

    `found`: how many the question found; of more than were looked at it is not the `whole`.
    """

    space: Space
    rows: list[tuple[Asset, list[Guess]]]
    found: int
    whole: bool = True

    def as_dict(self) -> dict[str, Any]:
        return {
            "space": self.space.slug,
            "independent": self.space.logit_bias is not None,
            "found": self.found,
            "whole": self.whole,
            "assets": [
                {"asset": str(asset.uuid), "filename": asset.filename, "guesses": [one.as_dict() for one in guesses]}
                for asset, guesses in self.rows
            ],
        }


def classify_asset(wanted: uuid.UUID, user: Person, names: Sequence[str], top: int = TOP) -> Classified:
    """Raises `NotAnswered` and its kin."""
    asset = find_seed(wanted, user)
    found = asked_again(lambda: _classify([asset], user, names, top))
    if not found.rows:
        raise NotEncodedYet
    return found


def classify_query(query: Query, user: Person, names: Sequence[str], top: int = TOP) -> Classified:
    """A page of what `query` finds. Raises `BadQuery`, `NotAnswered` and their kin."""
    answer = search(query, user)
    assets = [hit.asset for hit in answer.hits]
    found = asked_again(lambda: _classify(assets, user, names, top))
    return replace(found, whole=not (answer.more or query.offset))


def classify_all(query: Query, user: Person, names: Sequence[str], top: int = TOP) -> Classified:
    """All that `query` finds, as whoever acts on all of it gets it; the first `MOST`, of a ranking as many as it has.
    Raises as `classify_query`."""
    chosen = choose_all(query, user).assets
    assets = list(chosen.only("uuid", "filename")[: MOST + 1])
    more = len(assets) > MOST
    deepest = query.asks and len(assets) >= MAX_DEPTH
    found = asked_again(lambda: _classify(assets[:MOST], user, names, top))
    return replace(found, found=chosen.count() if more else len(assets), whole=not (more or deepest))


def _classify(assets: Sequence[Asset], user: Person, names: Sequence[str], top: int) -> Classified:
    space = active_space()
    labels = read_labels(space, names, user)
    rows: list[tuple[Asset, list[Guess]]] = []
    for start in range(0, len(assets), CHUNK):
        rows += _guessed(space, assets[start : start + CHUNK], labels, top)
    return Classified(space, rows, len(assets))


def _guessed(space: Space, assets: Sequence[Asset], labels: Labels, top: int) -> list[tuple[Asset, list[Guess]]]:
    with tables_that_may_go():
        vectors = asset_vectors(space, [asset.pk for asset in assets])
    shown = [asset for asset in assets if asset.pk in vectors]
    if not shown:
        return []
    guesses = guess(space, np.stack([vectors[asset.pk] for asset in shown]), labels, top)
    return list(zip(shown, guesses, strict=True))
