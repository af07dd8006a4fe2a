"""The admin of everything but assets: work, spaces, collections, people, and the door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive import dispatch, estimates
from archive.admin.site import CurationSite
from archive.estimates import estimated_count
from archive.models import Asset, Collection, Membership, Space, SpaceState, Step, Work, WorkState
from archive.spaces import clear_away
from tests.cast import PASSWORD, make_jpeg, make_user, upload
from workers.spaces import make_space

WORK = "/admin/archive/work/"
SPACES = "/admin/archive/space/"


@pytest.fixture
def waiting(harbour: Collection, fake_space: Space, tmp_path: Path) -> list[Work]:
    """Three pictures that wait to be read."""
    for colour in ("red", "green", "blue"):
        upload(harbour, make_jpeg(tmp_path, f"{colour}.jpg", colour))
    return list(Work.objects.order_by("pk"))


def act(client: Client, page: str, action: str, chosen: list[Any], query: str = "", **more: str) -> str:
    data = {"action": action, "index": "0", "_selected_action": [row.pk for row in chosen], **more}
    response = client.post(f"{page}{query}", data, follow=True)
    assert response.status_code == 200
    return " ".join(str(message) for message in response.context["messages"])


def test_the_site_is_ours_and_knows_every_room() -> None:
    assert isinstance(admin.site._wrapped, CurationSite)  # type: ignore[attr-defined]
    names = {model._meta.label for model in admin.site._registry}
    assert {"archive.Asset", "archive.Work", "archive.Space", "archive.Collection", "auth.User", "auth.Group"} <= names
    assert {"authtoken.TokenProxy", "axes.AccessAttempt"} <= names


def test_the_door_is_the_sites_own_log_in(client: Client, alice: User) -> None:
    response = client.get("/admin/archive/work/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/login/?next=/admin/archive/work/")
    entered = client.post("/login/?next=/admin/", {"username": "alice", "password": PASSWORD})
    assert entered["Location"] == "/admin/"


def test_who_is_not_on_the_staff_is_told_so_and_not_sent_around(client: Client, bob: User) -> None:
    client.force_login(bob)
    assert client.get("/admin/", follow=True).status_code == 403


def test_the_first_page_counts(client: Client, alice: User, waiting: list[Work]) -> None:
    client.force_login(alice)
    numbers = {n.label: n.value for n in client.get("/admin/").context["numbers"]}
    assert numbers == {"assets": "3", "ready": "0", "being prepared": "3", "failed": "0"}


def test_no_page_carries_a_style_or_a_script_inside(client: Client, alice: User, waiting: list[Work]) -> None:
    client.force_login(alice)
    asset, space, place = Asset.objects.first(), Space.objects.first(), Collection.objects.first()
    assert asset
    assert space
    assert place
    pages = (
        "/admin/",
        "/admin/archive/asset/",
        f"/admin/archive/asset/{asset.pk}/change/",
        WORK,
        f"{WORK}{waiting[0].pk}/change/",
        SPACES,
        f"{SPACES}{space.pk}/change/",
        "/admin/archive/collection/",
        f"/admin/archive/collection/{place.pk}/change/",
        "/admin/auth/user/",
        f"/admin/auth/user/{alice.pk}/change/",
        "/admin/auth/group/add/",
        "/admin/axes/accessattempt/",
        "/admin/plan/?photos=10",
    )
    for page in pages:
        html = client.get(page).content.decode()
        assert "<style" not in html, page
        assert " style=" not in html, page
        assert "<script>" not in html, page
        assert " onclick=" not in html, page


def test_the_work_page_shows_what_is_not_done_and_sums_it_up(client: Client, alice: User, waiting: list[Work]) -> None:
    waiting[0].state = WorkState.QUARANTINED
    waiting[0].last_error = "This JPEG ends too early."
    waiting[0].save()
    Work.objects.filter(pk=waiting[1].pk).update(state=WorkState.DONE)
    client.force_login(alice)
    response = client.get(WORK)
    assert set(response.context["cl"].result_list) == {waiting[0], waiting[2]}
    assert "This JPEG ends too early." in response.content.decode()
    numbers = {n.label: n.value for n in response.context["numbers"]}
    assert (numbers["steps waiting"], numbers["set aside"], numbers["running"]) == ("1", "1", "0")
    assert list(client.get(f"{WORK}?state=done").context["cl"].result_list) == [waiting[1]]
    assert len(client.get(f"{WORK}?state=all&step__exact=prepare").context["cl"].result_list) == 3


def test_work_is_tried_again_and_skipped_from_its_page(client: Client, alice: User, waiting: list[Work]) -> None:
    Work.objects.filter(pk=waiting[0].pk).update(state=WorkState.QUARANTINED, crashes=4)
    client.force_login(alice)
    assert "1 step waits again. 1 left alone" in act(client, WORK, "try_again", waiting[:2])
    waiting[0].refresh_from_db()
    assert (waiting[0].state, waiting[0].crashes) == (WorkState.READY, 0)
    assert "1 step was skipped." in act(client, WORK, "skip", waiting[2:])
    waiting[2].refresh_from_db()
    assert waiting[2].state == WorkState.CANCELLED


def test_the_work_page_asks_as_many_questions_for_three_as_for_one(
    client: Client, alice: User, waiting: list[Work]
) -> None:
    client.force_login(alice)
    client.get(WORK)
    with CaptureQueriesContext(connection) as many:
        client.get(WORK)
    Work.objects.exclude(pk=waiting[0].pk).delete()
    with CaptureQueriesContext(connection) as few:
        client.get(WORK)
    assert len(many) == len(few)


def test_staff_see_the_work_of_what_they_curate(client: Client, alice: User, waiting: list[Work]) -> None:
    dora = make_user("dora")
    dora.is_staff = True
    dora.save()
    place = Collection.objects.create(slug="attic", name="Attic", owner=dora)
    Asset.objects.filter(pk=waiting[0].asset_id).update(collection=place)
    client.force_login(dora)
    assert list(client.get(WORK).context["cl"].result_list) == [waiting[0]]
    act(client, WORK, "skip", waiting)
    assert list(Work.objects.filter(state=WorkState.CANCELLED)) == [waiting[0]]


def test_a_space_shows_its_coverage_and_is_not_searched_before_it_is_full(
    client: Client, alice: User, waiting: list[Work]
) -> None:
    Work.objects.update(state=WorkState.DONE)
    for work in waiting:
        Work.objects.create(asset=work.asset, step=Step.ENCODE, target="fake", state=WorkState.DONE)
    new = make_space("new", "fake")
    client.force_login(alice)
    page = client.get(SPACES).content.decode()
    assert '<progress value="3" max="3"' in page
    assert '<progress value="0" max="3"' in page
    assert "manage.py space switch" in page
    assert "new covers 0 of 3 assets." in act(client, SPACES, "activate", [new], confirmed="yes")
    assert "new: 3 assets to encode." in act(client, SPACES, "backfill", [new])
    assert "waits for a worker, or has just begun" in client.get(SPACES).content.decode()
    assert "new: 3 wait no longer." in act(client, SPACES, "stop", [new])
    assert "nothing fills it now" in client.get(SPACES).content.decode()
    assert "new: 3 assets to encode." in act(client, SPACES, "backfill", [new])
    Work.objects.update(state=WorkState.DONE)
    assert "new is searched from the next query on." in act(client, SPACES, "activate", [new], confirmed="yes")
    new.refresh_from_db()
    assert new.state == SpaceState.ACTIVE


def ask(client: Client, action: str, space: Space) -> str:
    """The page between a button and what it does."""
    page = client.post(SPACES, {"action": action, "index": "0", "_selected_action": [space.pk]})
    assert page.status_code == 200
    return page.content.decode()


def test_switching_and_retiring_ask_first(client: Client, alice: User, waiting: list[Work]) -> None:
    new = make_space("new", "fake", "x")
    Work.objects.update(state=WorkState.DONE)
    client.force_login(alice)
    page = ask(client, "activate", new)
    assert "Everybody searches with new from the next query on. It covers 0 of 3 assets." in page
    assert 'name="partial"' in page
    assert Space.objects.get(state=SpaceState.ACTIVE).slug == "fake"
    assert "Roll back" not in client.get(SPACES).content.decode()
    act(client, SPACES, "activate", [new], confirmed="yes", partial="on")
    assert Space.objects.get(state=SpaceState.ACTIVE) == new
    assert "Roll back to fake" in client.get(SPACES).content.decode()
    assert "Everybody searches with fake again" in client.get(f"{SPACES}rollback/").content.decode()
    assert Space.objects.get(state=SpaceState.ACTIVE) == new
    client.post(f"{SPACES}rollback/", {"confirmed": "yes"})
    assert Space.objects.get(state=SpaceState.ACTIVE).slug == "fake"
    assert "There is no way back to it" in ask(client, "retire", new)
    new.refresh_from_db()
    assert new.state == SpaceState.READY
    searched = Space.objects.get(slug="fake")
    assert "fake is the space that is searched" in act(client, SPACES, "retire", [searched], confirmed="yes")
    assert "new is retired." in act(client, SPACES, "retire", [new], confirmed="yes")
    for action in ("backfill", "activate", "retire", "build", "evaluate"):
        assert act(client, SPACES, action, [new], confirmed="yes") == "new is retired: its vectors are gone."
    assert act(client, SPACES, "activate", [new, searched]) == "One space at a time: choose one."
    new.refresh_from_db()
    assert clear_away(new)
    assert client.get(SPACES).status_code == 200
    assert client.get(f"{SPACES}{new.pk}/change/").status_code == 200


def test_long_work_on_a_space_is_a_worker_s(
    client: Client, alice: User, waiting: list[Work], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[tuple[Any, ...]] = []
    monkeypatch.setattr(dispatch, "_send", lambda name, *args, expires: rung.append((name, *args)))
    space = Space.objects.get(slug="fake")
    client.force_login(alice)
    assert "so small that it is searched exactly" in act(client, SPACES, "build", [space])
    settings.SIGHTLINE_INDEX_FROM = 0
    assert "Its index is being built" in act(client, SPACES, "build", [space])
    assert "It is being measured" in act(client, SPACES, "evaluate", [space])
    assert rung == [("workers.index_space", "fake"), ("workers.evaluate_space", "fake")]

    def away(name: str, *args: Any, expires: float) -> None:
        raise dispatch.BrokerUnavailable

    monkeypatch.setattr(dispatch, "_send", away)
    assert "manage.py space evaluate fake" in act(client, SPACES, "evaluate", [space])


def test_what_moves_is_refreshed_where_it_stands(client: Client, alice: User, waiting: list[Work]) -> None:
    Work.objects.update(state=WorkState.DONE)
    space = Space.objects.get(slug="fake")
    client.force_login(alice)
    page = client.get(SPACES).content.decode()
    fragment = client.get(f"{SPACES}progress/").content.decode()
    for name in ("state_badge", "covered", "index", "size", "measured"):
        assert f'<span id="space-{space.pk}-{name}">' in page
        assert f'<span id="space-{space.pk}-{name}" hx-swap-oob="true">' in fragment
    assert "0 of 3" in fragment
    assert "<html" not in fragment


def test_only_superusers_switch_spaces(client: Client, fake_space: Space) -> None:
    dora = make_user("dora")
    dora.is_staff = True
    dora.save()
    new = make_space("new", "fake")
    client.force_login(dora)
    assert "fake" in client.get(SPACES).content.decode()
    for action in ("activate", "retire", "backfill"):
        act(client, SPACES, action, [new], confirmed="yes")
    client.post(f"{SPACES}rollback/", {"confirmed": "yes"})
    new.refresh_from_db()
    assert new.state == SpaceState.BUILDING
    assert Space.objects.active() == fake_space
    # How many pictures there are in all is not told to who does not see them all.
    assert "<progress" not in client.get(SPACES).content.decode()
    assert "<progress" not in client.get(f"{SPACES}progress/").content.decode()


def test_a_member_is_a_person_or_a_group(client: Client, alice: User, bob: User, harbour: Collection) -> None:
    press = Group.objects.create(name="Press")
    client.force_login(alice)
    page = f"/admin/archive/collection/{harbour.pk}/change/"
    member = harbour.memberships.get()
    data = {
        "name": "Harbour",
        "slug": "harbour",
        "owner": alice.pk,
        "visibility": "members",
        "memberships-TOTAL_FORMS": "2",
        "memberships-INITIAL_FORMS": "1",
        "memberships-0-id": member.pk,
        "memberships-0-collection": harbour.pk,
        "memberships-0-user": bob.pk,
        "memberships-0-role": "curator",
        "memberships-1-collection": harbour.pk,
        "memberships-1-user": bob.pk,
        "memberships-1-group": press.pk,
        "memberships-1-role": "viewer",
    }
    assert "Name either a person or a group." in client.post(page, data).content.decode()
    assert client.post(page, {**data, "memberships-1-user": ""}).status_code == 302
    members = Membership.objects.filter(collection=harbour)
    assert sorted((m.user_id, m.group_id, m.role) for m in members if m.user_id) == [(bob.pk, None, "curator")]
    assert members.get(group=press).role == "viewer"


def test_people_are_found_by_typing(client: Client, alice: User, bob: User) -> None:
    client.force_login(alice)
    terms = {"term": "bo", "app_label": "archive", "model_name": "membership", "field_name": "user"}
    found = client.get("/admin/autocomplete/", terms).json()["results"]
    assert [entry["text"] for entry in found] == ["bob"]


def test_a_collection_with_assets_is_not_deleted(client: Client, alice: User, waiting: list[Work]) -> None:
    client.force_login(alice)
    full = waiting[0].asset.collection
    empty = Collection.objects.create(slug="empty", name="Empty", owner=alice)
    assert client.post(f"/admin/archive/collection/{full.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"/admin/archive/collection/{empty.pk}/delete/", {"post": "yes"}).status_code == 302
    assert list(Collection.objects.all()) == [full]


def test_a_long_list_is_estimated_and_a_short_one_counted(waiting: list[Work], monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE archive_asset")
    assert estimated_count(Asset.objects.all()) == (3, False)
    monkeypatch.setattr(estimates, "COUNT_UP_TO", 2)
    with CaptureQueriesContext(connection) as asked:
        assert estimated_count(Asset.objects.all()) == (3, True)
    assert [query["sql"].split()[0] for query in asked] == ["SELECT", "EXPLAIN"]


@pytest.mark.parametrize("page", ["asset/?collection=", "asset/?status__exact=", "work/?state=", "collection/?name="])
def test_a_zero_byte_in_a_filter_finds_nothing_and_is_no_crash(client: Client, alice: User, page: str) -> None:
    client.force_login(alice)
    assert client.get(f"/admin/archive/{page}%00").status_code == 404


def test_who_sees_little_is_not_told_how_much_there_is(client: Client, waiting: list[Work], fake_space: Space) -> None:
    """Numbers of the whole archive are for those who see all of it."""
    make_user("dora")
    User.objects.filter(username="dora").update(is_staff=True)
    client.force_login(User.objects.get(username="dora"))
    for page in (SPACES, f"{SPACES}{fake_space.pk}/change/"):
        seen = client.get(page).content.decode()
        assert "fake" in seen
        assert 'class="covered"' not in seen
    assert {n.value for n in client.get("/admin/").context["numbers"]} == {"0"}
    assert {n.value for n in client.get(WORK).context["numbers"]} <= {"0", "–"}


def test_nobody_is_led_to_a_page_by_its_number(client: Client, alice: User, harbour: Collection) -> None:
    """Django's short cut would tell staff the address of any collection, with its name in it."""
    client.force_login(alice)
    kind = ContentType.objects.get_for_model(Collection)
    assert client.get(f"/admin/r/{kind.pk}/{harbour.pk}/").status_code == 404
    assert harbour.get_absolute_url() in client.get(f"/admin/archive/collection/{harbour.pk}/change/").content.decode()
