"""Near-duplicates from the files to the decision, with the mouse, by keyboard and without JavaScript."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect

from archive.models import Asset, Collection, DuplicatePair, Likeness, Space
from search.comparing import compare_new
from tests.alike import compressed, cropped, drawn, half_size, make_scenes, mirrored, watermarked
from tests.browser.conftest import log_in
from tests.cast import upload
from workers.encode import drain_encode
from workers.prepare import drain_prepare

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


def take_in(harbour: Collection, attic: Collection, folder: Path) -> None:
    """Two pictures with their copies, one of them in another collection, and a burst."""
    boat, meadow, town, walk, *others = [drawn(scene, (900, 600)) for scene in make_scenes(6, seed=12)]
    files = {
        "boat.jpg": boat,
        "boat-small.jpg": half_size(boat),
        "boat-for-the-web.jpg": watermarked(half_size(half_size(boat))),
        "boat-mirrored.jpg": compressed(mirrored(boat)),
        "meadow.jpg": meadow,
        "meadow-cropped.jpg": cropped(meadow),
        "walk-1.jpg": walk.crop((0, 0, 860, 570)),
        "walk-2.jpg": walk.crop((36, 22, 896, 592)),
        "walk-3.jpg": walk.crop((15, 30, 875, 600)),
        "town.jpg": town,
    } | {f"other-{number}.jpg": other for number, other in enumerate(others)}
    for name, picture in files.items():
        picture.save(folder / name, quality=90)
        upload(attic if name == "boat-small.jpg" else harbour, folder / name)
    drain_prepare()
    drain_encode()
    for number in (1, 2, 3):
        moment = NOON + timedelta(seconds=2 * number)
        Asset.objects.filter(filename=f"walk-{number}.jpg").update(taken_at=moment, camera="Papercraft One")
    compare_new()


@pytest.fixture
def review(page: Page, alice: User, harbour: Collection, drawn_space: Space, tmp_path: Path) -> Page:
    attic = Collection.objects.create(slug="attic", name="Attic", owner=alice)
    take_in(harbour, attic, tmp_path)
    kinds = list(DuplicatePair.objects.order_by().values_list("kind", flat=True))
    assert kinds.count(Likeness.SAME) == 7  # each of the boat's four with each, and the meadow's two
    assert kinds.count(Likeness.BURST) == 3
    log_in(page, "alice")
    page.goto("/duplicates/")
    return page


def in_trash() -> set[str]:
    return set(Asset.objects.filter(trashed_at__isnull=False).values_list("filename", flat=True))


def test_the_best_is_kept_and_undone_with_the_mouse(review: Page) -> None:
    boat = review.locator(".group").filter(has_text="boat-mirrored.jpg")
    expect(boat.get_by_role("heading")).to_have_text("4 files of one picture")
    expect(boat.get_by_text("different collections")).to_be_visible()
    report = Axe().run(review)
    assert report.violations_count == 0, report.generate_report()
    boat.get_by_role("button", name="Keep the best").click()
    told = review.locator(".decided")
    expect(told).to_contain_text("3 pictures moved to the trash")
    assert "boat.jpg" not in in_trash()
    assert len(in_trash()) == 3
    told.get_by_role("button", name="Undo").click()
    expect(review.get_by_text("3 pictures came out of the trash")).to_be_visible()
    assert in_trash() == set()


def test_the_chosen_are_kept_and_counted(review: Page) -> None:
    boat = review.locator(".group").filter(has_text="boat-mirrored.jpg")
    boat.locator("li").filter(has_text="boat-mirrored.jpg").get_by_label("Keep").check()
    boat.get_by_role("button", name="Keep 2, trash 2").click()
    expect(review.locator(".decided")).to_contain_text("2 pictures moved")
    assert in_trash() == {"boat-small.jpg", "boat-for-the-web.jpg"}


def test_all_of_it_works_by_keyboard(review: Page) -> None:
    keys = review.keyboard
    first, second = review.locator(".group").nth(0), review.locator(".group").nth(1)
    keys.press("j")
    expect(first).to_be_focused()
    keys.press("j")
    expect(second).to_be_focused()
    keys.press("k")
    first_title = first.get_by_role("heading").inner_text()
    keys.press("2")
    expect(first.get_by_label("Keep").nth(1)).to_be_checked()
    keys.press("d")
    expect(review.locator(".decided")).to_contain_text("All of them stay")
    expect(review.locator(".group").nth(0)).to_be_focused()
    keys.press("b")
    expect(review.locator(".decided").nth(1)).to_contain_text("moved to the trash")
    assert in_trash()
    keys.press("u")
    expect(review.get_by_text("out of the trash")).to_be_visible()
    assert in_trash() == set()
    assert first_title.endswith("files of one picture")


def test_it_works_on_a_phone_without_javascript(review: Page, browser: Browser, live_server: Any) -> None:
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 390, "height": 844}, java_script_enabled=False
    )
    plain = context.new_page()
    log_in(plain, "alice")
    plain.goto("/duplicates/?kind=burst")
    walk = plain.locator(".group")
    expect(walk.get_by_role("heading")).to_have_text("3 of a burst")
    assert plain.evaluate("document.documentElement.scrollWidth") <= 390
    walk.get_by_role("button", name="Keep the best").click()
    expect(plain.get_by_text("2 pictures moved to the trash")).to_be_visible()
    plain.get_by_role("button", name="Undo").click()
    expect(plain.get_by_text("2 pictures came out of the trash")).to_be_visible()
    context.close()
