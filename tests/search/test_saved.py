"""Saved searches: kept, shared, opened as albums, and with a reference picture that lasts."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from archive.models import Asset, Collection, Membership, SavedSearch, Space
from search.failures import PictureExpired, UnknownAsset
from search.query import BadQuery, Query
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
    member = Membership.objects.create(collection_id=saved.collection_id, user=stranger)
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
    client.force_login(alice)
    assert "Shared with you" in client.get("/saved/").content.decode()
    assert client.get(edit).status_code == 200
    assert client.post(edit, {"name": "hers"}).status_code == 404
    assert client.post(f"{saved.get_absolute_url()}delete/").status_code == 404
    client.force_login(bob)
    assert client.post(f"{saved.get_absolute_url()}delete/").status_code == 302
    assert not SavedSearch.objects.exists()
