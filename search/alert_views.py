"""What alerts found: the page, the bell, and the e-mail about it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive.access import person, public, self_only, visible_only
from archive.alerts import mail_is_set_up
from archive.models import Alert, Digest, Every
from search.alerts import MOST_COUNTED, count_unread, find_groups, mark_read
from search.alerts_mail import choose, read_token, unsubscribe


@visible_only
@require_safe
def alerts(request: HttpRequest) -> HttpResponse:
    """What is unread, by alert; `?all` shows what was read as well."""
    user = person(request)
    everything = "all" in request.GET
    groups = find_groups(user, unread_only=not everything)
    context = {
        "groups": groups,
        "everything": everything,
        "last": max((match.pk for group in groups for match in group.matches), default=0),
        "waits": Alert.objects.filter(person=user, active=True).count(),
        "troubled": Alert.objects.filter(person=user, active=True).exclude(trouble="").select_related("search"),
        "digest": Digest.objects.filter(person=user).first() or Digest(person=user),
        "intervals": Every.choices,
        "mail": mail_is_set_up(),
        "here": "alerts",
    }
    return render(request, "search/saved_alerts.html", context)


@visible_only
@require_safe
def unread(request: HttpRequest) -> JsonResponse:
    """For the bell."""
    count = count_unread(person(request))
    return JsonResponse({"unread": count, "more": count >= MOST_COUNTED})


@self_only
@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """All that was shown, or one alert's."""
    user = person(request)
    alert = request.POST.get("alert", "")
    until = request.POST.get("until", "")
    last = int(until) if until.isascii() and until.isdigit() and len(until) < 19 else None
    found = get_object_or_404(Alert, person=user, uuid=_uuid(alert)) if alert else None
    mark_read(user, alert=found, until=last)
    return redirect("alerts")


def _uuid(raw: str) -> uuid.UUID:
    try:
        return uuid.UUID(raw)
    except ValueError:
        return uuid.UUID(int=0)


@self_only
@require_POST
def choose_mail(request: HttpRequest) -> HttpResponse:
    address = request.POST.get("address", "").replace("\0", "").strip()
    every = request.POST.get("every", Every.DAY)
    try:
        if address:
            validate_email(address)
        if len(address) > 254:
            raise ValidationError("too long")
    except ValidationError:
        messages.error(request, "That is not an e-mail address. Write it as name@example.org, or leave it empty.")
        return redirect("alerts")
    if every not in Every.values:
        messages.error(request, f"How often is one of: {', '.join(Every.values)}.")
        return redirect("alerts")
    choose(person(request), every, address)
    messages.success(request, "Saved." if address else "Saved. No e-mail is sent without an address.")
    return redirect("alerts")


@public
@csrf_exempt  # a mail program has no cookie of ours; the token in the address is the permission
@require_http_methods(["GET", "HEAD", "POST"])
def stop_digest(request: HttpRequest, token: str) -> HttpResponse:
    """Without logging in. A GET only asks: mail programs look at links by themselves."""
    whose = read_token(token)
    if whose is not None and request.method == "POST":
        unsubscribe(whose)
    context = {"known": whose is not None, "done": request.method == "POST"}
    return render(request, "search/saved_stop.html", context, status=200 if whose is not None else 404)
