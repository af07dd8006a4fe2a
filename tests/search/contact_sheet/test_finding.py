"""The contact sheet finds by what pictures show."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.models import Asset, Collection
from archive.trash import trash
from search.finding import find_assets
from tests.search.contact_sheet.sheet import SHEET, shown


@pytest.mark.usefixtures("queries_in_process")
def test_words_rank_the_sheet_by_the_engine(client: Client, alice: User, pictures: list[Asset]) -> None:
    client.force_login(alice)
    found = shown(client, "?q=something")
    ranked = list(find_assets(Asset.objects.all(), "something", alice).assets)
    assert found == ranked
    assert set(found) == set(pictures)
    assert [a.pk for a in found] != [a.pk for a in shown(client)]


def test_a_picture_is_found_by_its_like(client: Client, alice: User, pictures: list[Asset]) -> None:
    client.force_login(alice)
    assert shown(client, f"?q=like:{pictures[2].uuid}")[0] == pictures[2]


def test_an_exact_file_name_and_an_id_find_that_asset_alone(client: Client, alice: User, pictures: list[Asset]) -> None:
    client.force_login(alice)
    assert shown(client, "?q=blue.jpg") == [pictures[2]]
    assert shown(client, f"?q={pictures[1].uuid}") == [pictures[1]]


def test_without_a_worker_words_are_looked_for_in_names_and_the_page_says_so(
    client: Client, alice: User, pictures: list[Asset], settings: Any
) -> None:
    settings.SIGHTLINE_QUERY_TIMEOUT = 0.2
    client.force_login(alice)
    response = client.get(f"{SHEET}?q=yell")
    assert list(response.context["cl"].result_list) == [pictures[3]]
    assert "Found by file name and title instead." in response.content.decode()


@pytest.mark.usefixtures("queries_in_process")
def test_a_filter_and_words_look_through_the_filtered_ones_only(
    client: Client, alice: User, pictures: list[Asset], attic: Collection
) -> None:
    Asset.objects.filter(pk=pictures[4].pk).update(collection=attic)
    client.force_login(alice)
    assert shown(client, "?q=something&collection=attic") == [pictures[4]]


@pytest.mark.usefixtures("queries_in_process")
def test_the_trash_is_out_of_sight_until_asked_for_and_can_be_searched(
    client: Client, alice: User, pictures: list[Asset]
) -> None:
    trash(Asset.objects.filter(pk=pictures[0].pk))
    client.force_login(alice)
    assert pictures[0] not in shown(client)
    assert shown(client, "?trash=only") == [pictures[0]]
    assert shown(client, "?trash=only&q=something") == [pictures[0]]


def test_words_among_what_no_asset_can_be_find_nothing(
    client: Client, alice: User, pictures: list[Asset], queries_in_process: None
) -> None:
    client.force_login(alice)
    assert client.get(f"{SHEET}?id=99999999999999999999&q=red").status_code == 200
