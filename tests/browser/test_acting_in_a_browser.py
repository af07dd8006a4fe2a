"""Acting on many pictures: picked by mouse and keys, or all of them; progress and undo without reloading."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from archive.models import Asset, Tag
from archive.tags import add_tags
from tests.browser.conftest import log_in
from workers.batches import drain_batches

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_all_that_is_found_is_tagged_and_untagged_again(wall: list[Asset], alice: User, page: Page) -> None:
    log_in(page, "alice")
    page.get_by_role("link", name="Act on all").click()
    expect(page.get_by_role("heading", name="100 pictures")).to_be_visible()
    page.get_by_text("Tag them", exact=True).click()
    page.get_by_label("Tags, separated by commas").locator("visible=true").fill("Coast, summer")
    page.get_by_role("button", name="Tag 100 pictures").click()
    expect(page.get_by_text("waiting for a worker")).to_be_visible()
    drain_batches()
    expect(page.get_by_text("100 pictures.", exact=True)).to_be_visible()  # asked for by the page itself
    assert Tag.objects.count() == 200
    page.get_by_role("button", name="Undo").click()
    drain_batches()
    expect(page.get_by_text("100 pictures put back as before.")).to_be_visible()
    assert not Tag.objects.exists()


def test_pictures_are_picked_by_click_and_by_key(wall: list[Asset], alice: User, page: Page) -> None:
    log_in(page, "alice")
    page.get_by_role("button", name="Pick").click()
    hits = page.locator("#grid .hit")
    hits.nth(0).click()
    page.keyboard.press("Escape")
    expect(page.locator("#picked")).to_be_hidden()
    hits.nth(0).click()  # a link again
    page.wait_for_url("**/assets/**")
    page.go_back()
    page.get_by_role("button", name="Pick").click()
    hits.nth(0).click()
    hits.nth(2).click()
    hits.nth(2).click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("e")
    expect(page.get_by_text("2 picked")).to_be_visible()
    expect(page.locator("#grid .hit.on")).to_have_count(2)
    page.get_by_role("button", name="Act on them").click()
    expect(page.get_by_role("heading", name="2 pictures")).to_be_visible()
    page.get_by_text("Move them to the trash").click()
    page.get_by_role("button", name="Trash 2 pictures").click()
    page.wait_for_url("**/batches/**")
    drain_batches()
    expect(page.get_by_text("2 pictures.", exact=True)).to_be_visible()
    assert Asset.objects.filter(trashed_at__isnull=False).count() == 2


def test_tags_on_the_page_of_an_asset_work_without_scripts(
    wall: list[Asset], alice: User, page: Page, browser: Any, live_server: Any
) -> None:
    log_in(page, "alice")
    plain = browser.new_context(
        base_url=live_server.url, java_script_enabled=False, storage_state=page.context.storage_state()
    )
    bare = plain.new_page()
    bare.goto(wall[0].get_absolute_url())
    bare.get_by_label("Tags to add").fill("Boat, sea")
    bare.get_by_role("button", name="Add", exact=True).click()
    bare.get_by_role("button", name="Take off “Boat”").click()
    expect(bare.get_by_role("link", name="sea", exact=True)).to_be_visible()
    expect(bare.get_by_role("link", name="Boat", exact=True)).to_have_count(0)
    bare.goto("/act/")
    bare.get_by_text("Move them to the trash").click()
    bare.get_by_role("button", name="Trash 100 pictures").click()
    drain_batches()
    bare.reload()
    expect(bare.get_by_text("100 pictures.", exact=True)).to_be_visible()
    plain.close()


def test_everybody_can_use_these_pages(wall: list[Asset], alice: User, page: Page) -> None:
    add_tags(Asset.objects.filter(pk=wall[0].pk), ["boat", "a long name of a tag that takes some room"], alice)
    log_in(page, "alice")
    page.goto("/act/")
    page.get_by_text("Take tags off").click()
    page.get_by_label("Tags, separated by commas").locator("visible=true").fill("boat")
    found = _look(page)
    page.get_by_role("button", name=re.compile("Take them off")).click()
    page.wait_for_url("**/batches/**")
    found += _look(page)
    drain_batches()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    found += _look(page)
    for address in ("/batches/", wall[0].get_absolute_url()):
        page.goto(address)
        found += _look(page)
    page.goto("/")
    page.get_by_role("button", name="Pick").click()
    page.locator("#grid .hit").nth(1).click()
    found += _look(page)
    assert not found


def _look(page: Page) -> list[tuple[str, str, str]]:
    """Serious findings of axe; and nothing is wider than the screen."""
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
    rules = Axe().run(page).response["violations"]
    serious = [rule for rule in rules if rule["impact"] in ("serious", "critical")]
    return [(page.url, rule["id"], node["html"]) for rule in serious for node in rule["nodes"]]
