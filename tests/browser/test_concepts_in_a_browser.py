"""A concept from the first word to tags in the archive: previewed, moved along its line, saved, judged by keyboard."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect

from archive.concepts.passes import walk_on
from archive.models import Asset, Collection, Concept, ConceptVector, Space, Tag, TagState
from tests.browser.conftest import log_in
from tests.prepared import add_renditions, make_encoded
from tests.search.scenes import shown
from workers.concepts import read_concepts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MANY = 60


@pytest.fixture
def stocked(alice: User, harbour: Collection, drawn_space: Space, queries_in_process: None) -> list[Asset]:
    assets = make_encoded(harbour, drawn_space, shown().rows[:MANY], prefix="scene")
    for asset in assets:
        add_renditions(asset)
    return assets


def describe(page: Page) -> None:
    log_in(page, "alice")
    page.goto("/concepts/new/")
    page.get_by_label("Name", exact=True).fill("Boats")
    page.get_by_label("What it looks like").fill("a boat")


def clean(page: Page) -> None:
    report = Axe().run(page)
    assert report.violations_count == 0, report.generate_report()


def test_a_concept_is_previewed_before_it_is_saved_and_judged_by_keyboard(page: Page, stocked: list[Asset]) -> None:
    describe(page)
    page.get_by_role("button", name="Preview").click()
    preview = page.get_by_role("region", name="Preview")
    expect(preview.get_by_role("heading", name="Best")).to_be_visible()
    expect(preview.locator("ul").first.get_by_role("link")).to_have_count(12)
    expect(preview).to_contain_text(f"of {MANY} pictures that you see would be tagged")
    clean(page)
    assert not Concept.objects.exists()

    slider = preview.get_by_label("From which score on it is there")
    counted = preview.locator("#would-be")
    slider.focus()
    slider.press("Home")
    expect(counted).to_contain_text(str(MANY))
    for _ in range(5):
        slider.press("PageUp")  # fewer and surer
    expect(counted).to_have_text(re.compile(r"^\d+$"))  # no "about" any more: the server counted
    fewer = int(counted.inner_text())
    assert 0 < fewer < MANY
    line = float(slider.input_value())

    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/concepts/*/")
    expect(page.get_by_role("heading", name="Boats", level=1)).to_be_visible()
    concept = Concept.objects.get()
    read_concepts()
    assert ConceptVector.objects.get().chosen == pytest.approx(line)
    page.reload()
    expect(page.locator("#walk")).to_contain_text("Looking through the archive")
    walk_on()
    expect(page.locator("#walk")).to_contain_text(f"{MANY} pictures")
    assert Tag.objects.filter(concept=concept, state=TagState.PROPOSED).count() == fewer
    clean(page)

    page.get_by_role("link", name="Judge pictures").click()
    tiles = page.locator(".tiles.judge").first.locator(".judged")
    tiles.nth(0).get_by_role("link").focus()
    page.keyboard.press("y")
    expect(tiles.nth(0)).to_contain_text("Shows it")
    expect(tiles.nth(1).get_by_role("link")).to_be_focused()
    page.keyboard.press("n")
    expect(tiles.nth(1)).to_contain_text("Does not")
    clean(page)
    states = Tag.objects.decided().filter(concept=concept).values_list("state", flat=True)
    assert sorted(states) == [TagState.ACCEPTED, TagState.REJECTED]
    tiles.nth(1).get_by_role("button", name="Undo").click()
    expect(tiles.nth(1).get_by_role("button", name="No")).to_be_visible()
    assert Tag.objects.decided().filter(concept=concept).count() == 1
    page.goto("/concepts/")
    expect(page.get_by_role("link", name="Boats", exact=True)).to_be_visible()
    clean(page)


def test_the_preview_works_on_a_phone_without_javascript_and_in_the_dark(
    stocked: list[Asset], browser: Browser, live_server: Any
) -> None:
    context = browser.new_context(
        base_url=live_server.url,
        viewport={"width": 390, "height": 844},
        java_script_enabled=False,
        color_scheme="dark",
    )
    page = context.new_page()
    describe(page)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Best")).to_be_visible()
    assert page.get_by_label("Name", exact=True).input_value() == "Boats"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Boats", level=1)).to_be_visible()
    assert Concept.objects.get().prompts == ["a boat"]
    context.close()


def test_a_picture_is_asked_which_of_these_it_is(page: Page, stocked: list[Asset]) -> None:
    log_in(page, "alice")
    page.goto(f"/assets/{stocked[0].uuid}/")
    page.get_by_text("Which of these is it?").click()
    page.get_by_label("What it may be, with commas between").fill("a boat, a car, a house")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("#which li")).to_have_count(4)
    expect(page.locator("#which")).to_contain_text("None of these")
    clean(page)
