"""The pages of curators: all concepts, one of them with its preview, and the judging of pictures."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from archive.access import find_curated, person, visible_only
from archive.concepts.heads import CannotLearn, NotTried, learn_head, use_version
from archive.concepts.keeping import CannotKeep, find_chosen, keep, kept_by, may_keep
from archive.concepts.passes import find_pass
from archive.concepts.ruling import NotYours
from archive.models import Concept, ConceptHead, Space
from archive.moderation.policies import NotSwitched
from search.concepts.forms import ConceptForm, initial_of
from search.concepts.judging import Unjudgeable, count_judged, judge, lay_tray, versions
from search.concepts.preview import Preview, preview
from search.concepts.shelf import shelf
from search.failures import NotAnswered


@visible_only
@require_safe
def concepts(request: HttpRequest) -> HttpResponse:
    user = _keeper(request)
    return render(request, "concepts/concepts.html", {"rows": shelf(user), "here": "concepts"})


@visible_only
@require_http_methods(["GET", "HEAD", "POST"])
def new_concept(request: HttpRequest) -> HttpResponse:
    return _concept(request, _keeper(request), Concept())


@visible_only
@require_http_methods(["GET", "HEAD", "POST"])
def concept(request: HttpRequest, concept: int) -> HttpResponse:
    user = _keeper(request)
    return _concept(request, user, _find(user, concept))


def _concept(request: HttpRequest, user: User, found: Concept) -> HttpResponse:
    """`verb` is `save`; or `preview`, or `calibrate`, which forgets the chosen line: those save nothing."""
    was = str(found)
    initial = initial_of(found, _line_of(found), user) if found.pk else {"name": request.GET.get("name", "")[:80]}
    form = ConceptForm(user, found, request.POST or None, initial=initial)
    context: dict[str, Any] = {"form": form, "concept": found, "title": was if found.pk else "", "here": "concepts"}
    if form.is_bound and form.is_valid():
        form.draft()
        if request.POST.get("verb") == "save":
            try:
                return redirect("concept", keep(found, form.surroundings(), user).pk)
            except (CannotKeep, NotYours) as error:
                form.add_error(None, str(error))
        else:
            context |= _previewed(form, user, calibrate=request.POST.get("verb") == "calibrate")
    elif found.pk and not form.is_bound:
        context |= _previewed_as_saved(found, initial, user)
    if request.headers.get("HX-Request"):
        return render(request, "concepts/_preview.html", context)
    if found.pk:
        context |= {"walk": find_pass(found), "judged": sum(count_judged(found))}
    return render(request, "concepts/concept.html", context, status=400 if form.errors else 200)


def _previewed(form: ConceptForm, user: User, *, calibrate: bool) -> dict[str, Any]:
    around = form.surroundings()
    line = None if calibrate else around.line
    try:
        return {"preview": preview(form.concept, around.scope, form.draft_examples(), line, user)}
    except NotAnswered as error:
        return {"trouble": str(error)}


def _previewed_as_saved(found: Concept, initial: dict[str, Any], user: User) -> dict[str, Preview | str]:
    try:
        return {"preview": preview(found, initial["scope"], list(found.examples.all()), initial["line"], user)}
    except NotAnswered as error:
        return {"trouble": str(error)}


@visible_only
@require_safe
def progress(request: HttpRequest, concept: int) -> HttpResponse:
    found = _find(_keeper(request), concept)
    return render(request, "concepts/_walk.html", {"concept": found, "walk": find_pass(found)})


@visible_only
@require_http_methods(["GET", "HEAD", "POST"])
def judging(request: HttpRequest, concept: int) -> HttpResponse:
    """By POST: `asset`, and what somebody `says` of it: yes, no or forget."""
    user = _keeper(request)
    found = _find(user, concept)
    if request.method == "POST":
        return _judged(request, user, found)
    space = Space.objects.active()
    yes, no = count_judged(found)
    context = {"concept": found, "yes": yes, "no": no, "heads": versions(found, space), "here": "concepts"}
    try:
        context["tray"] = lay_tray(found, user)
    except (Unjudgeable, NotAnswered) as error:
        context["trouble"] = str(error)
    return render(request, "concepts/judging.html", context)


def _judged(request: HttpRequest, user: User, found: Concept) -> HttpResponse:
    says = request.POST.get("says", "")
    try:
        wanted = uuid.UUID(request.POST.get("asset", ""))
    except ValueError:
        raise Http404 from None
    if says not in ("yes", "no", "forget"):
        raise Http404
    asset = find_curated(user, wanted)
    judge(found, asset, says, user)
    if request.headers.get("HX-Request"):
        context = {"concept": found, "asset": asset, "said": "" if says == "forget" else says}
        return render(request, "concepts/_tile.html", context)
    return redirect("judge_concept", found.pk)


@visible_only
@require_POST
def learn(request: HttpRequest, concept: int) -> HttpResponse:
    user = _keeper(request)
    found, space = _find(user, concept), Space.objects.active()
    try:
        if space is None:
            raise CannotLearn("No model is searched yet.")
        head = learn_head(found, space, user)
        messages.success(request, _became(head))
    except (CannotLearn, NotYours) as error:
        messages.error(request, str(error))
    return redirect("judge_concept", found.pk)


@visible_only
@require_POST
def choose_version(request: HttpRequest, concept: int) -> HttpResponse:
    """`version` is a number; without one the words alone decide again."""
    user = _keeper(request)
    found, space = _find(user, concept), Space.objects.active()
    raw = request.POST.get("version", "")
    if raw and not (raw.isascii() and raw.isdigit() and len(raw) < 9):
        raise Http404
    try:
        if space is not None:
            use_version(found, space, int(raw) if raw else None, user)
    except ConceptHead.DoesNotExist:
        raise Http404 from None
    except (NotYours, NotTried, NotSwitched) as error:
        messages.error(request, str(error))
    return redirect("judge_concept", found.pk)


def _became(head: ConceptHead) -> str:
    if head.in_use:
        return f"Version {head.version} is in use, and the archive is looked through with it."
    return (
        f"Version {head.version} is learnt, and not in use: a policy that is on was set for what judges now. "
        "Press “Use” to have counted first what it would find."
    )


def _keeper(request: HttpRequest) -> User:
    user = person(request)
    if not may_keep(user):
        raise Http404
    return user


def _find(user: User, concept: int) -> Concept:
    if concept > 2**63 - 1:
        raise Http404
    return get_object_or_404(kept_by(user), pk=concept)


def _line_of(found: Concept) -> float | None:
    space = Space.objects.active()
    return find_chosen(found, space) if space else None
