"""Pages that explain."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from archive.access import self_only
from archive.models import Space


@self_only
@require_safe
def models(request: HttpRequest) -> HttpResponse:
    return render(request, "archive/models_help.html", {"space": Space.objects.active()})
