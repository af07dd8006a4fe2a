"""The review: one flag at a time, decided by mouse, by keyboard, or without JavaScript."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from archive.access import person, self_only, visible_only
from archive.models import Answer, Asset, Concept, Flag, FlagState, LogEntry
from archive.models.moderation import FlagQuerySet
from archive.moderation import reviewing
from archive.moderation.reviewing import AnsweredMeanwhile, NotReviewed, needs_two
from archive.moderation.standing import DECISIVE


@visible_only
@require_safe
def review(request: HttpRequest) -> HttpResponse:
    """The next flag that waits for the asker, behind `after`; `concept` narrows it to one."""
    user = person(request)
    concept = request.GET.get("concept", "").replace("\0", "")
    waiting = Flag.objects.waiting_for(user)
    if concept:
        waiting = waiting.filter(concept__slug=concept)
    flag = _first(_behind(waiting, request.GET.get("after", "")))
    if flag is None and request.GET.get("after") and waiting.exists():
        messages.info(request, "That was the last one. These are the ones that you passed over.")
        return redirect(_queue(concept))
    context = {"waiting": _counts(user), "concept": concept, "last": _last_answer(user)}
    if flag is None:
        return render(request, "archive/review.html", {**context, "here": "review"})
    return render(request, "archive/review.html", {**context, **_about(request, user, flag), "here": "review"})


@visible_only
@require_safe
def flag(request: HttpRequest, flag: int) -> HttpResponse:
    """One flag in whatever state, with all that was said about it."""
    user = person(request)
    found = _find(user, flag)
    return render(request, "archive/review.html", {**_about(request, user, found), "single": True, "here": "review"})


@visible_only
@require_POST
def decide(request: HttpRequest, flag: int) -> HttpResponse:
    """`verb` is `uphold`, `dismiss` or `escalate`; `version` what was looked at."""
    user = person(request)
    _find(user, flag)
    verb, reason = request.POST.get("verb", ""), request.POST.get("reason", "").replace("\0", "").strip()
    try:
        version = _version(request.POST.get("version", ""))
        if verb == "escalate":
            done = reviewing.escalate(user, flag, version, reason)
        elif verb in Answer.values:
            done = reviewing.answer(user, flag, Answer(verb), version, reason)
        else:
            raise NotReviewed("Choose one: uphold, dismiss or escalate.")
    except NotReviewed as error:
        return _refused(request, user, flag, error, reason)
    messages.success(request, sentence(done))
    if request.POST.get("single"):
        return redirect(done)
    return redirect(_queue(request.POST.get("concept", ""), done))


@visible_only
@require_POST
def undo(request: HttpRequest, flag: int) -> HttpResponse:
    user = person(request)
    _find(user, flag)
    try:
        done = reviewing.take_back(user, flag)
    except NotReviewed as error:
        messages.error(request, str(error))
        return redirect("review_flag", flag)
    left = "the flag is open again" if done.state == FlagState.OPEN else "what was decided before stands again"
    messages.success(request, f"Your answer is taken back; {left}.")
    return redirect(done)


@self_only
@require_safe
def held(request: HttpRequest) -> HttpResponse:
    """What the asker uploaded and what is under review: told, so that nobody thinks that it was lost, and not shown."""
    mine = Asset.objects.held_from(person(request)).select_related("collection").order_by("-added_at", "-pk")
    return render(request, "archive/review_held.html", {"held": mine[:200]})


def sentence(flag: Flag) -> str:
    """What came of an answer, for people."""
    if flag.state == FlagState.UPHELD:
        return f"Upheld: “{flag.asset}” stays hidden."
    if flag.state == FlagState.DISMISSED:
        hidden = Asset.objects.filter(pk=flag.asset_id, quarantined=True).exists()
        return f"Dismissed: “{flag.asset}” is {'hidden for another reason' if hidden else 'shown'}."
    if flag.escalated_at:
        return "Escalated: an owner of the collection decides now."
    return "Your answer is kept. A second reviewer decides as well, without seeing it."


def _about(request: HttpRequest, user: User, flag: Flag) -> dict[str, Any]:
    """What the page says about one flag. A second reviewer does not see what the first one said."""
    blind = flag.state == FlagState.OPEN and needs_two(flag) and flag.escalated_at is None
    history = LogEntry.objects.visible_to(user).filter(flag_id=flag.pk).order_by("id")
    return {
        "flag": flag,
        "asset": flag.asset,
        "clear": request.GET.get("clear") == "1",
        "picture": reverse("review_picture", args=[flag.pk]),
        "moments": flag.moments if flag.asset.kind == "video" else [],
        "strength": _strength(flag),
        "blind": blind,
        "history": [] if blind else history,
        "given": flag.verdicts.filter(person=user).first(),
        "others": flag.asset.flags.exclude(pk=flag.pk).select_related("concept"),
        "next": _queue(request.GET.get("concept", ""), flag),
        "may_end": flag.escalated_at is None or flag.may_be_ended_by(user),
        "reason": "",
    }


def _refused(request: HttpRequest, user: User, flag: int, error: NotReviewed, reason: str) -> HttpResponse:
    """The flag as it is by now, with the sentence and what was written."""
    found = Flag.objects.reviewed_by(user).filter(pk=flag)
    there = _first(found)
    messages.error(request, str(error))
    if there is None:
        return redirect("review")
    context = {**_about(request, user, there), "single": True, "reason": reason, "here": "review"}
    return render(request, "archive/review.html", context, status=409 if isinstance(error, AnsweredMeanwhile) else 400)


def _find(user: User, flag: int) -> Flag:
    found = _first(Flag.objects.reviewed_by(user).filter(pk=flag))
    if found is None:
        raise Http404
    return found


def _first(flags: FlagQuerySet) -> Flag | None:
    return flags.select_related("asset__collection", "asset__uploader", "concept__policy", "space").first()


def _behind(waiting: FlagQuerySet, after: str) -> FlagQuerySet:
    """Those that come later in the queue than flag `after`, wherever that is by now."""
    passed = Flag.objects.filter(pk=_number(after)).first() if after else None
    if passed is None:
        return waiting
    later = Q(pk__gt=passed.pk, hides=passed.hides)
    return waiting.filter(later | Q(hides=False) if passed.hides else later)


def _counts(user: User) -> list[dict[str, Any]]:
    """How many wait for `user`, by concept."""
    rows = Flag.objects.waiting_for(user).order_by().values("concept").annotate(count=Count("pk")).order_by("-count")
    found = {row["concept"]: row["count"] for row in rows[:20]}
    concepts = Concept.objects.in_bulk(list(found))
    return [{"concept": concepts[pk], "count": count} for pk, count in found.items()]


def _last_answer(user: User) -> LogEntry | None:
    """What `undo` would take back, if nobody said anything since."""
    mine = LogEntry.objects.filter(person_id=user.pk, flag_id__isnull=False).order_by("-id").first()
    if mine is None or mine.event not in DECISIVE:
        return None
    later = LogEntry.objects.filter(flag_id=mine.flag_id, id__gt=mine.pk)
    there = Flag.objects.reviewed_by(user).filter(pk__in=[mine.flag_id])
    return mine if there.exists() and not later.exists() else None


def _strength(flag: Flag) -> str:
    """How sure the model was, in words: scores mean something only beside their threshold."""
    line = flag.concept.policy.lines.filter(space=flag.space).first() if hasattr(flag.concept, "policy") else None
    if flag.score is None or line is None:
        return ""
    over = flag.score - line.review_at
    return "far above the line" if over >= 2 else "clearly above the line" if over >= 0.5 else "just above the line"


def _queue(concept: str, after: Flag | None = None) -> str:
    params = {"concept": concept.replace("\0", "")[:100], "after": after.pk if after else ""}
    asked = urlencode({name: value for name, value in params.items() if value})
    return f"{reverse('review')}?{asked}" if asked else reverse("review")


def _version(raw: str) -> int:
    if not raw.isascii() or not raw.isdigit() or len(raw) > 9:
        raise NotReviewed("The form is not whole: open the flag again, then answer.")
    return int(raw)


def _number(raw: str) -> int:
    if not raw.isascii() or not raw.isdigit() or len(raw) > 15:
        raise Http404
    return int(raw)
