"""Asking for a new space in the admin: a form with the curated models, and its progress above the list."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive import dispatch
from archive.catalogue import models
from archive.models import Setup, SetupState, Space, Then
from archive.setups import SetupRefused, ask_for, cancel, find_open, try_again
from tests.cast import make_user
from workers.spaces import make_space

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/archive/space/"
NAME = "ViT-B-32-openai"


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(dispatch, "_send", lambda name, *args, expires: found.append(name))
    return found


@pytest.fixture
def curator(client: Client, alice: User, rung: list[str]) -> Client:
    client.force_login(alice)
    return client


def ask(curator: Client, **form: str) -> str:
    """The page after the form was sent: the list, or the form with its errors."""
    answer = curator.post(f"{LIST}new/", {"model": NAME, "then": "fill", **form}, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_every_curated_model_stands_in_the_form_with_what_it_is_chosen_by(curator: Client) -> None:
    assert "New space …" in curator.get(LIST).content.decode()
    page = curator.get(f"{LIST}new/").content.decode()
    for model in models().values():
        assert f'value="{model.name}"' in page
        row = page[page.index(f'value="{model.name}"') :].split("</tr>")[0]
        assert (str(model.numbers) in row, str(model.size) in row, model.languages in row) == (True, True, True)
        assert f"{model.imagenet:.1f} %" in row if model.imagenet else "not published" in row
        assert model.source in row or not model.imagenet
    assert re.findall(r'value="([^"]+)"[^>]* checked', page) == ["ViT-B-16-SigLIP2-256", "search"]
    assert "Apple ML research licence" in page


def test_what_is_asked_for_is_kept_and_a_worker_is_rung(curator: Client, alice: User, rung: list[str]) -> None:
    page = ask(curator, then="search")
    setup = Setup.objects.get()
    assert (setup.slug, setup.model, setup.weights) == ("vit-b-32-openai", NAME, "")
    assert (setup.then, setup.state, setup.asked_by) == (Then.SEARCH, SetupState.WAITING, alice)
    assert rung == [dispatch.SET_UP]
    assert "Waits for an encode worker" in page
    assert 'value="cancel"' in page


def test_a_folder_of_one_s_own_is_named_by_its_path(curator: Client) -> None:
    assert "Name the folder" in ask(curator, model="own")
    ask(curator, model="own", weights="/models/House Style/")
    setup = Setup.objects.get()
    assert (setup.slug, setup.model, setup.weights) == ("house-style", "local-dir:/models/House Style/", "")


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"slug": "Ä b"}, "is no name for a space"),
        ({"slug": "fake"}, "There is, or was, a space &#x27;fake&#x27; already"),
        ({"model": "ViT-H-14"}, "Select a valid choice"),
        ({"then": "fetch", "weights": "/models"}, "needs no download"),
        ({"then": "later"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_set_up_is_refused_in_words(
    curator: Client, fake_space: Space, form: dict[str, str], sentence: str
) -> None:
    assert sentence in ask(curator, **form)
    assert not Setup.objects.exists()


def test_one_is_set_up_at_a_time_and_one_is_filled(curator: Client, fake_space: Space) -> None:
    ask(curator)
    assert "vit-b-32-openai is being set up. Wait for it, or cancel it" in ask(curator, slug="other")
    found = find_open()
    assert found is not None
    curator.post(f"{LIST}setup/", {"setup": found.pk, "deed": "cancel"})
    assert find_open() is None
    make_space("next", "fake", "x")
    assert "next is being filled. Activate or retire it first" in ask(curator, slug="other")
    ask(curator, then="fetch")  # a download takes nobody's place
    assert Setup.objects.latest("pk").slug == ""


def test_progress_and_failure_stand_above_the_list_and_are_refreshed_there(curator: Client, fake_space: Space) -> None:
    ask(curator)
    Setup.objects.update(state=SetupState.FETCHING, file="open_clip_model.safetensors", here=2_000_000, size=8_000_000)
    moving = curator.get(f"{LIST}progress/").content.decode()
    assert 'id="setup" class="setup" hx-swap-oob="outerMorph"' in moving
    assert "Downloading open_clip_model.safetensors: 1.9\xa0MB of 7.6\xa0MB" in moving
    assert '<progress value="2000000" max="8000000"' in moving
    Setup.objects.update(state=SetupState.FAILED, said="The hub <does> not answer.")
    page = curator.get(LIST).content.decode()
    assert "The hub &lt;does&gt; not answer." in page
    failed = Setup.objects.get()
    curator.post(f"{LIST}setup/", {"setup": failed.pk, "deed": "again"})
    failed.refresh_from_db()
    assert (failed.state, failed.said) == (SetupState.WAITING, "")
    Setup.objects.update(state=SetupState.FAILED)
    curator.post(f"{LIST}setup/", {"setup": failed.pk, "deed": "dismiss"})
    assert 'id="setup" class="setup"></div>' in curator.get(LIST).content.decode()


@pytest.mark.parametrize("sent", [{}, {"setup": "9" * 40, "deed": "cancel"}, {"setup": "1", "deed": "burn"}])
def test_what_is_no_longer_there_is_said_so(curator: Client, sent: dict[str, str]) -> None:
    answer = curator.post(f"{LIST}setup/", sent, follow=True)
    assert "That is no longer under way." in answer.content.decode()


def test_only_who_runs_the_archive_sets_up_spaces(client: Client, alice: User, fake_space: Space) -> None:
    ask_for(Setup(slug="secret-plan", model=NAME))
    staff = make_user("staff")
    User.objects.filter(pk=staff.pk).update(is_staff=True)
    client.force_login(staff)
    for page in ("new/", "adapt/", "setup/"):
        assert client.post(f"{LIST}{page}", {"model": NAME, "then": "fill"}).status_code == 403
    assert Setup.objects.count() == 1
    for page in ("", "progress/"):
        assert "secret-plan" not in client.get(f"{LIST}{page}").content.decode()
    assert "New space" not in client.get(LIST).content.decode()


def test_an_adapted_space_is_asked_for_of_those_that_have_a_model(curator: Client, fake_space: Space) -> None:
    page = curator.get(f"{LIST}adapt/").content.decode()
    assert '<option value="fake">fake</option>' in page
    form = {"parent": "fake", "slug": "house-words", "loss": "sigmoid", "then": "fill"}
    curator.post(f"{LIST}adapt/", form)
    setup = Setup.objects.get()
    assert (setup.slug, setup.parent, setup.loss, setup.then) == ("house-words", fake_space, "sigmoid", "fill")
    answer = curator.post(f"{LIST}adapt/", {**form, "parent": "nothing"})
    assert "Select a valid choice" in answer.content.decode()


def test_a_try_again_finds_out_that_there_is_no_room_any_more(fake_space: Space, rung: list[str]) -> None:
    setup = ask_for(Setup(slug="next", model=NAME))
    Setup.objects.update(state=SetupState.FAILED)
    make_space("next", "fake", "x")
    with pytest.raises(SetupRefused, match="a space 'next' already"):
        try_again(setup)
    assert not cancel(setup)  # it had ended


def test_the_page_of_an_adapted_space_shows_parent_gain_and_what_it_knows(curator: Client, fake_space: Space) -> None:
    gain: dict[str, Any] = {
        "captions": 312,
        "pictures": 317,
        "parent": {"R@1": 0.0128, "R@5": 0.0417, "MRR": 0.041},
        "adapted": {"R@1": 0.673, "R@5": 0.942, "MRR": 0.79},
        "difference": {"MRR": 0.749, "low": 0.713, "high": 0.786},
        "gains": True,
    }
    child = make_space("dutch", "fake", knows="Adapted to the captions of this archive.")
    Space.objects.filter(pk=child.pk).update(parent=fake_space, gain=gain)
    page = curator.get(f"{LIST}{child.pk}/change/").content.decode()
    assert "0.673, where fake has 0.013" in page
    assert "+0.749, 95 % sure: +0.713 to +0.786" in page
    listed = curator.get(LIST).content.decode()
    assert "adapted from fake" in listed
    assert "Adapted to the captions of this archive." in listed


def test_the_list_says_which_space_takes_over_by_itself(curator: Client, fake_space: Space) -> None:
    new = make_space("new", "fake", "x")

    def press() -> str:
        sent = {"action": "when_full", "index": "0", "_selected_action": [new.pk]}
        answer = curator.post(LIST, sent, follow=True)
        return str(answer.content.decode())

    page = press()
    assert "New is searched as soon as it is full." in page
    assert '<span class="moving">searched as soon as it is full</span>' in page
    assert "New waits until somebody switches." in press()
    assert "searched as soon as it is full" not in curator.get(LIST).content.decode()
