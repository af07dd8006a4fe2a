"""The archive's part of the JSON API: tokens, assets, collections, files, and how it says no."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from redis.exceptions import ConnectionError as NoRedis
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from archive.api import throttles
from archive.api.assets import AssetsView
from archive.api.throttles import PersonThrottle
from archive.models import Asset, Collection, Membership, Role, Space, Status, Work
from tests import pictures
from tests.cast import PASSWORD, make_jpeg, upload
from workers.encode import drain_encode
from workers.prepare import drain_prepare

pytestmark = pytest.mark.django_db(transaction=True)

NUL_AND_MORE = ["\x00", "a\x00b", "x" * 10_000, "'; DROP TABLE archive_asset; --", "%00", "\ud7ff", "../../etc/passwd"]


def client_of(user: User) -> APIClient:
    client = APIClient()
    token, _ = Token.objects.get_or_create(user=user)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
    return client


def send(client: APIClient, data: bytes, collection: str = "harbour", **fields: Any) -> Any:
    file = SimpleUploadedFile(fields.pop("name", "boat.jpg"), data)
    return client.post("/api/v1/assets", {"file": file, "collection": collection, **fields}, format="multipart")


def post_raw(client: APIClient, address: str, body: bytes, content_type: str) -> Any:
    return client.generic("POST", f"/api/v1/{address}", body, content_type=content_type)  # type: ignore[arg-type]


def error_of(response: Any) -> dict[str, Any]:
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "fields"}
    assert body["error"]["message"]
    found: dict[str, Any] = body["error"]
    return found


# ---- tokens ------------------------------------------------------------------------------------


def test_a_name_and_a_password_give_a_token_that_opens_the_api(bob: User) -> None:
    client = APIClient()
    answer = client.post("/api/v1/token", {"username": "bob", "password": PASSWORD}, format="json")
    assert answer.status_code == 200
    client.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['token']}")
    assert client.get("/api/v1/assets").status_code == 200
    assert client.delete("/api/v1/token").status_code == 204
    assert client.get("/api/v1/assets").status_code == 401


def test_a_new_log_in_works_although_an_ended_token_is_sent_along(bob: User) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Token ended")
    answer = client.post("/api/v1/token", {"username": "bob", "password": PASSWORD})
    assert answer.status_code == 200


def test_wrong_passwords_are_refused_counted_and_locked_out(bob: User) -> None:
    client = APIClient()
    wrong = {"username": "bob", "password": "wrong"}
    first = client.post("/api/v1/token", wrong, format="json")
    assert (first.status_code, error_of(first)["code"]) == (401, "wrong_log_in")
    for _ in range(settings.AXES_FAILURE_LIMIT):
        last = client.post("/api/v1/token", wrong, format="json")
    assert (last.status_code, error_of(last)["code"]) == (429, "locked")
    assert int(last.headers["Retry-After"]) > 0
    right = client.post("/api/v1/token", {"username": "bob", "password": PASSWORD}, format="json")
    assert right.status_code == 429


@pytest.mark.parametrize("username", ["\x00", "x" * 10_000, "", "nobody"])
def test_no_name_breaks_the_log_in(username: str, bob: User) -> None:
    answer = APIClient().post("/api/v1/token", {"username": username, "password": "x" * 900}, format="json")
    assert answer.status_code in (400, 401)
    error_of(answer)


def test_without_a_token_nothing_opens(db: None) -> None:
    for address in ("assets", f"assets/{uuid.uuid4()}", "collections", "collections/harbour", "search"):
        answer = APIClient().get(f"/api/v1/{address}")
        assert (answer.status_code, error_of(answer)["code"]) == (401, "not_authenticated"), address
        assert answer.headers["WWW-Authenticate"] == "Token"


def test_a_logged_in_browser_needs_its_csrf_token_to_write(bob: User, harbour: Collection) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)
    assert client.get("/api/v1/assets").status_code == 200
    answer = client.post("/api/v1/collections", {"name": "Mine"})
    assert (answer.status_code, error_of(answer)["code"]) == (403, "permission_denied")
    assert not Collection.objects.filter(name="Mine").exists()


# ---- upload ------------------------------------------------------------------------------------


def test_an_upload_answers_201_and_the_same_bytes_again_200_with_the_same_asset(harbour: Collection, bob: User) -> None:
    client = client_of(bob)
    data = pictures.jpeg(pictures.distinct(1))
    first = send(client, data, title="A boat", caption="in the morning")
    assert first.status_code == 201
    made = first.json()
    assert (made["title"], made["caption"], made["status"]) == ("A boat", "in the morning", "pending")
    assert (made["collection"], made["uploader"], made["filename"]) == ("harbour", "bob", "boat.jpg")
    assert first.headers["Location"] == f"/api/v1/assets/{made['asset']}"
    again = send(client, data, title="Another title", name="copy.jpg")
    assert (again.status_code, again.json()["asset"], again.json()["title"]) == (200, made["asset"], "A boat")
    assert Asset.objects.count() == Work.objects.count() == 1


def test_words_sent_along_are_kept_although_the_file_brings_its_own(
    harbour: Collection, bob: User, fake_space: Space
) -> None:
    data = pictures.png_with_xmp(pictures.xmp("Title inside", "Caption inside"))
    made = send(client_of(bob), data, title="Title sent").json()
    drain_prepare()
    found = client_of(bob).get(f"/api/v1/assets/{made['asset']}").json()
    assert found["title"] == "Title sent"
    assert found["caption"] == "Caption inside"


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "empty_file"),
        (b"just text, whatever the name says", 415, "unsupported_media"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_media"),
    ],
)
def test_files_that_are_no_pictures_are_refused_with_a_reason(
    harbour: Collection, bob: User, media_root: Path, data: bytes, status: int, code: str
) -> None:
    answer = send(client_of(bob), data)
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)
    assert not Asset.objects.exists()
    assert not list(media_root.glob("incoming/*.part"))


def test_a_file_over_the_limit_is_a_413(harbour: Collection, bob: User, settings: Any) -> None:
    settings.SIGHTLINE_UPLOAD_LIMIT = 1000
    answer = send(client_of(bob), pictures.jpeg(pictures.distinct(2)))
    assert (answer.status_code, error_of(answer)["code"]) == (413, "too_large")


def test_a_disk_that_is_almost_full_is_a_507(harbour: Collection, bob: User, settings: Any) -> None:
    settings.SIGHTLINE_UPLOAD_LIMIT = 2**60
    answer = send(client_of(bob), pictures.jpeg(pictures.distinct(2)))
    assert (answer.status_code, error_of(answer)["code"]) == (507, "storage_full")


def test_an_upload_says_all_that_is_missing_at_once(harbour: Collection, bob: User) -> None:
    answer = client_of(bob).post("/api/v1/assets", {"title": "x" * 301}, format="json")
    assert answer.status_code == 400
    assert set(error_of(answer)["fields"]) == {"file", "collection", "title"}


def test_nobody_uploads_where_they_may_not_and_learns_nothing_of_it(
    harbour: Collection, visitor: User, media_root: Path
) -> None:
    client = client_of(visitor)
    there = send(client, pictures.jpeg(pictures.distinct(3)))
    missing = send(client, pictures.jpeg(pictures.distinct(3)), collection="no-such")
    assert there.status_code == missing.status_code == 400
    assert error_of(there) == error_of(missing)
    assert not Asset.objects.exists()
    assert not list(media_root.glob("incoming/*.part"))


def test_strangers_fill_no_disk(harbour: Collection, media_root: Path) -> None:
    assert send(APIClient(), pictures.jpeg(pictures.distinct(4))).status_code == 401
    assert not list(media_root.glob("incoming/*.part"))


# ---- one asset ---------------------------------------------------------------------------------


def test_a_prepared_asset_links_to_bytes_that_its_token_opens(
    harbour: Collection, bob: User, visitor: User, fake_space: Space
) -> None:
    data = pictures.jpeg(pictures.distinct(5))
    made = send(client_of(bob), data).json()
    assert made["thumbnail"] is None
    drain_prepare()
    drain_encode()
    client = client_of(bob)
    found = client.get(f"/api/v1/assets/{made['asset']}").json()
    assert (found["status"], found["width"], found["height"]) == ("ready", 320, 240)
    original = client.get(found["original"])
    assert b"".join(original.streaming_content) == data  # type: ignore[attr-defined]
    for link in ("thumbnail", "preview"):
        picture = client.get(found[link], headers={"Accept": "image/webp"})
        assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/webp")
        assert client_of(visitor).get(found[link]).status_code == 404
    assert client_of(visitor).get(found["original"]).status_code == 404
    refused = APIClient().get(found["original"])
    assert (refused.status_code, error_of(refused)["code"]) == (401, "not_authenticated")


def test_what_one_may_not_see_is_a_404_whatever_one_asks(
    harbour: Collection, bob: User, visitor: User, tmp_path: Path
) -> None:
    asset = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    client = client_of(visitor)
    for address in (f"/api/v1/assets/{asset.uuid}", f"/api/v1/assets/{uuid.uuid4()}", "/api/v1/assets/no-uuid"):
        for method in (client.get, client.patch, client.delete):
            answer = method(address)
            assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found"), address
    asset.refresh_from_db()
    assert asset.trashed_at is None


def test_who_sees_but_does_not_curate_may_not_change(harbour: Collection, bob: User, tmp_path: Path) -> None:
    asset = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    client = client_of(bob)
    for answer in (
        client.patch(f"/api/v1/assets/{asset.uuid}", {"title": "Mine"}, format="json"),
        client.delete(f"/api/v1/assets/{asset.uuid}"),
    ):
        assert (answer.status_code, error_of(answer)["code"]) == (403, "permission_denied")
    asset.refresh_from_db()
    assert (asset.title, asset.trashed_at) == ("", None)


def test_a_curator_changes_words_trashes_and_brings_back(
    harbour: Collection, bob: User, visitor: User, tmp_path: Path
) -> None:
    Membership.objects.create(collection=harbour, user=visitor, role=Role.CURATOR)
    asset = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    client, address = client_of(visitor), f"/api/v1/assets/{asset.uuid}"
    changed = client.patch(address, {"title": "Red", "owner": "visitor", "sha256": "0"}, format="json").json()
    assert (changed["title"], changed["sha256"]) == ("Red", asset.sha256)
    assert client.delete(address).status_code == 204
    assert client.get("/api/v1/assets").json()["results"] == []
    assert client_of(bob).get(address).status_code == 404
    assert client.get(address).json()["trashed"] is True
    assert client.patch(address, {"trashed": False}, format="json").json()["trashed"] is False
    assert client_of(bob).get(address).status_code == 200


def test_an_asset_moves_only_to_where_one_may_add_and_never_onto_its_twin(
    harbour: Collection, alice: User, bob: User, visitor: User, tmp_path: Path
) -> None:
    Membership.objects.create(collection=harbour, user=visitor, role=Role.CURATOR)
    asset = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    Collection.objects.create(slug="closed", name="Closed", owner=alice)
    mine = Collection.objects.create(slug="mine", name="Mine", owner=visitor)
    client, address = client_of(visitor), f"/api/v1/assets/{asset.uuid}"
    closed = client.patch(address, {"collection": "closed"}, format="json")
    assert (closed.status_code, set(error_of(closed)["fields"])) == (400, {"collection"})
    twin = upload(mine, make_jpeg(tmp_path, "red.jpg", "red"), visitor)
    onto = client.patch(address, {"collection": "mine", "title": "Lost"}, format="json")
    assert (onto.status_code, error_of(onto)["code"]) == (409, "already_there")
    asset.refresh_from_db()
    assert (asset.title, asset.collection) == ("", harbour)
    Asset.objects.filter(pk=twin.pk).delete()
    assert client.patch(address, {"collection": "mine"}, format="json").json()["collection"] == "mine"


# ---- lists -------------------------------------------------------------------------------------


def test_pages_of_the_list_neither_repeat_nor_lose_while_new_assets_come(
    harbour: Collection, bob: User, tmp_path: Path
) -> None:
    for number in range(7):
        upload(harbour, make_jpeg(tmp_path, f"{number}.jpg", f"#{number}{number}0000"), bob)
    client = client_of(bob)
    page = client.get("/api/v1/assets?limit=3").json()
    seen = [asset["filename"] for asset in page["results"]]
    upload(harbour, make_jpeg(tmp_path, "late.jpg", "blue"), bob)
    while page["next"]:
        page = client.get(page["next"]).json()
        seen += [asset["filename"] for asset in page["results"]]
    assert seen == [f"{number}.jpg" for number in range(6, -1, -1)]


def test_assets_that_came_in_the_same_moment_are_all_listed(harbour: Collection, bob: User, tmp_path: Path) -> None:
    for number in range(5):
        upload(harbour, make_jpeg(tmp_path, f"{number}.jpg", f"#00{number}{number}00"), bob)
    Asset.objects.update(added_at="2026-01-01T00:00:00Z")
    client, seen, address = client_of(bob), [], "/api/v1/assets?limit=2"
    while address:
        page = client.get(address).json()
        seen += [asset["asset"] for asset in page["results"]]
        address = page["next"]
    assert len(seen) == len(set(seen)) == 5


def test_the_list_is_filtered_and_shows_what_one_may_see(
    harbour: Collection, alice: User, bob: User, visitor: User, tmp_path: Path
) -> None:
    upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    other = Collection.objects.create(slug="other", name="Other", owner=alice)
    failed = upload(other, make_jpeg(tmp_path, "blue.jpg", "blue"), alice)
    Asset.objects.filter(pk=failed.pk).update(status=Status.FAILED, error="It is broken.")

    def names(user: User, filters: str = "") -> set[str]:
        return {asset["filename"] for asset in client_of(user).get(f"/api/v1/assets?{filters}").json()["results"]}

    assert names(alice) == {"red.jpg", "blue.jpg"}
    assert names(alice, "collection=harbour") == {"red.jpg"}
    assert names(alice, "status=failed&kind=photo") == {"blue.jpg"}
    assert names(alice, "kind=video") == set()
    assert names(bob, "collection=other") == set()
    assert names(visitor) == set()


def test_the_list_costs_the_same_statements_however_long_it_is(harbour: Collection, bob: User, tmp_path: Path) -> None:
    client = client_of(bob)
    counts = []
    for number in range(3):
        upload(harbour, make_jpeg(tmp_path, f"{number}.jpg", f"#0000{number}{number}"), bob)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(client.get("/api/v1/assets").json()["results"]) == number + 1
        counts.append(len(queries))
    assert len(set(counts)) == 1


def test_bob_creates_a_collection_and_finds_it_alone(harbour: Collection, bob: User, visitor: User) -> None:
    client = client_of(bob)
    made = client.post("/api/v1/collections", {"name": "Old boats", "description": "Wood"}, format="json")
    assert made.status_code == 201
    assert made.json() | {"created_at": ""} == {
        "slug": "old-boats",
        "name": "Old boats",
        "description": "Wood",
        "visibility": "members",
        "owner": "bob",
        "created_at": "",
        "url": "/collections/old-boats/",
        "may_upload": True,
        "may_curate": True,
    }
    listed = client.get("/api/v1/collections").json()["results"]
    assert [(c["slug"], c["may_upload"], c["may_curate"]) for c in listed] == [
        ("old-boats", True, True),
        ("harbour", True, False),
    ]
    assert client_of(visitor).get("/api/v1/collections").json()["results"] == []
    assert client_of(visitor).get("/api/v1/collections/old-boats").status_code == 404
    assert client.get("/api/v1/collections/old-boats").json()["name"] == "Old boats"
    assert client.post("/api/v1/collections", {"name": "Old boats"}, format="json").json()["slug"] == "old-boats-2"
    taken = client.post("/api/v1/collections", {"name": "x", "slug": "old-boats"}, format="json")
    assert (taken.status_code, set(error_of(taken)["fields"])) == (400, {"slug"})


# ---- nothing is a 500 --------------------------------------------------------------------------


@pytest.mark.parametrize("text", NUL_AND_MORE)
def test_no_text_anywhere_is_a_500(harbour: Collection, alice: User, tmp_path: Path, text: str) -> None:
    asset = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), alice)
    client = client_of(alice)
    for name in ("collection", "kind", "status", "limit", "cursor", "format", "unknown"):
        answer = client.get("/api/v1/assets", {name: text})
        assert answer.status_code in (200, 400, 404), name
    answers = [
        client.patch(f"/api/v1/assets/{asset.uuid}", {"title": text, "caption": text}, format="json"),
        client.patch(f"/api/v1/assets/{asset.uuid}", {"collection": text}, format="json"),
        client.patch(f"/api/v1/assets/{asset.uuid}", {"trashed": text}, format="json"),
        client.post("/api/v1/collections", {"name": text, "slug": text, "visibility": text}, format="json"),
        client.post("/api/v1/collections", {"name": text, "description": text}, format="multipart"),
        send(client, pictures.jpeg(pictures.distinct(6)), title=text, collection=text, name=text or "x"),
        client.get(f"/api/v1/collections/{text}"),
        client.get(f"/api/v1/assets/{text}"),
    ]
    assert all(answer.status_code < 500 for answer in answers), [answer.status_code for answer in answers]


@pytest.mark.parametrize(
    "cursor", ["cD0lMDA=", "cD1ub3BlJnI9MQ==", "bz05OTk5OTk5OTk5", "ů", "cD0yMDI2LTAxLTAx", "====="]
)
def test_a_forged_cursor_is_named_as_one(alice: User, cursor: str) -> None:
    for address in ("assets", "collections"):
        answer = client_of(alice).get(f"/api/v1/{address}", {"cursor": cursor})
        assert (answer.status_code, set(error_of(answer)["fields"])) == (400, {"cursor"})


def test_a_cursor_is_good_for_its_own_list_and_as_long_as_the_secret_key(
    harbour: Collection, bob: User, tmp_path: Path, settings: Any
) -> None:
    for number in range(3):
        upload(harbour, make_jpeg(tmp_path, f"{number}.jpg", f"#{number}00000"), bob)
    client = client_of(bob)
    following = client.get("/api/v1/assets?limit=1").json()["next"]
    back = client.get(following).json()
    assert client.get(back["previous"]).json()["results"][0]["filename"] == "2.jpg"
    elsewhere = client.get(following.replace("/assets", "/collections"))
    assert (elsewhere.status_code, set(error_of(elsewhere)["fields"])) == (400, {"cursor"})
    settings.SECRET_KEY = "another one"
    stale = client.get(following)
    assert (stale.status_code, set(error_of(stale)["fields"])) == (400, {"cursor"})
    assert "begin at the first page" in error_of(stale)["message"]


@pytest.mark.parametrize(
    "body", [b"{", b"[" * 100_000, b'"text"', b"[1]", b"null", b'{"name": "\\ud800"}', b"\xff\xfe", b"7" * 5000]
)
def test_a_broken_body_is_a_400_in_the_one_shape(alice: User, body: bytes) -> None:
    client = client_of(alice)
    for address in ("collections", "assets", "token", "search"):
        answer = post_raw(client, address, body, "application/json")
        assert answer.status_code in (400, 503), address
        error_of(answer)


def test_a_body_of_many_megabytes_is_a_413(alice: User) -> None:
    body = b'{"name": "' + b"x" * 2**21 + b'"}'
    answer = post_raw(client_of(alice), "collections", body, "application/json")
    assert (answer.status_code, error_of(answer)["code"]) == (413, "too_large")


def test_a_body_of_another_kind_is_a_415(alice: User) -> None:
    for kind in ("text/xml", "application/octet-stream", "image/jpeg", "nonsense"):
        answer = post_raw(client_of(alice), "assets", b"<a/>", kind)
        assert (answer.status_code, error_of(answer)["code"]) == (415, "unsupported_media_type")


def test_a_broken_form_is_a_400(alice: User) -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        answer = post_raw(client_of(alice), "assets", b"--y\r\nno form", kind)
        assert answer.status_code == 400
        error_of(answer)


def test_addresses_that_are_none_answer_in_json(alice: User) -> None:
    for client in (client_of(alice), APIClient()):
        for address in ("", "nothing", "nothing/", "assets/no-uuid", "a/b/c/", "%00", "assets//"):
            answer = client.get(f"/api/v1/{address}")
            if address != "assets//":
                assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found"), address


def test_a_slash_at_the_end_changes_nothing_even_of_a_post(harbour: Collection, bob: User) -> None:
    client = client_of(bob)
    assert client.get("/api/v1/schema/").status_code == 200
    assert client.post("/api/v1/collections/", {"name": "Slash"}, format="json").status_code == 201
    file = SimpleUploadedFile("boat.jpg", pictures.jpeg(pictures.distinct(7)))
    made = client.post("/api/v1/assets/", {"file": file, "collection": "harbour"}, format="multipart")
    assert made.status_code == 201
    assert client.get(f"/api/v1/assets/{made.json()['asset']}/").status_code == 200


def test_head_options_and_wrong_methods_are_answered(harbour: Collection, alice: User, tmp_path: Path) -> None:
    asset = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), alice)
    client = client_of(alice)
    addresses = (
        "assets",
        f"assets/{asset.uuid}",
        f"assets/{asset.uuid}/original",
        "collections",
        "collections/harbour",
    )
    for address in (*addresses, "search", "schema"):
        assert client.head(f"/api/v1/{address}").status_code == 200, address
        assert client.options(f"/api/v1/{address}").status_code == 200, address
        answer = client.put(f"/api/v1/{address}", {}, format="json")
        assert (answer.status_code, error_of(answer)["code"]) == (405, "method_not_allowed"), address


def test_even_what_nobody_expected_is_told_in_the_one_shape(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_(error: Exception) -> Any:
        raise error

    client = client_of(bob)
    client.raise_request_exception = False
    monkeypatch.setattr("archive.api.collections._rights", lambda user: raise_(RuntimeError("secret detail")))
    broken = client.get("/api/v1/collections")
    assert (broken.status_code, error_of(broken)["code"]) == (500, "server_error")
    assert "secret" not in broken.content.decode()
    # Before any view, where the framework of the API does not reach.
    monkeypatch.setattr("django_htmx.middleware.HtmxMiddleware.__call__", lambda *_: raise_(OperationalError("away")))
    away = client.get("/api/v1/collections")
    assert (away.status_code, error_of(away)["code"], away.headers["Retry-After"]) == (503, "database_unavailable", "5")


# ---- throttles, schema -------------------------------------------------------------------------


@pytest.fixture
def two_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AssetsView, "throttle_classes", [PersonThrottle])
    monkeypatch.setattr(PersonThrottle, "THROTTLE_RATES", {"api": "2/min", "upload": "1/min"})


def test_each_person_is_throttled_alone(two_a_minute: None, alice: User, bob: User) -> None:
    assert [client_of(bob).get("/api/v1/assets").status_code for _ in range(2)] == [200, 200]
    late = client_of(bob).get("/api/v1/assets")
    assert (late.status_code, error_of(late)["code"]) == (429, "throttled")
    assert int(late.headers["Retry-After"]) > 0
    assert client_of(alice).get("/api/v1/assets").status_code == 200
    assert client_of(bob).post("/api/v1/assets").status_code == 400  # uploads have a rate of their own


def test_log_ins_and_searches_have_rates_of_their_own(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PersonThrottle, "THROTTLE_RATES", {"api": "1/min", "search": "2/min", "log_in": "3/min"})
    stranger, client = APIClient(), client_of(bob)
    log_ins = [stranger.post("/api/v1/token", {"username": "nobody", "password": "x"}) for _ in range(4)]
    assert [answer.status_code for answer in log_ins] == [401, 401, 401, 429]
    assert error_of(log_ins[-1])["code"] == "throttled"
    assert [client.get("/api/v1/search").status_code for _ in range(3)] == [200, 200, 429]
    assert [client.get("/api/v1/collections").status_code for _ in range(2)] == [200, 429]


def test_without_redis_the_api_still_answers_and_still_counts(
    two_a_minute: None, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone:
        def get(self, *args: Any) -> Any:
            raise NoRedis

    monkeypatch.setattr(PersonThrottle, "cache", Gone())
    throttles._here.clear()
    assert [client_of(bob).get("/api/v1/assets").status_code for _ in range(3)] == [200, 200, 429]


def test_the_schema_is_openapi_and_names_every_address_and_no_vector(db: None) -> None:
    answer = APIClient().get("/api/v1/schema")
    assert answer.headers["Content-Type"].startswith("application/json")
    schema = answer.json()
    assert schema["openapi"].startswith("3.")
    assert {(path, method) for path, methods in schema["paths"].items() for method in methods} == {
        ("/api/v1/token", "post"),
        ("/api/v1/token", "delete"),
        ("/api/v1/assets", "get"),
        ("/api/v1/assets", "post"),
        ("/api/v1/assets/{asset}", "get"),
        ("/api/v1/assets/{asset}", "patch"),
        ("/api/v1/assets/{asset}", "delete"),
        ("/api/v1/assets/{asset}/duplicates", "get"),
        ("/api/v1/assets/{asset}/original", "get"),
        ("/api/v1/assets/{asset}/tags", "put"),
        ("/api/v1/assets/{asset}/tags/{name}", "put"),
        ("/api/v1/assets/{asset}/tags/{name}", "delete"),
        ("/api/v1/assets/{asset}/{spec}", "get"),
        ("/api/v1/batches", "get"),
        ("/api/v1/batches", "post"),
        ("/api/v1/batches/{batch}", "get"),
        ("/api/v1/batches/{batch}/undo", "post"),
        ("/api/v1/batches/{batch}/file", "get"),
        ("/api/v1/collections", "get"),
        ("/api/v1/collections", "post"),
        ("/api/v1/collections/{slug}", "get"),
        ("/api/v1/tags", "get"),
        ("/api/v1/search", "get"),
        ("/api/v1/search", "post"),
        ("/api/v1/assets/{asset}/moments", "get"),
        ("/api/v1/assets/{asset}/reuse", "get"),
        ("/api/v1/classify", "get"),
        ("/api/v1/review", "get"),
        ("/api/v1/review/{flag}", "get"),
        ("/api/v1/review/{flag}", "post"),
        ("/api/v1/saved-searches", "get"),
        ("/api/v1/saved-searches", "post"),
        ("/api/v1/saved-searches/matches", "get"),
        ("/api/v1/saved-searches/matches/read", "post"),
        ("/api/v1/saved-searches/{saved}", "delete"),
        ("/api/v1/saved-searches/{saved}", "get"),
        ("/api/v1/saved-searches/{saved}", "patch"),
        ("/api/v1/saved-searches/{saved}/alert", "delete"),
        ("/api/v1/saved-searches/{saved}/alert", "get"),
        ("/api/v1/saved-searches/{saved}/alert", "put"),
        ("/api/v1/saved-searches/{saved}/back-test", "get"),
        ("/api/v1/saved-searches/{saved}/results", "get"),
        ("/api/v1/saved-searches/{saved}/webhook", "delete"),
        ("/api/v1/saved-searches/{saved}/webhook", "get"),
        ("/api/v1/saved-searches/{saved}/webhook", "put"),
    }
    assert "vector" not in answer.content.decode().lower().replace("only its vector", "")
    listed = schema["paths"]["/api/v1/assets"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    page = schema["components"]["schemas"][listed["$ref"].rsplit("/", 1)[-1]]
    assert set(page["properties"]) == {"next", "previous", "results"}
    assert schema["paths"]["/api/v1/search"]["get"]["responses"]["default"]


def test_the_schema_shows_examples_that_fit_it(db: None) -> None:
    schema = APIClient().get("/api/v1/schema").json()
    shown = {
        path: operation["responses"]["200"]["content"]["application/json"]["examples"]
        for path, method in (("/api/v1/search", "get"), ("/api/v1/assets", "get"), ("/api/v1/assets/{asset}", "get"))
        for operation in [schema["paths"][path][method]]
    }
    (page,) = shown["/api/v1/assets"].values()
    (asset,) = shown["/api/v1/assets/{asset}"].values()
    (answer,) = shown["/api/v1/search"].values()
    assert page["value"]["results"] == [asset["value"]]
    for value, name in ((asset["value"], "Asset"), (answer["value"], "Answer"), (answer["value"]["hits"][0], "Hit")):
        assert set(value) == set(schema["components"]["schemas"][name]["properties"])


def test_a_senseless_limit_is_named_by_every_list(bob: User) -> None:
    for address in ("assets", "collections"):
        answer = client_of(bob).get(f"/api/v1/{address}?limit=null")
        assert (answer.status_code, set(error_of(answer)["fields"])) == (400, {"limit"})


def test_what_is_sent_is_what_the_schema_promises(harbour: Collection, bob: User, tmp_path: Path) -> None:
    asset = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    promised = APIClient().get("/api/v1/schema").json()["components"]["schemas"]["Asset"]["properties"]
    assert set(client_of(bob).get(f"/api/v1/assets/{asset.uuid}").json()) == set(promised)
