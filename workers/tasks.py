"""Celery tasks: doorbells. Each calls one verb; what is to be done stands in Postgres."""

from __future__ import annotations

import logging
import logging.config
from io import StringIO
from typing import Any

from celery import shared_task
from celery.signals import setup_logging, worker_init, worker_process_init, worker_ready
from django.conf import settings
from django.core.management import call_command

from archive import dispatch
from archive.alerts import something_waits
from archive.batches import sweep_batches
from archive.concepts.passes import walk_on
from archive.doctor.orphans import sweep_renditions
from archive.exports import sweep_exports
from archive.fingerprints import fill_missing
from archive.models import Batch, Check, Fingerprint, Step, Work, WorkState
from archive.models.batches import OPEN
from archive.models.moderation_checks import OPEN as CHECKED_NOW
from archive.setups import find_open
from archive.sweeps import sweep_files, sweep_originals, sweep_trash
from workers import queries
from workers.batches import drain_batches
from workers.claims import reap
from workers.concepts import look_after_concepts
from workers.encode import drain_encode
from workers.encoders.adapter_files import sweep_adapters
from workers.orphans import die_with_parent
from workers.play import drain_play
from workers.policy_checks import drain_checks
from workers.prepare import drain_prepare
from workers.refusing import end_worker, find_refusals, listen
from workers.setups import work_on_setup
from workers.upkeep import index_by_name, look_after_spaces

# A drain stops by itself after 5 seconds and rings again, so that a worker told to stop does
# so soon. The hard limit ends what hangs in C code; its lease does the rest.
DRAIN_SECONDS = 5.0
HARD_LIMIT = 15 * 60
INDEX_LIMIT = 24 * 3600  # Postgres builds, this only waits
SETUP_LIMIT = 4 * 3600  # a large model opened on a small machine, an adapter trained
COMPARE_SECONDS = 10.0  # of every tick: new near-duplicates can wait, uploads cannot
ALERT_SECONDS = 10.0


@shared_task(name=dispatch.DRAIN[Step.PREPARE], time_limit=HARD_LIMIT)
def drain_prepare_task() -> None:
    if drain_prepare(DRAIN_SECONDS):
        dispatch.ring(Step.PREPARE)


@shared_task(name=dispatch.DRAIN[Step.ENCODE], time_limit=HARD_LIMIT)
def drain_encode_task() -> None:
    if drain_encode(DRAIN_SECONDS):
        dispatch.ring(Step.ENCODE)
    elif refusals := find_refusals():
        end_worker(refusals)


@shared_task(name=dispatch.DRAIN[Step.PLAY], time_limit=HARD_LIMIT)
def drain_play_task() -> None:
    if drain_play(DRAIN_SECONDS):
        dispatch.ring(Step.PLAY)


@shared_task(name=dispatch.BATCHES, time_limit=HARD_LIMIT)
def drain_batches_task() -> None:
    if drain_batches(DRAIN_SECONDS):
        dispatch.ring_batches()


@shared_task(name=dispatch.TICK, time_limit=60)
def tick() -> None:
    """Free what dead workers held, and ring for whatever waits: no lost message lasts longer than this."""
    freed = reap()
    if freed:
        logging.getLogger(__name__).warning("freed %d items of workers that died", freed)
    waiting = Work.objects.filter(state=WorkState.READY).values_list("step", flat=True).distinct()
    for step in waiting:
        dispatch.ring(Step(step))
    if Batch.objects.filter(state__in=OPEN).exists():
        dispatch.ring_batches()
    if find_open() is not None:
        dispatch.set_up()
    if Fingerprint.objects.new().exists():
        dispatch.compare()
    if Check.objects.filter(state__in=CHECKED_NOW).exists():
        dispatch.ring_moderation()
    if something_waits():
        dispatch.alert()
    look_after_concepts()


@shared_task(name=dispatch.SWEEP, time_limit=HARD_LIMIT)
def sweep() -> None:
    """Each part by itself: one that fails must not keep the others from being swept, day after day."""
    parts = (sweep_trash, sweep_files, sweep_originals, sweep_adapters)
    for part in (*parts, dispatch.fill_fingerprints, sweep_exports, sweep_batches, sweep_renditions):
        try:
            part()
        except Exception:
            logging.getLogger(__name__).exception("%s failed; the next sweep tries again", part.__name__)


@shared_task(name=dispatch.LOOK_AFTER_SPACES, time_limit=HARD_LIMIT)
def look_after_spaces_task() -> None:
    look_after_spaces()


@shared_task(name=dispatch.INDEX_SPACE, time_limit=INDEX_LIMIT)
def index_space(slug: str) -> None:
    index_by_name(slug)


@shared_task(name=dispatch.EVALUATE_SPACE, time_limit=HARD_LIMIT)
def evaluate_space(slug: str) -> None:
    """By its name: the room that measures a search is above this one."""
    call_command("space", "evaluate", slug, stdout=StringIO())


@shared_task(name=dispatch.SET_UP, time_limit=SETUP_LIMIT)
def set_up() -> None:
    if work_on_setup(DRAIN_SECONDS):
        dispatch.set_up()


@shared_task(name=dispatch.FILL_FINGERPRINTS, time_limit=HARD_LIMIT)
def fill_fingerprints() -> None:
    if fill_missing(DRAIN_SECONDS):
        dispatch.fill_fingerprints()


@shared_task(name=dispatch.COMPARE, time_limit=HARD_LIMIT)
def compare() -> None:
    """By its name: the room that compares is above this one."""
    call_command("duplicates", "compare", "--seconds", str(COMPARE_SECONDS), stdout=StringIO())


@shared_task(name=dispatch.MODERATE, time_limit=HARD_LIMIT)
def moderate() -> None:
    if drain_checks(DRAIN_SECONDS):
        dispatch.ring_moderation()


@shared_task(name=dispatch.WALK_CONCEPTS, time_limit=HARD_LIMIT)
def walk_concepts() -> None:
    if walk_on(DRAIN_SECONDS):
        dispatch.walk_concepts()


@shared_task(name=dispatch.ALERT, time_limit=HARD_LIMIT)
def alert() -> None:
    """By its name: the room that knows what people look for is above this one."""
    call_command("alerts", "run", "--seconds", str(ALERT_SECONDS), stdout=StringIO())


@shared_task(name=dispatch.ANSWER_QUERY, time_limit=60)
def answer_query(question: dict[str, Any]) -> None:
    queries.answer(question)


@shared_task(name=dispatch.WARM_UP, time_limit=300)
def warm_up() -> None:
    queries.warm_up()


@worker_ready.connect
def _warm_up_queries(sender: Any, **kwargs: Any) -> None:
    """Not in the child's start-up, which Celery kills after four seconds; a message is soon enough."""
    if dispatch.QUEUES[dispatch.ANSWER_QUERY] in sender.app.amqp.queues.consume_from:
        queries.forget_signs()
        dispatch.warm_up()


@worker_init.connect
def _listen(**kwargs: Any) -> None:
    listen()


@worker_process_init.connect
def _tie_to_parent(**kwargs: Any) -> None:
    die_with_parent()


@setup_logging.connect
def _log_as_django_does(**kwargs: Any) -> None:
    logging.config.dictConfig(settings.LOGGING)
