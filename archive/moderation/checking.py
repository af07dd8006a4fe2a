"""A policy over the archive as it is: in the background, chunk by chunk, or dry, to see what it would do.

A chunk is one transaction that holds the check's row, raises flags and writes how far it came. A worker that is killed
leaves nothing of its chunk; two workers never hold one check.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import InterfaceError, OperationalError, ProgrammingError, transaction
from django.utils.timezone import now
from psycopg.errors import UndefinedTable

from archive.models import Check, CheckState, SpaceState, Tag, TagState
from archive.models.moderation_checks import OPEN
from archive.moderation.flagging import dismissed_or_upheld, raise_flags
from archive.moderation.judging import judge, scores_of
from archive.moderation.policies import Line, NotSwitched, start_check
from archive.vectors import read_on

if TYPE_CHECKING:
    from archive.vectors import Rows

log = logging.getLogger(__name__)
ROWS = 10_000  # vectors at a time: 30 MB of numbers
STEP = 0.25  # of scores, in the histogram of a dry run
GONE = "The space was retired meanwhile. Check again in the one that is searched now."


def work_on_next_check() -> bool:
    """Do a chunk of the check that waits longest; returns whether there was one that nobody else holds."""
    pk = 0
    try:
        with transaction.atomic():
            waiting = Check.objects.filter(state__in=OPEN).order_by("touched_at")
            held = waiting.select_for_update(of=("self",), skip_locked=True)
            check = held.select_related("policy__concept", "space", "asked_by", "head").first()
            if check is None:
                return False
            pk = check.pk
            _do_chunk(check)
    except (OperationalError, InterfaceError):  # Postgres is away or busy: no fault of the check
        raise
    except ProgrammingError as error:
        if not isinstance(error.__cause__, UndefinedTable):
            raise
        _fail(pk, GONE)
    except Exception as error:
        log.exception("check %s", pk)
        _fail(pk, f"Something unexpected happened ({type(error).__name__}); the log has more.")
    return True


def _do_chunk(check: Check) -> None:
    if check.space.state != SpaceState.ACTIVE:
        _begin_anew(check)
        return
    rows = read_on(check.space, check.last_id, ROWS, check.until_id)
    if rows.assets:
        check.last_id = max(rows.assets)
        rows = _covered(check, rows)
        check.seen += len(set(rows.assets))
    if rows.assets:
        (_count if check.dry else _flag)(check, rows)
        check.state = CheckState.RUNNING
    else:
        more = check.last_id and read_on(check.space, check.last_id, 1, check.until_id).assets
        check.state = CheckState.RUNNING if more else CheckState.DONE
    if check.state == CheckState.DONE:
        check.finished_at = now()
    check.touched_at = now()
    check.save()


def _begin_anew(check: Check) -> None:
    """People search in another space by now: there it starts from the first asset, with the thresholds of there."""
    check.state, check.touched_at, check.finished_at = CheckState.STOPPED, now(), now()
    try:
        start_check(check.policy, check.asked_by, dry=check.dry)
    except NotSwitched as error:
        check.error = str(error)
    check.save()


def _covered(check: Check, rows: Rows) -> Rows:
    inside = set(check.policy.covered().filter(pk__in=set(rows.assets)).values_list("pk", flat=True))
    kept = [place for place, asset in enumerate(rows.assets) if asset in inside]
    frames, assets = [rows.frames[place] for place in kept], [rows.assets[place] for place in kept]
    return type(rows)(frames, assets, rows.vectors[kept])


def _flag(check: Check, rows: Rows) -> None:
    line = Line(check.policy_id, check.policy.concept_id, check.review_at, check.quarantine_at, None)
    doubts = judge(check.space, rows, [line])
    check.doubted += len(doubts)
    check.hidden += sum(doubt.hides for doubt in doubts)
    check.raised += raise_flags(check.space, doubts)


def _count(check: Check, rows: Rows) -> None:
    """Nothing is raised; scores are counted, all of them and those of assets that people judged already."""
    best = scores_of(check.space, rows, check.policy.concept_id, check.head)
    check.doubted += sum(score >= check.review_at for score in best.values())
    if check.quarantine_at is not None:
        check.hidden += sum(score >= check.quarantine_at for score in best.values())
    judged = judged_before(list(best), check.policy.concept_id)
    for name, assets in (
        ("all", list(best)),
        ("upheld", [asset for asset, wrong in judged.items() if wrong]),
        ("dismissed", [asset for asset, wrong in judged.items() if not wrong]),
    ):
        counts = Counter(check.scores.get(name, {}))
        counts.update(str(int(best[asset] // STEP)) for asset in assets)
        check.scores[name] = dict(counts)


def judged_before(assets: list[int], concept: int) -> dict[int, bool]:
    """Whether people found the concept on these assets: by tags that they put on or rejected, and by flags."""
    told = Tag.objects.decided().filter(asset__in=assets, concept=concept).values_list("asset", "state")
    by_tag = {asset: state == TagState.ACCEPTED for asset, state in told}
    return by_tag | dismissed_or_upheld(assets, concept)


@dataclass(frozen=True)
class Outlook:
    """What a threshold would do: how many assets reach it, and how many of those that people judged they upheld."""

    reached: int
    upheld: int
    judged: int

    @property
    def precision(self) -> float | None:
        return self.upheld / self.judged if self.judged else None


def outlook(check: Check, threshold: float) -> Outlook:
    """From the histogram of a dry run; to a step of STEP, rounded towards fewer."""
    first = -int(-threshold // STEP)

    def above(name: str) -> int:
        return sum(count for step, count in check.scores.get(name, {}).items() if int(step) >= first)

    upheld = above("upheld")
    return Outlook(above("all"), upheld, upheld + above("dismissed"))


def _fail(pk: int, sentence: str) -> None:
    Check.objects.filter(pk=pk, state__in=OPEN).update(
        state=CheckState.FAILED, error=sentence, touched_at=now(), finished_at=now()
    )
