"""The cost page of the admin. It lives here, for it compares the models that this room knows."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from archive.access import Shows, person
from archive.admin.site import Page
from archive.models import Asset
from workers.cost_words import tables
from workers.costs import draw_up
from workers.forms import PlanForm


@require_safe
def plan(request: HttpRequest) -> HttpResponse:
    """Of what the asker may see: how much others have is not told by what it would cost."""
    form = PlanForm(request.GET or None)
    drawn = draw_up(Asset.objects.visible_to(person(request)), form if form.is_valid() else None)
    context = {
        **admin.site.each_context(request),
        "title": "Costs",
        "form": form,
        "tables": tables(drawn),
        "partial": not request.user.is_superuser,
    }
    return TemplateResponse(request, "admin/plan.html", context)


plan.shows = Shows.VISIBLE  # type: ignore[attr-defined]
admin.site.add_page(Page("plan", "Costs", plan))  # type: ignore[attr-defined]
