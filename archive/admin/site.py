"""The admin site of curators: Django's own, in the archive's paper and ink."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import quote

from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import LogoutView, redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from archive.access import Shows, person
from archive.admin.collections import CollectionAdmin
from archive.admin.concepts import ConceptAdmin
from archive.admin.flags import FlagAdmin
from archive.admin.history import history
from archive.admin.numbers import numbers_of_assets
from archive.admin.policies import PolicyAdmin
from archive.admin.queues import queues
from archive.admin.spaces import SpaceAdmin
from archive.admin.work import WorkAdmin
from archive.models import Collection, Concept, Flag, Policy, Space, Work

# What stands in the bar on top, of what the person may see.
BAR = (
    "archive.Asset",
    "archive.Work",
    "archive.Space",
    "archive.Collection",
    "archive.Concept",
    "archive.Policy",
    "archive.Flag",
    "auth.User",
)


@dataclass(frozen=True)
class Page:
    """A page of the admin that belongs to no model. `name` is its address and, after `admin:`, its name."""

    name: str
    title: str
    view: Callable[[HttpRequest], HttpResponse]


class CurationSite(AdminSite):
    site_header = site_title = "Sightline"
    index_title = "Curation"
    enable_nav_sidebar = False

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.pages: list[Page] = []
        self.register(Collection, CollectionAdmin)
        self.register(Concept, ConceptAdmin)
        self.register(Flag, FlagAdmin)
        self.register(Policy, PolicyAdmin)
        self.register(Space, SpaceAdmin)
        self.register(Work, WorkAdmin)

    def add_page(self, page: Page) -> None:
        """For rooms above this one, whose `admin` is imported before the addresses are read."""
        self.pages.append(page)

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one door, the archive's own log-in page, and one place that counts failures."""
        index = reverse("admin:index")
        if self.has_permission(request):
            return HttpResponseRedirect(index)
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get(REDIRECT_FIELD_NAME, index))

    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        return LogoutView.as_view()(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Filters pass what stands in the address on to Postgres, which takes no NUL."""
        inner = super().admin_view(view, cacheable)

        @wraps(view)
        def without_nul(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if any("\0" in value for name, values in request.GET.lists() if name != "q" for value in (name, *values)):
                raise Http404
            return inner(request, *args, **kwargs)

        return without_nul

    def get_urls(self) -> list[Any]:
        """Without Django's short cut to the page of anything by its number: it asks nobody who may see that.
        Admins of models with a page link to it by their own `view_on_site`."""
        past = self.admin_view(self.history)
        past.shows = Shows.VISIBLE
        pages = [path(f"{page.name}/", self.admin_view(page.view), name=page.name) for page in self.pages]
        own = [path("history/", past, name="history"), *pages]
        return own + [found for found in super().get_urls() if getattr(found, "name", "") != "view_on_site"]

    def history(self, request: HttpRequest) -> HttpResponse:
        return history(request, self)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {"bar": self._bar(request)}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        context = {
            "numbers": numbers_of_assets(request.user),
            "queues": queues(person(request)),
            "pages": self.pages,
        }
        return super().index(request, {**context, **(extra_context or {})})

    def _bar(self, request: HttpRequest) -> list[dict[str, Any]]:
        found = []
        for model, admin in self._registry.items():
            label = model._meta.label
            if label in BAR and admin.has_view_or_change_permission(request):
                url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
                name = str(model._meta.verbose_name_plural).capitalize()
                here = request.path.startswith(quote(url))
                found.append({"label": label, "name": name, "url": url, "here": here})
        return sorted(found, key=lambda entry: BAR.index(entry["label"]))
