"""The few numbers that tell a curator how the archive is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.timesince import timesince

from archive.estimates import estimated_count
from archive.models import Asset, Space, Status, Step, Work, WorkState
from archive.models.work import NO_ROOM

if TYPE_CHECKING:
    from archive.models.collections import Person


MOST_COUNTED = 2000  # steps, each with its asset; of more it is said about how many


@dataclass(frozen=True)
class Number:
    label: str
    value: str
    url: str
    alarm: bool = False


def numbers_of_assets(user: Person) -> list[Number]:
    """All but the whole are read from partial indexes; the whole of a large archive is estimated."""
    assets = Asset.objects.visible_to(user, named=True)
    total, estimated = estimated_count(assets)
    pending = assets.filter(status=Status.PENDING).count()
    failed = assets.filter(status=Status.FAILED).count()
    about = "about " if estimated else ""
    link = reverse("admin:archive_asset_changelist")
    return [
        Number("assets", f"{about}{total:,}", link),
        Number("ready", f"{about}{max(0, total - pending - failed):,}", f"{link}?status__exact=ready"),
        Number("being prepared", f"{pending:,}", f"{link}?status__exact=pending"),
        Number("failed", f"{failed:,}", f"{link}?status__exact=failed", alarm=failed > 0),
    ]


def curated_work(user: Person) -> QuerySet[Work]:
    """The work on assets that `user` curates; what is in quarantine is shown by the review alone."""
    if user.is_authenticated and user.is_superuser:
        return Work.objects.exclude(asset__in=Asset.objects.filter(quarantined=True).order_by().values("pk"))
    return Work.objects.filter(asset__in=Asset.objects.curated_by(user, named=True).order_by().values("pk"))


def numbers_of_work(user: Person) -> list[Number]:
    """While a space is filled a million steps wait: long ones are estimated, and the oldest is the one made first."""
    work = curated_work(user)
    waiting = work.filter(state=WorkState.READY)
    set_aside = _about(work.filter(state=WorkState.QUARANTINED))
    lately = work.filter(state=WorkState.DONE, done_at__gt=Now() - timedelta(hours=1))
    oldest = waiting.order_by("id").values_list("created_at", flat=True).first()
    held_up = sum(_held_up(waiting, slug) for slug in Space.objects.live().values_list("slug", flat=True))
    full = [Number("held up by a full device", f"{held_up:,}", _work(WorkState.READY), alarm=True)] if held_up else []
    return [
        *full,
        Number("steps waiting", _about(waiting), _work(WorkState.READY)),
        Number("running", _about(work.filter(state=WorkState.RUNNING)), _work(WorkState.RUNNING)),
        Number("set aside", set_aside, _work(WorkState.QUARANTINED), alarm=set_aside != "0"),
        Number("done in the last hour", _about(lately), _work(WorkState.DONE)),
        Number("the oldest waits", since(oldest) if oldest else "–", _work(WorkState.READY)),
    ]


def _held_up(waiting: QuerySet[Work], slug: str) -> int:
    """Of what comes next in a space: an upload that was put off stands before a million steps of a backfill."""
    encoding = waiting.filter(step=Step.ENCODE, target=slug).order_by("priority", "id")
    return Work.objects.filter(pk__in=encoding.values("pk")[:MOST_COUNTED], last_error=NO_ROOM).count()


def _about(rows: QuerySet[Any]) -> str:
    count, estimated = estimated_count(rows, MOST_COUNTED)
    return f"{'about ' if estimated else ''}{count:,}"


def since(moment: datetime) -> str:
    """How long ago, in one unit."""
    ago = timesince(moment, depth=1)
    return "moments" if ago.startswith("0") else ago


def _work(state: WorkState) -> str:
    return f"{reverse('admin:archive_work_changelist')}?{urlencode({'state': state})}"
