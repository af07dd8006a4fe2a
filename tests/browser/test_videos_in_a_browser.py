"""Videos in a browser: a search lands on the second, the strip and the moments lead through it, by hand and by key."""

from __future__ import annotations

import re
import time
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from archive.models import Asset, Collection, Frame, Rendition, Space, Status
from tests.browser.conftest import log_in
from tests.cast import upload
from tests.films import make_film, starts
from tests.pictures import webp
from tests.prepared import Shot, make_encoded, make_video, random_rows
from workers import client
from workers.scenes.drawing import draw
from workers.scenes.scene import Group, place_scene

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

COLOURS = ("red", "green", "blue", "orange")
SECONDS = 8
NOW = "video => video.currentTime"
SCENES = (
    ("sea", "day", Group("boat", "red", 1)),
    ("meadow", "day", Group("cat", "yellow", 1)),
    ("city", "night", Group("car", "purple", 2)),
    ("beach", "day", Group("kite", "blue", 1)),
)
QUESTIONS = ("a red boat", "a yellow cat", "purple cars at night", "a blue kite")


@pytest.fixture
def film(harbour: Collection, fake_space: Space, queries_in_process: None, tmp_path: Path) -> Asset:
    """Eight seconds of each colour, a real file; its vectors are those of the colours' names."""
    make_encoded(harbour, fake_space, random_rows(40, seed=5))
    pictures = [Image.new("RGB", (320, 200), colour) for colour in COLOURS]
    path = make_film(tmp_path / "film.webm", [(picture, float(SECONDS)) for picture in pictures], fps=5, gop=10)
    shots = [Shot(client.encode_text(fake_space, colour).vector, SECONDS) for colour in COLOURS]
    asset = make_video(harbour, fake_space, shots, "film.webm")
    asset.media_type, asset.width, asset.height = "video/webm", 320, 200
    asset.original = default_storage.save("originals/t/film.webm", ContentFile(path.read_bytes()))
    asset.size = path.stat().st_size
    asset.exif = {"VideoCodec": "vp8", "PixelFormat": "yuv420p"}
    asset.save()
    for frame, picture in zip(
        Frame.objects.filter(asset=asset, representative=True).order_by("at"), pictures, strict=True
    ):
        frame.still = default_storage.save(f"t/{frame.pk}.webp", ContentFile(webp(picture)))
        frame.save()
    for spec in ("thumbnail", "preview"):
        key = default_storage.save(f"t/{spec}.webp", ContentFile(webp(pictures[0])))
        size = {"width": 320, "height": 200, "size": 100}
        Rendition.objects.create(asset=asset, spec=spec, key=key, media_type="image/webp", **size)
    return asset


def standing_at(page: Page, second: float) -> None:
    """Within one second of where it should be."""
    page.wait_for_function(
        "at => { const v = document.querySelector('video');"
        " return v.readyState >= 2 && Math.abs(v.currentTime - at) < 1 }",
        arg=second,
    )


def asked(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


@pytest.mark.parametrize("width", [1440, 390])
def test_a_search_lands_on_the_second(film: Asset, bob: User, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    log_in(page, "bob")
    page.goto("/?q=blue")
    hit = page.locator("#grid .hit").first
    expect(hit.locator(".badge").first).to_contain_text(re.compile(r"0:(1[6-9]|2[0-3])"))
    hit.locator("a").first.click()
    expect(page.get_by_role("heading", name="film.webm")).to_be_visible()
    second = float(asked(page)["t"])
    assert 16 <= second < 24
    assert asked(page)["q"] == "blue"
    standing_at(page, second)
    timeline = page.locator(".timeline svg")
    expect(timeline).to_be_visible()
    expect(page.locator(".timeline .outline")).to_have_attribute("d", re.compile("^M0 100V"))
    first = page.locator(".moments a").first
    expect(first).to_have_attribute("data-start", "16")
    assert first.locator("img").evaluate("img => img.decode().then(() => img.naturalWidth)") == 320
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    names = "[...document.querySelectorAll('*')].map(one => getComputedStyle(one).viewTransitionName)"
    assert page.evaluate(names).count("picture") == 1  # two of a name stop the transition


def test_the_strip_is_highest_where_it_was_found(film: Asset, bob: User, page: Page) -> None:
    log_in(page, "bob")
    page.goto(f"{film.get_absolute_url()}?q=green")
    path = page.locator(".timeline .outline").get_attribute("d") or ""
    heights = [100 - float(level) for level in re.findall(r"V([\d.]+)H", path)]
    best = max(range(len(heights)), key=heights.__getitem__)
    assert SECONDS <= best * len(COLOURS) * SECONDS / len(heights) < 2 * SECONDS


def test_moments_by_click_by_key_and_on_the_strip(film: Asset, bob: User, page: Page) -> None:
    log_in(page, "bob")
    page.goto(film.get_absolute_url())
    video = page.locator("video")
    standing_at(page, 0)
    shots = page.locator(".moments a")
    expect(shots).to_have_count(4)
    shots.nth(2).click()
    standing_at(page, 16)
    expect(shots.nth(2)).to_have_attribute("aria-current", "true")
    page.locator("h1").click()
    page.keyboard.press("n")
    standing_at(page, 24)
    page.keyboard.press("p")
    page.keyboard.press("p")
    standing_at(page, 8)
    page.keyboard.press("ArrowRight")
    standing_at(page, 13)
    page.keyboard.press("ArrowLeft")
    standing_at(page, 8)
    page.keyboard.press(" ")
    page.wait_for_function("() => !document.querySelector('video').paused")
    page.keyboard.press(" ")
    page.wait_for_function("() => document.querySelector('video').paused")
    area = page.locator(".timeline").bounding_box()
    assert area
    page.mouse.click(area["x"] + area["width"] * 0.75, area["y"] + area["height"] / 2)
    page.wait_for_function("() => Math.abs(document.querySelector('video').currentTime - 24) < 1.5")
    expect(page.locator(".glance")).to_be_visible()
    expect(page.locator(".glance .when")).to_have_text(re.compile(r"0:2\d"))
    assert video.evaluate("v => v.seekable.end(0)") > 30


def test_links_carry_the_time_and_more_like_this_means_this_moment(
    film: Asset, harbour: Collection, fake_space: Space, bob: User, page: Page
) -> None:
    make_video(harbour, fake_space, [Shot(client.encode_text(fake_space, "blue").vector, 5)], "blue.mp4")
    log_in(page, "bob")
    page.goto(f"{film.get_absolute_url()}?q=green&t=18.5")
    standing_at(page, 18.5)
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("[data-copied]")).not_to_be_empty()
    assert asked(page) == {"q": "green", "t": "18.5"}
    page.get_by_role("link", name="More like this moment").click()
    page.wait_for_url("**/?like=**")
    assert asked(page)["at"] == "18.5"
    expect(page.locator(".chip.shown")).to_contain_text("at 0:18")
    expect(page.locator("#grid .hit img").first).to_have_attribute("alt", "blue.mp4")


def test_looking_inside_a_video_ranks_its_moments(film: Asset, bob: User, page: Page) -> None:
    log_in(page, "bob")
    page.goto(film.get_absolute_url())
    page.get_by_label("Look for something in this video").fill("orange")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=orange**")
    expect(page.locator("#moments-title")).to_have_text("Moments, the closest first")
    expect(page.locator(".moments a").first).to_have_attribute("data-start", "24")


def test_one_after_the_other_as_chips(film: Asset, bob: User, page: Page) -> None:
    log_in(page, "bob")
    page.goto("/?q=red")
    page.locator("#then summary").click()
    page.get_by_label("What comes after it in the same video").fill("blue")
    page.locator("#then").get_by_role("button", name="Find").click()
    page.wait_for_url("**then=blue**")
    chip = page.locator(".chip.next")
    expect(chip).to_contain_text("then blue")
    hit = page.locator("#grid .hit").first
    expect(hit.locator(".times a")).to_have_text([re.compile(r"0:(1[6-9]|2[0-3])")])
    hit.locator(".times a").click()
    expect(page.locator("#moments-title")).to_have_text("One after the other")
    expect(page.locator(".moments a")).to_have_count(2)
    page.go_back()
    chip.get_by_role("link", name="Remove").click()
    expect(page.locator(".chip.next")).to_have_count(0)


def test_without_scripts_it_opens_at_the_moment_all_the_same(
    film: Asset, bob: User, browser: Browser, live_server: Any
) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    log_in(page, "bob")
    page.goto("/?q=blue")
    page.locator("#grid .hit > a").first.click()
    second = float(asked(page)["t"])
    expect(page.locator("video")).to_have_attribute("src", re.compile(rf"/play/#t={second:.2f}$"))
    page.get_by_role("link", name="Where it shows what you look for").click()
    expect(page.locator(".moments a").first).to_have_attribute("data-start", "16")
    page.locator(".moments a").first.click()
    expect(page.locator("video")).to_be_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_everybody_can_use_the_player(film: Asset, bob: User, page: Page, scheme: Any, width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})
    log_in(page, "bob")
    findings = []
    for address in (film.get_absolute_url(), f"{film.get_absolute_url()}?q=blue&t=18", f"/moments/{film.uuid}/?q=blue"):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        found = Axe().run(page).response["violations"]
        serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
        findings += [(address, rule["id"], node["html"]) for rule in serious for node in rule["nodes"]]
    assert not findings


def test_a_film_that_workers_read_is_found_at_its_scene(
    harbour: Collection, bob: User, drawn_space: Space, real_workers: None, tmp_path: Path, page: Page
) -> None:
    """A real file through the real pipeline: each question opens it within a second of where the scene begins."""
    shown = [(draw(place_scene(Random(n), *scene[:2], (scene[2],)), 480, 270), 6.0) for n, scene in enumerate(SCENES)]
    path = make_film(tmp_path / "day.mp4", shown, fps=5, gop=15, audio=True)
    asset = upload(harbour, path, bob)
    deadline = time.monotonic() + 120
    while not (asset.status == Status.READY and asset.renditions.filter(spec="sprite").exists()):
        assert time.monotonic() < deadline, asset.error
        time.sleep(0.5)
        asset.refresh_from_db()
    log_in(page, "bob")
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 844})
        for question, start in zip(QUESTIONS, starts(shown), strict=True):
            page.goto(f"/?{urlencode({'q': question})}")
            page.locator("#grid .hit > a").first.click()
            page.wait_for_url("**/assets/**")
            assert abs(float(asked(page)["t"]) - start) <= 1, question
            standing_at(page, start)
            expect(page.locator(".timeline .outline")).to_be_visible()
            expect(page.locator(".moments img").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Hovering over the strip shows a small still from the sprite, also when the list of stills comes after the pointer.
    held: list[Route] = []
    page.route("**/previews.vtt", lambda route, _request: held.append(route))
    page.reload()
    standing_at(page, start)
    expect(page.locator(".timeline .outline")).to_be_visible()
    area = page.locator(".timeline").bounding_box()
    assert area
    page.mouse.move(area["x"] + area["width"] * 0.4, area["y"] + 10)
    expect(page.locator(".glance .when")).to_be_visible()
    assert held
    held[0].continue_()
    page.wait_for_function("() => document.querySelector('.glance .still').style.backgroundImage.includes('/sprite/')")
    place = "document.querySelector('.glance .still').style.backgroundPosition"
    before = page.evaluate(place)
    page.mouse.move(area["x"] + area["width"] * 0.9, area["y"] + 10)
    page.wait_for_function(f"before => {place} !== before", arg=before)
