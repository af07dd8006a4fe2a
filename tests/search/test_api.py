"""Search as JSON."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from redis.exceptions import ConnectionError as NoRedis

from archive import dispatch
from archive.models import Asset, Collection, Space, Work
from search.api import WHY_NOT, unanswered
from search.failures import SpaceGone, TooSlow
from tests import pictures
from tests.addresses import SEARCH_TERMS
from tests.api import client_of, error_of
from tests.cast import make_jpeg, upload
from tests.prepared import make_encoded, random_rows
from workers.encode import drain_encode
from workers.prepare import drain_prepare

pytestmark = pytest.mark.django_db(transaction=True)
COLOURS = ("red", "blue", "green", "yellow", "white")


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [hit["filename"] for hit in response.json()["hits"]]


def image(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("reference.jpg", data)


@pytest.fixture
def colours(
    harbour: Collection, bob: User, fake_space: Space, queries_in_process: None, tmp_path: Path
) -> dict[str, Asset]:
    """One encoded picture of each colour."""
    found = {name: upload(harbour, make_jpeg(tmp_path, f"{name}.jpg", name), bob) for name in COLOURS}
    drain_prepare()
    drain_encode()
    return found


def test_an_answer_has_exactly_the_promised_shape(colours: dict[str, Asset], bob: User) -> None:
    answer = client_of(bob).get("/api/v1/search", {"q": "something red", "limit": "2"})
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    promised = {"hits", "plan", "space", "asked", "got", "took"}
    assert set(body) == promised | {"more", "cursor", "well", "cut", "note"}
    assert (body["plan"], body["space"], body["asked"], body["got"], body["more"]) == ("exact", "fake", 2, 2, True)
    first = body["hits"][0]
    assert set(first) == {"asset", "filename", "score", "rank", "moments", "url", "thumbnail", "well", "said", "share"}
    assert (first["asset"], first["filename"], first["rank"]) == (str(colours["red"].uuid), "red.jpg", 1)
    assert first["moments"] == [{"start": 0.0, "end": 0.0, "at": 0.0, "score": first["score"]}]
    assert first["score"] > 0.99
    assert 0 <= first["share"] <= 1
    assert first["url"] == colours["red"].get_absolute_url()
    assert client_of(bob).get(first["thumbnail"]).headers["Content-Type"] == "image/webp"
    assert set(body["took"]) == {"words", "encode", "neighbours", "judge", "hits"}


def test_many_hits_are_read_at_once_and_nothing_of_them_that_is_not_told(
    harbour: Collection, bob: User, fake_space: Space, queries_in_process: None
) -> None:
    make_encoded(harbour, fake_space, random_rows(40))
    client = client_of(bob)
    asked = []
    for limit in (1, 1, 2, 40):  # what is remembered of the first question is not asked again
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/api/v1/search", {"q": "red", "limit": limit}).json()["got"] == limit
        asked.append(len(seen))
    assert len(set(asked[1:])) == 1, asked
    (read,) = [one["sql"] for one in seen if "filename" in one["sql"] and "archive_words" not in one["sql"]]
    assert "title" not in read
    assert "taken_at" not in read


def test_terms_in_json_in_a_form_and_in_the_address_mean_the_same(colours: dict[str, Asset], bob: User) -> None:
    client = client_of(bob)
    terms: dict[str, Any] = {"q": "green", "limit": 3, "exact": True}
    asked = [
        client.get("/api/v1/search?q=green&limit=3&exact=yes"),
        client.post("/api/v1/search", terms, format="json"),
        client.post("/api/v1/search", {**terms, "exact": "1"}, format="multipart"),
        client.post("/api/v1/search?q=green&limit=3&exact=1"),
    ]
    assert [names(answer) for answer in asked] == [names(asked[0])] * 4
    assert names(asked[0])[0] == "green.jpg"


def test_a_reference_picture_finds_its_like_and_can_be_paged_by_its_address(
    colours: dict[str, Asset], bob: User, alice: User, tmp_path: Path
) -> None:
    reference = make_jpeg(tmp_path, "asked.jpg", "blue", (90, 60)).read_bytes()
    client = client_of(bob)
    answer = client.post("/api/v1/search", {"image": image(reference), "limit": 3}, format="multipart")
    first = names(answer)
    assert first[0] == "blue.jpg"
    address = answer.headers["Content-Location"]
    assert names(client.get(address)) == first
    rest = names(client.get(f"{address}&offset=3"))
    assert sorted(first + rest) == sorted(f"{name}.jpg" for name in COLOURS)
    gone = client_of(alice).get(address)
    assert (gone.status_code, error_of(gone)["code"]) == (410, "picture_expired")


def test_similar_to_an_asset_leaves_it_out_and_asks_no_worker(
    colours: dict[str, Asset], bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a stored asset has its vector already")

    monkeypatch.setattr(dispatch, "ask", never)
    found = names(client_of(bob).get("/api/v1/search", {"like": str(colours["red"].uuid)}))
    assert len(found) == 4
    assert "red.jpg" not in found


def test_without_terms_the_newest_come_first(colours: dict[str, Asset], bob: User) -> None:
    answer = client_of(bob).get("/api/v1/search?limit=2")
    assert names(answer) == ["white.jpg", "yellow.jpg"]
    assert answer.json()["plan"] == "newest"


def test_nobody_finds_or_names_what_they_may_not_see(colours: dict[str, Asset], visitor: User) -> None:
    client = client_of(visitor)
    assert names(client.get("/api/v1/search?q=red")) == []
    assert names(client.get("/api/v1/search")) == []
    assert names(client.get("/api/v1/search?q=red&collection=harbour")) == []
    foreign = client.get("/api/v1/search", {"like": str(colours["red"].uuid)})
    missing = client.get("/api/v1/search", {"like": str(uuid.uuid4())})
    assert foreign.status_code == missing.status_code == 404
    assert error_of(foreign) == error_of(missing)


def test_a_senseless_query_says_which_parts_make_no_sense(colours: dict[str, Asset], bob: User) -> None:
    wrong = {"like": "x", "kind": "song", "from": "yesterday", "limit": "0", "offset": "-1", "q": "x" * 10_000}
    answer = client_of(bob).get("/api/v1/search", wrong)
    assert answer.status_code == 400
    error = error_of(answer)
    assert (error["code"], set(error["fields"])) == ("invalid", set(wrong))
    assert all(sentence.endswith(".") for sentence in error["fields"].values())
    alone = client_of(bob).get("/api/v1/search?without=red")
    assert (alone.status_code, set(error_of(alone)["fields"])) == (400, {"without"})


def test_terms_of_the_wrong_kind_in_json_are_named(colours: dict[str, Asset], bob: User) -> None:
    answer = client_of(bob).post("/api/v1/search", {"q": ["red"], "image": "data:"}, format="json")
    assert (answer.status_code, set(error_of(answer)["fields"])) == (400, {"q", "image"})
    answer = client_of(bob).post("/api/v1/search", {"q": "red", "limit": 1.5, "larger": -1}, format="json")
    assert (answer.status_code, set(error_of(answer)["fields"])) == (400, {"limit", "larger"})


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "empty_file"),
        (b"no picture", 415, "unsupported_media"),
        (pictures.cut(pictures.png(pictures.distinct(1))), 400, "unreadable_picture"),
        (pictures.bomb_png(), 413, "too_large"),
    ],
)
def test_a_reference_picture_that_cannot_be_read_is_refused_with_a_reason(
    colours: dict[str, Asset], bob: User, media_root: Path, data: bytes, status: int, code: str
) -> None:
    answer = client_of(bob).post("/api/v1/search", {"image": image(data)}, format="multipart")
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)
    assert not list(media_root.glob("incoming/*.part"))


def test_a_reference_picture_over_the_limit_is_a_413(colours: dict[str, Asset], bob: User, settings: Any) -> None:
    settings.SIGHTLINE_UPLOAD_LIMIT = 100
    data = pictures.jpeg(pictures.distinct(1))
    answer = client_of(bob).post("/api/v1/search", {"image": image(data)}, format="multipart")
    assert (answer.status_code, error_of(answer)["code"]) == (413, "too_large")


def test_a_film_is_no_reference_picture_however_large_films_may_be(
    colours: dict[str, Asset], bob: User, media_root: Path, settings: Any
) -> None:
    settings.SIGHTLINE_UPLOAD_LIMIT = 1000
    film = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(5000)
    answer = client_of(bob).post("/api/v1/search", {"image": image(film)}, format="multipart")
    assert (answer.status_code, error_of(answer)["code"]) == (415, "unsupported_media")
    assert not list(media_root.glob("incoming/*.part"))


def test_without_a_worker_words_are_a_503_that_says_when_to_come_back_and_the_rest_works(
    colours: dict[str, Asset], bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*args: Any, **kwargs: Any) -> None:
        raise dispatch.BrokerUnavailable("down")

    monkeypatch.setattr(dispatch, "ask", down)
    client = client_of(bob)
    for answer in (
        client.get("/api/v1/search?q=words+never+asked+before"),
        client.post("/api/v1/search", {"image": image(pictures.jpeg())}, format="multipart"),
    ):
        assert (answer.status_code, error_of(answer)["code"]) == (503, "encoder_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    assert len(names(client.get("/api/v1/search", {"like": str(colours["red"].uuid)}))) == 4
    assert len(names(client.get("/api/v1/search"))) == 5


def test_without_redis_similar_and_newest_are_still_answered(
    colours: dict[str, Asset], bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*args: Any, **kwargs: Any) -> None:
        raise NoRedis

    for method in ("get", "set", "add", "incr"):
        monkeypatch.setattr(f"django.core.cache.backends.redis.RedisCache.{method}", gone)
    client = client_of(bob)
    assert len(names(client.get("/api/v1/search", {"like": str(colours["red"].uuid)}))) == 4
    assert len(names(client.get("/api/v1/search"))) == 5


def test_without_a_space_and_before_encoding_the_answer_says_so(harbour: Collection, bob: User, tmp_path: Path) -> None:
    client = client_of(bob)
    assert error_of(client.get("/api/v1/search?q=red"))["code"] == "no_space"
    asset = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    assert names(client.get("/api/v1/search")) == [asset.filename]
    assert client.get("/api/v1/search").json()["hits"][0]["thumbnail"] is None


def test_similar_to_what_is_not_encoded_yet_is_a_409(
    harbour: Collection, bob: User, fake_space: Space, tmp_path: Path
) -> None:
    asset = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    answer = client_of(bob).get("/api/v1/search", {"like": str(asset.uuid)})
    assert (answer.status_code, error_of(answer)["code"]) == (409, "not_encoded_yet")
    assert Work.objects.count() == 1


@pytest.mark.parametrize(
    "text",
    [
        "\x00",
        "a\x00b",
        "x" * 10_000,
        "0" * 5000 + "1",
        "000000001999999999",
        "9999-12-31",
        "0001-01-01",
        "'; DROP TABLE archive_asset; --",
        "%s %(vector)s {partition}",
        "\ufdd0",
        "١٢",
    ],
)
def test_no_term_is_a_500(colours: dict[str, Asset], alice: User, text: str) -> None:
    client = client_of(alice)
    for name in (*SEARCH_TERMS, "unknown"):
        for params in ({name: text}, {"q": "red", name: text}):
            for answer in (client.get("/api/v1/search", params), client.post("/api/v1/search", params, format="json")):
                assert answer.status_code in (200, 400, 404, 410), (name, answer.status_code)
                if name == "limit" and answer.status_code == 200:
                    assert answer.json()["asked"] <= 200


@pytest.mark.parametrize("terms", [{"colection": "harbour"}, {"text": "boat"}, {"q": "boat", "nonsense": "1"}])
def test_an_unknown_part_of_a_search_is_named_not_overlooked(
    harbour: Collection, bob: User, terms: dict[str, str]
) -> None:
    client = client_of(bob)
    batch = {"action": "trash", "query": terms}
    for answer in (
        client.get("/api/v1/search", terms),
        client.post("/api/v1/search", terms, format="json"),
        client.post("/api/v1/batches", batch, format="json"),
    ):
        assert answer.status_code == 400
        assert set(error_of(answer)["fields"]) == set(terms) - {"q"}


def test_nothing_is_not_everything(harbour: Collection, bob: User) -> None:
    answer = client_of(bob).post("/api/v1/batches", {"action": "trash", "query": {"q": None}}, format="json")
    assert (answer.status_code, set(error_of(answer)["fields"])) == (400, {"q"})


def test_every_reason_not_to_answer_is_documented() -> None:
    told = (settings.BASE_DIR / "docs" / "api.md").read_text()
    codes = {code for code, _, _ in WHY_NOT.values()} | {unanswered(why()).get_codes() for why in (TooSlow, SpaceGone)}
    assert "not_answered" in codes
    assert not {code for code in codes if f"`{code}`" not in told}
