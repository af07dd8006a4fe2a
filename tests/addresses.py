"""Every address of the archive, as the URLconf has it: for tests that look at all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.admin import ModelAdmin
from django.urls import URLPattern, URLResolver, get_resolver

from archive.access import Shows

GAP = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")

# What a search is asked for by name, whether as a page or as JSON.
SEARCH_TERMS = ("q", "without", "like", "picture", "collection", "kind", "from", "to", "limit", "offset", "exact")

# Of others' views, which cannot say it themselves. Names, for whatever comes new must be looked at.
SHOWN_BY_DJANGO = {
    **dict.fromkeys(("login", "logout", "admin:login", "admin:logout", "admin:jsi18n"), Shows.PUBLIC),
    **dict.fromkeys(("admin:password_change", "admin:password_change_done"), Shows.SELF),
    # They show what the admins of the models let through.
    **dict.fromkeys(("admin:index", "admin:app_list", "admin:autocomplete"), Shows.VISIBLE),
    "admin:": Shows.SELF,  # what no other address of the admin takes: nothing, or a slash too few
}
# Models of others open by Django's permissions, which superusers have and nobody else unless given them.
BY_PERMISSION = {
    *("auth.Group", "auth.User", "authtoken.TokenProxy"),
    *("axes.AccessAttempt", "axes.AccessLog", "axes.AccessFailureLog"),
}


@dataclass(frozen=True)
class Address:
    route: str  # as it stands in the URLconf, with gaps
    name: str  # with its namespace, as `reverse` takes it
    view: Callable[..., Any]

    @property
    def gaps(self) -> list[str]:
        return [one or other for one, other in GAP.findall(self.route)]

    def fill(self, words: Mapping[str, Any]) -> str:
        """KeyError names a gap that no test has a word for yet."""
        return "/" + GAP.sub(lambda gap: str(words[gap[1] or gap[2]]), self.route)

    @cached_property
    def admin(self) -> ModelAdmin[Any] | None:
        """The admin of a model that the view belongs to."""
        view: Any = self.view
        while view is not None:
            found = getattr(view, "model_admin", None) or getattr(view, "__self__", None)
            if isinstance(found, ModelAdmin):
                return found
            view = getattr(view, "__wrapped__", None)
        return None

    @property
    def by_permission(self) -> bool:
        return self.admin is not None and self.admin.opts.label in BY_PERMISSION

    @property
    def shows(self) -> Shows | None:
        """What the view declares; None where it forgot."""
        declared: Shows | None = getattr(self.view, "shows", None)
        made_by = self.admin or getattr(self.view, "cls", None)
        return declared or getattr(made_by, "shows", None) or SHOWN_BY_DJANGO.get(self.name)

    def __str__(self) -> str:
        return self.route or "/"


def every_address() -> list[Address]:
    return list(_walk(get_resolver().url_patterns))


def _walk(patterns: list[Any], before: str = "", namespace: str = "") -> Iterator[Address]:
    for pattern in patterns:
        route = before + str(pattern.pattern).lstrip("^").rstrip("$")
        if isinstance(pattern, URLResolver):
            inside = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, route, inside)
        elif isinstance(pattern, URLPattern):
            yield Address(route, f"{namespace}{pattern.name or ''}", pattern.callback)
