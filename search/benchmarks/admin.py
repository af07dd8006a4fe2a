"""`manage.py benchmark admin`: every list of the admin over HTTP, each with a second to open."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from django.contrib import admin
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.urls import reverse

from archive.measuring import Report, Row, milliseconds, time_row
from archive.models import Asset, Frame, Work
from search.benchmarks.curation import Curation, make_curation, make_searchable
from search.benchmarks.synthetic import clustered
from search.benchmarks.tables import export_rows
from search.benchmarks.web import Browser, web
from workers.client import Encoded, remember_text

LIMIT_MS = 1000.0
CHOICES = 6  # of a filter so many are opened, and some more columns of a list
RECENT = "2024-01-01"
# On very many, on one, on none.
WORDS = ("harbour", "Sheet 303", "nowhere")
# Encoded beforehand, and what it is narrowed by: to many, to some, to few.
MEANT = "a boat in a storm"
NARROWER = {"photos": "kind__exact=photo", "a tag": "tag=tag 1", "a rare tag": "tag=tag 1999", "trash": "trash=only"}


@dataclass(frozen=True)
class Page:
    name: str
    path: str
    query: str = ""

    @property
    def params(self) -> dict[str, str]:
        return dict(parse_qsl(self.query.lstrip("?"), keep_blank_values=True))


def measure(*, quick: bool = False, rows: int = 0, runs: int = 0) -> Report:
    runs = runs or (1 if quick else 5)
    rows = rows or (2000 if quick else 1_000_000)
    _say(f"making {rows} rows")
    made = make_curation(rows)
    if quick:
        made = replace(made, people=dict(list(made.people.items())[:2]))
    people, choices = list(made.people.values()), 1 if quick else CHOICES
    found = list(_opened(made, lambda user: pages(user, choices), runs))
    found += export_rows(people[0], people[-1])
    _say(f"searched by meaning: {make_searchable(made)} of them have a vector")
    remember_text(made.space, MEANT, Encoded(clustered(1)[0]))
    found += _opened(made, meanings, runs)
    return Report("admin", found)


def _opened(made: Curation, chosen: Callable[[User], Iterator[Page]], runs: int) -> Iterator[Row]:
    for who, user in made.people.items():
        with web(user) as browser:
            for page in chosen(user):
                row = open_page(browser, page, runs, who)
                _say(f"{row.name}: {row.value:g} ms")
                yield row


def open_page(browser: Browser, page: Page, runs: int, who: str) -> Row:
    """Of several times the first brings it into memory, and is not counted."""
    if runs > 1:
        browser.get(page.path, **page.params)
    times = [milliseconds(lambda: browser.get(page.path, **page.params)) for _ in range(runs)]
    return time_row(f"{page.name}{who}", "ms", [(time, LIMIT_MS) for time in times])


def pages(user: User, choices: int = CHOICES) -> Iterator[Page]:
    """All that somebody opens who curates: each list, its filters, its pages, what its box finds, and the rest."""
    yield Page("first page", reverse("admin:index"))
    yield Page("history", reverse("admin:history"))
    yield Page("history, older", reverse("admin:history"), f"before={RECENT}T00:00:00%2B00:00")
    for model, of_model in admin.site._registry.items():
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        request = RequestFactory().get(path)
        request.user = user
        if of_model.has_view_or_change_permission(request):
            shown, name = of_model.get_changelist_instance(request), str(model._meta.verbose_name_plural)
            yield from pages_of(shown, name, path, choices)
    yield from searches()
    asset = Asset.objects.visible_to(user).order_by("-added_at")[5]
    yield Page("page of an asset", reverse("admin:archive_asset_change", args=[asset.pk]))
    if asset.may_be_curated_by(user):
        yield Page("history of an asset", reverse("admin:archive_asset_history", args=[asset.pk]))
    yield Page("names of tags", reverse("admin:archive_asset_names"), "q=tag")
    yield Page("names of collections", reverse("admin:archive_asset_names"), "q=place&of=collection")
    yield Page("collections to choose", reverse("admin:archive_asset_names"), "q=place&of=curated")


def pages_of(shown: Any, name: str, path: str, choices: int) -> Iterator[Page]:
    yield Page(name, path)
    if getattr(shown, "by_keyset", False):
        steps = [("next page", shown.older), ("last page", shown.older and shown.oldest)]
        steps.append(("middle", _middle(shown)))
    else:
        last = shown.paginator.num_pages
        steps = [("next page", "p=2" if last > 1 else ""), ("last page", f"p={last}" if last > 2 else "")]
    yield from (Page(f"{name}, {step}", path, query) for step, query in steps if query)
    columns = range(1, len(shown.list_display)) if shown.sortable_by != () else range(0)
    for column in columns[: choices + 3]:
        yield Page(f"{name}, by column {column}", path, f"o=-{column}")
    for spec in shown.filter_specs:
        others = [choice for choice in spec.choices(shown) if not choice["selected"]]
        for choice in others[:choices]:
            yield Page(f"{name}, {spec.title}: {choice['display']}", path, choice["query_string"])


def searches() -> Iterator[Page]:
    sheet, work = reverse("admin:archive_asset_changelist"), reverse("admin:archive_work_changelist")
    asset = Asset.objects.order_by("id")[100]
    for name, words in (("name", asset.filename), ("id", str(asset.uuid))):
        yield Page(f"assets, found by {name}", sheet, f"q={words}")
    for words in WORDS:
        yield Page(f"assets, found by the words {words}", sheet, f"q={words}")
    yield Page("assets, words and a filter", sheet, f"q={WORDS[0]}&kind__exact=video")
    for name, words in (("name", "harbour_"), ("error", "too early"), ("space", "synthetic")):
        yield Page(f"work, found by {name}", work, f"q={words}&state=all")
    for model in (Asset, Work):
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        yield Page(f"{model._meta.verbose_name_plural}, two filters", path, TWO[model])


TWO = {Asset: "status__exact=failed&kind__exact=video", Work: "state=done&step__exact=prepare"}


def meanings(user: User) -> Iterator[Page]:
    """What the box finds by meaning. The words' vector is known: encoding is for `benchmark search`."""
    sheet = reverse("admin:archive_asset_changelist")
    liked = Asset.objects.visible_to(user).filter(pk__in=Frame.objects.values("asset")).order_by("id").first()
    searched = {"words": MEANT, "a picture": f"like:{liked.uuid}"} if liked else {}
    for name, words in searched.items():
        yield Page(f"assets, nearest to {name}", sheet, f"q={words}")
        for title, narrower in NARROWER.items():
            yield Page(f"assets, nearest to {name}, {title}", sheet, f"q={words}&{narrower}")


def _middle(shown: Any) -> str:
    rows = shown.queryset.order_by("pk")
    ids = rows.model.objects.order_by("pk").values_list("pk", flat=True)
    first, last = ids.first(), ids.last()
    row = rows.filter(pk__gte=(first + last) // 2).first() if first else None
    return str(shown.get_query_string({"after": shown._place(row)})) if row else ""


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  progress of a command
