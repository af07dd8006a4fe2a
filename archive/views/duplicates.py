"""The review of near-duplicates: groups side by side, keep the best, dismiss, undo."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from archive import deciding, duplicates
from archive.access import find_seen, person, visible_only
from archive.deciding import NotDecided
from archive.models import Decision, Likeness, PairState

PAGE = 8

WORDS = {
    Likeness.SAME: "The same picture in several files: another size, compression or format, cropped a little, marked, "
    "turned or mirrored. Usually one of them is enough.",
    Likeness.BURST: "Taken with one camera within seconds. Often one or two of them are worth keeping.",
    Likeness.SIMILAR: "Different pictures that the model finds very close. Mostly all of them stay.",
}


@visible_only
@require_safe
def review(request: HttpRequest) -> HttpResponse:
    user = person(request)
    if request.GET.get("asset"):
        return _around(request, request.GET["asset"])
    counts = duplicates.count_pairs(user)
    kind = _kind(request.GET.get("kind") or next((kind for kind, count in counts.items() if count), Likeness.SAME))
    start = _start(request.GET.get("from", "0"))
    page = duplicates.find_groups(user, kind, start, PAGE)
    context = {
        "kind": kind,
        "kinds": [(one, one.label, counts[one]) for one in Likeness],
        "most": duplicates.WINDOW,
        "words": WORDS[kind],
        "groups": page.groups,
        "total": page.total,
        "start": start,
        "next": _address(kind, start + PAGE) if page.more else "",
        "before": _address(kind, max(0, start - PAGE)) if start else "",
        "here": "duplicates",
        "back": _address(kind, start),
        "last": deciding.last_decision(user),
    }
    return render(request, "archive/duplicates.html", context)


def _around(request: HttpRequest, raw: str) -> HttpResponse:
    """The groups of one asset, for everybody who may see it."""
    user = person(request)
    asset = find_seen(user, _uuid(raw))
    context = {
        "asset": asset,
        "groups": duplicates.groups_around(user, asset),
        "back": f"{reverse('duplicates')}?{urlencode({'asset': str(asset.uuid)})}",
        "last": deciding.last_decision(user),
    }
    return render(request, "archive/duplicates.html", context)


@visible_only
@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """`verb` is `best`, `chosen` or `dismiss`; `member` are all of the group, `keep` the chosen ones."""
    user = person(request)
    members = [_uuid(raw) for raw in request.POST.getlist("member")]
    try:
        match request.POST.get("verb"):
            case "best":
                made = deciding.keep_best(user, members)
            case "chosen":
                made = deciding.keep(user, members, [_uuid(raw) for raw in request.POST.getlist("keep")])
            case "dismiss":
                made = deciding.dismiss(user, members)
            case _:
                raise Http404
    except NotDecided as error:
        return _told(request, str(error), status=409)
    return _told(request, sentence(made), decision=made)


@visible_only
@require_POST
def undo(request: HttpRequest, decision: int) -> HttpResponse:
    try:
        out, again = deciding.undo(person(request), decision)
    except NotDecided as error:
        messages.error(request, str(error))
    else:
        came = f"{_pictures(out)} came out of the trash, and the" if out else "The"
        stay = f" {_pictures(again)} stayed there, put there again since." if again else ""
        messages.success(request, f"{came} group is open again.{stay}")
    return redirect(_back(request))


def sentence(made: Decision) -> str:
    """What was decided, for people."""
    if not made.trashed:
        dismissed = made.pairs.filter(state=PairState.DISMISSED).exists()
        return "All of them stay. They are not shown here again." if dismissed else "All of them stay."
    return f"{_pictures(len(made.trashed))} moved to the trash."


def _pictures(count: int) -> str:
    return f"{count} picture{'' if count == 1 else 's'}"


def _told(request: HttpRequest, words: str, status: int = 200, decision: Decision | None = None) -> HttpResponse:
    """In place of the group where htmx asked, else on the page that one came from."""
    if request.headers.get("HX-Request"):
        context = {"words": words, "decision": decision, "back": _back(request), "bad": status >= 400}
        return render(request, "archive/_decided.html", context)
    (messages.success if decision else messages.error)(request, words)
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    """Only to this page, whatever the form says."""
    asset = request.POST.get("asset", "")
    if asset:
        return f"{reverse('duplicates')}?{urlencode({'asset': str(_uuid(asset))})}"
    return _address(_kind(request.POST.get("kind", "")), _start(request.POST.get("from", "0")))


def _address(kind: Likeness, start: int) -> str:
    params: dict[str, Any] = {"kind": kind.value} | ({"from": start} if start else {})
    return f"{reverse('duplicates')}?{urlencode(params)}"


def _kind(raw: str) -> Likeness:
    try:
        return Likeness(raw)
    except ValueError:
        raise Http404 from None


def _start(raw: str) -> int:
    if not raw.isascii() or not raw.isdigit() or len(raw) > 7:
        raise Http404
    return int(raw)


def _uuid(raw: str) -> uuid.UUID:
    try:
        return uuid.UUID(raw)
    except ValueError:
        raise Http404 from None
