"""Lists in the admin: where their pages go on, and that they cost the same for many rows."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive.models import Asset, Collection, Membership, Role, Space, Work, WorkState
from archive.tags import add_tags
from search.admin.assets import AssetAdmin
from tests.cast import make_user
from tests.search.contact_sheet.sheet import SHEET, make_pictures, make_twin, order, shown


def test_the_sheet_asks_as_many_questions_for_five_pictures_as_for_one(
    client: Client, alice: User, pictures: list[Asset]
) -> None:
    client.force_login(alice)
    client.get(SHEET)
    with CaptureQueriesContext(connection) as few:
        assert len(shown(client, "?q=red.jpg")) == 1
    with CaptureQueriesContext(connection) as many:
        assert len(shown(client, "?status__exact=ready")) == 5
    # Finding one by its name is itself one question.
    assert len(many) == len(few) - 1
    assert not any("archive_embedding" in query["sql"] or '"exif"' in query["sql"] for query in many)


def test_pages_go_on_where_the_last_one_ended_whatever_comes_in(
    client: Client, alice: User, pictures: list[Asset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AssetAdmin, "list_per_page", 2)
    client.force_login(alice)
    everything = list(Asset.objects.order_by("-added_at", "-id"))
    first = client.get(SHEET).context["cl"]
    assert (list(first.result_list), first.newer) == (everything[:2], "")
    make_twin(pictures[0], Collection.objects.create(slug="attic", name="Attic", owner=alice))  # comes in meanwhile
    second = client.get(SHEET + first.older).context["cl"]
    third = client.get(SHEET + second.older).context["cl"]
    assert [*second.result_list, *third.result_list] == everything[2:]
    assert third.older == ""
    assert list(client.get(SHEET + third.newer).context["cl"].result_list) == everything[2:4]
    last = client.get(SHEET + first.oldest).context["cl"]
    assert (list(last.result_list), last.older) == (everything[3:], "")
    narrowed = client.get(f"{SHEET}{first.older}&status__exact=ready").context["cl"]
    assert "after" not in narrowed.filter_specs[0].choices(narrowed).__next__()["query_string"]


@pytest.mark.parametrize("place", ["x", "1_2", "2024-01-01_1", "2024-01-01T00:00:00+00:00_99999999999999999999", "_"])
def test_a_place_that_is_none_is_the_first_page(client: Client, alice: User, place: str) -> None:
    client.force_login(alice)
    for name in ("after", "before"):
        assert client.get(SHEET, {name: place})["Location"] == f"{SHEET}?e=1"


def test_every_list_asks_as_many_questions_for_many_rows_as_for_few(
    client: Client, alice: User, harbour: Collection, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every model in the admin, with more tags, members, log entries and collections too."""
    client.force_login(alice)
    lists = [f"/admin/{m._meta.app_label}/{m._meta.model_name}/" for m in admin.site._registry]
    lists += ["/admin/archive/work/?state=all", "/admin/history/", "/admin/"]

    def questions(address: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200, address
        return len(asked)

    def add(number: int) -> None:
        place = Collection.objects.create(slug=f"place-{number}", name=f"Place {number}", owner=alice)
        Membership.objects.create(collection=place, user=make_user(f"user {number}"), role=Role.CURATOR)
        made = make_pictures(place, fake_space)
        add_tags(Asset.objects.filter(pk__in=[a.pk for a in made]), [f"tag {number}", f"other {number}"], alice)
        Work.objects.filter(asset=made[0]).update(state=WorkState.QUARANTINED)
        order(client, "trash", made[:1])
        client.post(f"{SHEET}{made[1].pk}/tags/", {f"add-{made[1].pk}": f"quick {number}"})

    add(1)
    for address in lists:
        questions(address)  # what is kept for ever after the first time
    few = {address: questions(address) for address in lists}
    for number in range(2, 5):
        add(number)
    assert {address: questions(address) for address in lists} == few
