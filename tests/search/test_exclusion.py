"""Leaving out, rankings that are kept, and reference pictures."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from PIL import Image

from archive.decoder.decoded import Rendition as Made
from archive.decoder.refusals import Undecodable
from archive.incoming import TooLarge
from archive.models import Collection, Frame, Kind, Space
from archive.renditions import keep_rows, write_files
from archive.sniff import HEAD
from archive.video.packs import write_pack
from search.background import Background
from search.engine import search
from search.exclusion import FROM, penalty
from search.failures import NotEncodedYet, PictureExpired
from search.pictures import find_picture, keep_picture
from search.query import Box, Query
from tests import pictures
from tests.prepared import Shot, as_jpeg, fake_rows, make_encoded, make_prepared, make_video, random_rows
from workers import client

pytestmark = pytest.mark.django_db


def upload(data: bytes) -> File[bytes]:
    return File(BytesIO(data), "asked.jpg")


def test_what_is_like_the_unwanted_beyond_the_usual_pays_for_it_and_the_rest_pays_nothing() -> None:
    usual = Background(np.linspace(-0.1, 0.1, 101, dtype=np.float32))
    assert penalty(0.0, usual, usual) == 0
    assert penalty(usual.mean + FROM * usual.spread, usual, usual) == pytest.approx(0, abs=1e-6)
    assert 0 < penalty(0.2, usual, usual) < penalty(0.3, usual, usual)
    # Too few pictures are no background: then likeness itself is the price.
    assert penalty(0.3, Background(usual.sorted[:3]), usual) == pytest.approx(0.3)


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


def test_a_reference_picture_is_kept_small_and_for_its_owner_alone(
    harbour: Collection, fake_space: Space, alice: User, bob: User, queries_in_process: None
) -> None:
    key = keep_picture(upload(pictures.travel("JPEG")), bob)
    kept = find_picture(key, bob)
    assert kept is not None
    assert kept.rendition.startswith(b"\xff\xd8")
    assert kept.thumbnail[8:12] == b"WEBP"
    assert b"Canon" not in kept.thumbnail + kept.rendition
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


def beside(left: Image.Image, right: Image.Image) -> Image.Image:
    both = Image.new("RGB", (left.width + right.width, left.height))
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    return both


def test_a_box_on_a_picture_looks_for_that_part_only(
    harbour: Collection, fake_space: Space, bob: User, queries_in_process: None
) -> None:
    left, right = pictures.distinct(1), pictures.distinct(2)
    both = beside(left, right)
    make_encoded(harbour, fake_space, fake_rows([left, right, both]))
    key = keep_picture(upload(pictures.png(both)), bob)

    def first(query: Query) -> str:
        return search(query, bob).hits[0].asset.filename

    assert first(Query(picture=key)) == "row-00002.jpg"
    assert first(Query(picture=key, box=Box(0, 0, 0.5, 1))) == "row-00000.jpg"
    assert first(Query(picture=key, box=Box(0.5, 0, 0.5, 1))) == "row-00001.jpg"


def test_a_box_on_an_asset_reads_its_rendition(
    harbour: Collection, fake_space: Space, bob: User, queries_in_process: None
) -> None:
    left, right = pictures.distinct(1), pictures.distinct(2)
    both = beside(left, right)
    make_encoded(harbour, fake_space, fake_rows([left, right]))
    whole = make_prepared(harbour, both)
    found = search(Query(like=whole.uuid, box=Box(0.5, 0, 0.5, 1)), bob)
    assert found.hits[0].asset.filename == "row-00001.jpg"


def as_webp(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "WEBP", lossless=True)
    return out.getvalue()


def test_a_box_on_a_video_is_cut_out_of_the_frame_that_is_meant_or_of_its_poster(
    harbour: Collection, fake_space: Space, bob: User, queries_in_process: None
) -> None:
    seen = [pictures.distinct(n) for n in range(4)]
    make_encoded(harbour, fake_space, fake_rows(seen))
    film = make_video(harbour, fake_space, [Shot(row, 10) for row in random_rows(2, seed=9)])
    box = Box(0.5, 0, 0.5, 1)

    def first(at: float | None = None) -> str:
        query = Query(like=film.uuid, at=at, box=box, kind=Kind.PHOTO)
        return search(query, bob).hits[0].asset.filename

    with pytest.raises(NotEncodedYet):
        first()
    poster = write_files(film, {"preview": Made(as_webp(beside(seen[0], seen[1])), 8, 6, "image/webp")})
    keep_rows(poster)
    frames = [(n * 1000, as_jpeg(beside(seen[0], seen[2 if n < 10 else 3]))) for n in range(20)]
    film.step_ms = 1000
    pack = write_pack(film, 0, frames)
    keep_rows([pack])
    assert [first(), first(3.2), first(14)] == ["row-00001.jpg", "row-00002.jpg", "row-00003.jpg"]
    default_storage.delete(pack.key)
    with pytest.raises(NotEncodedYet):
        first(5)
    still = default_storage.save("t/still.webp", ContentFile(as_webp(beside(seen[0], seen[2]))))
    Frame.objects.filter(asset=film, at=0).update(still=still)
    assert first(5) == "row-00002.jpg"


def test_what_looks_like_an_asset_can_be_left_out(harbour: Collection, fake_space: Space, bob: User) -> None:
    rows = random_rows(40)
    rows[1] = rows[0] + rows[2] * 0.6
    rows[3] = rows[0] + rows[4] * 0.7
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assets = make_encoded(harbour, fake_space, rows)
    plain = [hit.asset.pk for hit in search(Query(like=assets[0].uuid), bob).hits]
    assert plain[0] == assets[1].pk
    without = [hit.asset.pk for hit in search(Query(like=assets[0].uuid, unlike=assets[2].uuid), bob).hits]
    assert without[0] == assets[3].pk
    assert assets[2].pk not in without


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


FILM = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(400_000)


class Watched(File):  # type: ignore[type-arg]  # generic in the stubs only
    """A file that counts how much of it passed through this process."""

    read_here = 0

    def read(self, size: int = -1) -> bytes:
        assert self.file is not None
        data: bytes = self.file.read(size)
        self.read_here += len(data)
        return data


def as_uploaded(folder: Path, data: bytes) -> Watched:
    path = folder / "asked"
    path.write_bytes(data)
    return Watched(path.open("rb"))


def test_a_reference_picture_goes_to_the_decoder_and_never_through_the_web_process(bob: User, tmp_path: Path) -> None:
    """Neither read nor copied: the decoder gets the file itself."""
    with as_uploaded(tmp_path, pictures.jpeg() + bytes(100_000)) as file:
        assert file.size > 100_000
        assert keep_picture(file, bob)
        assert file.read_here <= HEAD


@pytest.mark.parametrize(
    ("data", "refusal", "said"),
    [
        (FILM, Undecodable, "This is a video .MP4., and a picture is asked for"),
        (pictures.jpeg() + bytes(400_000), TooLarge, "larger than"),
    ],
)
def test_films_and_what_is_too_large_are_refused_before_they_are_read(
    bob: User, tmp_path: Path, settings: Any, data: bytes, refusal: type[Exception], said: str
) -> None:
    settings.SIGHTLINE_UPLOAD_LIMIT = 300_000
    with as_uploaded(tmp_path, data) as file, pytest.raises(refusal, match=said):
        keep_picture(file, bob)
    assert file.read_here <= HEAD
