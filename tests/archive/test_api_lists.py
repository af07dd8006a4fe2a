"""Lists in the JSON API, of assets and of collections: their pages, filters, cursors and costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive.models import Asset, Collection, Status
from tests.api import client_of, error_of
from tests.cast import make_jpeg, upload

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_a_senseless_limit_is_named_by_every_list(bob: User) -> None:
    for address in ("assets", "collections"):
        answer = client_of(bob).get(f"/api/v1/{address}?limit=null")
        assert (answer.status_code, set(error_of(answer)["fields"])) == (400, {"limit"})
