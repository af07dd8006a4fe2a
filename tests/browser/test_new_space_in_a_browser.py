"""A new space, asked for with the keyboard; its progress keeps up and leaves alone whoever is at its buttons."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from archive import dispatch
from archive.models import Setup, SetupState, Space
from tests.browser.conftest import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIST = "/admin/archive/space/"


@pytest.fixture(autouse=True)
def _no_doorbells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_send", lambda name, *args, expires: None)


def test_a_new_space_is_asked_for_and_cancelled_by_the_keyboard(fake_space: Space, alice: User, page: Page) -> None:
    log_in(page, "alice")
    page.goto(LIST)
    page.get_by_role("link", name="New space …").press("Enter")
    chosen = page.get_by_role("radio", name="ViT-B-16-SigLIP2-256")
    expect(chosen).to_be_checked()
    chosen.press("ArrowDown")
    expect(page.get_by_role("radio", name="ViT-B-16-SigLIP2-384")).to_be_checked()
    page.get_by_label("Name of the space").fill("better")
    page.get_by_role("button", name="Set it up").press("Enter")
    under_way = page.get_by_role("region", name="Being set up")
    expect(under_way).to_contain_text("better")
    expect(under_way).to_contain_text("Waits for an encode worker")
    assert (Setup.objects.get().model, Setup.objects.get().then) == ("ViT-B-16-SigLIP2-384", "search")
    cancel = under_way.get_by_role("button", name="Cancel")
    cancel.focus()
    Setup.objects.update(state=SetupState.FETCHING, file="weights.safetensors", here=1 << 20, size=4 << 20)
    expect(under_way).to_contain_text("weights.safetensors: 1.0 MB of 4.0 MB")
    expect(cancel).to_be_focused()
    cancel.press("Enter")
    expect(page.get_by_role("region", name="Being set up")).to_have_count(0)
    assert Setup.objects.get().state == SetupState.CANCELLED


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_who_may_can_use_the_pages_of_new_spaces(
    fake_space: Space, alice: User, page: Page, scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme)
    Setup.objects.create(slug="better", model="x", state=SetupState.FAILED, said="The hub does not answer. " * 9)
    log_in(page, "alice")
    for address in (f"{LIST}new/", f"{LIST}adapt/", LIST):
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(address)
            page.wait_for_load_state("networkidle")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (address, width)
        found = Axe().run(page, options={"preload": False}).response["violations"]  # its styles are not ours to allow
        serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
        assert [(rule["id"], node["html"]) for rule in serious for node in rule["nodes"]] == [], address
