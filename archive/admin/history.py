"""The history of one asset, and that of the archive."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from archive.access import person
from archive.history import events_of, latest_events
from archive.models import Asset

if TYPE_CHECKING:
    AssetModelAdmin = admin.ModelAdmin[Asset]
else:
    AssetModelAdmin = admin.ModelAdmin

PAGE = 60


class HistoryPage(AssetModelAdmin):
    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """For whoever curates it: what others see is the asset, not who changed it."""
        asset = self.get_object(request, object_id)
        if asset is None:
            site: Any = self  # what Django's own views answer
            gone: HttpResponse = site._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return gone
        if not self.has_change_permission(request, asset):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {asset}",
            "opts": self.opts,
            "object": asset,
            "events": events_of(asset, person(request)),
        }
        return TemplateResponse(request, "admin/history.html", context)


def history(request: HttpRequest, site: admin.AdminSite) -> HttpResponse:
    """The latest first; `before` in the address is a moment."""
    try:
        before = datetime.fromisoformat(request.GET["before"]) if request.GET.get("before") else None
    except ValueError:
        raise Http404 from None
    if before is not None and before.tzinfo is None:
        raise Http404
    events = latest_events(person(request), before, PAGE + 1)
    context = {
        **site.each_context(request),
        "title": "History",
        "events": events[:PAGE],
        "all": True,
        "older": events[PAGE - 1].at.isoformat() if len(events) > PAGE else "",
        "newest": before is not None,
    }
    return TemplateResponse(request, "admin/history.html", context)
