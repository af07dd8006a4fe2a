"""Whatever stands in an address or a form, every page answers: in words, without breaking, without telling."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from archive.models import Alert, Asset, Collection, Concept, ConceptKind, Flag, Membership, SavedSearch, Space
from tests import pictures
from tests.addresses import SEARCH_TERMS, Address, every_address
from tests.cast import PASSWORD, make_user
from tests.prepared import make_encoded, random_rows

pytestmark = pytest.mark.django_db
SAVED = "6f1e0d9c-0000-4000-8000-0000000005a7"
TEXTS = {
    "nothing": "",
    "long": "x" * 10_000,
    "NUL": "a\x00b",
    "SQL": "'; DROP TABLE auth_user; --",
    "gaps of ours": "%s %(vector)s {partition} %",
    "gaps of templates": "{{ settings.SECRET_KEY }}{% debug %}",
    "script": "\"><script>alert('x')</script>",
    "not a number": "nan",
    "infinite": "-inf",
    "too much": "1e999",
    "huge": "9" * 40,
    "less than nothing": "-1",
    "digits of elsewhere": "١٢٣",
    "odd letters": "\ufffe\u202e\ud7ff\U0001f6a2",
    "folders": "../../../../etc/passwd",
    "lines": "a\r\nSet-Cookie: x=1",
}
# What pages read from their addresses; the search page is asked for each of its words alone as well.
SEARCHED = (*SEARCH_TERMS, "likeweight", "pictureweight")
INSIDE = ("then", "also", "seconds", "within", "at", "t")
READ = {
    "search": SEARCHED,
    "collection": ("after",),
    "trash": ("from",),
    "table_file": ("table", "format"),
    "upload": ("collection",),
    "upload_status": ("id",),
    "review": ("after", "concept", "clear"),
    "review_log": ("event", "before"),
    "admin:archive_policy_changelist": ("q", "p", "is_on__exact"),
    "admin:archive_flag_changelist": ("q", "p", "state__exact", "hides__exact", "concept__id__exact"),
    "login": ("next",),
    "new_concept": ("name",),
    "which": ("labels",),
    "api_classify": ("labels", "asset", "top", "q"),
    "alerts": ("all",),
    "saved_search": ("offset", "cursor", "limit"),
    "test_alert": ("mode",),
    "admin:archive_asset_changelist": (
        *("q", "p", "o", "collection", "trash", "status__exact", "taken_at__gte", "_to_field"),
        *("tag", "proposed", "after", "before"),
    ),
    "admin:archive_asset_names": ("q", "of"),
    "admin:history": ("before",),
    "admin:archive_work_changelist": ("q", "p", "after", "before", "state", "step__exact", "asset__uuid"),
    "admin:archive_collection_changelist": ("q", "p", "o", "visibility__exact", "owner__id__exact"),
    "admin:archive_space_changelist": ("q", "p", "state"),
    "admin:autocomplete": ("term", "app_label", "model_name", "field_name"),
}
FORMS: dict[str, tuple[str, ...]] = {
    "/collections/": ("name", "description", "visibility"),
    "/collections/harbour/": ("name", "description", "visibility"),
    "/collections/harbour/members/": ("name", "role"),
    "/upload/": ("collection", "new", "of"),
    "/saved/": ("name", "collection", "alert"),
    "/saved/?q=red": ("name", "collection", "alert"),
    "/saved/{saved}/edit/": ("name", "collection"),
    "/saved/{saved}/alert/": ("do", "mode", "mail"),
    "/saved/{saved}/webhook/": ("do", "url"),
    "/alerts/read/": ("alert", "until"),
    "/alerts/mail/": ("address", "every"),
    "/tables/": ("table", "check", "leave_out_wrong"),
    "/login/": ("username", "password", "next"),
    "/assets/{asset}/": ("title", "caption"),
    "/assets/{asset}/restore/": ("back",),
    "/admin/archive/asset/": (
        *("action", "_selected_action", "select_across", "index", "found_by", "collection"),
        *("confirmed", "expected", "tags"),
    ),
    "/admin/archive/asset/{pk}/tags/": ("remove", "back"),
    "/concepts/new/": (
        *("name", "on_match", "prompts", "negatives", "kind", "parent", "scope", "examples", "counters", "templates"),
        *("note", "line", "calibrated", "verb"),
    ),
    "/review/{flag}/decide/": ("verb", "version", "reason", "concept", "single"),
    "/review/log/export/": ("as",),
    "/admin/archive/policy/": ("action", "_selected_action", "reason"),
    "/admin/archive/space/new/": ("model", "weights", "slug", "then"),
    "/admin/archive/space/adapt/": ("parent", "slug", "loss", "then"),
    "/admin/archive/space/setup/": ("setup", "deed"),
    "/admin/archive/asset/{pk}/change/": ("title", "caption", "collection", "taken_at_0", "taken_at_1", "place"),
}
# A page with a heading, or the part of one that htmx puts into its place.
SAID = re.compile(r"<h[12][^>]*>\s*\w|role=\"status\">\s*\w")
TOLD = re.compile(r"Traceback|psycopg|archive_asset|SELECT |site-packages|SECRET_KEY=|django\.db")


@pytest.fixture
def asset(harbour: Collection, fake_space: Space, queries_in_process: None) -> Asset:
    saved = SavedSearch.objects.create(uuid=SAVED, owner=harbour.owner, name="Photos", params={"kind": "photo"})
    Alert.objects.create(search=saved, person=harbour.owner)
    return make_encoded(harbour, fake_space, random_rows(3))[0]


@pytest.fixture
def flagged(asset: Asset) -> Flag:
    weapon = Concept.objects.create(slug="weapon", name="weapon", kind=ConceptKind.PROHIBITED)
    return Flag.objects.create(asset=asset, concept=weapon)


@pytest.fixture
def curator(alice: User, client: Client) -> Client:
    """She opens most: what she cannot break, nobody can. Exceptions come through to the test."""
    client.force_login(alice)
    return client


def look(answer: Any, about: Any) -> None:
    assert answer.status_code < 500 or answer.status_code == 503, about
    body = "" if answer.streaming else answer.content.decode()
    assert not TOLD.search(body), about
    assert "<script>alert" not in body, about
    assert "Set-Cookie" not in str(answer.headers.get("Location", "")), about
    if answer.status_code >= 400 and answer.status_code != 405 and "text/html" in answer["Content-Type"]:
        assert SAID.search(body), about


def fill(text: str, asset: Asset) -> dict[str, Any]:
    gaps = (
        *("asset", "slug", "member", "spec", "key", "object_id", "rest", "url", "app_label", "id"),
        *("batch", "name", "decision", "frame", "concept", "flag", "saved", "token"),
    )
    return {**dict.fromkeys(gaps, quote(text, safe="")), "pk": asset.pk}


@pytest.mark.parametrize("name", TEXTS)
def test_no_address_breaks_over_what_stands_in_its_gaps(asset: Asset, curator: Client, name: str) -> None:
    for address in (one for one in every_address() if one.gaps and not one.by_permission):
        filled = address.fill(fill(TEXTS[name] or " ", asset))
        for method in (curator.get, curator.post):
            look(method(filled), (address.route, name))


@pytest.mark.parametrize("name", TEXTS)
def test_no_page_breaks_over_what_stands_behind_the_question_mark(asset: Asset, curator: Client, name: str) -> None:
    there = {"slug": "harbour", "asset": asset.uuid, "saved": SAVED}
    for address in every_address():
        for words in _questions(address):
            query = dict.fromkeys(words, TEXTS[name])
            look(curator.get(address.fill(there), query), (address.route, words, name))
    for word in (*SEARCHED, *INSIDE):
        for path in ("/", f"/moments/{asset.uuid}/", asset.get_absolute_url()):
            look(curator.get(path, {"q": "red", word: TEXTS[name]}), (path, word, name))
    look(curator.get("/", dict.fromkeys(SEARCHED, TEXTS[name]), headers={"HX-Request": "true"}), ("htmx", name))


def _questions(address: Address) -> list[tuple[str, ...]]:
    """All of its words at once; each alone where the first that is wrong would hide the others."""
    words = READ.get(address.name, ())
    alone = [(word,) for word in words] if address.name.startswith("admin:") else []
    return [words, *alone] if words else []


@pytest.mark.parametrize("name", TEXTS)
def test_no_form_breaks_over_what_is_filled_in(asset: Asset, flagged: Flag, curator: Client, name: str) -> None:
    for form, fields in FORMS.items():
        address = form.format(asset=asset.uuid, pk=asset.pk, flag=flagged.pk, saved=SAVED)
        look(curator.post(address, dict.fromkeys(fields, TEXTS[name])), (form, name))
    assert Asset.objects.count() == 3


def test_a_body_that_is_no_form_is_no_crash(asset: Asset, flagged: Flag, curator: Client) -> None:
    for kind, body in (
        ("multipart/form-data; boundary=x", b"--y\r\nno form"),
        ("multipart/form-data", b"x"),
        ("application/json", b"{"),
        ("application/x-www-form-urlencoded", b"\xff\xfe&&==%zz"),
    ):
        for form in FORMS:
            address = form.format(asset=asset.uuid, pk=asset.pk, flag=flagged.pk, saved=SAVED)
            look(curator.generic("POST", address, body, content_type=kind), (form, kind))


def test_thousands_of_fields_are_refused(curator: Client) -> None:
    answer = curator.post("/collections/", {f"f{n}": "" for n in range(5000)})
    assert answer.status_code == 400
    look(answer, "/collections/")


# ---- reference pictures ------------------------------------------------------------------------

HOSTILE = {
    "empty": b"",
    "cut": pictures.cut(pictures.jpeg(pictures.distinct(1))),
    "header only": pictures.header_only_png(),
    "bomb": pictures.bomb_png(),
    "bomb of text": pictures.text_bomb_png(),
    "boasting": pictures.boasting_png((2**31 - 1, 2**31 - 1)),
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "html": b"<html><script>alert(1)</script></html>",
    "list of files": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "raw": pictures.tiff(tiffinfo={254: 1, 330: 8}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_reference_picture_is_refused_in_a_sentence_and_leaves_nothing(
    asset: Asset, curator: Client, media_root: Path, name: str
) -> None:
    answer = curator.post("/search/picture/", {"picture": SimpleUploadedFile("x.jpg", HOSTILE[name])})
    assert 400 <= answer.status_code < 500
    look(answer, name)
    assert "That picture cannot be used" in answer.content.decode()
    assert re.search(r"<p>[A-Z][^<]*\.</p>", answer.content.decode())
    assert not list(media_root.glob("incoming/*.part"))


@pytest.mark.parametrize("make", [pictures.jpeg_and_html, pictures.jpeg_and_zip, pictures.gif_and_script])
def test_a_picture_that_is_something_else_as_well_is_only_a_picture(
    asset: Asset, curator: Client, media_root: Path, make: Any
) -> None:
    sent = curator.post("/search/picture/", {"picture": SimpleUploadedFile("x.html", make())})
    assert sent.status_code == 302
    key = sent["Location"].split("picture=")[1]
    shown = curator.get(f"/search/picture/{key}/")
    assert (shown["Content-Type"], shown["X-Content-Type-Options"]) == ("image/webp", "nosniff")
    assert shown.content[8:12] == b"WEBP"
    assert b"<script" not in shown.content
    assert not list(media_root.glob("incoming/*.part"))


# ---- what is not one's own ---------------------------------------------------------------------


def test_an_id_of_somebody_else_s_asset_is_answered_as_an_id_of_none(asset: Asset, client: Client) -> None:
    client.force_login(make_user("stranger"))
    for address in ("/?like={}", "/?like={}&q=red", "/?like={}&offset=60", "/api/v1/search?like={}", "/similar/{}/"):
        foreign, missing = (client.get(address.format(one)) for one in (asset.uuid, uuid.uuid4()))
        assert foreign.status_code == missing.status_code == 404, address
        look(foreign, address)
    status = client.get("/upload/status/", {"id": [str(asset.uuid), "x", "\x00"]})
    assert status.json() == {"assets": []}


def test_the_admin_answers_no_question_about_what_lies_behind_a_person(asset: Asset, curator: Client) -> None:
    """Filters that reach into other tables would tell the hash of a password, letter by letter."""
    for name in ("uploader__password__startswith", "collection__owner__password__startswith", "work__worker"):
        answer = curator.get(f"/admin/archive/asset/?{name}=p")
        assert answer.status_code == 400, name


def test_nobody_becomes_an_owner_by_filling_in_more_than_the_form_has(asset: Asset, client: Client) -> None:
    bob = User.objects.get(username="bob")
    client.force_login(bob)
    more = {"owner": str(bob.pk), "slug": "stolen", "pk": "1", "is_superuser": "1", "uploader": str(bob.pk)}
    client.post("/collections/", {"name": "Mine", "visibility": "members", "description": "", **more})
    made = Collection.objects.get(name="Mine")
    assert (made.slug, made.owner) == ("mine", bob)
    assert client.post("/collections/harbour/", {"name": "Stolen", **more}).status_code == 404
    assert client.post("/login/", {"username": "bob", "password": PASSWORD, **more}).status_code == 302
    bob.refresh_from_db()
    assert not bob.is_superuser
    assert Membership.objects.get(user=bob).role == "contributor"
