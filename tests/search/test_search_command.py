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
from search.management.commands.search import OPTIONS, SWITCHES, read_query
from search.query import Query
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


def test_pages_follow_each_other_by_what_the_one_before_says(colours: dict[str, Asset]) -> None:
    for asked in (["red"], ["--order", "taken"], []):
        first = json.loads(run(*asked, "--limit", "2", "--json"))
        said = run(*asked, "--limit", "2").splitlines()[-1]
        assert said.startswith("There is more: --offset 2 --cursor ")
        following = said.removeprefix("There is more: ").split()
        last = json.loads(run(*asked, "--limit", "2", *following, "--json"))
        assert [hit["rank"] for hit in last["hits"]] == [3]
        assert len({hit["asset"] for hit in (*first["hits"], *last["hits"])}) == 3
        assert not last["more"]


def test_a_picture_is_not_sent_again_for_its_next_page(colours: dict[str, Asset], tmp_path: Path) -> None:
    image = ("--image", str(make_jpeg(tmp_path, "reference.jpg", "blue", (64, 64))))
    first = run(*image, "--limit", "2")
    following = first.splitlines()[-1].removeprefix("There is more: ").split()
    assert following[0] == "--picture"
    (last,) = names(*following, "--limit", "2")
    assert last not in first


def test_words_weigh_as_much_as_they_are_told_beside_a_picture(colours: dict[str, Asset], tmp_path: Path) -> None:
    image = ("--image", str(make_jpeg(tmp_path, "reference.jpg", "blue", (64, 64))))
    assert names("red", *image, "--balance", "0.95")[0] == "red.jpg"
    assert names("red", *image, "--balance", "0.05")[0] == "blue.jpg"


def test_words_can_be_meant_literally(colours: dict[str, Asset]) -> None:
    read = dict.fromkeys(OPTIONS) | {"text": "red without blue", "limit": "5", "exact": False}
    assert read_query({**read, "literal": True}) == Query(text="red without blue", literal=True, limit=5)
    assert read_query({**read, "literal": False}) == Query(text="red", without="blue", limit=5)
    assert run("red without blue", "--literal", "--json") != run("red without blue", "--json")


def test_every_part_of_a_query_can_be_said() -> None:
    assert Query.names() - {"q"} == {*OPTIONS, *SWITCHES}  # words are the argument


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
        (["red", "--balance", "2"], "from 0.05 to 0.95"),
        (["red", "--offset", "-1"], "whole number"),
        (["red", "--offset", "1", "--cursor", "old"], "not kept any more"),
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
