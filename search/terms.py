"""Terms become one vector: words, an uploaded picture, a stored asset, or several together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from archive.models import Asset, Space
from archive.vectors import Vector
from search.failures import EncoderUnavailable, NotEncodedYet, PictureExpired, UnknownAsset
from search.neighbours import stored_vector
from search.pictures import find_picture, picture_vector
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
        vectors.append(_of_picture(query, space, user))
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


def _of_picture(query: Query, space: Space, user: Person) -> Vector:
    picture = find_picture(query.picture, user)
    if picture is None:
        raise PictureExpired
    return picture_vector(picture, space)


def _of_asset(query: Query, space: Space, user: Person) -> Vector:
    asset = Asset.objects.visible_to(user).filter(uuid=str(query.like)).first()
    if asset is None:
        raise UnknownAsset
    vector = stored_vector(space, asset)
    if vector is None:
        raise NotEncodedYet
    return np.asarray(vector, dtype=np.float32)
