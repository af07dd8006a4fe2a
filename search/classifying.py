"""Which of some labels assets are: one asset, or all that a query finds. Pictures are not read, their vectors are."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from archive.models import Asset, Space
from archive.vectors import asset_vectors
from search.engine import search
from search.failures import NotEncodedYet
from search.neighbours import tables_that_may_go
from search.query import Query
from search.spaces import active_space, asked_again
from search.terms import find_seed
from search.zero_shot import Guess, guess, read_labels

if TYPE_CHECKING:
    from archive.models.collections import Person

TOP = 5


@dataclass(frozen=True)
class Classified:
    """What each asset probably is, of those that have a vector in `space`, in the order of the question."""

    space: Space
    rows: list[tuple[Asset, list[Guess]]]

    def as_dict(self) -> dict[str, Any]:
        return {
            "space": self.space.slug,
            "independent": self.space.logit_bias is not None,
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
    assets = [hit.asset for hit in search(query, user).hits]
    return asked_again(lambda: _classify(assets, user, names, top))


def _classify(assets: Sequence[Asset], user: Person, names: Sequence[str], top: int) -> Classified:
    space = active_space()
    labels = read_labels(space, names, user)
    with tables_that_may_go():
        vectors = asset_vectors(space, [asset.pk for asset in assets])
    shown = [asset for asset in assets if asset.pk in vectors]
    if not shown:
        return Classified(space, [])
    guesses = guess(space, np.stack([vectors[asset.pk] for asset in shown]), labels, top)
    return Classified(space, list(zip(shown, guesses, strict=True)))
