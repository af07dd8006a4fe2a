"""Acting on all that a query finds: what is counted is what is changed, and only where one may."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive.models import Asset, Batch, BatchState, Collection, Space, Status
from archive.tags import add_tags, tags_of
from archive.trash import trash
from search import act_views, engine
from search.acting import choose_all, choose_picked, describe
from search.engine import find_relevant_ids, search
from search.hits import Answer
from search.query import BadQuery, Query
from tests.api import client_of, error_of
from tests.cast import make_user
from tests.prepared import make_encoded, random_rows
from workers.batches import drain_batches
from workers.client import Encoded, remember_text

pytestmark = pytest.mark.django_db

BATCHES = "/api/v1/batches"


@pytest.fixture
def boats(harbour: Collection, fake_space: Space) -> list[Asset]:
    return make_encoded(harbour, fake_space, random_rows(7), prefix="boat")


@pytest.fixture
def open_hall(alice: User, fake_space: Space) -> list[Asset]:
    """What everybody sees and only alice curates."""
    hall = Collection.objects.create(slug="hall", name="Hall", owner=alice, visibility="everyone")
    return make_encoded(hall, fake_space, random_rows(3, seed=1), prefix="hall")


@pytest.fixture
def secrets(alice: User, fake_space: Space) -> list[Asset]:
    hidden = Collection.objects.create(slug="hidden", name="Hidden", owner=alice)
    return make_encoded(hidden, fake_space, random_rows(3, seed=2), prefix="secret")


def tagged(name: str) -> set[str]:
    return set(Asset.objects.filter(tags__concept__name=name).values_list("filename", flat=True))


def expected_of(page: Any, which: str = "yours") -> str:
    token: str = page.context[which].token
    return token


# ---- what is chosen ----------------------------------------------------------------------------


def test_all_of_a_ranked_query_are_the_hits_of_its_pages_in_their_order(boats: list[Asset], carol: User) -> None:
    query = Query(like=boats[0].uuid)
    shown = [hit.asset.pk for hit in search(query, carol).hits]
    assert find_relevant_ids(query, carol) == shown
    assert [a.pk for a in choose_all(query.but(limit=2, offset=2), carol).assets] == shown
    assert boats[0].pk not in shown


def test_a_ranked_query_is_followed_over_pages_and_ends_somewhere(
    boats: list[Asset], carol: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = Query(like=boats[0].uuid, limit=2)
    first = search(query, carol)
    whole = find_relevant_ids(query, carol)
    assert whole[:2] == [hit.asset.pk for hit in first.hits]
    assert len(whole) > 3
    cache.clear()
    monkeypatch.setattr(engine, "MAX_DEPTH", 3)
    assert find_relevant_ids(query, carol) == whole[:3]


def test_without_terms_everything_within_the_filters_is_chosen(
    boats: list[Asset], secrets: list[Asset], carol: User
) -> None:
    Asset.objects.filter(pk=boats[0].pk).update(status=Status.PENDING)
    trash(Asset.objects.filter(pk=boats[1].pk))
    chosen = choose_all(Query(collection="harbour"), carol).assets
    assert set(chosen) == {*boats[:1], *boats[2:]}
    assert not choose_all(Query(collection="hidden"), carol).assets.exists()


def test_picked_ones_are_those_that_one_may_see(boats: list[Asset], secrets: list[Asset], carol: User) -> None:
    ids = [str(asset.uuid) for asset in (*boats[:2], *secrets)]
    choice = choose_picked([*ids, ids[0], str(uuid.uuid4())], carol)
    assert set(choice.assets) == set(boats[:2])
    assert choice.what == "2 chosen pictures"
    for bad in (["nonsense"], [str(uuid.uuid4()) for _ in range(1001)]):
        with pytest.raises(BadQuery):
            choose_picked(bad, carol)


def test_a_query_is_described_in_words(boats: list[Asset], secrets: list[Asset], carol: User) -> None:
    asked = {"q": "red boat", "without": "people", "kind": "photo", "collection": "harbour", "from": "2024-05-01"}
    said = describe(Query.from_params(asked), carol)
    assert said == "“red boat”, without “people”, photos, in Harbour, since 2024-05-01"
    assert describe(Query(), carol) == "Everything"
    assert describe(Query(like=boats[0].uuid), carol) == "Like boat-00000.jpg"
    assert "secret" not in describe(Query(like=secrets[0].uuid), carol)


# ---- the pages ---------------------------------------------------------------------------------


def test_from_the_search_page_to_the_result_and_back(client: Client, boats: list[Asset], carol: User) -> None:
    client.force_login(carol)
    page = client.get("/?collection=harbour").content.decode()
    assert 'href="/act/?collection=harbour"' in page
    preview = client.get("/act/?collection=harbour")
    assert "7 pictures" in preview.content.decode()
    assert "Tag 7 pictures" in preview.content.decode()
    sent = {"action": "tag", "tags": "Sea, old", "expected": expected_of(preview)}
    done = client.post("/act/?collection=harbour", sent, follow=True)
    assert "7 pictures: waiting for a worker." in done.content.decode()
    drain_batches()
    address = done.redirect_chain[-1][0]
    page = client.get(address).content.decode()
    assert "Tag “Sea”, “old”" in page
    assert "7 pictures." in page
    assert "hx-trigger" not in page
    assert tagged("Sea") == {boat.filename for boat in boats}
    undone = client.post(f"{address}undo/", follow=True).content.decode()
    assert 'hx-trigger="every 1s"' in undone
    drain_batches()
    assert "7 pictures put back as before." in client.get(address).content.decode()
    assert tagged("Sea") == set()
    assert "Tag “Sea”, “old”" in client.get("/batches/").content.decode()


def test_the_page_says_where_a_ranking_ends_and_that_nothing_matches_well(
    client: Client, boats: list[Asset], carol: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(carol)
    asked = f"/act/?like={boats[0].uuid}&mode=everything"
    ends, unsure = "A search ranks {} at most", "Nothing matches well: these are only what comes closest."
    plain = client.get(asked).content.decode()
    assert "6 pictures" in plain
    assert ends.format(6) not in plain
    for module in (engine, act_views):
        monkeypatch.setattr(module, "MAX_DEPTH", 4)
    assert ends.format(4) in client.get(asked).content.decode()
    assert ends.format(7) not in client.get("/act/").content.decode()
    monkeypatch.setattr(Answer, "nothing_well", True)
    said = client.get(asked).content.decode()
    assert unsure in said
    assert "The last of them" not in said
    assert unsure not in client.get("/act/").content.decode()


def test_where_nothing_matches_well_the_page_says_so(
    client: Client, harbour: Collection, fake_space: Space, carol: User
) -> None:
    make_encoded(harbour, fake_space, random_rows(60))
    remember_text(fake_space, "nonsense", Encoded(-random_rows(60).mean(axis=0)))
    client.force_login(carol)
    assert "Nothing matches well" in client.get("/?q=nonsense").content.decode()
    assert "Nothing matches well: these are only" in client.get("/act/?q=nonsense").content.decode()
    remember_text(fake_space, "sense", Encoded(random_rows(60)[3]))
    assert "Nothing matches well" not in client.get("/act/?q=sense").content.decode()


def test_a_part_of_the_page_is_what_htmx_gets(client: Client, boats: list[Asset], carol: User) -> None:
    client.force_login(carol)
    client.post("/act/", {"action": "trash"})
    batch = Batch.objects.get()
    part = client.get(batch.get_absolute_url(), headers={"HX-Request": "true"})
    assert part.content.decode().lstrip().startswith("<section")
    assert "HX-Request" in part.headers["Vary"]
    assert '<noscript><meta http-equiv="refresh"' in client.get(batch.get_absolute_url()).content.decode()


def test_what_one_only_sees_is_counted_apart_and_stays(
    client: Client, boats: list[Asset], open_hall: list[Asset], secrets: list[Asset], carol: User
) -> None:
    client.force_login(carol)
    preview = client.get("/act/")
    assert "10 pictures" in preview.content.decode()
    assert "You curate 7 of them." in preview.content.decode()
    assert "secret" not in preview.content.decode()
    before = list(Asset.objects.filter(collection__slug__in=("hall", "hidden")).order_by("pk").values())
    client.post("/act/", {"action": "trash", "expected": expected_of(preview)})
    drain_batches()
    assert Asset.objects.filter(trashed_at__isnull=False).count() == 7
    assert list(Asset.objects.filter(collection__slug__in=("hall", "hidden")).order_by("pk").values()) == before


def test_whoever_curates_nothing_may_download_and_no_more(client: Client, boats: list[Asset], bob: User) -> None:
    client.force_login(bob)
    preview = client.get("/act/")
    page = preview.content.decode()
    assert "Make the file" in page
    assert "Trash" not in page.replace(">Trash<", "")
    refused = client.post("/act/", {"action": "trash", "expected": expected_of(preview, "seen")})
    assert refused.status_code in (400, 409)
    assert not Batch.objects.exists()
    assert client.post("/act/", {"action": "download", "expected": expected_of(preview, "seen")}).status_code == 302


def test_picked_ones_pass_the_same_page(client: Client, boats: list[Asset], secrets: list[Asset], carol: User) -> None:
    client.force_login(carol)
    ids = " ".join(str(asset.uuid) for asset in (*boats[:2], *secrets))
    preview = client.post("/act/", {"assets": ids})
    assert "2 pictures" in preview.content.decode()
    sent = {"assets": ids, "action": "tag", "tags": "mine", "expected": expected_of(preview)}
    assert client.post("/act/", sent).status_code == 302
    drain_batches()
    assert tagged("mine") == {boats[0].filename, boats[1].filename}


def test_what_changed_since_one_looked_is_shown_again_and_not_acted_on(
    client: Client, boats: list[Asset], carol: User
) -> None:
    client.force_login(carol)
    looked = expected_of(client.get("/act/"))
    trash(Asset.objects.filter(pk=boats[0].pk))
    answer = client.post("/act/", {"action": "trash", "expected": looked})
    assert answer.status_code == 409
    assert "Nothing was done" in answer.content.decode()
    assert "Trash 6 pictures" in answer.content.decode()
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    ("address", "sent", "status", "says"),
    [
        ("/act/", {"action": "explode"}, 400, "An action is one of"),
        ("/act/", {"action": "tag"}, 400, "Name at least one tag."),
        ("/act/", {"action": "tag", "tags": "x" * 10_000}, 400, "at most 80 characters"),
        ("/act/", {"action": "tag", "tags": ",".join(str(n) for n in range(10_000))}, 400, "At most 50 tags"),
        ("/act/", {"action": "tag", "tags": "a\0b"}, 400, "characters that nobody sees"),
        ("/act/", {"action": "move", "collection": "hidden"}, 400, "no such collection"),
        ("/act/", {"action": "move", "collection": "a\0b"}, 400, "no such collection"),
        ("/act/", {"action": "trash", "expected": "7.zz\0"}, 409, "Nothing was done"),
        ("/act/?from=never", {"action": "trash"}, 400, "Write a date"),
        ("/act/?picture=stale", {"action": "trash"}, 410, "kept for an hour only"),
        ("/act/?collection=hidden", {"action": "trash"}, 400, "nothing that you could"),
        ("/act/", {"assets": "", "action": "trash"}, 400, "nothing that you could"),
        ("/act/", {"assets": "nonsense"}, 400, "not the id of an asset"),
        ("/act/", {"assets": " ".join(["00000000-0000-0000-0000-000000000000"]), "action": "trash"}, 400, "nothing"),
        ("/act/?like=00000000-0000-0000-0000-000000000000", {"action": "trash"}, 404, "Not here"),
    ],
)
def test_bad_input_gets_a_sentence_and_does_nothing(
    client: Client,
    boats: list[Asset],
    secrets: list[Asset],
    carol: User,
    address: str,
    sent: dict[str, str],
    status: int,
    says: str,
) -> None:
    client.force_login(carol)
    answer = client.post(address, sent)
    assert answer.status_code == status
    assert says in answer.content.decode().replace("&#x27;", "'")
    assert not Batch.objects.exists()


def test_the_preview_costs_the_same_for_many_as_for_few(
    client: Client, boats: list[Asset], harbour: Collection, fake_space: Space, carol: User
) -> None:
    client.force_login(carol)
    client.get("/act/")
    with CaptureQueriesContext(connection) as few:
        client.get("/act/")
    make_encoded(harbour, fake_space, random_rows(30, seed=5), prefix="more")
    with CaptureQueriesContext(connection) as many:
        assert "37 pictures" in client.get("/act/").content.decode()
    assert len(many) == len(few)


def test_the_whole_trash_is_put_back_and_away_again(
    client: Client, boats: list[Asset], secrets: list[Asset], carol: User
) -> None:
    trash(Asset.objects.all())
    moments = dict(Asset.objects.values_list("pk", "trashed_at"))
    client.force_login(carol)
    page = client.get("/trash/")
    assert "Put all 7 back" in page.content.decode()
    assert "Look again" in client.post("/trash/restore/", {"expected": "8"}, follow=True).content.decode()
    sent = {"expected": page.context["lying"].token}
    address = client.post("/trash/restore/", sent, follow=True).redirect_chain[-1][0]
    drain_batches()
    assert set(Asset.objects.filter(trashed_at__isnull=True)) == set(boats)
    client.post(f"{address}undo/")
    drain_batches()
    assert dict(Asset.objects.values_list("pk", "trashed_at")) == moments
    client.force_login(make_user("dora"))
    assert "nothing that you could" in client.post("/trash/restore/", follow=True).content.decode()


def test_a_batch_is_its_owners_alone(client: Client, boats: list[Asset], carol: User, alice: User) -> None:
    client.force_login(carol)
    client.post("/act/", {"action": "download"})
    batch = Batch.objects.get()
    drain_batches()
    for person in (alice, make_user("dora")):
        client.force_login(person)
        for address in ("", "download/"):
            assert client.get(f"{batch.get_absolute_url()}{address}").status_code == 404
        assert client.post(f"{batch.get_absolute_url()}undo/").status_code == 404
        assert client_of(person).get(f"{BATCHES}/{batch.uuid}").status_code == 404
        assert client_of(person).get(f"{BATCHES}/{batch.uuid}/file").status_code == 404
        assert client_of(person).post(f"{BATCHES}/{batch.uuid}/undo").status_code == 404
        assert "Download" not in client.get("/batches/").content.decode()
    client.logout()
    assert client.get(batch.get_absolute_url()).status_code == 302


# ---- the API -----------------------------------------------------------------------------------


def begin(user: User, **body: Any) -> Any:
    return client_of(user).post(BATCHES, body, format="json")


def test_the_api_acts_on_a_query_and_takes_it_back(boats: list[Asset], carol: User) -> None:
    answer = begin(carol, action="tag", tags=["sea"], query={"collection": "harbour", "kind": "photo"}, expected=7)
    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["total"]) == ("waiting", 7)
    drain_batches()
    client, address = client_of(carol), answer.headers["Location"]
    state = client.get(address).json()
    assert (state["state"], state["done"], state["left"]) == ("done", 7, [])
    assert state["what"] == "Photos, in Harbour"
    undone = client.post(f"{address}/undo")
    assert (undone.status_code, undone.json()["state"]) == (202, "undoing")
    again = client.post(f"{address}/undo")
    assert (again.status_code, error_of(again)["code"]) == (409, "already_undone")
    drain_batches()
    assert client.get(address).json()["state"] == "undone"
    assert tags_of(boats[0]) == []


def test_the_api_acts_on_picked_assets_and_says_why_some_were_left(boats: list[Asset], carol: User) -> None:
    add_tags(Asset.objects.filter(pk=boats[0].pk), ["sea"], carol)
    answer = begin(carol, action="tag", tags=["sea"], assets=[str(boat.uuid) for boat in boats[:3]])
    drain_batches()
    state = client_of(carol).get(answer.headers["Location"]).json()
    assert (state["done"], state["skipped"]) == (2, 1)
    assert state["left"] == [{"why": "It is tagged so already.", "count": 1}]


@pytest.fixture
def files(boats: list[Asset]) -> Iterator[None]:
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    for boat in boats:
        default_storage.save(boat.original, ContentFile(b"x"))
    yield
    for boat in boats:
        default_storage.delete(boat.original)


@pytest.mark.usefixtures("files")
def test_a_download_is_fetched_by_page_and_api_until_something_is_hidden(
    client: Client, boats: list[Asset], bob: User, harbour: Collection
) -> None:
    answer = begin(bob, action="download", query={})
    drain_batches()
    state = client_of(bob).get(answer.headers["Location"]).json()
    file: Any = client_of(bob).get(state["download"])
    assert file.headers["Content-Type"] == "application/zip"
    assert file.headers["Content-Disposition"].startswith('attachment; filename="sightline-')
    assert b"".join(file.streaming_content)[:2] == b"PK"
    client.force_login(bob)
    assert "Download" in client.get(state["url"]).content.decode()
    private = Collection.objects.create(slug="private", name="Private", owner=harbour.owner)
    Asset.objects.filter(pk=boats[0].pk).update(collection=private)
    refused = client.get(f"{state['url']}download/", follow=True)
    assert "not shared with you any more" in refused.content.decode()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid"),
        ({"action": "trash"}, 400, "invalid"),
        ({"action": "explode", "query": {}}, 400, "invalid"),
        ({"action": "tag", "query": {}}, 400, "invalid"),
        ({"action": "tag", "query": {}, "tags": [f"t{n}" for n in range(10_000)]}, 400, "invalid"),
        ({"action": "tag", "query": {}, "tags": "sea"}, 400, "invalid"),
        ({"action": "tag", "query": {}, "tags": ["a\x00b"]}, 400, "invalid"),
        ({"action": "move", "query": {}, "collection": "hidden"}, 400, "invalid"),
        ({"action": "trash", "query": {"collection": "hidden"}}, 400, "invalid"),
        ({"action": "trash", "query": "everything"}, 400, "invalid"),
        ({"action": "trash", "query": {"q": ["a"]}}, 400, "invalid"),
        ({"action": "trash", "query": {"from": "never"}}, 400, "invalid"),
        ({"action": "trash", "query": {"without": "people"}}, 400, "invalid"),
        ({"action": "trash", "query": {"picture": "stale"}}, 410, "picture_expired"),
        ({"action": "trash", "query": {"like": "00000000-0000-0000-0000-000000000000"}}, 404, "not_found"),
        ({"action": "trash", "assets": ["nonsense"]}, 400, "invalid"),
        ({"action": "trash", "assets": []}, 400, "invalid"),
        ({"action": "trash", "assets": [], "query": {}}, 400, "invalid"),
        ({"action": "trash", "query": None}, 400, "invalid"),
        ({"action": "trash", "assets": ["00000000-0000-0000-0000-000000000000"] * 1001}, 400, "invalid"),
        ({"action": "trash", "query": {}, "expected": 8}, 409, "set_changed"),
        ({"action": "trash", "query": {}, "expected": -1}, 400, "invalid"),
        ([], 400, "invalid"),
    ],
)
def test_the_api_refuses_in_its_one_shape_and_does_nothing(
    boats: list[Asset], secrets: list[Asset], carol: User, body: Any, status: int, code: str
) -> None:
    answer = client_of(carol).post(BATCHES, body, format="json")
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)
    assert not Batch.objects.exists()


def test_the_list_is_mine_and_costs_the_same_for_many(boats: list[Asset], carol: User, bob: User) -> None:
    begin(carol, action="trash", query={})
    begin(bob, action="download", query={})
    client = client_of(carol)
    client.get(BATCHES)
    with CaptureQueriesContext(connection) as one:
        assert [batch["action"] for batch in client.get(BATCHES).json()["results"]] == ["trash"]
    for _ in range(4):
        begin(carol, action="tag", tags=["sea"], query={})
    drain_batches()
    with CaptureQueriesContext(connection) as many:
        found = client.get(BATCHES).json()["results"]
    assert len(found) == 5
    assert {batch["state"] for batch in found} == {BatchState.DONE}
    assert len(many) == len(one)
