"""What is chosen on the contact sheet is acted on in one go, and only where one curates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.batch_work import work_on_next
from archive.batches import make_batch, read_order, undo, why_left
from archive.deeds import DEEDS, Refused
from archive.models import Asset, Batch, BatchState, Collection, Membership, Role, Status, Work, WorkState
from archive.readiness import settle
from archive.tags import tags_of
from archive.trash import trash
from search.finding import By
from tests.cast import make_jpeg, upload
from tests.search.contact_sheet.sheet import SHEET, act, make_twin, order, shown
from workers.batches import drain_batches


def ask(client: Client, action: str, chosen: list[Asset]) -> str:
    """The page between."""
    sent = {"action": action, "index": "0", "_selected_action": [a.pk for a in chosen]}
    return client.post(SHEET, sent).content.decode()


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


def test_encode_again_is_shown_and_done_in_the_background(client: Client, alice: User, pictures: list[Asset]) -> None:
    client.force_login(alice)
    asked = ask(client, "encode", pictures[:3])
    assert "Encode again: 3 assets" in asked
    assert "can be stopped" in asked
    assert not Work.objects.filter(state=WorkState.READY).exists()
    batch = order(client, "encode", pictures[:1], select_across="1", found_by=By.EVERYTHING.value)
    assert (batch.done, batch.state) == (5, BatchState.DONE)
    assert Work.objects.filter(step="encode", state=WorkState.READY).count() == 5
    assert set(Asset.objects.values_list("status", flat=True)) == {Status.READY}
    page = client.get(batch.get_absolute_url()).content.decode()
    assert "5 pictures." in page
    assert "undo_batch" not in page
    assert f"{batch.get_absolute_url()}undo" not in page
    with pytest.raises(Refused, match="nothing to take back"):
        undo(batch)


def test_what_is_ordered_already_is_done_when_it_is_stopped(
    client: Client, alice: User, pictures: list[Asset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DEEDS["encode"], "chunk", 2)
    client.force_login(alice)
    token = client.post(SHEET, {"action": "encode", "index": "0", "_selected_action": [a.pk for a in pictures]})
    sent = {"action": "encode", "_selected_action": [a.pk for a in pictures], "confirmed": "yes"}
    client.post(SHEET, {**sent, "expected": token.context["set"].token})
    batch = Batch.objects.get()
    assert work_on_next()
    assert "Stop<" in client.get(batch.get_absolute_url()).content.decode()
    undo(batch)
    drain_batches()
    batch.refresh_from_db()
    assert (batch.state, batch.done, batch.kept) == (BatchState.UNDONE, 2, 2)
    assert Work.objects.filter(step="encode", state=WorkState.READY).count() == 2
    page = client.get(batch.get_absolute_url()).content.decode()
    assert "Stopped after 2 of 5." in page
    assert "done all the same" in page


def test_failed_ones_are_tried_again(
    client: Client, alice: User, harbour: Collection, pictures: list[Asset], tmp_path: Path
) -> None:
    half = upload(harbour, make_jpeg(tmp_path, "half.jpg", "pink"))
    Work.objects.filter(asset=half).update(state=WorkState.QUARANTINED, last_error="It ends too early.")
    settle([half.pk])
    client.force_login(alice)
    asked = ask(client, "retry", [half, *pictures])
    assert "Try again: 1 asset" in asked
    assert "5 of the chosen assets are left alone: not failed" in asked
    assert order(client, "retry", [half, *pictures]).done == 1
    half.refresh_from_db()
    assert half.status == Status.PENDING
    assert Work.objects.get(asset=half).state == WorkState.READY
    assert not Work.objects.filter(state=WorkState.READY).exclude(asset=half).exists()


def test_what_is_well_by_then_is_left_alone(client: Client, alice: User, pictures: list[Asset]) -> None:
    failed = Work.objects.filter(asset__in=pictures[:2], step="encode")
    failed.update(state=WorkState.QUARANTINED)
    batch = make_batch(read_order("retry", {}, alice, "", {}), alice, Asset.objects.all())
    assert batch.total == 2
    failed.filter(asset=pictures[1]).update(state=WorkState.DONE)
    drain_batches()
    assert why_left(batch) == [("Nothing of it is set aside or skipped any more.", 1)]
    assert failed.get(asset=pictures[0]).state == WorkState.READY


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
