"""Which of these is it: probabilities as the paper has them, a background that may win, and lines of one's own."""

from __future__ import annotations

import json
import zlib
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from archive.models import Asset, Collection, Embedding, Space
from search import classifying
from search.evaluation.zero_shot import measure_ways
from search.query import BadQuery
from search.zero_shot import probabilities, read_names
from tests.prepared import make_encoded, random_rows
from tests.search.scenes import shown
from workers.scenes.vocabulary import THINGS

pytestmark = pytest.mark.django_db


@pytest.fixture
def scenes(drawn_space: Space, harbour: Collection, queries_in_process: None) -> list[Asset]:
    return make_encoded(harbour, drawn_space, shown().rows)


def test_probabilities_are_a_softmax_over_the_models_scale() -> None:
    closeness = np.array([[0.3, 0.2, -0.1], [0.0, 0.25, 0.24]], dtype=np.float32)
    found = probabilities(Space(logit_scale=30.0), closeness)
    expected = np.exp(30 * closeness) / np.exp(30 * closeness).sum(axis=1, keepdims=True)
    assert np.allclose(found, expected, atol=1e-6)
    assert np.allclose(found.sum(axis=1), 1)


def test_a_model_with_a_bias_judges_each_pair_by_itself() -> None:
    found = probabilities(Space(logit_scale=10.0, logit_bias=-5.0), np.array([[1.0, 0.0]], dtype=np.float32))
    assert np.allclose(found, [[1 / (1 + np.exp(-5)), 1 / (1 + np.exp(5))]], atol=1e-6)


def test_labels_are_read_as_people_write_them() -> None:
    assert read_names(" a cat, A CAT ,a  dog,") == ("A CAT", "a dog")
    for bad in ("", "a cat", ",".join(f"l{n}" for n in range(101)), "a," + "x" * 81, "a,b\0"):
        with pytest.raises(BadQuery):
            read_names(bad)


def of_one_thing(assets: list[Asset], thing: str) -> list[Asset]:
    return [
        asset
        for asset, scene in zip(assets, shown().scenes, strict=True)
        if [group.thing for group in scene.groups] == [thing] and scene.sky == "day"
    ]


def test_drawn_things_are_told_apart(scenes: list[Asset], alice: User, client: Client) -> None:
    client.force_login(alice)
    labels = ",".join(thing.names[0] for thing in THINGS.values())
    right = 0
    asked = [(THINGS[thing].names[0], asset) for thing in THINGS for asset in of_one_thing(scenes, thing)[:2]]
    assert len(asked) > 15
    for thing, asset in asked:
        answer = client.get("/api/v1/classify", {"asset": str(asset.uuid), "labels": labels}).json()
        (row,) = answer["assets"]
        assert (answer["space"], answer["independent"], len(row["guesses"])) == ("drawn-scenes", False, 5)
        shares = [one["probability"] for one in row["guesses"]]
        assert shares == sorted(shares, reverse=True)
        named = [one["label"] for one in row["guesses"] if one["label"]]
        right += named[0] == thing
    assert right >= 0.55 * len(asked)  # of sixteen


def test_the_background_wins_where_none_of_them_is_there(scenes: list[Asset], alice: User, client: Client) -> None:
    client.force_login(alice)
    others = [*of_one_thing(scenes, "fish"), *of_one_thing(scenes, "car")][:8]
    won = there = 0
    for asset in others:
        answer = client.get("/api/v1/classify", {"asset": str(asset.uuid), "labels": "a lighthouse,a butterfly"}).json()
        guesses = answer["assets"][0]["guesses"]
        assert len(guesses) == 3
        assert sum(one["probability"] for one in guesses) == pytest.approx(1, abs=0.001)
        won += guesses[0]["label"] is None
        there += any(one["there"] for one in guesses)
    assert len(others) > 3
    assert won > 0.7 * len(others)
    assert there < 0.3 * len(others)


def test_a_whole_querys_results_are_told_on_the_command_line(scenes: list[Asset], alice: User) -> None:
    out = StringIO()
    call_command(
        "classify", "--query", "a lighthouse", "--labels", "a lighthouse,a fish", "--limit", "9", "--json", stdout=out
    )
    found = json.loads(out.getvalue())
    assert len(found["assets"]) == 9
    first = [row["guesses"][0]["label"] for row in found["assets"]]
    assert first.count("a lighthouse") >= 7
    out = StringIO()
    call_command("classify", str(scenes[0].uuid), "--labels", "a lighthouse,a fish", "--top", "2", stdout=out)
    assert "probability" in out.getvalue()
    for words, why in (
        ((), "Name one asset"),
        (("nonsense",), "no id of an asset"),
        (("6f1e0d9c-0000-4000-8000-00000000cafe",), "no such picture"),
    ):
        with pytest.raises(CommandError, match=why):
            call_command("classify", *words, "--labels", "a,b", stdout=StringIO())
    with pytest.raises(CommandError, match="2 to 100 labels"):
        call_command("classify", "--query", "x", "--labels", "a", stdout=StringIO())


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"labels": ""}, "labels"),
        ({"labels": "a,b", "top": "0"}, "top"),
        ({"labels": "a,b", "asset": "x"}, "asset"),
        ({"labels": "a,b", "colour": "x"}, "colour"),
        ({"labels": "a,b", "asset": "6f1e0d9c-0000-4000-8000-00000000cafe", "q": "x"}, "q"),
    ],
)
def test_the_api_names_what_is_wrong(
    params: dict[str, str], field: str, fake_space: Space, alice: User, client: Client
) -> None:
    client.force_login(alice)
    answer = client.get("/api/v1/classify", params)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]


def test_the_page_of_an_asset_asks_which_of_these_it_is(scenes: list[Asset], alice: User, client: Client) -> None:
    client.force_login(alice)
    page = client.get(f"/assets/{scenes[0].uuid}/").content.decode()
    assert "Which of these is it?" in page
    whole = client.get(f"/which/{scenes[0].uuid}/", {"labels": "a boat, a car"})
    assert "None of these" in whole.content.decode()
    part = client.get(f"/which/{scenes[0].uuid}/", {"labels": "a boat, a car"}, headers={"HX-Request": "true"})
    assert part.content.decode().strip().startswith('<div id="which"')
    bad = client.get(f"/which/{scenes[0].uuid}/", {"labels": "a boat"})
    assert (bad.status_code, "2 to 100 labels" in bad.content.decode()) == (400, True)


def test_what_is_not_encoded_yet_says_so(
    fake_space: Space, harbour: Collection, alice: User, client: Client, queries_in_process: None
) -> None:
    (asset,) = make_encoded(harbour, fake_space, np.eye(768, dtype=np.float32)[:1])
    Embedding.objects.all().delete()
    client.force_login(alice)
    answer = client.get("/api/v1/classify", {"asset": str(asset.uuid), "labels": "a,b"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_encoded_yet")


def test_accuracy_is_measured_with_and_without_templates() -> None:
    dice = np.random.default_rng(1)
    names = [f"label {n}" for n in range(20)]
    base = {name: row / np.linalg.norm(row) for name, row in zip(names, dice.normal(size=(20, 768)), strict=True)}
    labels = names * 10
    pictures = np.stack([base[name] + dice.normal(size=768) * 0.02 for name in labels]).astype(np.float32)

    def read(texts: Any) -> Any:
        """Each text is its label with noise of its own, a bare name with most of it."""
        rows = []
        for text in texts:
            name = next(one for one in reversed(names) if one in text)
            own = np.random.default_rng(zlib.crc32(text.encode()))
            row = base[name] + own.normal(size=768) * (0.4 if text == name else 0.12)
            rows.append(row / np.linalg.norm(row))
        return np.asarray(rows, dtype=np.float32)

    found = measure_ways(pictures, labels, read)
    assert set(found) == {"name alone", "one template", "ensemble"}
    assert found["ensemble"].top1 > found["name alone"].top1
    assert all(one.top5 >= one.top1 for one in found.values())


def test_the_shipped_model_is_evaluated_on_scenes_it_never_saw() -> None:
    out = StringIO()
    call_command("evaluate", "--model", "drawn-scenes", "--scenes", "48", "--json", stdout=out)
    found = json.loads(out.getvalue())
    (lesson,) = found["thumbs"]
    assert (lesson["prompt"], lesson["thumbs"], lesson["unseen"]) == ("nocturne", 20, 120)
    assert lesson["before"]["average_precision"] < 0.6
    assert lesson["after"]["average_precision"] > 0.75
    assert lesson["after"]["recall"] > lesson["before"]["recall"] + 0.2
    assert lesson["after"]["precision"] > 0.75
    row = found["zero_shot"][0]
    assert (row["model"], row["set"], row["pictures"]) == ("drawn-scenes", "drawn scenes", 48)
    assert row["ways"]["ensemble"]["top1"] > 0.6
    assert row["ways"]["ensemble"]["top5"] > 0.9
    for words in (("--model", "nobody"), ("--scenes", "0"), ("--stamps", "/nowhere")):
        with pytest.raises(CommandError):
            call_command("evaluate", *words, stdout=StringIO())


def test_without_a_limit_all_that_a_query_finds_is_told_and_where_it_ends_is_said(
    fake_space: Space, harbour: Collection, alice: User, client: Client, queries_in_process: None,
    monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    make_encoded(harbour, fake_space, random_rows(130))
    monkeypatch.setattr(classifying, "CHUNK", 50)
    client.force_login(alice)
    asked = {"labels": "a,b", "collection": "harbour"}
    pages = [client.get("/api/v1/classify", {**asked, "limit": "100", "offset": at}).json() for at in ("0", "100")]
    whole = client.get("/api/v1/classify", asked).json()
    assert (whole["found"], whole["whole"], [page["whole"] for page in pages]) == (130, True, [False, False])
    assert whole["assets"] == [*pages[0]["assets"], *pages[1]["assets"]]
    assert len({row["asset"] for row in whole["assets"]}) == 130
    ranked = client.get("/api/v1/classify", {**asked, "q": "harbour", "mode": "everything"}).json()
    assert {row["asset"] for row in ranked["assets"]} == {row["asset"] for row in whole["assets"]}
    monkeypatch.setattr(classifying, "MOST", 120)
    cut = client.get("/api/v1/classify", asked).json()
    assert (len(cut["assets"]), cut["found"], cut["whole"]) == (120, 130, False)
    out = StringIO()
    call_command("classify", "--query", "harbour", "--labels", "a,b", "--limit", "5", stdout=out)
    assert "These are the first 5; the search finds more." in out.getvalue()
