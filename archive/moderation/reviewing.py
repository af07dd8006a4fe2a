"""What reviewers do with flags: answer, escalate, correct, take back.

Each holds the asset and the flag, so that two people take turns, and compares the version of what they saw. The one
who comes second changes nothing and is told who came first; what they said stands in the log all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.timezone import localtime, now

from archive.models import Answer, Asset, Event, Flag, FlagState, LogEntry, Verdict
from archive.moderation import log
from archive.moderation.quarantine import hold_assets, settle_quarantine
from archive.moderation.standing import DECISIVE, DISAGREE, give_back_verdict, standing

if TYPE_CHECKING:
    from django.contrib.auth.models import User

LONGEST_REASON = 500
STATES = {Answer.UPHOLD: FlagState.UPHELD, Answer.DISMISS: FlagState.DISMISSED}
EVENTS = {FlagState.UPHELD: Event.UPHELD, FlagState.DISMISSED: Event.DISMISSED}
DID = {Event.UPHELD: "upheld", Event.DISMISSED: "dismissed", Event.ESCALATED: "escalated", Event.ANSWERED: "answered"}


class NotReviewed(Exception):
    """Nothing was changed; the words are for people."""


class FlagGone(NotReviewed):
    def __init__(self) -> None:
        super().__init__("This flag is not there any more: its picture was deleted, or it was withdrawn.")


class ReasonMissing(NotReviewed):
    def __init__(self, what: str) -> None:
        super().__init__(f"Say why, in a few words: {what} needs a reason.")


class ReasonTooLong(NotReviewed):
    def __init__(self, length: int) -> None:
        super().__init__(f"A reason has {LONGEST_REASON} characters at most; this one has {length:,}. Shorten it.")


class NotYoursToEnd(NotReviewed):
    def __init__(self) -> None:
        super().__init__("This was escalated: an owner of the collection decides, or whoever reviews everywhere.")


class NotYoursToCorrect(NotReviewed):
    def __init__(self) -> None:
        super().__init__("Two people decided this. An owner of the collection can correct it.")


class NothingToTakeBack(NotReviewed):
    def __init__(self) -> None:
        super().__init__("The last answer here is not yours. If you see it otherwise, correct it.")


class AnsweredMeanwhile(NotReviewed):
    """`flag` as it is by now."""

    def __init__(self, flag: Flag, told: str) -> None:
        super().__init__(f"{told} Your answer changed nothing; it stands in the log. Look again, then answer.")
        self.flag = flag


def answer(user: User, flag: int, given: Answer, version: int, reason: str = "") -> Flag:
    """Uphold or dismiss, as `user` saw it in `version`; of a decided flag this is a correction, with a reason.

    Raises `AnsweredMeanwhile`, `FlagGone`, `NotYoursToEnd`, `NotYoursToCorrect`, `ReasonMissing`, `ReasonTooLong`.
    """
    with transaction.atomic():
        held = _hold(user, flag, reason)
        if held.version == version:
            return _answer(user, held, given, reason)
        log.write(log.about_flag(Event.LATE, held, user, after=STATES[given], reason=reason))
    raise AnsweredMeanwhile(held, _who_was_first(held))


def escalate(user: User, flag: int, version: int, reason: str) -> Flag:
    """Leave it to an owner of the collection. Raises as `answer` does."""
    with transaction.atomic():
        held = _hold(user, flag, reason)
        if held.version == version and held.state == FlagState.OPEN:
            if not reason:
                raise ReasonMissing("what somebody else has to decide")
            if held.escalated_at is None:
                _escalate(user, held, reason)
            return held
        log.write(log.about_flag(Event.LATE, held, user, reason=reason))
    raise AnsweredMeanwhile(held, _who_was_first(held))


@transaction.atomic
def take_back(user: User, flag: int) -> Flag:
    """Undo one's own answer, as long as it is the last word: all is as it was before it, and what others decided
    stands again. Raises `NothingToTakeBack`, `FlagGone`."""
    held = _hold(user, flag, "")
    last = LogEntry.objects.filter(flag_id=held.pk).exclude(event=Event.LATE).order_by("-pk").first()
    if last is None or last.person_id != user.pk or last.event not in DECISIVE:
        raise NothingToTakeBack
    before = held.state
    left = [said for said in standing(held) if said.entry.pk != last.pk]
    give_back_verdict(held, user, left)
    held.state = FlagState(last.before)
    decided = [said.entry.at for said in left if said.decides]
    held.decided_at = decided[-1] if decided and held.state != FlagState.OPEN else None
    if last.event == Event.ESCALATED:
        held.escalated_at = None
    _save(held, "state", "decided_at", "escalated_at")
    log.write(log.about_flag(Event.TAKEN_BACK, held, user, before=before, after=held.state))
    return held


def _hold(user: User, flag: int, reason: str) -> Flag:
    """The asset, then the flag, as everybody who writes flags locks them."""
    if len(reason) > LONGEST_REASON:
        raise ReasonTooLong(len(reason))
    hold_assets(Asset.objects.filter(flags=flag).values_list("pk", flat=True))
    mine = Flag.objects.reviewed_by(user).filter(pk=flag).select_for_update(of=("self",))
    found = mine.select_related("asset__collection", "concept__policy", "space").first()
    if found is None:
        raise FlagGone
    return found


def _answer(user: User, flag: Flag, given: Answer, reason: str) -> Flag:
    before = flag.state
    if before != FlagState.OPEN:
        if before == STATES[given]:
            return flag
        if not reason:
            raise ReasonMissing("a correction")
        if needs_two(flag) and not flag.may_be_ended_by(user):
            raise NotYoursToCorrect
    if flag.escalated_at and not flag.may_be_ended_by(user):
        raise NotYoursToEnd
    blind = before == FlagState.OPEN and flag.escalated_at is None and needs_two(flag)
    defaults = {"answer": given, "reason": reason, "blind": blind, "at": now()}
    Verdict.objects.update_or_create(flag=flag, person=user, defaults=defaults)
    if blind:
        other = flag.verdicts.exclude(person=user).first()
        if other is None:
            log.write(log.about_flag(Event.ANSWERED, flag, user, before=before, after=STATES[given], reason=reason))
            return flag
        if other.answer != given:
            return _escalate(user, flag, f"{DISAGREE} {reason}".strip())
    flag.state, flag.decided_at = STATES[given], now()
    _save(flag, "state", "decided_at")
    log.write(log.about_flag(EVENTS[flag.state], flag, user, before=before, after=flag.state, reason=reason))
    return flag


def needs_two(flag: Flag) -> bool:
    policy = getattr(flag.concept, "policy", None)
    return policy is not None and policy.second_reviewer


def _escalate(user: User, flag: Flag, reason: str) -> Flag:
    flag.escalated_at = now()
    _save(flag, "escalated_at")
    log.write(log.about_flag(Event.ESCALATED, flag, user, before=flag.state, after=flag.state, reason=reason))
    return flag


def _save(flag: Flag, *fields: str) -> None:
    flag.version += 1
    flag.save(update_fields=[*fields, "version"])
    settle_quarantine([flag.asset_id])


def _who_was_first(flag: Flag) -> str:
    """Who changed it last, in a sentence."""
    last = LogEntry.objects.filter(flag_id=flag.pk).exclude(event=Event.LATE).order_by("-pk").first()
    if last is None or not last.person:
        return "This flag is another one by now: a model found something worse."
    did = DID.get(Event(last.event), "changed")
    return f"{last.person} {did} this at {localtime(last.at):%H:%M:%S}."
