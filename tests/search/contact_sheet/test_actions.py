"""What is chosen on the contact sheet is acted on in one go, and only where one curates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from archive.batches import undo
from archive.models import Asset, Batch, Collection, Membership, Role, Status, Work, WorkState
from archive.readiness import settle
from archive.tags import tags_of
from archive.trash import trash
from search.finding import By
from tests.cast import make_jpeg, upload
from tests.search.contact_sheet.sheet import SHEET, act, make_twin, order, shown
from workers.batches import drain_batches


def test_trash_and_restore_are_shown_done_and_undone(client: Client, alice: User, pictures: list[Asset]) -> None:
    client.force_login(alice)
    asked = client.post(SHEET, {"action": "trash", "index": "0", "_selected_action": [a.pk for a in pictures[:2]]})
    assert "Trash: 2 assets" in asked.content.decode()
    assert not Asset.objects.filter(trashed_at__isnull=False).exists()
    trashing = order(client, "trash", pictures[:2])
    assert (trashing.done, trashing.what) == (2, "2 chosen pictures")
    assert Asset.objects.filter(trashed_at__isnull=False).count() == 2
    assert order(client, "restore", pictures[:1], "?trash=only").done == 1
    assert list(Asset.objects.filter(trashed_at__isnull=False)) == [pictures[1]]
    undo(trashing)
    drain_batches()
    assert not Asset.objects.filter(trashed_at__isnull=False).exists()


def test_tags_are_put_on_all_that_a_filter_leaves(
    client: Client, alice: User, pictures: list[Asset], attic: Collection
) -> None:
    Asset.objects.filter(pk=pictures[4].pk).update(collection=attic)
    client.force_login(alice)
    batch = order(client, "tag", pictures[:1], "?collection=harbour", select_across="1", tags="boat, sea")
    assert (batch.done, batch.what) == (4, "In the admin: collection harbour")
    assert [[tag.name for tag in tags_of(a)] for a in pictures] == [["boat", "sea"]] * 4 + [[]]
    assert set(shown(client, "?tag=BOAT")) == set(pictures[:4])
    assert shown(client, "?tag=nothing") == []
    undo(batch)
    drain_batches()
    assert shown(client, "?tag=boat") == []


def test_nothing_is_done_to_another_set_than_the_one_that_was_shown(
    client: Client, alice: User, pictures: list[Asset]
) -> None:
    client.force_login(alice)
    data = {"action": "trash", "_selected_action": [pictures[0].pk], "select_across": "1"}
    token = client.post(SHEET, {**data, "index": "0"}).context["set"].token
    trash(Asset.objects.filter(pk=pictures[4].pk))
    refused = client.post(SHEET, {**data, "confirmed": "yes", "expected": token})
    assert "what you looked at changed meanwhile, to 4 now" in refused.content.decode()
    assert not Batch.objects.exists()
    untagged = client.post(SHEET, {**data, "action": "tag", "confirmed": "yes", "tags": " , "})
    assert "Name at least one tag." in untagged.content.decode()


def test_encode_again_sets_the_vectors_to_be_made_anew(client: Client, alice: User, pictures: list[Asset]) -> None:
    client.force_login(alice)
    assert "3 vectors are made again." in act(client, "encode_again", pictures[:3])
    assert Work.objects.filter(step="encode", state=WorkState.READY).count() == 3


def test_failed_ones_are_tried_again(
    client: Client, alice: User, harbour: Collection, pictures: list[Asset], tmp_path: Path
) -> None:
    half = upload(harbour, make_jpeg(tmp_path, "half.jpg", "pink"))
    Work.objects.filter(asset=half).update(state=WorkState.QUARANTINED, last_error="It ends too early.")
    settle([half.pk])
    client.force_login(alice)
    assert "1 failed asset is tried again." in act(client, "retry", [half, *pictures])
    half.refresh_from_db()
    assert half.status == Status.PENDING
    assert Work.objects.get(asset=half).state == WorkState.READY
    assert not Work.objects.filter(state=WorkState.READY).exclude(asset=half).exists()


def test_moving_asks_where_to_and_leaves_what_is_there_already(
    client: Client, alice: User, attic: Collection, pictures: list[Asset]
) -> None:
    make_twin(pictures[0], attic)
    client.force_login(alice)
    batch = order(client, "move", pictures, collection="ATTIC")
    assert (batch.done, batch.skipped) == (4, 1)
    assert Asset.objects.filter(collection=attic).count() == 5
    assert list(Asset.objects.exclude(collection=attic)) == [pictures[0]]


def test_select_all_acts_on_the_query_and_not_on_the_page(
    client: Client, alice: User, pictures: list[Asset], attic: Collection
) -> None:
    Asset.objects.filter(pk=pictures[4].pk).update(collection=attic)
    client.force_login(alice)
    everything = {"select_across": "1", "found_by": By.EVERYTHING.value}
    assert order(client, "trash", pictures[:1], "?collection=harbour", **everything).done == 4
    assert list(Asset.objects.filter(trashed_at__isnull=True)) == [pictures[4]]


def test_select_all_is_refused_when_the_search_answers_differently_meanwhile(
    client: Client, alice: User, pictures: list[Asset], settings: Any
) -> None:
    settings.SIGHTLINE_QUERY_TIMEOUT = 0.2  # the page was ranked; now nobody ranks
    client.force_login(alice)
    said = act(client, "trash", pictures[:1], "?q=red", select_across="1", found_by=By.NEAREST.value)
    assert "Nothing was changed" in said
    assert not Asset.objects.filter(trashed_at__isnull=False).exists()


def test_an_action_on_chosen_pictures_needs_no_search(
    client: Client, alice: User, pictures: list[Asset], settings: Any
) -> None:
    settings.SIGHTLINE_QUERY_TIMEOUT = 0.2
    client.force_login(alice)
    assert order(client, "trash", pictures[:1], "?q=nothing-like-it").done == 1


def test_staff_see_what_their_collections_show_and_change_what_they_curate(
    client: Client, dora: User, alice: User, pictures: list[Asset], attic: Collection
) -> None:
    hidden = Collection.objects.create(slug="hidden", name="Hidden", owner=alice)
    Asset.objects.filter(pk=pictures[0].pk).update(collection=hidden)
    Asset.objects.filter(pk=pictures[1].pk).update(collection=attic)
    Membership.objects.create(collection=attic, user=dora, role=Role.VIEWER)
    Membership.objects.create(collection=pictures[2].collection, user=dora, role=Role.CURATOR)
    client.force_login(dora)
    assert set(shown(client)) == set(pictures[1:])
    assert client.get(f"{SHEET}{pictures[0].pk}/change/").status_code == 302
    assert 'name="title"' not in client.get(f"{SHEET}{pictures[1].pk}/change/").content.decode()
    assert 'name="title"' in client.get(f"{SHEET}{pictures[2].pk}/change/").content.decode()

    asked = client.post(SHEET, {"action": "trash", "index": "0", "_selected_action": [a.pk for a in pictures[:3]]})
    assert "1 of the chosen asset is left alone" in asked.content.decode()
    assert order(client, "trash", pictures[:3]).done == 1
    assert list(Asset.objects.filter(trashed_at__isnull=False)) == [pictures[2]]

    data = {"action": "move", "_selected_action": [pictures[3].pk], "collection": "attic", "confirmed": "yes"}
    assert "You curate no collection of this name" in client.post(SHEET, data).content.decode()
    pictures[3].refresh_from_db()
    assert pictures[3].collection.slug == "harbour"
