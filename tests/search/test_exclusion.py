"""Leaving out, rankings that are kept, and reference pictures."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.base import File

from archive.decoder.refusals import Undecodable
from archive.models import Asset, Collection, Space
from search.engine import search
from search.exclusion import push_down
from search.failures import PictureExpired
from search.neighbours import find_neighbours
from search.pictures import find_picture, keep_picture
from search.query import Query
from tests import pictures
from tests.prepared import fake_rows, make_encoded, random_rows
from workers import client

pytestmark = pytest.mark.django_db


def upload(data: bytes) -> File[bytes]:
    return File(BytesIO(data), "asked.jpg")


def test_what_shows_the_unwanted_goes_to_the_end_and_the_rest_keeps_its_order(
    harbour: Collection, fake_space: Space
) -> None:
    rows = random_rows(30)
    assets = make_encoded(harbour, fake_space, rows)
    found = find_neighbours(fake_space, rows[0], Asset.objects.all(), 30)
    unwanted = rows[found.neighbours[3].asset_id - assets[0].pk]
    pushed = push_down(found, fake_space, unwanted)
    before, after = ([n.asset_id for n in one.neighbours] for one in (found, pushed))
    assert set(after) == set(before)
    assert after.index(before[3]) > 3
    likeness = {a.pk: float(row @ unwanted) for a, row in zip(assets, rows, strict=True)}
    usual = np.median(list(likeness.values()))
    innocent = [pk for pk in before if likeness[pk] < usual - 0.01]
    assert [pk for pk in after if pk in innocent] == innocent
    assert push_down(type(found)([], "exact"), fake_space, unwanted).neighbours == []


def test_a_query_without_something_pushes_it_down(
    harbour: Collection, fake_space: Space, bob: User, queries_in_process: None
) -> None:
    green, red, blue = (client.encode_text(fake_space, word).vector for word in ("green", "red", "blue"))
    rows = np.array([green + red * 0.6, green + blue * 0.7, *random_rows(10)], dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    make_encoded(harbour, fake_space, rows)

    def first_two(query: Query) -> list[str]:
        return [hit.asset.filename for hit in search(query, bob).hits][:2]

    with_red, with_blue = "row-00000.jpg", "row-00001.jpg"
    assert set(first_two(Query(text="green"))) == {with_red, with_blue}
    assert first_two(Query(text="green", without="red"))[0] == with_blue
    assert first_two(Query(text="green", without="blue"))[0] == with_red


def test_a_reference_picture_is_kept_as_numbers_and_a_stamp_for_its_owner_alone(
    harbour: Collection, fake_space: Space, alice: User, bob: User, queries_in_process: None
) -> None:
    key = keep_picture(upload(pictures.travel("JPEG")), bob)
    kept = find_picture(key, bob)
    assert kept is not None
    assert (kept.space, kept.vector.shape) == ("fake", (768,))
    assert kept.thumbnail[8:12] == b"WEBP"
    assert b"Canon" not in kept.thumbnail
    assert find_picture(key, alice) is None
    assert find_picture("nothing", bob) is None


def test_a_reference_picture_finds_its_own_kind(
    harbour: Collection, fake_space: Space, bob: User, queries_in_process: None
) -> None:
    seen = [pictures.distinct(seed) for seed in range(5)]
    make_encoded(harbour, fake_space, fake_rows(seen))
    key = keep_picture(upload(pictures.png(seen[3])), bob)
    answer = search(Query(picture=key), bob)
    assert answer.hits[0].asset.filename == "row-00003.jpg"
    assert answer.hits[0].score > 0.99


def test_an_expired_picture_says_so(
    harbour: Collection, fake_space: Space, bob: User, alice: User, queries_in_process: None
) -> None:
    key = keep_picture(upload(pictures.jpeg()), bob)
    with pytest.raises(PictureExpired, match="kept for an hour"):
        search(Query(picture=key), alice)
    cache.clear()
    with pytest.raises(PictureExpired):
        search(Query(picture=key), bob)


def test_a_picture_that_cannot_be_read_is_refused_with_the_decoder_s_words(fake_space: Space, bob: User) -> None:
    with pytest.raises(Undecodable, match="ends too early"):
        keep_picture(upload(pictures.cut(pictures.jpeg())), bob)
