"""Does the work move?"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from archive import dispatch
from archive.doctor.findings import Finding, fine, wrong
from archive.models import Batch, Step, Work, WorkState
from archive.models.batches import OPEN

STUCK, OVERDUE, ASIDE, BATCHES = "work moves", "leases", "set aside", "batches move"
PATIENCE = timedelta(minutes=10)


def look_for_stuck() -> Finding:
    waiting = Work.objects.filter(state=WorkState.READY)
    stuck = waiting.filter(not_before__lt=Now() - PATIENCE).count()
    running = Work.objects.filter(state=WorkState.RUNNING, lease_until__gt=Now())
    if not stuck or running.exists():
        return fine(STUCK, f"{waiting.count()} wait, {running.count()} are being done.")
    minutes = PATIENCE.seconds // 60
    sentence = f"{stuck} have waited for more than {minutes} minutes and nobody is at work. Start the workers"
    return wrong(STUCK, stuck, f"{sentence} (`manage.py up` starts all), or run `manage.py drain`.")


def ring() -> int:
    """Workers that are there but heard nothing hear it now."""
    steps = Work.objects.filter(state=WorkState.READY).values_list("step", flat=True).distinct()
    for step in steps:
        dispatch.ring(Step(step))
    return len(steps)


def look_for_overdue() -> Finding:
    grace = timedelta(seconds=4 * settings.SIGHTLINE_TICK_SECONDS)
    overdue = Work.objects.filter(state=WorkState.RUNNING, lease_until__lt=Now() - grace).count()
    if not overdue:
        return fine(OVERDUE, "No lease is overdue.")
    sentence = f"{overdue} were held by workers that died, and nobody frees them. Start beat, or run `manage.py drain`."
    return wrong(OVERDUE, overdue, sentence)


def look_for_stuck_batches() -> Finding:
    waiting = Batch.objects.filter(state__in=OPEN)
    stuck = waiting.filter(touched_at__lt=Now() - PATIENCE).count()
    if not stuck:
        return fine(BATCHES, f"{waiting.count()} are on their way.")
    minutes = PATIENCE.seconds // 60
    sentence = f"{stuck} actions on many pictures have not moved for {minutes} minutes. Start the media worker"
    return wrong(BATCHES, stuck, f"{sentence} (`manage.py up` starts all), or run `manage.py drain`.")


def ring_batches() -> int:
    dispatch.ring_batches()
    return 1


def count_aside() -> Finding:
    """Known and shown in the admin: no fault of the archive."""
    aside = Work.objects.filter(state=WorkState.QUARANTINED).count()
    if not aside:
        return fine(ASIDE, "Nothing is set aside.")
    return fine(ASIDE, f"{aside} set aside: see why, and try again, on the admin's Work page.", aside)
