"""What happened in moderation: the log, its export, and whether reviewers agree."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from archive.access import person, visible_only
from archive.models import Event, Flag, FlagState, LogEntry, Policy
from archive.models.moderation import reviewed_collections, reviews_everywhere
from archive.models.moderation_log import LogEntryQuerySet
from archive.moderation import export, log
from archive.moderation.agreement import agreement_on

PAGE = 100


@visible_only
@require_safe
def entries(request: HttpRequest) -> HttpResponse:
    """Newest first; `before` is the last entry of the page above."""
    found = _asked(request)
    before = request.GET.get("before", "")
    if before:
        if not (before.isascii() and before.isdigit() and len(before) < 16):
            raise Http404
        found = found.filter(pk__lt=int(before))
    page = list(found.order_by("-pk")[: PAGE + 1])
    context = {
        "entries": page[:PAGE],
        "next": page[PAGE - 1].pk if len(page) > PAGE else None,
        "event": request.GET.get("event", ""),
        "events": Event.choices,
        "here": "review",
    }
    return render(request, "archive/review_log.html", context)


@visible_only
@require_POST
def export_log(request: HttpRequest) -> HttpResponseBase:
    """`as` is csv or json: all that the asker may see of the log. That it was taken out stands in it as well."""
    user, kind = person(request), request.POST.get("as", "")
    if kind not in ("csv", "json") or not (reviews_everywhere(user) or reviewed_collections(user).exists()):
        raise Http404
    found = LogEntry.objects.visible_to(user)
    log.write(log.exported(user, kind))
    rows = export.as_csv(found) if kind == "csv" else export.as_json(found)
    media = "text/csv; charset=utf-8" if kind == "csv" else "application/json"
    return StreamingHttpResponse(
        rows,
        content_type=media,
        headers={"Content-Disposition": f'attachment; filename="moderation-log.{kind}"', "Cache-Control": "no-store"},
    )


@visible_only
@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """Flags by policy and state, of what the asker reviews; how often two reviewers agree for those who review all."""
    user = person(request)
    mine = Flag.objects.reviewed_by(user).order_by()
    counts = {(c, s): n for c, s, n in mine.values_list("concept", "state").annotate(n=Count("pk"))}
    everywhere = reviews_everywhere(user)
    rows: list[dict[str, Any]] = []
    for policy in Policy.objects.select_related("concept"):
        states = {state.value: counts.get((policy.concept_id, state.value), 0) for state in FlagState}
        if everywhere or any(states.values()):
            judged = states["upheld"] + states["dismissed"]
            right = round(100 * states["upheld"] / judged) if judged else None
            agreed = agreement_on(policy) if everywhere else None
            rows.append({"policy": policy, **states, "right": right, "agreement": agreed})
    return render(request, "archive/review_figures.html", {"rows": rows, "everywhere": everywhere, "here": "review"})


def _asked(request: HttpRequest) -> LogEntryQuerySet:
    found = LogEntry.objects.visible_to(person(request))
    event = request.GET.get("event", "")
    if event:
        if event not in Event.values:
            raise Http404
        found = found.filter(event=event)
    return found
