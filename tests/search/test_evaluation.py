"""`manage.py space evaluate`: numbers that were measured, the same for the same archive, and a bar to clear."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from archive.models import Asset, Collection, Embedding, Space, Status
from archive.spaces import activate, backfill, build_index
from search.evaluation.bar import BadBar, Bar, lightest
from search.evaluation.evaluate import Evaluation
from search.evaluation.judged import judged_by_captions
from search.evaluation.measures import measure_captions, measure_index, measure_labels
from tests.prepared import make_encoded, make_prepared, random_rows
from workers.encode import drain_encode
from workers.management import space_pace
from workers.management.space_pace import measure_pace, read_texts
from workers.spaces import make_space

COLOURS = ("red", "lime", "blue", "yellow")


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space_pace, "SECONDS", 0.05)


@pytest.fixture
def captioned(transactional_db: None, harbour: Collection, fake_space: Space) -> list[Asset]:
    """Each colour has a picture whose caption names it; the fake encoder knows exactly that."""
    assets = [
        make_prepared(harbour, Image.new("RGB", (64 + i, 48), colour), fake_space, name=f"{colour}.jpg")
        for i, colour in enumerate(COLOURS)
    ]
    drain_encode()
    for asset, colour in zip(assets, COLOURS, strict=True):
        Asset.objects.filter(pk=asset.pk).update(caption=f"a {colour} thing")
    return assets


def run(*words: str) -> Any:
    out = StringIO()
    call_command("space", "evaluate", *words, "--json", stdout=out)
    return json.loads(out.getvalue())


def labels(folder: Path, *rows: str) -> str:
    path = folder / "labels.csv"
    path.write_text("\n".join(rows) + "\n")
    return str(path)


def test_a_space_is_measured_and_keeps_what_was_seen(captioned: list[Asset], fake_space: Space, tmp_path: Path) -> None:
    named = labels(tmp_path, "filename,label", *(f"{colour}.jpg,{colour}" for colour in COLOURS))
    report = run("--labels", named)
    (row,) = report["spaces"]
    assert (row["slug"], row["coverage"], row["rows"]) == ("fake", 1.0, 4)
    assert (row["captions"], row["R@1"], row["R@5"]) == (4, 1.0, 1.0)
    assert (row["labelled"], row["accuracy"]) == (4, 1.0)
    assert (row["indexed"], row["recall@10"]) == (False, None)
    assert row["pictures_a_second"] > 0
    assert row["text_ms"] > 0
    assert (report["bar"], report["lightest"]) == (None, None)
    fake_space.refresh_from_db()
    assert fake_space.evaluation == row


def test_a_large_space_without_an_index_is_asked_for_fewer_captions(
    captioned: list[Asset], fake_space: Space, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is an exact scan of it, and the task has a limit."""
    monkeypatch.setattr("search.evaluation.evaluate.FEW", 3)
    settings.SIGHTLINE_INDEX_FROM = 4
    assert [row["captions"] for row in run()["spaces"]] == [3]
    assert build_index(fake_space)
    assert [row["captions"] for row in run()["spaces"]] == [4]


def test_wrong_captions_and_wrong_labels_cost(captioned: list[Asset], tmp_path: Path) -> None:
    Asset.objects.filter(filename="red.jpg").update(caption="a lime thing, really")
    Asset.objects.filter(filename="lime.jpg").update(caption="red, they say")
    named = labels(tmp_path, "filename,label", "red.jpg,red", "lime.jpg,blue", "blue.jpg,lime", "yellow.jpg,yellow")
    (row,) = run("--labels", named)["spaces"]
    assert (row["R@1"], row["R@5"], row["accuracy"]) == (0.5, 1.0, 0.5)


def test_equal_captions_are_answered_by_any_of_their_assets(captioned: list[Asset], fake_space: Space) -> None:
    Asset.objects.filter(filename__in=("red.jpg", "blue.jpg")).update(caption="A Red one")
    found = measure_captions(fake_space, judged_by_captions().captions, read_texts)
    assert found is not None
    assert (found.asked, found.at[1]) == (3, 1.0)


def test_what_a_space_does_not_hold_is_missed(captioned: list[Asset], fake_space: Space) -> None:
    Embedding.objects.filter(asset=captioned[0]).delete()
    judged = judged_by_captions()
    found = measure_captions(fake_space, judged.captions, read_texts)
    assert found is not None
    assert found.at[5] == 0.75
    right = {asset.pk: colour for asset, colour in zip(captioned, COLOURS, strict=True)}
    assert measure_labels(fake_space, right, read_texts) == 0.75


def test_without_captions_and_labels_nothing_is_made_up(captioned: list[Asset], fake_space: Space) -> None:
    Asset.objects.update(caption="")
    (row,) = run("fake")["spaces"]
    assert (row["captions"], row["R@1"], row["R@5"], row["labelled"], row["accuracy"]) == (0, None, None, 0, None)


def test_the_recall_is_that_of_the_index(
    transactional_db: None, harbour: Collection, fake_space: Space, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = random_rows(300)
    make_encoded(harbour, fake_space, rows)
    assert measure_index(fake_space, list(rows[:10])) is None
    settings.SIGHTLINE_INDEX_FROM = 100
    assert build_index(fake_space)
    monkeypatch.setattr("search.neighbours.gate_threshold", lambda space: 50)
    recall = measure_index(fake_space, list(rows[:10]))
    assert recall is not None
    assert 0.8 < recall <= 1.0
    # Against an index that loses half of what there is, it says so.
    hidden = Asset.objects.filter(pk__in=Asset.objects.values("pk")[:150])
    Embedding.objects.filter(asset__in=hidden).update(representative=False)
    monkeypatch.setattr("search.neighbours.REMEMBER_SECONDS", 0)
    less = measure_index(fake_space, list(rows[:10]))
    assert less is not None
    assert less < recall


def test_the_lightest_that_clears_the_bar_is_named(captioned: list[Asset], fake_space: Space) -> None:
    other = make_space("other", "fake", "x")
    backfill(other)
    drain_encode()
    report = run("--bar", "R@5=0.8")
    fastest = max(report["spaces"], key=lambda row: row["pictures_a_second"])
    assert (report["lightest"], report["bar"]) == (fastest["slug"], {"measure": "R@5", "least": 0.8})
    Embedding.objects.filter(space=other).delete()
    assert run("--bar", "R@5=0.8")["lightest"] == "fake"
    Embedding.objects.all().delete()
    with pytest.raises(SystemExit):
        run("--bar", "R@5=0.8")


def evaluation(slug: str, pace: float, **measured: float | None) -> Evaluation:
    whole: dict[str, Any] = {"recall": None, "r1": None, "r5": None, "accuracy": None, **measured}
    return Evaluation(
        slug, "ready", 1.0, 9, False, captions=1, labelled=1, text_ms=1.0, device="cpu", bytes_a_million=None, at="",
        pictures_a_second=pace, **whole,
    )  # fmt: skip


def test_light_is_what_encodes_the_most_pictures() -> None:
    found = [evaluation("large", 2, r5=0.9), evaluation("small", 80, r5=0.81), evaluation("tiny", 300, r5=0.5)]
    best = lightest(found, Bar.read("R@5=0.8"))
    assert best
    assert best.slug == "small"
    assert lightest(found, Bar("R@5", 0.95)) is None
    assert lightest(found, Bar("accuracy", 0.0)) is None  # what was not measured clears nothing


@pytest.mark.parametrize("text", ["R@5", "R@7=0.5", "R@5=80", "R@5=x", "=0.5", "R@5=-1", "R@5=nan"])
def test_a_bar_that_is_none_is_refused_in_words(db: None, text: str) -> None:
    with pytest.raises(BadBar, match="Write a bar as"):
        Bar.read(text)
    with pytest.raises(CommandError, match="Write a bar as"):
        call_command("space", "evaluate", "--bar", text)


def test_files_of_labels_that_cannot_be_used_are_refused_in_words(captioned: list[Asset], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="first line that names its columns"):
        run("--labels", labels(tmp_path, "red.jpg,red"))
    with pytest.raises(CommandError, match="None of the 1 file names"):
        run("--labels", labels(tmp_path, "filename,label", "nowhere.jpg,red"))
    with pytest.raises(CommandError, match="cannot be read"):
        run("--labels", str(tmp_path / "missing.csv"))


def test_the_table_names_what_was_not_measured(captioned: list[Asset]) -> None:
    out = StringIO()
    call_command("space", "evaluate", "fake", "--bar", "R@1=0.5", stdout=out)
    table = out.getvalue()
    assert "pictures/s" in table
    assert "exact" in table  # instead of the recall of an index that there is not
    assert "the lightest with R@1 of 0.5 or more: fake" in table


def test_a_retired_space_is_not_measured(captioned: list[Asset], fake_space: Space) -> None:
    with pytest.raises(CommandError, match="no space 'nothing'"):
        run("nothing")
    activate(make_space("other", "fake", "x"), even_if_partial=True)
    call_command("space", "retire", "fake", stdout=StringIO())
    with pytest.raises(CommandError, match="fake is retired"):
        run("fake")
    assert [row["slug"] for row in run()["spaces"]] == ["other"]


def test_texts_and_pictures_are_read_by_the_encoder_of_the_space(captioned: list[Asset], fake_space: Space) -> None:
    vectors = read_texts(fake_space, ["red"] * 70)
    assert vectors.shape == (70, 768)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert measure_pace(fake_space).device == "cpu"
    assert Asset.objects.filter(status=Status.READY).count() == 4
