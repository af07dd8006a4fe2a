"""Terms are weighed by their chips: dragged, by touch, by keys; without scripts they are chosen."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Locator, Page, expect

from archive.models import Asset
from tests.browser.conftest import log_in
from tests.browser.test_searching_in_a_browser import asked, colours, first, name_of, place, png

__all__ = ["colours"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _still(page: Page) -> None:
    """While a page turns into the next one, it takes no presses."""
    page.emulate_media(reduced_motion="reduce")


def middle(chip: Locator) -> tuple[float, float]:
    box = chip.bounding_box()
    assert box is not None
    return box["x"] + 14, box["y"] + box["height"] / 2


def drag(page: Page, chip: Locator, far: float, *, then_escape: bool = False) -> None:
    x, y = middle(chip)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + far, y + 2, steps=6)
    if then_escape:
        page.keyboard.press("Escape")
    page.mouse.up()


def test_a_picture_is_dragged_to_count_less_than_the_words(colours: list[Asset], bob: User, page: Page) -> None:
    log_in(page, "bob")
    data = base64.b64decode(png("purple"))
    page.set_input_files("[data-by-picture]", files={"name": "a.png", "mimeType": "image/png", "buffer": data})
    page.wait_for_url("**picture=**")
    assert first(page) == name_of("purple")
    expect(page.locator(".chip .weight")).to_have_count(0)
    page.get_by_role("searchbox").fill("yellow")
    page.get_by_role("searchbox").press("Enter")
    page.wait_for_url("**q=yellow**")
    assert "weight" not in page.url
    drag(page, page.locator(".chip.shown"), -60)
    page.wait_for_url("**pictureweight=0.25**")
    assert place(page, "yellow") < place(page, "purple")
    expect(page.locator(".chip.shown .weight span")).to_have_text("×¼")
    drag(page, page.locator(".chip.shown"), 50)
    page.wait_for_url(lambda address: "weight" not in address)
    drag(page, page.locator(".chip.shown"), 90)
    page.wait_for_url("**pictureweight=4**")
    assert place(page, "purple") < place(page, "yellow")


def test_what_is_left_out_is_dragged_and_nothing_else_of_the_question_is_lost(
    colours: list[Asset], bob: User, page: Page
) -> None:
    log_in(page, "bob")
    page.goto("/?q=green&without=red,+blue&kind=photo")
    page.get_by_role("searchbox").fill("green grass")
    red, blue = page.locator(".chip.no").all()
    drag(page, red, 26)
    page.wait_for_url("**red%5E2**")
    assert asked(page) == {"q": "green grass", "without": "red^2, blue", "kind": "photo"}
    # What is dragged to and fro, or given up, asks nothing; and a drag is no click on the chip's link.
    drag(page, blue, 80, then_escape=True)
    expect(page.locator(".chip.no .weight span")).to_have_text(["×2", "×1"])
    drag(page, blue, -30)
    page.wait_for_url("**0.5**")
    assert asked(page)["without"] == "red^2, blue^0.5"
    page.locator(".chip.no").first.get_by_label("Remove").click()
    page.wait_for_url(lambda address: "red" not in address)
    assert asked(page)["without"] == "blue^0.5"


def test_keys_weigh_and_the_focus_stays(colours: list[Asset], bob: User, page: Page) -> None:
    log_in(page, "bob")
    page.goto(f"/?q=green&unlike={colours[0].uuid}&without=blue")
    choice = page.get_by_role("combobox", name="How much the picture it is not like counts")
    choice.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("+")
    expect(choice.locator(":checked")).to_have_text("four times")
    page.wait_for_url("**unlikeweight=4**")
    expect(choice).to_be_focused()
    page.keyboard.press("-")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**unlikeweight=0.5**")
    page.get_by_label("How much “without blue” counts").select_option("double")
    page.wait_for_url("**blue%5E2**")
    assert asked(page)["unlikeweight"] == "0.5"


def test_on_a_phone_a_finger_weighs_and_the_page_still_scrolls(
    wall: list[Asset], bob: User, browser: Browser, live_server: Any, queries_in_process: None
) -> None:
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    log_in(page, "bob")
    page.goto("/?q=green&without=red,+blue,+people&mode=everything")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    touch = context.new_cdp_session(page)
    x, y = middle(page.locator(".chip.no").first)

    def swipe(dx: float, dy: float) -> None:
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for n in range(1, 9):
            at = {"x": x + dx * n / 8, "y": y + dy * n / 8}
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [at]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    swipe(2, -60)
    page.wait_for_function("window.scrollY > 0")
    expect(page.locator(".chip.no .weight span").first).to_have_text("×1")
    page.goto(page.url)
    swipe(52, 3)
    page.wait_for_url("**red%5E4**")
    context.close()


def test_without_scripts_the_weight_of_a_picture_is_chosen(
    colours: list[Asset], bob: User, browser: Browser, live_server: Any
) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    log_in(page, "bob")
    page.goto(f"/?q=green&like={colours[0].uuid}&without=blue^2")
    page.get_by_label("How much the picture it is like counts").select_option("double")
    page.get_by_role("button", name="Search", exact=True).click()
    page.wait_for_url("**likeweight=2**")
    assert asked(page)["without"] == "blue^2"
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_weigh(colours: list[Asset], bob: User, page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    log_in(page, "bob")
    page.goto(f"/?q=green&like={colours[0].uuid}&likeweight=2&without=red,+blue^0.5")
    page.locator(".chip.no").first.hover()
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
