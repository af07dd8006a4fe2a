"""The contact sheet as its tests use it: what it shows, and what one orders there."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.utils.timezone import now

from archive.models import Asset, Batch, Collection, Space, Step, Work, WorkState
from tests.prepared import make_encoded, random_rows
from workers.batches import drain_batches

SHEET = "/admin/archive/asset/"
EMPTY_TABLES = {f"{table}-{what}_FORMS": "0" for table in ("tags", "work") for what in ("TOTAL", "INITIAL")}
COLOURS = ("red", "green", "blue", "yellow", "white")


def make_pictures(collection: Collection, space: Space) -> list[Asset]:
    assets = make_encoded(collection, space, random_rows(len(COLOURS)))
    for asset, colour in zip(assets, COLOURS, strict=True):
        asset.filename = f"{colour}.jpg"
        asset.save()
        for step, target in ((Step.PREPARE, ""), (Step.ENCODE, space.slug)):
            Work.objects.create(asset=asset, step=step, target=target, state=WorkState.DONE, done_at=now())
    return assets


def make_twin(asset: Asset, collection: Collection) -> Asset:
    """The same content in another collection."""
    return Asset.objects.create(
        collection=collection,
        sha256=asset.sha256,
        original=asset.original,
        filename="twin.jpg",
        media_type=asset.media_type,
        size=asset.size,
    )


def shown(client: Client, query: str = "") -> list[Asset]:
    response = client.get(f"{SHEET}{query}")
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


def act(client: Client, action: str, chosen: list[Asset], query: str = "", **more: Any) -> str:
    """Choose and press; returns the messages of the page that follows."""
    data = {"action": action, "index": "0", "_selected_action": [a.pk for a in chosen], **more}
    response = client.post(f"{SHEET}{query}", data, follow=True)
    assert response.status_code == 200
    return " ".join(str(message) for message in response.context["messages"])


def order(client: Client, action: str, chosen: list[Asset], query: str = "", **more: Any) -> Batch:
    """Choose, look at the page between, confirm what it shows, and have it done."""
    data = {"action": action, "_selected_action": [a.pk for a in chosen], **more}
    asked = client.post(f"{SHEET}{query}", {**data, "index": "0"})
    assert asked.status_code == 200
    data |= {"confirmed": "yes", "expected": asked.context["set"].token}
    response = client.post(f"{SHEET}{query}", data)
    assert response.status_code == 302, response.content.decode()
    drain_batches()
    batch = Batch.objects.latest("pk")
    assert response["Location"] == batch.get_absolute_url()
    return batch
