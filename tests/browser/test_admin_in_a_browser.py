"""The contact sheet in a real browser: tagged by keyboard without a page, acted on, and open to everybody."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect

from archive.models import Asset, Tag
from archive.tags import add_tags, tags_of
from tests.browser.conftest import log_in

pytestmark = pytest.mark.browser
SHEET = "/admin/archive/asset/"


def test_a_card_is_tagged_by_keyboard_and_no_page_is_loaded(wall: list[Asset], alice: User, page: Page) -> None:
    add_tags(Asset.objects.filter(pk=wall[5].pk), ["harbour at night"], alice)
    log_in(page, "alice")
    page.goto(SHEET)
    page.evaluate("window.stayed = true")
    card = page.locator("#result_list tbody tr").first
    asset = Asset.objects.order_by("-added_at", "-id")[0]
    card.get_by_role("checkbox").focus()
    page.keyboard.press("t")
    box = card.get_by_label("Add a tag to")
    expect(box).to_be_focused()
    page.keyboard.type("harb", delay=30)
    expect(page.locator("#tag-names option")).to_have_count(1)
    assert page.locator("#tag-names option").get_attribute("value") == "harbour at night"
    page.keyboard.type("our at night")
    page.keyboard.press("Enter")
    expect(card.locator(".chip")).to_have_text(["harbour at night"])
    expect(card.get_by_label("Add a tag to")).to_be_focused()
    page.keyboard.type("x" * 90)
    page.keyboard.press("Enter")
    expect(card.get_by_role("alert")).to_contain_text("at most 80")
    assert [tag.name for tag in tags_of(asset)] == ["harbour at night"]
    page.keyboard.press("Escape")
    expect(card.get_by_role("checkbox")).to_be_focused()
    card.get_by_label("Take off “harbour at night”").click()
    expect(card.locator(".chip")).to_have_count(0)
    assert not Tag.objects.filter(asset=asset).exists()
    assert page.evaluate("window.stayed")


def test_all_that_is_found_is_tagged_after_a_look(wall: list[Asset], alice: User, page: Page) -> None:
    log_in(page, "alice")
    page.goto(SHEET)
    page.locator("#action-toggle").check()
    page.get_by_role("button", name="Select all 100 assets").click()
    page.get_by_role("button", name="Tag …").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Put the tags on: 100 assets")
    page.get_by_label("Tags").fill("boat")
    page.get_by_role("button", name="Put the tags on: 100 assets").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tag “boat”")
    expect(page.get_by_role("button", name="undo")).to_be_visible()


def test_axe_finds_nothing_in_the_pages_of_curators(
    wall: list[Asset], alice: User, browser: Browser, live_server: Any
) -> None:
    """In a context of its own: axe styles what it measures, and the policy complains of that."""
    context = browser.new_context(base_url=live_server.url)
    page = context.new_page()
    add_tags(Asset.objects.filter(pk__in=[asset.pk for asset in wall[90:]]), ["boat", "harbour at night"], alice)
    log_in(page, "alice")
    findings = []
    addresses = [SHEET, "/admin/", "/admin/history/", "/tables/"]
    addresses += (f"{SHEET}{wall[99].pk}/history/", "/admin/archive/collection/", "/admin/archive/work/?state=all")
    for scheme, width in (("light", 1440), ("dark", 390)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        for address in addresses:
            page.goto(address)
            findings += _violations(page, address)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (address, width, wide)
        page.goto(SHEET)
        page.locator("#action-toggle").check()
        page.get_by_role("button", name="Move …").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Move: 60 assets")
        findings += _violations(page, "move")
    context.close()
    assert findings == []


def _violations(page: Page, address: str) -> list[tuple[str, str, str]]:
    found = Axe().run(page).response["violations"]
    serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    return [(address, rule["id"], node["html"]) for rule in serious for node in rule["nodes"]]
