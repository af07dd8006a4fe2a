"""`manage.py search`."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from archive import dispatch
from archive.models import Asset, Collection, Space
from tests.cast import make_jpeg, upload
from tests.prepared import make_encoded, random_rows
from workers.encode import drain_encode
from workers.prepare import drain_prepare

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def colours(
    harbour: Collection, bob: User, fake_space: Space, queries_in_process: None, tmp_path: Path
) -> dict[str, Asset]:
    names = ("red", "blue", "green")
    found = {name: upload(harbour, make_jpeg(tmp_path, f"{name}.jpg", name), bob) for name in names}
    drain_prepare()
    drain_encode()
    return found


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("search", *arguments, stdout=out)
    return out.getvalue()


def names(*arguments: str) -> list[str]:
    return [hit["filename"] for hit in json.loads(run(*arguments, "--json"))["hits"]]


def test_words_find_and_the_json_is_that_of_the_api(colours: dict[str, Asset]) -> None:
    answer = json.loads(run("red", "--limit", "2", "--json"))
    assert {"hits", "plan", "space", "asked", "got", "took"} <= set(answer)
    assert (answer["asked"], answer["got"], answer["space"]) == (2, 2, "fake")
    assert answer["hits"][0]["asset"] == str(colours["red"].uuid)


def test_a_picture_an_asset_and_a_refusal_can_be_asked_for(colours: dict[str, Asset], tmp_path: Path) -> None:
    reference = make_jpeg(tmp_path, "reference.jpg", "blue", (64, 64))
    assert names("--image", str(reference))[0] == "blue.jpg"
    assert "red.jpg" not in names("--like", str(colours["red"].uuid))
    assert names("green", "--not", "red", "--exact")[0] == "green.jpg"
    assert names("red", "--collection", "elsewhere") == []
    assert names("red", "--kind", "video") == []
    assert names("red", "--to", "2001-01-01") == []


def test_the_table_shows_rank_match_file_and_whole_id(colours: dict[str, Asset]) -> None:
    shown = run("red")
    first = next(line for line in shown.splitlines() if "red.jpg" in line)
    assert first.split() == ["1", "says", "it", "red.jpg", "harbour", str(colours["red"].uuid)]
    assert "3 found, exact" in shown


def test_the_table_says_how_close_a_hit_is_in_words_and_the_json_as_a_share(
    colours: dict[str, Asset], harbour: Collection, fake_space: Space
) -> None:
    make_encoded(harbour, fake_space, random_rows(60))
    Asset.objects.filter(pk=colours["blue"].pk).update(title="Something red")
    found = {hit["filename"]: hit for hit in json.loads(run("something red", "--json"))["hits"]}
    lines = {line.split()[-3]: line for line in run("something red").splitlines() if "harbour" in line}
    assert 0.9 < found["red.jpg"]["share"] <= 1
    assert f"closer than {min(99, int(found['red.jpg']['share'] * 100))} in 100" in lines["red.jpg"]
    assert "says it" in lines["blue.jpg"]
    assert not re.search(r"\d\.\d", lines["red.jpg"].split("red.jpg")[0])


def test_as_somebody_only_what_they_see_is_found(colours: dict[str, Asset], visitor: User) -> None:
    assert names("red", "--user", "visitor") == []
    assert len(names("red", "--user", "bob")) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--limit", "many"], "whole number"),
        (["--from", "yesterday"], "Write a date"),
        (["--like", "nothing"], "not the id"),
        (["--image", "/nowhere/at/all.jpg"], "No such file"),
        (["red", "--user", "mallory"], "nobody named"),
        (["--not", "red"], "Say what to look for"),
    ],
)
def test_what_makes_no_sense_ends_in_a_sentence(colours: dict[str, Asset], arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        run(*arguments)


def test_a_file_that_is_no_picture_ends_in_a_sentence(colours: dict[str, Asset], tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("just words")
    with pytest.raises(CommandError, match="not a picture"):
        run("--image", str(tmp_path / "notes.jpg"))


def test_without_a_worker_the_command_says_what_is_wrong(
    colours: dict[str, Asset], monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*args: Any, **kwargs: Any) -> None:
        raise dispatch.BrokerUnavailable("down")

    monkeypatch.setattr(dispatch, "ask", down)
    with pytest.raises(CommandError, match="search worker does not answer"):
        run("words that nobody asked before")
