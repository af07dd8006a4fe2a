"""Orders of batches, their work, and what an action may change."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from archive.batches import Order, make_batch, read_order
from archive.models import Asset, Batch, Collection, Status, Tag
from archive.tags import tags_of
from workers.batches import drain_batches


def make_assets(collection: Collection, count: int, prefix: str = "boat") -> list[Asset]:
    """Ready assets with files of a few bytes."""
    assets = []
    for n in range(count):
        data = f"{collection.slug} {prefix} {n}".encode()
        digest = hashlib.sha256(data).hexdigest()
        key = f"originals/{digest[:2]}/{digest[2:4]}/{digest}"
        default_storage.save(key, ContentFile(data))
        fields = {"original": key, "filename": f"{prefix}.jpg", "media_type": "image/jpeg", "size": len(data)}
        assets.append(Asset.objects.create(collection=collection, sha256=digest, status=Status.READY, **fields))
    return assets


def order(user: User, action: str, **arguments: Any) -> Order:
    return read_order(action, arguments, user, "Everything", {})


def ask(user: User, action: str, **arguments: Any) -> Batch:
    return make_batch(order(user, action, **arguments), user, Asset.objects.visible_to(user))


def drain(batch: Batch) -> Batch:
    assert drain_batches() is False
    batch.refresh_from_db()
    assert not batch.is_open
    return batch


def names_of(asset: Asset) -> list[str]:
    return [concept.name for concept in tags_of(asset)]


def picture() -> dict[str, list[tuple[Any, ...]]]:
    """Everything that an action may change."""
    assets = Asset.objects.order_by("pk").values_list("pk", "collection", "trashed_at")
    tags = Tag.objects.order_by("asset", "concept").values_list("asset", "concept", "state", "source", "by", "at")
    return {"assets": list(assets), "tags": list(tags)}


ACTIONS: list[tuple[str, dict[str, Any]]] = [
    ("tag", {"tags": ["sea, old"]}),
    ("untag", {"tags": ["old"]}),
    ("move", {"collection": "attic"}),
    ("trash", {}),
]
