"""What may be ordered: of which assets, by whom, how much, and as it was shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from archive.batches import SetChanged, make_batch, measure
from archive.deeds import Refused
from archive.models import Asset, Batch, Collection
from archive.trash import trash
from tests.workers.batches.orders import ask, make_assets, order

pytestmark = pytest.mark.django_db


def test_what_others_own_is_never_chosen(boats: list[Asset], attic: Collection, carol: User, bob: User) -> None:
    make_assets(attic, 2, "secret")
    batch = make_batch(order(carol, "trash"), carol, Asset.objects.all())
    assert batch.total == 5
    with pytest.raises(Refused, match="nothing that you could"):
        make_batch(order(bob, "trash"), bob, Asset.objects.all())
    assert make_batch(order(bob, "download"), bob, Asset.objects.all()).total == 5


def test_another_set_than_the_one_that_was_shown_is_refused(boats: list[Asset], alice: User) -> None:
    shown = measure(Asset.objects.all())
    assert shown.count == 5
    make_assets(boats[0].collection, 1, "new")
    trash(Asset.objects.filter(pk=boats[0].pk))
    for expected in (shown.token, "6"):
        with pytest.raises(SetChanged, match="Nothing was done") as refused:
            make_batch(order(alice, "trash"), alice, Asset.objects.visible_to(alice), expected)
        assert refused.value.now == 5
    assert not Batch.objects.exists()
    make_batch(order(alice, "trash"), alice, Asset.objects.visible_to(alice), "5")


@pytest.mark.parametrize(
    ("action", "arguments", "name"),
    [
        ("delete", {}, "action"),
        ("", {}, "action"),
        ("tag", {}, "tags"),
        ("tag", {"tags": [f"tag {n}" for n in range(10_000)]}, "tags"),
        ("tag", {"tags": ["a\0b"]}, "tags"),
        ("untag", {"tags": [" , "]}, "tags"),
        ("move", {}, "collection"),
        ("move", {"collection": "hidden"}, "collection"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    boats: list[Asset], carol: User, alice: User, action: str, arguments: dict[str, Any], name: str
) -> None:
    Collection.objects.create(slug="hidden", name="Hidden", owner=alice)
    with pytest.raises(Refused) as refused:
        order(carol, action, **arguments)
    assert refused.value.name == name


def test_nobody_fills_the_queue_alone(boats: list[Asset], alice: User) -> None:
    for _ in range(20):
        ask(alice, "download")
    with pytest.raises(Refused, match="not done yet"):
        ask(alice, "download")
