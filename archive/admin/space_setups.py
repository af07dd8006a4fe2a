"""New spaces in the admin: asked for on a page, done by a worker, with its progress above the list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from archive.admin.space_forms import AdaptForm, NewSpaceForm
from archive.models import Setup, SetupState, Space
from archive.setups import SetupRefused, ask_for, cancel, dismiss, find_shown, try_again

if TYPE_CHECKING:
    SpaceModelAdmin = admin.ModelAdmin[Space]
else:
    SpaceModelAdmin = admin.ModelAdmin

LIST = "admin:archive_space_changelist"


class SpaceSetups(SpaceModelAdmin):
    def setup_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("new/", view(self.new_view), name="archive_space_new"),
            path("adapt/", view(self.adapt_view), name="archive_space_adapt"),
            path("setup/", view(self.setup_view), name="archive_space_setup"),
        ]

    def new_view(self, request: HttpRequest) -> HttpResponse:
        return self._asked(request, NewSpaceForm, "new", "A new space")

    def adapt_view(self, request: HttpRequest) -> HttpResponse:
        return self._asked(request, AdaptForm, "adapt", "Adapt a space to your own captions")

    def setup_view(self, request: HttpRequest) -> HttpResponse:
        """Cancel what is under way; try again, or dismiss, what failed."""
        self._refuse_others(request)
        number = request.POST.get("setup", "")
        setup = Setup.objects.filter(pk=number).first() if re.fullmatch(r"[0-9]{1,18}", number) else None
        deed = {"cancel": cancel, "again": try_again, "dismiss": dismiss}.get(request.POST.get("deed", ""))
        if setup is None or deed is None:
            self.message_user(request, "That is no longer under way.", messages.WARNING)
        else:
            try:
                deed(setup)
            except SetupRefused as error:
                self.message_user(request, str(error), messages.ERROR)
        return HttpResponseRedirect(reverse(LIST))

    def shown_setup(self, request: HttpRequest, *, oob: bool = False) -> SafeString:
        """What is being set up, for whoever may do that; with an id, so that a later answer replaces it."""
        setup = find_shown() if self.has_switch_permission(request) else None
        words = {"setup": setup, "oob": oob, "failed": setup is not None and setup.state == SetupState.FAILED}
        return render_to_string("admin/archive/space/_setup.html", words, request)

    def has_switch_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def _asked(self, request: HttpRequest, kind: Any, name: str, title: str) -> HttpResponse:
        self._refuse_others(request)
        form = kind(request.POST or None)
        if request.method == "POST" and form.is_valid():
            setup = form.as_setup()
            setup.asked_by = request.user
            try:
                ask_for(setup)
            except SetupRefused as error:
                form.add_error(None, str(error))
            else:
                return HttpResponseRedirect(reverse(LIST))
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "media": self.media,
            "form": form,
        }
        return TemplateResponse(request, f"admin/archive/space/{name}.html", context)

    def _refuse_others(self, request: HttpRequest) -> None:
        if not self.has_switch_permission(request):
            raise PermissionDenied
