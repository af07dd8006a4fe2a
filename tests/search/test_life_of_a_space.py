"""People search without pause while a new model comes in, takes over, is taken back, and the old one goes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection
from PIL import Image

from archive.models import Asset, Collection, Embedding, Space, SpaceState, Status, Work
from archive.spaces import activate, clear_away, has_partitions, retire
from search import engine, neighbours, terms
from search.engine import search
from search.failures import StaleCursor
from search.hits import Answer
from search.pictures import keep_picture
from search.query import Query
from tests.cast import make_jpeg, upload
from tests.prepared import make_prepared
from workers.encode import drain_encode
from workers.encoders.load import encoder_of
from workers.prepare import drain_prepare
from workers.spaces import make_space
from workers.upkeep import look_after_spaces

pytestmark = pytest.mark.django_db(transaction=True)

COLOURS = ("red", "lime", "blue")
OF_EACH = 15
SHOWN = 8
PATIENCE = 90


@dataclass
class Searcher:
    """Asks the same kind of question again and again, and notes what was wrong with an answer."""

    name: str
    ask: Callable[[int], list[tuple[Answer, str]]]  # answers, each with the colour that all of it must have
    asked: int = 0
    wrong: list[str] = field(default_factory=list)
    answers: list[tuple[float, float, str, str]] = field(default_factory=list)  # from, until, space, plan

    def run(self, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                start = time.monotonic()
                for answer, colour in self.ask(self.asked):
                    self.look_at(answer, colour, start)
                self.asked += 1
        except Exception as error:
            self.wrong.append(f"{self.name}: {type(error).__name__}: {error}")
        finally:
            connection.close()

    def look_at(self, answer: Answer, colour: str, start: float) -> None:
        found = [hit.asset.filename for hit in answer.hits]
        if len(found) != SHOWN or not all(name.startswith(colour) for name in found):
            self.wrong.append(f"{self.name}, in {answer.space}: asked for {colour}, got {found}")
        self.answers.append((start, time.monotonic(), answer.space, answer.plan))


@dataclass
class Switches:
    """Which space was searched when: between the moments before and after each switch it may be either."""

    log: list[tuple[float, float, str]]

    def to(self, slug: str, switch: Callable[[], Any]) -> None:
        before = time.monotonic()
        switch()
        self.log.append((before, time.monotonic(), slug))

    def allowed(self, start: float, until: float) -> set[str]:
        ends = [after for _, after, _ in self.log[1:]] + [float("inf")]
        return {slug for (before, _, slug), end in zip(self.log, ends, strict=True) if before <= until and start <= end}


def jpeg(colour: str, number: int) -> ContentFile[bytes]:
    out = BytesIO()
    Image.new("RGB", (40 + number % 100, 30), colour).save(out, "JPEG", quality=95)
    return ContentFile(out.getvalue(), name="reference.jpg")


def run(*words: str) -> str:
    out = StringIO()
    call_command("space", *words, stdout=out)
    return out.getvalue()


def listed() -> dict[str, dict[str, Any]]:
    return {row["slug"]: row for row in json.loads(run("list", "--json"))}


def wait_until(true: Callable[[], bool], what: str) -> None:
    """Patiently: with all the others at work, and on a busy machine, each look takes its time."""
    give_up = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < give_up, f"{what}: not within {PATIENCE} seconds; {listed()}"
        time.sleep(0.2)


@pytest.fixture
def old(db: None) -> Space:
    space = make_space("old", "fake")
    activate(space)
    return space


@pytest.fixture
def coloured(harbour: Collection, old: Space) -> dict[str, list[Asset]]:
    """Equal pictures but for their size. In the other space red is where lime was, so a mixed answer shows."""
    found: dict[str, list[Asset]] = {colour: [] for colour in COLOURS}
    for number in range(OF_EACH):
        for colour in COLOURS:
            picture = Image.new("RGB", (64 + number, 48), colour)
            found[colour].append(make_prepared(harbour, picture, old, name=f"{colour}-{number}.jpg"))
    drain_encode()
    return found


@pytest.fixture
def small_indexes(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that an index is built, and used, in an archive of a few dozen."""
    settings.SIGHTLINE_INDEX_FROM = 40
    monkeypatch.setattr(neighbours, "gate_threshold", lambda rows: 20)


@pytest.fixture
def uploads(harbour: Collection, tmp_path: Path) -> Iterator[list[str]]:
    """Somebody uploads all the time, and workers are at it. What went wrong is in the list."""
    stop, wrong = threading.Event(), []

    def work() -> None:
        number = 0
        try:
            while not stop.is_set():
                colour = COLOURS[number % 3]
                name = f"{colour}-new-{number}.jpg"
                upload(harbour, make_jpeg(tmp_path, name, colour, (90 + number, 60)))
                number += 1
                drain_prepare(1)
                drain_encode(1)
                look_after_spaces()
        except Exception as error:
            wrong.append(f"upload: {type(error).__name__}: {error}")
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield wrong
    stop.set()
    thread.join(30)


def searchers(user: User, coloured: dict[str, list[Asset]]) -> list[Searcher]:
    def colour_of(number: int) -> str:
        return COLOURS[number % 3]

    def words(number: int) -> list[tuple[Answer, str]]:
        text = f"{colour_of(number)} {number % 7}"  # some are remembered, some are not
        return [(search(Query(text=text, limit=SHOWN), user), colour_of(number))]

    def filtered(number: int) -> list[tuple[Answer, str]]:
        query = Query(text=f"{colour_of(number)} thing", collection="harbour", kind="photo", limit=SHOWN)
        return [(search(query, user), colour_of(number))]

    def like(number: int) -> list[tuple[Answer, str]]:
        asset = coloured[colour_of(number)][number % OF_EACH]
        return [(search(Query(like=asset.uuid, limit=SHOWN), user), colour_of(number))]

    def picture(number: int) -> list[tuple[Answer, str]]:
        key = keep_picture(jpeg(colour_of(number), number), user)
        return [(search(Query(picture=key, limit=SHOWN), user), colour_of(number)) for _ in range(3)]

    asking = {"words": words, "filters": filtered, "like": like, "picture": picture}
    return [Searcher(name, ask) for name, ask in asking.items()]


def test_an_answer_that_mixed_two_spaces_would_show(coloured: dict[str, list[Asset]], old: Space) -> None:
    """What the next test rests on: words of one space find the wrong pictures in the other."""
    new = make_space("new", "fake", "x")
    run("backfill", "new")
    drain_encode()
    red = {asset.pk for asset in coloured["red"]}
    for words, pictures_of in ((old, new), (new, old)):
        vector = encoder_of(words).encode_texts(["red"])[0]
        mixed = neighbours.find_neighbours(pictures_of, vector, Asset.objects.all(), SHOWN).neighbours
        assert not red & {one.asset_id for one in mixed}
        right = neighbours.find_neighbours(words, vector, Asset.objects.all(), SHOWN).neighbours
        assert red >= {one.asset_id for one in right}


@pytest.mark.timeout(400)
def test_search_goes_on_through_the_whole_life_of_a_space(
    coloured: dict[str, list[Asset]],
    old: Space,
    bob: User,
    queries_in_process: None,
    small_indexes: None,
    uploads: list[str],
) -> None:
    everybody = searchers(bob, coloured)
    stop = threading.Event()
    threads = [threading.Thread(target=one.run, args=(stop,)) for one in everybody]
    switches = Switches([(0.0, 0.0, "old")])

    def all_ask_a_few_times() -> None:
        goal = {one.name: one.asked + 3 for one in everybody}
        wait_until(
            lambda: any(one.wrong for one in everybody) or all(one.asked >= goal[one.name] for one in everybody),
            "everybody asks",
        )
        assert [sentence for one in everybody for sentence in one.wrong] == []

    for thread in threads:
        thread.start()
    try:
        run("index", "old")
        all_ask_a_few_times()
        run("create", "new", "--model", "fake", "--weights", "x")
        all_ask_a_few_times()
        assert listed()["new"]["state"] == "building"
        run("backfill", "new")
        wait_until(lambda: bool(uploads) or listed()["new"]["share"] == 1.0, "the new space is full")
        assert uploads == []
        assert listed()["new"]["state"] == "building"  # not without its index
        run("index", "new")
        wait_until(lambda: bool(uploads) or listed()["new"]["state"] == "ready", "it is ready by itself")
        all_ask_a_few_times()
        for slug, verb in (("new", ["activate", "new"]), ("old", ["rollback"]), ("new", ["activate", "new"])):
            switches.to(slug, lambda verb=verb: run(*verb))  # type: ignore[misc]
            all_ask_a_few_times()
        run("retire", "old")
        all_ask_a_few_times()
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert [sentence for one in everybody for sentence in one.wrong] == []
    assert uploads == []
    for one in everybody:
        stray = [answer for answer in one.answers if answer[2] not in switches.allowed(answer[0], answer[1])]
        assert stray == [], one.name
        assert {space for _, _, space, _ in one.answers} == {"old", "new"}
        assert {plan for _, _, _, plan in one.answers} >= {"hnsw"}
    state = listed()
    assert (state["new"]["state"], state["old"]["state"]) == ("active", "retired")
    assert state["new"]["index"]["valid"]
    assert (state["old"]["bytes"], has_partitions(old)) == (0, False)
    assert not Work.objects.filter(target="old").exists()
    assert Asset.objects.filter(filename__contains="new", status=Status.READY).count() >= 3
    assert not Asset.objects.filter(status=Status.FAILED).exists()


def test_what_was_uploaded_before_a_roll_back_is_found_after_it(
    coloured: dict[str, list[Asset]], old: Space, bob: User, harbour: Collection, queries_in_process: None
) -> None:
    new = make_space("new", "fake", "x")
    run("backfill", "new")
    drain_encode()
    run("activate", "new")
    late = make_prepared(harbour, Image.new("RGB", (300, 200), "yellow"), new, old, name="late.jpg")
    drain_encode()
    run("rollback")
    answer = search(Query(text="yellow", limit=1), bob)
    assert (answer.space, answer.hits[0].asset) == ("old", late)
    run("rollback")  # and forth
    assert search(Query(text="yellow", limit=1), bob).space == "new"


def test_a_search_whose_space_is_retired_under_it_is_answered_by_the_one_that_took_over(
    coloured: dict[str, list[Asset]], old: Space, bob: User, queries_in_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = make_space("new", "fake", "x")
    run("backfill", "new")
    drain_encode()
    encode = terms.encode_terms
    seen = []

    def encode_and_lose_the_space(query: Query, space: Space, user: User) -> Any:
        wanted = encode(query, space, user)
        seen.append(space.slug)
        if space.slug == "old":
            activate(new)
            retire(old)
            assert clear_away(old)
        return wanted

    monkeypatch.setattr(engine, "encode_terms", encode_and_lose_the_space)
    answer = search(Query(text="red", limit=SHOWN), bob)
    assert seen == ["old", "new"]
    assert (answer.space, answer.got) == ("new", SHOWN)
    assert all(hit.asset.filename.startswith("red") for hit in answer.hits)


def test_the_pages_of_a_search_stay_in_the_space_of_the_first(
    coloured: dict[str, list[Asset]], old: Space, bob: User, queries_in_process: None
) -> None:
    new = make_space("new", "fake", "x")
    run("backfill", "new")
    drain_encode()
    first = search(Query(text="red", limit=10), bob)
    activate(new)
    second = search(Query(text="red", limit=10, offset=10, cursor=first.cursor), bob)
    assert (first.space, second.space) == ("old", "old")
    shown = [hit.asset.pk for hit in (*first.hits, *second.hits)]
    assert len(shown) == len(set(shown)) == 20
    assert search(Query(text="red", limit=10), bob).space == "new"
    retire(old)
    clear_away(old)
    assert search(Query(text="red", limit=10, offset=20), bob).space == "new"
    with pytest.raises(StaleCursor):  # its space is gone: no page of another may follow
        search(Query(text="red", limit=10, offset=20, cursor=first.cursor), bob)


def test_a_reference_picture_outlives_a_switch(
    coloured: dict[str, list[Asset]], old: Space, bob: User, queries_in_process: None
) -> None:
    new = make_space("new", "fake", "x")
    run("backfill", "new")
    drain_encode()
    key = keep_picture(jpeg("blue", 1), bob)
    assert search(Query(picture=key, limit=SHOWN), bob).space == "old"
    activate(new)
    answer = search(Query(picture=key, limit=SHOWN), bob)
    assert answer.space == "new"
    assert all(hit.asset.filename.startswith("blue") for hit in answer.hits)
    assert Embedding.objects.filter(space=new).count() == 3 * OF_EACH
    assert Space.objects.get(slug="old").state == SpaceState.READY
