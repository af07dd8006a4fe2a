"""The review of flags in a browser: by keyboard, with a second reviewer at the same moment, without JavaScript."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect

from archive.models import Answer, Asset, Concept, ConceptKind, Flag, FlagState, Policy, Space
from archive.moderation.flagging import Doubt, raise_flags
from archive.moderation.reviewing import answer
from tests.browser.conftest import log_in
from tests.cast import make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def flags(wall: list[Asset], alice: User) -> list[Flag]:
    """Five: two are hidden at once; the last one is of a video."""
    weapon = Concept.objects.create(slug="weapon", name="Weapon", kind=ConceptKind.PROHIBITED)
    Policy.objects.create(concept=weapon, is_on=True)
    space = Space.objects.get()
    frame = wall[4].frames.get()
    frame.still = wall[4].renditions.get(spec="thumbnail").key
    frame.save()
    Asset.objects.filter(pk=wall[4].pk).update(kind="video", duration=70)
    moments = [
        {"frame": frame.pk, "at": 12.0, "start": 11.0, "end": 14.0, "score": 4.0},
        {"frame": frame.pk, "at": 61.0, "start": 61.0, "end": 61.0, "score": 3.0},
    ]
    doubts = [Doubt(asset.pk, weapon.pk, 3.0, hides=n < 2) for n, asset in enumerate(wall[:4])]
    raise_flags(space, [*doubts, Doubt(wall[4].pk, weapon.pk, 4.0, hides=False, moments=moments)])
    return list(Flag.objects.order_by("-hides", "id"))


def state(flag: Flag) -> str:
    flag.refresh_from_db()
    return flag.state


def sent(page: Page) -> str:
    """Which picture the page shows: the address with the question."""
    return str(page.locator("#picture").get_attribute("src"))


def test_all_of_it_works_by_keyboard(page: Page, flags: list[Flag]) -> None:
    first, second, third, fourth, film = flags
    log_in(page, "alice")
    page.goto("/review/")
    shown = page.locator("#flag")
    expect(shown).to_have_attribute("data-flag", str(first.pk))
    expect(page.get_by_text("Hidden until somebody decides")).to_be_visible()
    report = Axe().run(page)
    assert report.violations_count == 0, report.generate_report()
    # Blurred on the server, and clear when asked for.
    assert sent(page) == f"/review/{first.pk}/picture/"
    expect(page.get_by_role("img", name="Blurred picture")).to_be_visible()
    page.keyboard.press("b")
    assert sent(page) == f"/review/{first.pk}/picture/?clear=1"
    expect(page.locator("#blur")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("b")
    assert sent(page) == f"/review/{first.pk}/picture/"
    page.keyboard.press("u")
    expect(page.get_by_text("Upheld: “")).to_be_visible()
    expect(shown).to_have_attribute("data-flag", str(second.pk))
    page.keyboard.press("d")
    expect(page.get_by_text("Dismissed: “")).to_be_visible()
    expect(shown).to_have_attribute("data-flag", str(third.pk))
    assert (state(first), state(second)) == (FlagState.UPHELD, FlagState.DISMISSED)
    # Escalating asks for a reason, and keys are letters while one writes it.
    page.keyboard.press("e")
    expect(page.get_by_label("Reason")).to_be_focused()
    assert state(third) == FlagState.OPEN
    page.keyboard.type("undue")
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    expect(page.get_by_text("Escalated: an owner")).to_be_visible()
    third.refresh_from_db()
    assert third.escalated_at
    # On to the next and the next; passed over is not decided.
    expect(shown).to_have_attribute("data-flag", str(fourth.pk))
    page.keyboard.press("n")
    expect(shown).to_have_attribute("data-flag", str(film.pk))
    expect(page.get_by_text("0:11–0:14")).to_be_visible()
    expect(page.get_by_text("1:01")).to_be_visible()
    page.keyboard.press("d")
    expect(shown).to_have_attribute("data-flag", re.compile(f"{third.pk}|{fourth.pk}"))
    page.keyboard.press("z")
    expect(page.get_by_text("Your answer is taken back")).to_be_visible()
    assert (state(film), state(fourth)) == (FlagState.OPEN, FlagState.OPEN)
    report = Axe().run(page)
    assert report.violations_count == 0, report.generate_report()


def test_who_comes_second_sees_who_was_first_and_keeps_what_they_wrote(page: Page, flags: list[Flag]) -> None:
    moderator = make_user("mona", curator=True)
    log_in(page, "alice")
    page.goto("/review/")
    page.get_by_label("Reason").fill("It is a toy.")
    answer(moderator, flags[0].pk, Answer.UPHOLD, flags[0].version)
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("mona upheld this at")).to_be_visible()
    assert state(flags[0]) == FlagState.UPHELD
    expect(page.get_by_label("Reason")).to_have_value("It is a toy.")
    page.get_by_role("button", name="Dismiss after all").click()
    expect(page.get_by_text("Dismissed: “")).to_be_visible()
    assert state(flags[0]) == FlagState.DISMISSED
    page.get_by_text("What happened").click()
    expect(page.get_by_text("Answer that came too late by alice")).to_be_visible()


def test_the_other_pages_are_accessible(page: Page, flags: list[Flag]) -> None:
    log_in(page, "alice")
    answer(User.objects.get(username="alice"), flags[0].pk, Answer.UPHOLD, flags[0].version, "Clearly.")
    for address in ("/review/log/", "/review/figures/", "/review/held/", f"/review/{flags[0].pk}/"):
        page.goto(address)
        report = Axe().run(page)
        assert report.violations_count == 0, f"{address}\n{report.generate_report()}"
    page.emulate_media(color_scheme="dark")
    page.goto("/review/")
    report = Axe().run(page)
    assert report.violations_count == 0, report.generate_report()


def test_it_works_on_a_phone_without_javascript(browser: Browser, live_server: Any, flags: list[Flag]) -> None:
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 390, "height": 844}, java_script_enabled=False
    )
    plain = context.new_page()
    log_in(plain, "alice")
    for address in ("/review/", "/review/log/", "/review/figures/"):
        plain.goto(address)
        assert plain.evaluate("document.documentElement.scrollWidth") <= 390, address
    plain.goto("/review/")
    plain.get_by_role("link", name="Show it clearly").click()
    assert sent(plain).endswith("?clear=1")
    plain.get_by_role("button", name="Escalate").click()
    expect(plain.get_by_text("Say why, in a few words")).to_be_visible()
    plain.get_by_label("Reason").fill("Ask the owner.")
    plain.get_by_role("button", name="Escalate").click()
    expect(plain.get_by_text("Escalated: an owner")).to_be_visible()
    plain.goto("/review/")
    plain.get_by_role("button", name="Uphold").click()
    plain.get_by_role("button", name="Undo").click()
    expect(plain.get_by_text("Your answer is taken back")).to_be_visible()
    context.close()
