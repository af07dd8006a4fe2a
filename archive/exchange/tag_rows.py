"""Tags as a table: one line for each tag of an asset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from archive.exchange.lines import Columns
from archive.exchange.writing import Row
from archive.models import Asset, ConceptKind, Tag, TagState

if TYPE_CHECKING:
    from archive.models.collections import Person

TAGS = Columns(
    known=("asset", "sha256", "collection", "filename", "tag", "state", "source", "by", "at"), needed=("tag",)
)
CHUNK = 2000


def tag_rows(user: Person, states: Iterable[str] = (TagState.ACCEPTED,)) -> Iterator[Row]:
    """The tags of all that `user` may see, asset by asset, however many there are. What is prohibited is no tag."""
    seen = Asset.objects.visible_to(user, named=True).order_by().values("pk")
    tags = Tag.objects.filter(asset__in=seen, state__in=list(states), concept__kind=ConceptKind.TAG)
    tags = tags.order_by("asset_id", "concept_id")
    columns = (
        *("asset__uuid", "asset__sha256", "asset__collection__slug", "asset__filename"),
        *("concept__name", "state", "source", "by__username", "at"),
    )
    for values in tags.values_list(*columns).iterator(chunk_size=CHUNK):
        yield dict(zip(TAGS.known, map(_plain, values), strict=True))


def _plain(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
