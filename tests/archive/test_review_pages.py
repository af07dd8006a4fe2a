"""The pages of the review: the queue in its order, refusals in sentences, the log and its export, and policies."""

from __future__ import annotations

import csv
import io
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.models import (
    Answer,
    Asset,
    Check,
    Collection,
    Concept,
    ConceptKind,
    Event,
    Flag,
    FlagState,
    LogEntry,
    Membership,
    Policy,
    PolicyLine,
    Role,
    Space,
)
from archive.moderation.export import cell
from archive.moderation.flagging import Doubt, raise_flags
from archive.moderation.reviewing import answer
from tests.cast import make_curator, make_user
from tests.prepared import make_encoded, random_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def weapon(db: None) -> Concept:
    weapon = Concept.objects.create(slug="weapon", name="weapon", kind=ConceptKind.PROHIBITED)
    Policy.objects.create(concept=weapon)
    return weapon


@pytest.fixture
def flags(harbour: Collection, fake_space: Space, weapon: Concept) -> list[Flag]:
    """Three; the last one hides its asset, so it is the first in the queue."""
    assets = make_encoded(harbour, fake_space, random_rows(3))
    raise_flags(fake_space, [Doubt(asset.pk, weapon.pk, 3.0, hides=n == 2) for n, asset in enumerate(assets)])
    return [Flag.objects.get(asset=asset) for asset in assets]


@pytest.fixture
def carol(harbour: Collection, client: Client) -> User:
    """A curator, logged in."""
    carol = make_curator("carol", harbour)
    client.force_login(carol)
    return carol


def shown(page: Any) -> int | None:
    return page.context["flag"].pk if page.context.get("flag") else None


def test_what_hides_something_comes_first_and_next_goes_through_all(
    flags: list[Flag], carol: User, client: Client
) -> None:
    order = [flags[2].pk, flags[0].pk, flags[1].pk]
    page, seen = client.get("/review/"), []
    for _ in order:
        seen.append(shown(page))
        page = client.get(page.context["next"], follow=True)
    assert seen == order
    assert shown(page) == order[0]  # around again
    assert "passed over" in page.content.decode()


def test_an_answer_leads_to_the_next_flag(flags: list[Flag], carol: User, client: Client) -> None:
    page = client.post(f"/review/{flags[2].pk}/decide/", {"verb": "dismiss", "version": "1"}, follow=True)
    assert shown(page) == flags[0].pk
    assert "Dismissed: “row-00002.jpg” is shown." in page.content.decode()
    assert "Your last answer: dismissed" in page.content.decode()
    page = client.post(f"/review/{flags[2].pk}/undo/", follow=True)
    assert "the flag is open again" in page.content.decode()


@pytest.mark.parametrize(
    ("data", "status", "sentence"),
    [
        ({"verb": "escalate", "version": "1"}, 400, "Say why, in a few words"),
        ({"verb": "uphold", "version": "1", "reason": "x" * 501}, 400, "500 characters at most; this one has 501"),
        ({"verb": "uphold", "version": "x"}, 400, "The form is not whole"),
        ({"verb": "burn", "version": "1"}, 400, "Choose one: uphold, dismiss or escalate"),
        ({"verb": "uphold", "version": "7", "reason": "Sharp."}, 409, "Your answer changed nothing"),
    ],
)
def test_what_is_refused_says_why_and_keeps_what_was_written(
    flags: list[Flag], carol: User, client: Client, data: dict[str, str], status: int, sentence: str
) -> None:
    page = client.post(f"/review/{flags[0].pk}/decide/", data)
    assert page.status_code == status
    assert sentence in page.content.decode()
    assert data.get("reason", "") in page.content.decode()
    assert Flag.objects.get(pk=flags[0].pk).state == FlagState.OPEN


def test_the_queue_asks_as_many_statements_for_many_flags_as_for_one(
    flags: list[Flag], carol: User, client: Client, django_assert_max_num_queries: Any, harbour: Collection
) -> None:
    weapon = Concept.objects.get()
    more = make_encoded(harbour, Space.objects.get(), random_rows(50), prefix="more")
    Flag.objects.bulk_create(Flag(asset=asset, concept=weapon) for asset in more)
    with django_assert_max_num_queries(20):
        client.get("/review/")


def test_the_first_answer_of_two_is_not_on_the_second_reviewers_page(
    flags: list[Flag], carol: User, client: Client, harbour: Collection
) -> None:
    Policy.objects.update(second_reviewer=True)
    dave = make_user("dave")
    Membership.objects.create(collection=harbour, user=dave, role=Role.CURATOR)
    answer(dave, flags[2].pk, Answer.DISMISS, 1, "A banana.")
    for address in ("/review/", f"/review/{flags[2].pk}/", "/review/log/"):
        page = client.get(address).content.decode()
        assert "banana" not in page
        assert "dave" not in page


def test_the_log_is_read_and_filtered(flags: list[Flag], carol: User, client: Client) -> None:
    answer(carol, flags[0].pk, Answer.UPHOLD, 1, "Sharp.")
    everything = client.get("/review/log/").content.decode()
    assert "Sharp." in everything
    upheld = client.get("/review/log/?event=upheld")
    assert [entry.event for entry in upheld.context["entries"]] == [Event.UPHELD]
    assert client.get("/review/log/?event=nothing").status_code == 404


def test_the_log_is_exported_and_no_cell_is_a_formula(flags: list[Flag], carol: User, client: Client) -> None:
    Asset.objects.filter(pk=flags[0].asset_id).update(filename='=HYPERLINK("http://x","y").jpg')
    answer(carol, flags[0].pk, Answer.UPHOLD, 1, "@SUM(A1) – yes, sharp")
    sent = client.post("/review/log/export/", {"as": "csv"})
    rows = list(csv.DictReader(io.StringIO(b"".join(sent.streaming_content).decode())))  # type: ignore[attr-defined]
    last = next(row for row in rows if row["event"] == "upheld" and row["asset"] == str(flags[0].asset.uuid))
    assert (last["filename"], last["reason"]) == ('\'=HYPERLINK("http://x","y").jpg', "'@SUM(A1) – yes, sharp")
    sent = client.post("/review/log/export/", {"as": "json"})
    told = orjson.loads(b"".join(sent.streaming_content))  # type: ignore[attr-defined]
    assert any(entry["reason"] == "@SUM(A1) – yes, sharp" for entry in told)
    assert {entry["collection"] for entry in told} == {"Harbour"}
    assert LogEntry.objects.filter(event=Event.EXPORTED, person="carol").count() >= 2
    client.force_login(make_user("stranger"))
    assert client.post("/review/log/export/", {"as": "csv"}).status_code == 404


def test_numbers_stay_numbers_and_what_begins_a_formula_does_not() -> None:
    assert [cell(value) for value in (-1.5, None, 7, "-1.5", "\t=1", "+49", "\uff1d1", "plain")] == [
        *("-1.5", "", "7", "'-1.5", "'\t=1", "'+49", "'\uff1d1", "plain")
    ]


def test_figures_tell_how_often_it_was_right(flags: list[Flag], alice: User, carol: User, client: Client) -> None:
    answer(carol, flags[0].pk, Answer.UPHOLD, 1)
    answer(carol, flags[1].pk, Answer.DISMISS, 1)
    assert "50 of 100" in client.get("/review/figures/").content.decode()
    client.force_login(alice)
    assert "kappa" in client.get("/review/figures/").content.decode()


# ---- the API ----------------------------------------------------------------------------------------


def test_flags_are_answered_over_the_api(flags: list[Flag], carol: User, client: Client) -> None:
    waiting = client.get("/api/v1/review").json()["results"]
    assert [flag["flag"] for flag in waiting] == [flags[2].pk, flags[0].pk, flags[1].pk]
    assert [flag["flag"] for flag in client.get("/api/v1/review?limit=1&concept=weapon").json()["results"]] == [
        flags[2].pk
    ]
    address = f"/api/v1/review/{flags[2].pk}"
    sent = {"answer": "dismiss", "version": 1, "reason": "A banana."}
    answered = client.post(address, sent, content_type="application/json")
    assert (answered.status_code, answered.json()["state"], answered.json()["version"]) == (200, "dismissed", 2)
    late = client.post(address, {**sent, "answer": "uphold"}, content_type="application/json")
    assert (late.status_code, late.json()["error"]["code"]) == (409, "answered_meanwhile")
    unsaid = client.post(address, {"answer": "uphold", "version": 2}, content_type="application/json")
    assert (unsaid.status_code, "needs a reason" in unsaid.json()["error"]["message"]) == (400, True)
    assert client.post(address, {"answer": "burn"}, content_type="application/json").status_code == 400
    client.force_login(make_user("stranger"))
    assert client.get(address).status_code == 404
    assert client.get("/api/v1/review").json() == {"results": []}


# ---- the admin of policies --------------------------------------------------------------------------


def act(client: Client, action: str, policy: Policy, **more: str) -> str:
    data = {"action": action, "_selected_action": str(policy.pk), **more}
    return client.post("/admin/archive/policy/", data, follow=True).content.decode()


def test_a_policy_is_made_tried_switched_and_withdrawn_in_the_admin(
    flags: list[Flag], alice: User, client: Client, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(alice)
    policy = Policy.objects.get()
    assert "has no vector in" in act(client, "turn_on", policy)
    monkeypatch.setattr("archive.moderation.policies.find_concept_threshold", lambda *of: 2.0)
    form = {
        **{"concept": str(policy.concept_id), "everywhere": "on", "lines-TOTAL_FORMS": "1", "lines-INITIAL_FORMS": "0"},
        **{"lines-0-space": str(fake_space.pk), "lines-0-review_at": "3", "lines-0-quarantine_at": "2"},
    }
    address = f"/admin/archive/policy/{policy.pk}/change/"
    assert "needs at least the score" in client.post(address, form).content.decode()
    assert client.post(address, form | {"lines-0-quarantine_at": "5"}).status_code == 302
    assert PolicyLine.objects.get().quarantine_at == 5
    assert "being counted" in act(client, "count", policy)
    assert "is on: for what comes now" in act(client, "turn_on", policy)
    assert list(Check.objects.order_by("id").values_list("dry", flat=True)) == [True, False]
    page = client.get("/admin/archive/policy/").content.decode()
    assert "0 %: 0 would be flagged, 0 hidden at once so far" in page
    assert "fake: 3 / 5" in page
    assert client.get(address).status_code == 200
    assert "is off" in act(client, "turn_off", policy)
    assert "Why, for the log" in act(client, "withdraw", policy)
    assert Flag.objects.count() == 3
    assert "3 flags were withdrawn" in act(client, "withdraw", policy, reason="Set wrongly.")
    assert not Flag.objects.exists()


def test_policies_are_not_for_curators(flags: list[Flag], carol: User, client: Client) -> None:
    User.objects.filter(pk=carol.pk).update(is_staff=True)
    assert client.get("/admin/archive/policy/").status_code == 403
    page = client.get("/admin/archive/flag/").content.decode()
    assert "row-00000.jpg" in page
