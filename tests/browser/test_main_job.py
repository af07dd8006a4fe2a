"""The main job, as a person does it: upload, find by words, find by picture, open, look further, log out."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from archive.models import Asset, Collection, Space, Status
from tests.browser.conftest import log_in
from workers.scenes.drawing import draw
from workers.scenes.scene import Group, place_scene

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SCENES = {
    "red-boat.jpg": ("sea", "day", Group("boat", "red", 1)),
    "yellow-cat.jpg": ("meadow", "day", Group("cat", "yellow", 1)),
    "green-tree.jpg": ("snow", "day", Group("tree", "green", 2)),
    "purple-car.jpg": ("city", "night", Group("car", "purple", 2)),
    "blue-kite.jpg": ("beach", "day", Group("kite", "blue", 1)),
}


def draw_file(folder: Path, name: str, seed: int) -> Path:
    place, sky, group = SCENES[name]
    scene = place_scene(Random(seed), place, sky, (group,))
    path = folder / name
    draw(scene, 960, 640).save(path, "JPEG", quality=90)
    return path


@pytest.fixture
def drawings(tmp_path: Path) -> list[Path]:
    return [draw_file(tmp_path, name, seed) for seed, name in enumerate(SCENES)]


def first_hit(page: Page) -> Any:
    return page.locator("#grid .hit img").first


def test_upload_find_by_words_and_by_picture_open_and_log_out(
    harbour: Collection,
    bob: User,
    visitor: User,
    drawn_space: Space,
    real_workers: None,
    drawings: list[Path],
    page: Page,
    tmp_path: Path,
) -> None:
    log_in(page, "bob")
    expect(page.get_by_text("No pictures yet")).to_be_visible()

    page.get_by_role("link", name="Upload", exact=True).click()
    page.get_by_label("Choose files").set_input_files(drawings)
    expect(page.get_by_text("5 of 5 ready")).to_be_visible(timeout=60_000)
    expect(page.locator("#files .mini img")).to_have_count(5)
    assert set(Asset.objects.values_list("status", flat=True)) == {Status.READY}

    page.get_by_label("What to look for").fill("a red boat")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/\?q=a\+red\+boat$"))
    expect(first_hit(page)).to_have_attribute("alt", "red-boat.jpg")
    expect(page.locator("#grid .hit")).to_have_count(5)

    # Another drawing of the same thing, which the archive has never seen.
    another = draw_file(tmp_path, "yellow-cat.jpg", seed=77)
    page.locator("[data-by-picture]").set_input_files(another)
    expect(page).to_have_url(re.compile("picture="))
    expect(first_hit(page)).to_have_attribute("alt", "yellow-cat.jpg")

    first_hit(page).click()
    expect(page.get_by_role("heading", name="yellow-cat.jpg")).to_be_visible()
    expect(page.locator(".strip .hit:not(.bone)")).to_have_count(4)
    assert page.locator(".stage img").evaluate("img => img.complete && img.naturalWidth") == 960
    address = page.url

    page.locator(".menu summary").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login/")
    log_in(page, "visitor")
    page.goto("/?q=a+red+boat")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    page.goto(address)
    expect(page.get_by_text("There is nothing at this address")).to_be_visible()
