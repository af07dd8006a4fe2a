"""Every address says what it shows, and keeps to it: nobody learns that there is what they may not see."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from archive.access import Shows
from archive.models import (
    Alert,
    Asset,
    Collection,
    Concept,
    ConceptKind,
    Embedding,
    Flag,
    Membership,
    Policy,
    Role,
    SavedSearch,
    Space,
    Status,
    Webhook,
    Work,
)
from tests import pictures
from tests.addresses import Address, every_address
from tests.cast import make_user
from tests.prepared import Shot, add_film_files, add_renditions, make_prepared, make_video, random_rows

pytestmark = pytest.mark.django_db
ADDRESSES = every_address()
PUBLIC = {
    *("healthz", "login/", "logout/", "admin/login/", "admin/logout/", "admin/jsi18n/"),
    *("api/v1/schema", "api/v1/", "api/v1/<anything:rest>"),
    "alerts/stop/<str:token>/",  # signed by us, and it tells nothing
}
ROLES = ("viewer", "contributor", "curator", "owner")
OUTSIDERS = ("stranger", "staff")
DOORS = ((302, "/login/"), (302, "/admin/login/"))  # the second leads to the first
METHODS = ("get", "post", "put", "patch", "delete")
# The least role that a view of one asset or collection opens to. By GET, or by POST where it takes no GET.
OPENS_TO = {
    **dict.fromkeys(("asset", "original", "rendition", "similar", "which", "collection"), Role.VIEWER),
    **dict.fromkeys(("reuse", "api_reuse"), Role.VIEWER),
    **dict.fromkeys(("playable", "still", "previews", "moments", "api_moments"), Role.VIEWER),
    **dict.fromkeys(("api_asset", "api_original", "api_rendition", "api_collection", "api_duplicates"), Role.VIEWER),
    **dict.fromkeys(("trash_asset", "restore", "retry", "retag"), Role.CURATOR),
    **dict.fromkeys(("api_asset_tags", "api_asset_tag"), Role.CURATOR),
    **dict.fromkeys(("add_member", "remove_member"), Role.OWNER),
    **dict.fromkeys(("review_flag", "review_picture", "review_decide", "review_undo", "api_flag"), Role.CURATOR),
    # Of a search that the owner shared with the members: each may open it, and wait for what is new in it.
    **dict.fromkeys(("saved_search", "edit_saved", "test_alert", "set_alert", "set_webhook"), Role.VIEWER),
    **dict.fromkeys(("api_saved_search", "api_saved_results", "api_alert", "api_back_test"), Role.VIEWER),
    "api_webhook": Role.VIEWER,
    "delete_saved": Role.OWNER,
}

OF_VIDEOS = ("playable", "still", "previews", "moments", "api_moments")


@dataclass(frozen=True)
class Cellar:
    """A collection that only its members see, with one picture that could not be encoded, and a film."""

    asset: Asset
    film: Asset
    collection: Collection
    people: dict[str, Client]
    words: dict[str, Any]

    def words_for(self, address: Address) -> dict[str, Any]:
        model = address.admin.model if address.admin else None
        if address.name in OF_VIDEOS:
            return {**self.words, "asset": self.film.uuid}
        row = model.objects.filter(**({"asset": self.asset} if model is Work else {})).first() if model else None
        return {**self.words, "object_id": row.pk if row else 1}


@pytest.fixture
def cellar(fake_space: Space) -> Cellar:
    owner = make_user("owner")
    collection = Collection.objects.create(slug="cellar", name="Cellar", owner=owner)
    asset = make_prepared(collection, pictures.reference(), fake_space, name="wine.jpg")
    add_renditions(asset)
    film = make_video(collection, fake_space, [Shot(row, 2) for row in random_rows(2)])
    add_film_files(film)
    Asset.objects.filter(pk=asset.pk).update(status=Status.FAILED, error="It could not be encoded.")
    people = {"owner": owner, "stranger": make_user("stranger"), "staff": make_user("staff")}
    people["superuser"] = make_user("superuser", curator=True)
    User.objects.filter(pk=people["staff"].pk).update(is_staff=True)
    for role in (Role.VIEWER, Role.CONTRIBUTOR, Role.CURATOR):
        people[role] = make_user(role)
        Membership.objects.create(collection=collection, user=people[role], role=role)
    clients = {"anonymous": Client()}
    for name, person in people.items():
        clients[name] = Client(raise_request_exception=True)
        clients[name].force_login(person)
    member = Membership.objects.get(user=people["viewer"])
    weapon = Concept.objects.create(slug="weapon", name="weapon", kind=ConceptKind.PROHIBITED)
    flag = Flag.objects.create(asset=asset, concept=weapon)
    Policy.objects.create(concept=weapon)
    saved = SavedSearch.objects.create(owner=owner, name="Wine", params={"kind": "photo"}, collection=collection)
    for one in people.values():
        alert = Alert.objects.create(search=saved, person=one)
        Webhook.objects.create(alert=alert, url="https://example.org/hook")
    words = {
        **{
            "asset": asset.uuid,
            "slug": "cellar",
            "member": member.pk,
            "spec": "thumbnail",
            "key": "k",
            "name": "sea",
            "frame": film.frames.exclude(still="").values_list("pk", flat=True)[0],
            "batch": uuid.uuid4(),
            "flag": flag.pk,
            "decision": 1,
            "concept": 1,
            "saved": saved.uuid,
            "token": "x",
        },
        **{"rest": "x", "url": "x", "app_label": "archive", "id": owner.pk},
    }
    return Cellar(asset, film, collection, clients, words)


def ask(client: Client, method: str, address: str) -> tuple[int, str, bytes]:
    """Whatever is asked for is undone: the next one finds the cellar as it was."""
    with transaction.atomic():
        answer = getattr(client, method)(address)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        transaction.set_rollback(True)
    return answer.status_code, answer.get("Location", ""), body


def get_or_write(client: Client, address: str) -> int:
    """By the first method that the view takes."""
    statuses = (ask(client, method, address)[0] for method in ("get", "post", "put"))
    return next(status for status in statuses if status != 405)


# ---- what is declared --------------------------------------------------------------------------


def test_every_address_declares_what_it_shows() -> None:
    """Pages by a decorator of archive.access, views of the API and the admin by `shows`."""
    assert len(ADDRESSES) > 50
    assert [str(one) for one in ADDRESSES if one.shows is None and not one.by_permission] == []


def test_a_view_that_says_nothing_would_be_noticed() -> None:
    def forgetful(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    pattern = path("new/", forgetful, name="new")
    assert Address("new/", "new", pattern.callback).shows is None


def test_what_is_public_is_a_short_list() -> None:
    assert {one.route for one in ADDRESSES if one.shows == Shows.PUBLIC} == PUBLIC


def test_an_address_of_an_asset_or_a_collection_shows_what_is_visible() -> None:
    about = [one for one in ADDRESSES if {"asset", "slug", "flag", "saved"} & set(one.gaps)]
    assert {one.name for one in about} == set(OPENS_TO)
    assert {one.shows for one in about} == {Shows.VISIBLE}


# ---- whether they keep to it -------------------------------------------------------------------


def test_nothing_that_is_not_public_answers_who_is_not_logged_in(cellar: Cellar) -> None:
    for address in ADDRESSES:
        if address.shows == Shows.PUBLIC:
            continue
        for method in METHODS:
            if address.name == "api_token" and method != "delete":  # the way in
                continue
            status, location, body = ask(cellar.people["anonymous"], method, address.fill(cellar.words_for(address)))
            if address.route.startswith("api/"):
                assert (status, b'"not_authenticated"' in body) == (401, True), (address.route, method)
            else:
                assert (status, location.split("?")[0]) in DOORS, (address.route, method)


@pytest.mark.parametrize("person", OUTSIDERS)
def test_outsiders_get_the_answer_that_they_would_get_if_there_were_nothing(cellar: Cellar, person: str) -> None:
    client = cellar.people[person]
    told = {"asset", "slug", "member", "key", "flag", "saved"}
    for address in (one for one in ADDRESSES if set(one.gaps) & told):
        there = cellar.words_for(address)
        missing = {
            **there,
            "asset": uuid.uuid4(),
            "slug": "lost",
            "member": 987_654,
            "key": "lost",
            "flag": 987_654,
            "saved": uuid.uuid4(),
        }
        for method in METHODS:
            found = ask(client, method, address.fill(there))
            assert found[0] in (404, 405), (address.route, method)
            nothing = ask(client, method, address.fill(missing))
            assert blurred(found) == blurred(nothing), (address.route, method)


def test_staff_get_the_same_from_the_admin_for_what_they_may_not_see_and_for_nothing(cellar: Cellar) -> None:
    client = cellar.people["staff"]
    for address in (one for one in ADDRESSES if "object_id" in one.gaps and not one.by_permission):
        if address.admin and address.admin.model is Space:
            continue
        there = cellar.words_for(address)["object_id"]
        for method in ("get", "post"):
            hidden, nothing = (ask(client, method, address.fill({"object_id": pk})) for pk in (there, 987_654))
            assert hidden[0] in (302, 403, 404), (address.route, method)
            assert blurred(hidden, there) == blurred(nothing, 987_654), (address.route, method)


def test_models_of_others_open_to_nobody_on_the_staff_without_the_permission(cellar: Cellar) -> None:
    for address in (one for one in ADDRESSES if one.by_permission):
        status, location, _ = ask(cellar.people["staff"], "get", address.fill(cellar.words_for(address)))
        assert status in (302, 403), address.route
        assert status == 403 or not location or "change" in location or location == "/admin/", address.route


@pytest.mark.parametrize("person", [*ROLES, "superuser", *OUTSIDERS])
def test_each_role_opens_what_it_may_and_the_rest_is_not_there(cellar: Cellar, person: str) -> None:
    client = cellar.people[person]
    rank = {**{role: n for n, role in enumerate(ROLES)}, "superuser": len(ROLES)}.get(person, -1)
    for address in (one for one in ADDRESSES if one.name in OPENS_TO):
        opened = rank >= ROLES.index(OPENS_TO[address.name])
        status = get_or_write(client, address.fill(cellar.words_for(address)))
        # The API tells members what they may not change (403), and curators what they forgot to send (400).
        members = (403,) if rank >= 0 and address.name.startswith("api_") else ()
        assert status in ((200, 302, 400) if opened else (404, *members)), (person, address.route, status)


@pytest.mark.parametrize("person", [*ROLES, "superuser", *OUTSIDERS])
def test_the_api_lets_curators_change_and_others_see(cellar: Cellar, person: str) -> None:
    address = f"/api/v1/assets/{cellar.asset.uuid}"
    changed, trashed = (ask(cellar.people[person], method, address)[0] for method in ("patch", "delete"))
    expected = {"viewer": (403, 403), "contributor": (403, 403), "stranger": (404, 404), "staff": (404, 404)}
    assert (changed, trashed) == expected.get(person, (200, 204))


def test_a_reference_picture_is_its_askers_alone(cellar: Cellar, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, bytes] = {}
    monkeypatch.setattr("search.pictures.cache.get", kept.get)
    owner = User.objects.get(username="owner")
    kept[f"picture:{owner.pk}:k"] = bytes(4 * 768) + b"\4fake" + b"webp"
    seen = {name: ask(client, "get", "/search/picture/k/")[0] for name, client in cellar.people.items()}
    assert seen == {**dict.fromkeys(cellar.people, 404), "owner": 200, "anonymous": 302}


def test_a_vector_stands_in_no_answer(cellar: Cellar, fake_space: Space) -> None:
    assert not Embedding.objects.filter(asset=cellar.asset).exists()
    for address in (one for one in ADDRESSES if one.route.startswith("api/")):
        if address.name in OPENS_TO or not address.gaps:
            body = ask(cellar.people["superuser"], "get", address.fill(cellar.words))[2]
            assert not re.search(rb'"(vector|embedding)"', body), address.route


def blurred(answer: tuple[int, str, bytes], pk: int = 0) -> tuple[int, str, str]:
    """Without what each answer has of its own: the form's token, the number that was asked for, and what
    the admin said of the one before ("Asset with ID “7” doesn’t exist" stands on the page after that)."""
    status, location, body = answer
    page = re.sub(r'"csrfmiddlewaretoken" value="\w+"', "", body.decode())
    return status, location.replace(f"/{pk}/", "/N/"), re.sub(r'<p class="says.*?</p>', "", page)
