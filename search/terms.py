"""Terms become vectors: one that is looked for, from words and pictures, and those that are to be left out."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from archive.models import Asset, Kind, Space
from archive.vectors import Vector
from search.asking import asked_of_the_worker
from search.boxes import Box
from search.failures import NotEncodedYet, PictureExpired, UnknownAsset
from search.negation import split_list
from search.neighbours import stored_vector, vector_at
from search.parts import picture_of
from search.phrases import unquoted
from search.pictures import encode_part, find_picture
from search.query import BadQuery, Query
from search.weights import USUAL
from workers import client

if TYPE_CHECKING:
    from archive.models.collections import Person

NOTHING_WANTED = "Say what to look for as well: leaving out alone finds everything else."


@dataclass(frozen=True)
class Unwanted:
    """`vector`: (768,) unit length. `weight`: how many times what it costs is counted."""

    vector: Vector
    weight: float = USUAL


@dataclass(frozen=True)
class Terms:
    """`wanted`: (768,) unit length. `cut`: the words were more than the model reads."""

    wanted: Vector
    unwanted: tuple[Unwanted, ...] = ()
    cut: bool = False
    words_only: bool = True
    then: tuple[Vector, ...] = ()
    also: tuple[Vector, ...] = ()


def encode_terms(query: Query, space: Space, user: Person) -> Terms:
    """What a query looks for: the weighted mean of its terms, made unit again; and what it does not want."""
    said = _encode_text(space, unquoted(query.text)) if unquoted(query.text) else None
    shown = _pictures(query, space, user)
    if said is None and not shown:
        if query.sequence:
            raise BadQuery(
                {"then" if query.then else "also": "Say what to look for first: what comes then follows it."}
            )
        name = "without" if query.without else "unlike"
        raise BadQuery({name: NOTHING_WANTED})
    unwanted = [Unwanted(_encode_text(space, one.words).vector, one.weight) for one in query.weighed]
    if query.unlike:
        unwanted.append(Unwanted(_of_asset(query.unlike, None, space, user), query.unlike_weight))
    then, also = ([_encode_text(space, words) for words in split_list(some)] for some in (query.then, query.also))
    return Terms(
        wanted=_mixed(said, shown, query.balance),
        unwanted=tuple(unwanted),
        cut=any(one.cut for one in (said, *then, *also) if one),
        words_only=not shown,
        then=tuple(one.vector for one in then),
        also=tuple(one.vector for one in also),
    )


def _mixed(said: client.Encoded | None, shown: list[Vector], balance: float) -> Vector:
    """Words weigh `balance`, the pictures together the rest; `shown`: each times its weight."""
    total = np.zeros_like(shown[0] if shown else said.vector if said else [])
    if said is not None:
        total = total + said.vector * (balance if shown else 1.0)
    if shown:
        total = total + np.mean(shown, axis=0, dtype=np.float32) * (1.0 - balance if said is not None else 1.0)
    length = float(np.linalg.norm(total))
    unit: Vector = np.asarray(total / (length or 1.0), dtype=np.float32)
    return unit


def _pictures(query: Query, space: Space, user: Person) -> list[Vector]:
    """Each times its weight. A box belongs to the uploaded picture, or else to the liked asset."""
    vectors = []
    if query.like:
        box = None if query.picture else query.box
        vectors.append(_of_asset(query.like, box, space, user, query.at) * query.like_weight)
    if query.picture:
        picture = find_picture(query.picture, user)
        if picture is None:
            raise PictureExpired
        vectors.append(encode_part(space, picture.rendition, query.box) * query.picture_weight)
    return vectors


def _encode_text(space: Space, text: str) -> client.Encoded:
    with asked_of_the_worker():
        return client.encode_text(space, text)


def find_seed(wanted: uuid.UUID, user: Person) -> Asset:
    """The stored asset that a query starts from. Raises `UnknownAsset` where `user` may not see it."""
    asset = Asset.objects.visible_to(user).filter(uuid=str(wanted)).first()
    if asset is None:
        raise UnknownAsset
    return asset


def _of_asset(wanted: uuid.UUID, box: Box | None, space: Space, user: Person, at: float | None = None) -> Vector:
    """The stored vector of an asset, or of the frame of a video that is nearest to a second; a part is encoded."""
    asset = find_seed(wanted, user)
    if box is not None:
        seen = picture_of(asset, at)
        if seen is None:
            raise NotEncodedYet
        return encode_part(space, seen, box)
    moment = at is not None and asset.kind == Kind.VIDEO
    vector = vector_at(space, asset, at or 0.0) if moment else stored_vector(space, asset)
    if vector is None:
        raise NotEncodedYet
    return np.asarray(vector, dtype=np.float32)
