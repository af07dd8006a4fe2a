"""Terms become one vector: words, an uploaded picture, a stored asset, or several together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from archive.models import Asset, Space
from archive.vectors import Vector
from search.failures import EncoderUnavailable, NotEncodedYet, PictureExpired, UnknownAsset
from search.neighbours import stored_vector
from search.pictures import find_picture
from search.query import BadQuery, Query
from workers import client

if TYPE_CHECKING:
    from archive.models.collections import Person


@dataclass(frozen=True)
class Terms:
    """`cut`: the words were more than the model reads."""

    vector: Vector
    cut: bool = False


def encode_terms(query: Query, space: Space, user: Person) -> Terms:
    """The unit vector (768,) that a query looks for: the mean of its terms, made unit again."""
    vectors: list[Vector] = []
    cut = False
    if query.text:
        encoded = _encode_text(space, query.text)
        vectors.append(encoded.vector)
        cut = encoded.cut
    if query.like:
        vectors.append(_of_asset(query, space, user))
    if query.picture:
        picture = find_picture(query.picture, user)
        if picture is None or picture.space != space.slug:
            raise PictureExpired
        vectors.append(picture.vector)
    if not vectors:
        raise BadQuery({"without": "Say what to look for as well: leaving out alone finds everything else."})
    total: Vector = np.sum(vectors, axis=0, dtype=np.float32)
    return Terms(total / np.linalg.norm(total), cut)


def encode_without(query: Query, space: Space) -> Vector | None:
    return _encode_text(space, query.without).vector if query.without else None


def _encode_text(space: Space, text: str) -> client.Encoded:
    try:
        return client.encode_text(space, text)
    except client.EncoderUnavailable as error:
        raise EncoderUnavailable(str(error)) from error


def find_seed(query: Query, user: Person) -> Asset:
    """The stored asset that a query starts from. Raises `UnknownAsset` where `user` may not see it."""
    asset = Asset.objects.visible_to(user).filter(uuid=str(query.like)).first()
    if asset is None:
        raise UnknownAsset
    return asset


def _of_asset(query: Query, space: Space, user: Person) -> Vector:
    vector = stored_vector(space, find_seed(query, user))
    if vector is None:
        raise NotEncodedYet
    return np.asarray(vector, dtype=np.float32)
