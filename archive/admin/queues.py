"""What waits for a person's eyes, with the way there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse

from archive.admin.numbers import Number, curated_work
from archive.duplicates import WINDOW, count_pairs
from archive.models import Asset, Status, Tag, TagState, WorkState

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MOST = 1000  # nobody needs to know it of more
# Queues with pages of their own, which count for themselves.
PAGES = (("flags to review", "review"), ("concepts to judge", "concepts"))


def queues(user: User) -> list[Number]:
    """Each is counted up to `MOST`, from an index that has nothing but what waits."""
    curated = Asset.objects.curated_by(user, named=True)
    failed = curated.filter(status=Status.FAILED, trashed_at__isnull=True)
    aside = curated_work(user).filter(state=WorkState.QUARANTINED)
    proposed = Tag.objects.filter(state=TagState.PROPOSED)
    if not user.is_superuser:
        proposed = proposed.filter(asset__in=curated.order_by().values("pk"))
    pairs = sum(count_pairs(user).values())
    found = [
        _queue("near-duplicate pairs", pairs, reverse("duplicates"), WINDOW),
        _queue("failed assets", _count(failed), f"{reverse('admin:archive_asset_changelist')}?status__exact=failed"),
        _queue("steps set aside", _count(aside), f"{reverse('admin:archive_work_changelist')}?state=quarantined"),
        _queue("proposed tags", _count(proposed), f"{reverse('admin:archive_asset_changelist')}?proposed=yes"),
    ]
    return found + [Number(label, "→", url) for label, name in PAGES if (url := _find(name))]


def _queue(label: str, count: int, url: str, most: int = MOST) -> Number:
    return Number(label, f"{most:,}+" if count > most else f"{count:,}", url)


def _count(rows: QuerySet[Any]) -> int:
    return rows.order_by()[: MOST + 1].count()


def _find(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
