"""Asking in a browser: words and what to leave out, a picture or a part of it, filters; wide and on a phone."""

from __future__ import annotations

import base64
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image
from playwright.sync_api import Page, expect

from archive.models import Asset, Collection, Concept, Rendition, SavedSearch, Space, Tag
from tests.browser.conftest import log_in
from tests.pictures import distinct, webp
from tests.prepared import fake_rows, make_encoded

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

COLOURS = ("red", "green", "blue", "yellow", "purple", "orange")
CARRY = """([name, data]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], name, { type: "image/png" }));
    return carried;
}"""


@pytest.fixture
def colours(harbour: Collection, fake_space: Space, queries_in_process: None) -> list[Asset]:
    """Pictures of one colour each, and one of two halves that are told apart."""
    seen = [Image.new("RGB", (300, 200), colour) for colour in COLOURS] + [halves()]
    assets = make_encoded(harbour, fake_space, fake_rows(seen), prefix="picture")
    rows = []
    for asset, picture in zip(assets, seen, strict=True):
        asset.width, asset.height = picture.size
        for spec, media_type in (("thumbnail", "image/webp"), ("preview", "image/webp"), ("encoder", "image/jpeg")):
            data = webp(picture) if media_type == "image/webp" else jpeg(picture)
            key = default_storage.save(f"t/{asset.pk}.{spec}", ContentFile(data))
            size = {"width": picture.width, "height": picture.height, "size": len(data)}
            rows.append(Rendition(asset=asset, spec=spec, key=key, media_type=media_type, **size))
    Asset.objects.bulk_update(assets, ["width", "height"])
    Rendition.objects.bulk_create(rows)
    return assets


def halves() -> Image.Image:
    both = Image.new("RGB", (600, 300))
    both.paste(distinct(1).resize((300, 300)), (0, 0))
    both.paste(Image.new("RGB", (300, 300), "blue"), (300, 0))
    return both


def jpeg(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=95)
    return out.getvalue()


def png(colour: str) -> str:
    out = BytesIO()
    Image.new("RGB", (64, 64), colour).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def asked(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def first(page: Page) -> str:
    return page.locator("#grid .hit img").first.get_attribute("alt") or ""


def place(page: Page, colour: str) -> int:
    return [hit.get_attribute("alt") for hit in page.locator("#grid .hit img").all()].index(name_of(colour))


def name_of(colour: str) -> str:
    return f"picture-{COLOURS.index(colour):05}.jpg"


def test_what_to_leave_out_becomes_a_chip_that_can_be_turned_and_undone(
    colours: list[Asset], bob: User, page: Page
) -> None:
    log_in(page, "bob")
    page.get_by_role("searchbox").fill("green without red")
    page.get_by_role("searchbox").press("Enter")
    chip = page.locator(".chip.no")
    expect(chip).to_contain_text("red")
    expect(page.get_by_role("searchbox")).to_have_value("green")
    assert first(page) == name_of("green")
    chip.get_by_title("Look for it instead").click()
    expect(page.get_by_role("searchbox")).to_have_value("green red")
    expect(page.locator(".chip.no")).to_have_count(0)
    page.go_back()
    page.locator("#without summary").click()
    page.get_by_role("link", name="Take my words as they are").click()
    expect(page.get_by_role("searchbox")).to_have_value("green without red")
    assert asked(page)["literal"] == "1"
    expect(page.locator(".hint").first).to_contain_text("overlooked")


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_that_is_dropped_or_pasted_finds_its_like(
    colours: list[Asset], bob: User, page: Page, way: str
) -> None:
    log_in(page, "bob")
    carried = page.evaluate_handle(CARRY, ["mine.png", png("purple")])
    if way == "drop":
        page.dispatch_event("body", "drop", {"dataTransfer": carried})
    else:
        page.evaluate(
            "carried => document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: carried, bubbles: true}))",
            carried,
        )
    expect(page.locator(".chip.shown img")).to_be_visible()
    assert "picture" in asked(page)
    assert first(page) == name_of("purple")
    # Words can be added, and weighed against it.
    page.get_by_role("searchbox").fill("yellow")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_label("How much your picture counts").select_option("a quarter")
    page.wait_for_url("**pictureweight=0.25**")
    assert place(page, "yellow") < place(page, "purple")
    page.get_by_label("How much your picture counts").select_option("four times")
    page.wait_for_url("**pictureweight=4**")
    assert place(page, "purple") < place(page, "yellow")


def test_a_box_drawn_on_a_picture_looks_for_that_part(colours: list[Asset], bob: User, page: Page) -> None:
    log_in(page, "bob")
    page.goto(colours[-1].get_absolute_url())
    page.get_by_role("button", name="Search for a part").click()
    view = page.locator(".field-of-view")
    view.locator("img").wait_for()
    area = view.bounding_box()
    assert area is not None
    page.mouse.move(area["x"] + area["width"] * 0.55, area["y"] + 4)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] - 2, area["y"] + area["height"] - 2, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Search for this part").click()
    page.wait_for_url("**box=**")
    left, _, width, height = map(float, asked(page)["box"].split(","))
    assert left == pytest.approx(0.55, abs=0.02)
    assert width == pytest.approx(0.45, abs=0.03)
    assert height > 0.9
    assert first(page) == name_of("blue")
    expect(page.locator(".chip.shown")).to_contain_text("part of")


def test_a_picture_is_dropped_without_the_words_that_were_cleared_and_a_box_works_where_it_is_saved(
    colours: list[Asset], bob: User, page: Page
) -> None:
    log_in(page, "bob")
    page.goto("/?q=green&mode=everything")
    page.get_by_role("searchbox").fill("")
    page.dispatch_event("body", "drop", {"dataTransfer": page.evaluate_handle(CARRY, ["mine.png", png("purple")])})
    page.wait_for_url("**picture=**")
    assert asked(page).keys() == {"picture", "mode"}
    saved = SavedSearch.objects.create(owner=bob, name="Mine", params=asked(page))
    page.goto(saved.get_absolute_url())
    page.get_by_title("Search for a part of it").click()
    page.get_by_role("button", name="Search for this part").click()
    page.wait_for_url("**box=**")
    expect(page.locator(".chip.shown")).to_contain_text("a part of it")
    assert asked(page) == {**saved.params, "box": "0.25,0.25,0.5,0.5"}


def test_the_box_can_be_moved_by_keys_and_left_again(colours: list[Asset], bob: User, page: Page) -> None:
    log_in(page, "bob")
    page.goto(colours[-1].get_absolute_url())
    page.get_by_role("button", name="Search for a part").click()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Search for this part").click()
    page.wait_for_url("**box=**")
    assert asked(page)["box"] == "0.29,0.25,0.5,0.52"
    page.go_back()
    page.get_by_role("button", name="Search for a part").click()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.crop")).to_have_count(0)


def test_filters_narrow_down_and_facets_lead_there(colours: list[Asset], bob: User, page: Page) -> None:
    sea = Concept.objects.create(slug="sea", name="Sea")
    Tag.objects.bulk_create([Tag(asset=asset, concept=sea) for asset in colours[:2]])
    log_in(page, "bob")
    page.locator("#details summary").click()
    page.get_by_label("Any of these tags").fill("sea")
    page.locator("#details").get_by_role("button", name="Show").click()
    expect(page.locator("#grid .hit")).to_have_count(2)
    assert asked(page) == {"tag": "sea"}
    page.locator(".pills").get_by_role("link", name="Clear").click()
    expect(page.locator("#grid .hit")).to_have_count(7)
    page.locator(".facets summary").click()
    page.locator(".facets .row", has_text="Sea").click()
    page.wait_for_url("**alltags=Sea**")
    expect(page.locator("#grid .hit")).to_have_count(2)


def test_on_a_phone_nothing_is_cut_off_and_sheets_come_up_from_below(
    colours: list[Asset], bob: User, page: Page
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    log_in(page, "bob")
    page.goto("/?q=green&without=red")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#details summary").click()
    sheet = page.locator("#details .sheet").bounding_box()
    assert sheet is not None
    assert sheet["x"] >= 0
    assert sheet["x"] + sheet["width"] <= 390
    assert sheet["y"] + sheet["height"] <= 844


@pytest.mark.parametrize("sheet", ["#details", "#order", "#without", ".facets"])
def test_everybody_can_use_the_sheets(colours: list[Asset], bob: User, page: Page, sheet: str) -> None:
    log_in(page, "bob")
    page.goto("/?q=green&without=red&name=picture")
    page.locator(f"{sheet} > summary").click()
    page.wait_for_load_state("networkidle")
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
