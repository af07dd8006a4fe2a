"""Saved searches: kept, shared, opened as albums, and with a reference picture that lasts."""

from __future__ import annotations

import json
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from archive.models import Alert, Asset, Collection, Match, Membership, SavedSearch, Space
from search.alerts_backtest import back_test
from search.failures import PictureExpired, UnknownAsset
from search.query import BadQuery, Mode, Query
from search.saved import change, find_named, find_saved, query_of, save_search
from tests import pictures
from tests.cast import make_user
from tests.prepared import make_encoded, random_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def assets(harbour: Collection, fake_space: Space, queries_in_process: None) -> list[Asset]:
    return make_encoded(harbour, fake_space, random_rows(80))


def names(answer: Any) -> list[str]:
    return [hit.asset.filename for hit in answer.context["answer"].hits]


def test_a_query_is_kept_whole_but_for_where_one_was_in_its_answer(assets: list[Asset], bob: User) -> None:
    params = {"q": "red boat", "without": "dogs", "like": str(assets[0].uuid), "tag": "sea", "mode": "strict"}
    query = Query.from_params({**params, "offset": "60", "cursor": "x.y", "limit": "5", "space": "other", "exact": "1"})
    saved = save_search(query, "  Boats\nat sea ", bob)
    assert saved.name == "Boats at sea"
    assert query_of(saved) == Query.from_params(params)


def test_what_makes_no_sense_is_refused_in_words(assets: list[Asset], bob: User) -> None:
    for query, name in ((Query(text="x"), "  "), (Query(text="x"), "x" * 121), (Query(without="dogs"), "no dogs")):
        with pytest.raises(BadQuery):
            save_search(query, name, bob)
    with pytest.raises(UnknownAsset):
        save_search(Query(like=assets[0].uuid), "hidden", make_user("stranger"))
    with pytest.raises(PictureExpired):
        save_search(Query(picture="gone"), "gone", bob)
    save_search(Query(text="x"), "twice", bob)
    with pytest.raises(BadQuery, match="named “twice” already"):
        save_search(Query(text="y"), "twice", bob)
    other = save_search(Query(text="y"), "other", bob)
    with pytest.raises(BadQuery, match="already"):
        change(other, name="twice")
    assert SavedSearch.objects.filter(owner=bob).count() == 2


def test_members_see_what_is_shared_and_nobody_else_sees_anything(assets: list[Asset], bob: User, alice: User) -> None:
    """Superusers neither: what people look for is theirs."""
    stranger = make_user("stranger")
    saved = save_search(Query(text="red"), "red", bob)
    assert [bool(find_saved(one, saved.uuid)) for one in (bob, alice, stranger)] == [True, False, False]
    change(saved, collection=Collection.objects.get(slug="harbour"))
    assert [bool(find_saved(one, saved.uuid)) for one in (bob, alice, stranger)] == [True, True, False]
    assert find_named(alice, "red") == saved
    member = Membership.objects.create(collection=Collection.objects.get(), user=stranger)
    assert find_saved(stranger, saved.uuid)
    member.delete()
    assert not find_saved(stranger, saved.uuid)


def test_an_album_is_the_search_page_with_all_of_its_pages(assets: list[Asset], bob: User, client: Client) -> None:
    client.force_login(bob)
    saved = save_search(Query.from_params({"q": "red boat", "mode": "everything"}), "red", bob)
    album, searched = client.get(saved.get_absolute_url()), client.get("/?q=red+boat&mode=everything")
    assert names(album) == names(searched)
    assert len(names(album)) == 60
    page = album.content.decode()
    assert "<title>red ·" in page
    assert "/act/?q=red" in page
    following = client.get(album.context["next"], headers={"HX-Request": "true"})
    assert len(names(following)) == 20
    assert not set(names(following)) & set(names(album))


def test_each_finds_in_a_shared_album_what_they_may_see(
    assets: list[Asset], alice: User, bob: User, fake_space: Space, client: Client
) -> None:
    cellar = Collection.objects.create(slug="cellar", name="Cellar", owner=alice)
    make_encoded(cellar, fake_space, random_rows(5, seed=3), prefix="hidden")
    saved = save_search(Query(collection="cellar"), "cellar", alice, Collection.objects.get(slug="harbour"))
    client.force_login(alice)
    assert len(names(client.get(saved.get_absolute_url()))) == 5
    client.force_login(bob)
    assert names(client.get(saved.get_absolute_url())) == []
    assert [back_test(query_of(saved), one, Mode.BALANCED).count for one in (alice, bob)] == [5, 0]


def test_a_reference_picture_lasts_for_all_who_see_the_search(
    assets: list[Asset], alice: User, bob: User, client: Client
) -> None:
    client.force_login(bob)
    file = SimpleUploadedFile("r.jpg", pictures.jpeg(pictures.distinct(7)))
    found = client.post("/search/picture/", {"picture": file})["Location"]
    before = names(client.get(found))
    assert client.post(f"/saved/{found[1:]}", {"name": "like mine", "collection": "harbour"}).status_code == 302
    saved = SavedSearch.objects.get()
    cache.clear()  # the hour is over
    assert names(client.get(saved.get_absolute_url())) == before
    assert client.get(f"/search/picture/{saved.picture_key}/").status_code == 200
    client.force_login(alice)
    assert client.get(saved.get_absolute_url()).status_code == 200
    stranger = make_user("stranger")
    client.force_login(stranger)
    assert client.get(f"/search/picture/{saved.picture_key}/").status_code == 404
    assert client.get(f"/?picture={saved.picture_key}").status_code == 410


def test_an_album_whose_seed_is_gone_says_so(assets: list[Asset], bob: User, client: Client) -> None:
    client.force_login(bob)
    saved = save_search(Query(like=assets[0].uuid), "like it", bob)
    Asset.objects.filter(pk=assets[0].pk).update(trashed_at="2024-01-01T00:00Z")
    answer = client.get(saved.get_absolute_url())
    assert answer.status_code == 404
    assert "starts from is gone" in answer.content.decode()


def test_the_pages_save_rename_share_and_delete(assets: list[Asset], alice: User, bob: User, client: Client) -> None:
    client.force_login(bob)
    sent = client.post("/saved/?q=red+boat&kind=photo&offset=60", {"name": "Boats", "collection": "", "alert": "1"})
    saved = SavedSearch.objects.get()
    assert sent["Location"] == saved.get_absolute_url()
    assert saved.params == {"q": "red boat", "kind": "photo"}
    listed = client.get("/saved/").content.decode()
    assert "“red boat”, photos" in listed
    assert "alert on" in listed
    edit = f"{saved.get_absolute_url()}edit/"
    client.post(edit, {"name": "Red boats", "collection": "harbour"})
    saved.refresh_from_db()
    assert (saved.name, saved.collection.slug if saved.collection else "") == ("Red boats", "harbour")
    assert client.post(edit, {"name": "", "collection": ""}).status_code == 400
    assert client.post(edit, {"name": "x", "collection": "cellar"}).status_code == 400
    carol = make_user("carol")
    Membership.objects.create(collection=Collection.objects.get(), user=carol)
    client.force_login(carol)
    assert "Shared with you" in client.get("/saved/").content.decode()
    assert client.get(edit).status_code == 200
    assert client.post(edit, {"name": "hers"}).status_code == 404
    assert client.post(f"{saved.get_absolute_url()}delete/").status_code == 404
    client.force_login(alice)  # superusers tidy up what is shared
    assert client.post(f"{saved.get_absolute_url()}delete/").status_code == 302
    assert not SavedSearch.objects.exists()


def run(*line: str) -> str:
    out = StringIO()
    call_command("saved", *line, "--user", "bob", stdout=out)
    return out.getvalue()


def test_the_command_line_keeps_shows_shares_and_waits(assets: list[Asset], bob: User, alice: User) -> None:
    made = json.loads(run("add", "Boats", "red boat", "--kind", "photo", "--mode", "everything", "--json"))
    saved = SavedSearch.objects.get(uuid=made["saved_search"])
    assert saved.params == {"q": "red boat", "kind": "photo", "mode": "everything"}
    assert "Boats  (“red boat”, photos)" in run("list")
    assert json.loads(run("list", "--json"))[0]["query"] == saved.params
    assert len(json.loads(run("show", "Boats", "--limit", "7", "--json"))["hits"]) == 7
    assert "7 found" in run("show", str(saved.uuid), "--limit", "7")
    run("rename", "Boats", "Red boats")
    assert "Harbour" in run("share", "Red boats", "harbour")
    assert run("share", "Red boats") == "shared with nobody\n"
    run("alert", "Red boats", "on", "--mode", "strict")
    assert Alert.objects.get().mode == "strict"
    assert "The last 10 days would have given" in run("test", "Red boats", "--days", "10")
    run("alert", "Red boats", "off")
    with pytest.raises(CommandError, match="sees no saved search named 'Boats'"):
        run("remove", "Boats")
    hers = save_search(Query(text="x"), "hers", alice, Collection.objects.get(slug="harbour"))
    with pytest.raises(CommandError, match="not theirs to change"):
        run("remove", "hers")
    run("remove", "Red boats")
    assert list(SavedSearch.objects.all()) == [hers]


def test_the_api_keeps_shows_and_waits(assets: list[Asset], bob: User, alice: User, client: Client) -> None:
    client.force_login(bob)
    send = partial(client.generic, content_type="application/json")

    def ask(method: str, address: str, **body: Any) -> Any:
        answer = send(method, f"/api/v1/saved-searches{address}", json.dumps(body) if body else "")
        return answer.json() if answer.content and answer.status_code < 300 else answer.status_code

    query = {"q": "red boat", "mode": "everything", "offset": 60}
    made = ask("POST", "", name="Boats", query=query, collection="harbour")
    assert made["query"] == {"q": "red boat", "mode": "everything"}
    one = f"/{made['saved_search']}"
    assert ask("POST", "", name="Boats", query=query) == 400
    assert ask("POST", "", name="Other", query={"colour": "red"}) == 400
    assert [found["name"] for found in ask("GET", "")["results"]] == ["Boats"]
    results = ask("GET", f"{one}/results")
    assert results["got"] == 60
    assert results["hits"] == client.get("/api/v1/search?q=red+boat&mode=everything").json()["hits"]
    rest = client.get(f"/api/v1/saved-searches{one}/results?offset=60&cursor={results['cursor']}").json()
    assert rest["got"] == 20
    assert ask("GET", f"{one}/alert") == 404
    assert ask("PUT", f"{one}/alert", mode="strict")["mode"] == "strict"
    assert ask("GET", f"{one}/back-test")["days"] == 30
    assert ask("PUT", f"{one}/webhook", url="https://169.254.169.254/") == 400
    Match.objects.create(alert=Alert.objects.get(), asset=assets[0])
    assert [match["filename"] for match in ask("GET", "/matches?unread=true")["results"]] == ["row-00000.jpg"]
    assert ask("POST", "/matches/read", saved_search=made["saved_search"]) == {"read": 1}
    assert ask("GET", "/matches?unread=true")["results"] == []
    client.force_login(make_user("carol"))
    assert {ask(method, one) for method in ("GET", "PATCH", "DELETE")} == {404}
    Membership.objects.create(collection=Collection.objects.get(), user=User.objects.get(username="carol"))
    assert ask("GET", one)["alert"] is False
    assert {ask(method, one) for method in ("PATCH", "DELETE")} == {403}
    client.force_login(bob)
    assert ask("PATCH", one, name="Red boats", collection="")["collection"] is None
    assert ask("DELETE", one) == 204
    assert not SavedSearch.objects.exists()
