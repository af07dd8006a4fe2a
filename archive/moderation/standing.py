"""What stands of the answers to a flag, as the log tells: whoever takes one back finds what was before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from archive.models import Answer, Event, Flag, FlagState, LogEntry, Verdict

if TYPE_CHECKING:
    from django.contrib.auth.models import User

DECISIVE = (Event.UPHELD, Event.DISMISSED, Event.ESCALATED, Event.ANSWERED)
DISAGREE = "Two reviewers disagree."
GIVEN = {FlagState.UPHELD: Answer.UPHOLD, FlagState.DISMISSED: Answer.DISMISS}
OTHER = {Answer.UPHOLD: Answer.DISMISS, Answer.DISMISS: Answer.UPHOLD}


@dataclass(frozen=True)
class Said:
    """An answer that stands. `answer` is None of an escalation without one."""

    entry: LogEntry
    answer: Answer | None
    blind: bool

    @property
    def decides(self) -> bool:
        return self.entry.event in (Event.UPHELD, Event.DISMISSED)


def standing(flag: Flag) -> list[Said]:
    """In the order they were given, without those that were taken back: each of these was the last when it went."""
    kept: list[LogEntry] = []
    told = LogEntry.objects.filter(flag_id=flag.pk, event__in=(*DECISIVE, Event.TAKEN_BACK)).order_by("pk")
    for entry in told:
        if entry.event != Event.TAKEN_BACK:
            kept.append(entry)
        elif kept:
            kept.pop()
    return [_said(entry, kept[:place]) for place, entry in enumerate(kept)]


def _said(entry: LogEntry, before: list[LogEntry]) -> Said:
    """Two who answer blindly end the dispute, or open it: then the second said the opposite of the first."""
    first = next(
        (one for one in reversed(before) if one.event == Event.ANSWERED and one.person_id != entry.person_id), None
    )
    escalated = any(one.event == Event.ESCALATED for one in before)
    second = first is not None and not escalated and entry.before == FlagState.OPEN
    if entry.event != Event.ESCALATED:
        return Said(entry, GIVEN[FlagState(entry.after)], entry.event == Event.ANSWERED or second)
    if first is None or not second or not entry.reason.startswith(DISAGREE):
        return Said(entry, None, False)
    return Said(entry, OTHER[GIVEN[FlagState(first.after)]], True)


def give_back_verdict(flag: Flag, user: User, left: list[Said]) -> None:
    """Have `user` say what they last said of those that are left, or nothing."""
    flag.verdicts.filter(person=user).delete()
    mine = [(said.answer, said) for said in left if said.entry.person_id == user.pk and said.answer is not None]
    if mine:
        answer, last = mine[-1]
        reason = last.entry.reason.removeprefix(DISAGREE).strip()
        Verdict.objects.create(flag=flag, person=user, answer=answer, reason=reason, blind=last.blind, at=last.entry.at)
