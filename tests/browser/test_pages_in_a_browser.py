"""What only a browser can tell: layout, keys, scripts under the policy, and whether everybody can use it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Browser, FilePayload, Page, expect

from archive.models import Asset, Frame, Space, SpaceState, Status
from archive.vectors import store_vectors
from tests.browser.conftest import log_in
from tests.prepared import random_rows
from workers.spaces import make_space

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDTHS = (1440, 768, 390)


def boxes(page: Page) -> list[dict[str, float]]:
    found: list[dict[str, float]] = page.locator("#grid .hit").evaluate_all(
        "all => all.map(one => { const r = one.getBoundingClientRect();"
        " return {x: r.x, y: r.y + scrollY, width: r.width, height: r.height} })"
    )
    return found


@pytest.mark.parametrize("width", WIDTHS)
def test_rows_are_justified_and_pictures_keep_their_proportions(wall: Any, bob: User, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    log_in(page, "bob")
    places = boxes(page)
    for place, asset in zip(places, reversed(wall), strict=False):
        assert place["width"] / place["height"] == pytest.approx(asset.width / asset.height, rel=0.02)
    rows: dict[int, list[dict[str, float]]] = {}
    for place in places:
        rows.setdefault(round(place["y"]), []).append(place)
    *full, last = (rows[y] for y in sorted(rows))
    ends = {round(row[-1]["x"] + row[-1]["width"]) for row in full}
    assert max(ends) - min(ends) <= 2
    assert max(place["height"] for place in last) <= max(place["height"] for row in full for place in row) + 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_scrolling_down_brings_the_rest_once_each(wall: list[Asset], bob: User, page: Page) -> None:
    log_in(page, "bob")
    expect(page.locator("#grid .hit")).to_have_count(60)
    page.locator("#more").scroll_into_view_if_needed()
    expect(page.locator("#grid .hit")).to_have_count(100)
    addresses = page.locator("#grid .hit > a:first-child").evaluate_all("all => all.map(a => a.href)")
    assert len(set(addresses)) == 100
    expect(page.get_by_text("That is all.")).to_be_visible()


def test_without_scripts_the_basics_work(wall: Any, bob: User, browser: Browser, live_server: Any) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    log_in(page, "bob")
    page.get_by_role("link", name="More", exact=True).click()
    expect(page.locator("#grid .hit")).to_have_count(40)
    page.locator("#grid .hit > a").first.click()
    expect(page.get_by_role("link", name="More like this")).to_be_visible()
    page.get_by_role("link", name="More like this").click()
    expect(page.locator("#grid .hit")).to_have_count(60)
    page.locator("summary", has_text="Any collection").click()
    page.get_by_role("link", name="Harbour").click()
    expect(page).to_have_url(re.compile(r"like=.*collection=harbour"))
    context.close()


def test_keys_lead_through_the_pictures(wall: list[Asset], bob: User, page: Page) -> None:
    log_in(page, "bob")
    page.keyboard.press("/")
    expect(page.get_by_label("What to look for")).to_be_focused()
    page.keyboard.press("ArrowDown")
    hits = page.locator("#grid .hit > a:first-child")
    expect(hits.nth(0)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(hits.nth(1)).to_be_focused()
    above = hits.nth(1).bounding_box()
    page.keyboard.press("ArrowDown")
    below = page.locator(":focus").bounding_box()
    assert above
    assert below
    assert below["y"] > above["y"]
    page.keyboard.press("ArrowUp")
    page.keyboard.press("s")
    expect(page).to_have_url(re.compile("like="))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    expect(page.get_by_label("Leave out what looks like")).to_be_focused()


def test_a_picture_that_becomes_ready_appears_by_itself(wall: list[Asset], bob: User, page: Page) -> None:
    Asset.objects.filter(pk=wall[-1].pk).update(status=Status.PENDING)
    log_in(page, "bob")
    place = page.locator("#grid .hit").first
    expect(place).to_contain_text("is being prepared")
    Asset.objects.filter(pk=wall[-1].pk).update(status=Status.READY)
    expect(place.locator("img")).to_be_visible()


def test_a_dropped_file_that_is_no_picture_is_refused_where_it_lies(harbour: Any, bob: User, page: Page) -> None:
    log_in(page, "bob")
    page.goto("/upload/")
    notes = FilePayload(name="notes.jpg", mimeType="image/jpeg", buffer=b"hello")
    page.get_by_label("Choose files").set_input_files(notes)
    expect(page.locator("#files li")).to_contain_text("not a picture or a video of a known kind")
    expect(page.get_by_text("0 of 1 ready · 1 failed")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_every_page(wall: list[Asset], alice: User, page: Page, scheme: Any) -> None:
    """No serious finding of axe: contrast, names, landmarks, labels."""
    page.emulate_media(color_scheme=scheme)
    asset = wall[0]
    addresses = ["/", f"/?like={asset.uuid}", "/?from=never", asset.get_absolute_url(), "/upload/", "/collections/"]
    findings = _findings(page, "/login/")
    log_in(page, "alice")
    for address in (*addresses, "/collections/harbour/", "/trash/", "/help/models/", "/nowhere/"):
        findings += _findings(page, address)
    assert not findings


@pytest.fixture
def two_spaces(wall: list[Asset]) -> Space:
    """Another model has read the same pictures, and thinks otherwise."""
    other = make_space("another", "fake", "x")
    frames = dict(Frame.objects.values_list("asset", "pk"))
    ids = [asset.pk for asset in wall]
    store_vectors(other, [frames[pk] for pk in ids], ids, random_rows(len(ids), seed=7))
    return other


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_curators_can_use_the_pages_of_spaces(
    two_spaces: Space, wall: list[Asset], alice: User, page: Page, scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme)
    log_in(page, "alice")
    findings = []
    for address in (f"/compare/?like={wall[0].uuid}", "/compare/", "/admin/archive/space/"):
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            findings += _findings(page, address)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (address, width)
    assert not findings


def test_the_spaces_page_keeps_up_and_keeps_what_was_chosen(two_spaces: Space, alice: User, page: Page) -> None:
    log_in(page, "alice")
    page.goto("/admin/archive/space/")
    row = page.locator("#result_list tr", has_text="another")
    row.get_by_role("checkbox").check()
    expect(row).to_contain_text("Being filled")
    Space.objects.filter(pk=two_spaces.pk).update(state=SpaceState.READY)
    expect(row).to_contain_text("Full, waiting")
    expect(row.get_by_role("checkbox")).to_be_checked()


def _findings(page: Page, address: str) -> list[tuple[str, str, str]]:
    page.goto(address)
    page.wait_for_load_state("networkidle")
    found = Axe().run(page).response["violations"]
    serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    return [(address, rule["id"], node["html"]) for rule in serious for node in rule["nodes"]]
