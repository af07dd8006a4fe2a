"""What people do to work: look at its state, try again, skip."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Case, Model, QuerySet, Value, When
from django.db.models.functions import Now

from archive import dispatch
from archive.models import Asset, Space, Step, Work, WorkState
from archive.models.work import Priority
from archive.readiness import settle

CHUNK = 5000


def add_encode_work(assets: QuerySet[Asset], space: Space, priority: Priority) -> int:
    """Work rows for prepared assets that have none for this space yet; returns how many were new."""
    missing = assets.exclude(work__step=Step.ENCODE, work__target=space.slug)
    # Ids are small, rows are not: of a million assets only some are rows at a time.
    ids = list(missing.values_list("pk", flat=True))
    for start in range(0, len(ids), CHUNK):
        Work.objects.bulk_create(
            [
                Work(asset_id=pk, step=Step.ENCODE, target=space.slug, priority=priority)
                for pk in ids[start : start + CHUNK]
            ],
            ignore_conflicts=True,
        )
    return len(ids)


@transaction.atomic
def retry(work: QuerySet[Work]) -> int:
    """Set work free again, whatever it died of; returns how many. Running work is left alone."""
    waiting = work.filter(state__in=(WorkState.QUARANTINED, WorkState.CANCELLED, WorkState.DONE))
    chosen = list(waiting.select_for_update().values_list("pk", "asset_id", "step"))
    Work.objects.filter(pk__in=[pk for pk, _, _ in chosen]).update(
        state=WorkState.READY,
        crashes=0,
        errors=0,
        not_before=Now(),
        last_error="",
        done_at=None,
        # What had an end begins anew; what was given up half-way goes on from there.
        position=Case(When(state=WorkState.DONE, then=Value(None)), default="position"),
        begun_at=None,
    )
    settle(asset for _, asset, _ in chosen)
    for step in {step for _, _, step in chosen}:
        dispatch.ring_on_commit(Step(step))
    return len(chosen)


@transaction.atomic
def skip(work: QuerySet[Work]) -> int:
    """Give up on work that waits or was set aside."""
    waiting = work.filter(state__in=(WorkState.READY, WorkState.QUARANTINED))
    chosen = list(waiting.select_for_update().values_list("pk", "asset_id"))
    Work.objects.filter(pk__in=[pk for pk, _ in chosen]).update(
        state=WorkState.CANCELLED, last_error="Skipped by a curator.", done_at=Now()
    )
    settle(asset for _, asset in chosen)
    return len(chosen)


def retry_assets(assets: Iterable[Model]) -> int:
    """Try everything again that these assets failed at."""
    failed = Work.objects.filter(
        asset__in=[asset.pk for asset in assets], state__in=(WorkState.QUARANTINED, WorkState.CANCELLED)
    )
    return retry(failed)


def encode_again(assets: QuerySet[Asset]) -> int:
    """Make the vectors of these assets anew in every live space."""
    slugs = Space.objects.live().values_list("slug", flat=True)
    for space in Space.objects.live():
        add_encode_work(assets.filter(work__step=Step.PREPARE, work__state=WorkState.DONE), space, Priority.BULK)
    return retry(Work.objects.filter(asset__in=assets.values("pk"), step=Step.ENCODE, target__in=list(slugs)))
