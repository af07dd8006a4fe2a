"""The life of a space once more, with the two models that come along and real workers: from drawings to photographs.

What is right is known here: each question is asked of a fixed collection, so each space has one right answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from PIL import Image

from archive.models import Asset, Collection, Space, SpaceState, Status, Work
from archive.spaces import activate, has_partitions
from search.engine import search
from search.pictures import keep_picture
from search.query import Mode, Query
from tests.cast import upload
from tests.faults.workers import Fleet, wait_for
from tests.prepared import as_jpeg
from workers.encoders.load import encoder_of
from workers.management import space_pace
from workers.scenes.drawing import draw
from workers.scenes.scene import draw_distinct_scenes
from workers.spaces import make_space

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]

OLD, NEW = "drawn-scenes", "everyday-things"
PICTURES = 24
SHOWN = 6
WORDS = ("a red boat", "houses", "a tree in the snow", "a cat", "the sea at night", "birds", "a green car", "mountains")
ROUNDING = 0.004  # halves of floats, and bf16 where a machine has it


@dataclass
class Searcher:
    """Asks without pause; `seen` has when, in which space, what was asked, and what was found."""

    name: str
    ask: Callable[[int], tuple[str, Query]]
    user: User
    seen: list[tuple[float, float, str, str, list[int]]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                about, query = self.ask(len(self.seen))
                start = time.monotonic()
                answer = search(query, self.user)
                found = [hit.asset.pk for hit in answer.hits]
                self.seen.append((start, time.monotonic(), answer.space, about, found))
                if len(found) != SHOWN or answer.note:
                    self.wrong.append(f"{self.name}: {about}: {len(found)} hits. {answer.note}")
                time.sleep(0.05)
        except Exception as error:
            self.wrong.append(f"{self.name}: {type(error).__name__}: {error}")
        finally:
            connection.close()


def space(*words: str) -> str:
    out = StringIO()
    call_command("space", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


def scene_files(folder: Path, seed: int, count: int) -> list[Path]:
    folder.mkdir()
    paths = []
    for number, scene in enumerate(draw_distinct_scenes(seed, count)):
        path = folder / f"{number}.jpg"
        path.write_bytes(as_jpeg(draw(scene, 240, 180)))
        paths.append(path)
    return paths


def read(key: str) -> bytes:
    with default_storage.open(key) as file:
        return bytes(file.read())


def all_ready() -> bool:
    return not Asset.objects.exclude(status=Status.READY).exists()


def searchers(user: User, fixed: list[Asset]) -> list[Searcher]:
    within: dict[str, Any] = {"collection": "harbour", "limit": SHOWN, "mode": Mode.EVERYTHING}

    def words(number: int) -> tuple[str, Query]:
        text = WORDS[number % len(WORDS)] + " " * (number // len(WORDS) % 3)  # some are remembered
        return text.strip(), Query(text=text, **within)

    def like(number: int) -> tuple[str, Query]:
        asset = fixed[number % PICTURES]
        return f"like {asset.pk}", Query(like=asset.uuid, **within)

    def picture(number: int) -> tuple[str, Query]:
        asset = fixed[number % PICTURES]
        key = keep_picture(ContentFile(read(asset.original), name="p.jpg"), user)
        return f"picture {asset.pk}", Query(picture=key, **within)

    return [Searcher(name, ask, user) for name, ask in (("words", words), ("like", like), ("picture", picture))]


@dataclass
class Crowd:
    """Everybody who searches and somebody who uploads, each in a thread; and which space was searched when."""

    everybody: list[Searcher]
    attic: Collection
    files: list[Path]
    moments: list[tuple[float, float, str]]
    stop: threading.Event = field(default_factory=threading.Event)
    uploaded: list[int] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Crowd:
        self.threads = [threading.Thread(target=one.run, args=(self.stop,)) for one in self.everybody]
        self.threads.append(threading.Thread(target=self.keep_uploading))
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(30)

    def keep_uploading(self) -> None:
        try:
            for path in self.files:
                self.uploaded.append(upload(self.attic, path).pk)
                if self.stop.wait(1.0):
                    return
        finally:
            connection.close()

    def switch(self, slug: str, *words: str) -> None:
        """Give the command, then let everybody ask a few times."""
        before = time.monotonic()
        space(*words)
        self.moments.append((before, time.monotonic(), slug))
        goal = {one.name: len(one.seen) + 4 for one in self.everybody}
        wait_for(
            lambda: bool(self.wrong()) or all(len(one.seen) >= goal[one.name] for one in self.everybody),
            60,
            "everybody asks",
        )

    def wrong(self) -> list[str]:
        return [sentence for one in self.everybody for sentence in one.wrong]

    def allowed(self, start: float, until: float) -> set[str]:
        """Which spaces may answer: between the moments before and after each switch it may be either."""
        ends = [after for _, after, _ in self.moments[1:]] + [float("inf")]
        times = zip(self.moments, ends, strict=True)
        return {slug for (before, _, slug), end in times if before <= until and start <= end}


def test_search_goes_on_from_one_real_model_to_the_other_and_back(
    harbour: Collection, alice: User, bob: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space_pace, "SECONDS", 0.2)
    attic = Collection.objects.create(slug="attic", name="Attic", owner=alice)
    old = make_space(OLD, f"shipped:{OLD}")
    activate(old)
    fixed = [upload(harbour, path) for path in scene_files(tmp_path / "fixed", 5, PICTURES)]
    crowd = Crowd(searchers(bob, fixed), attic, scene_files(tmp_path / "more", 6, 60), [(0.0, 0.0, OLD)])
    with Fleet(tmp_path, SIGHTLINE_ENCODE_BATCH="4") as fleet:
        fleet.start("encode", "media", "queries", "beat", children=1)
        wait_for(all_ready, 60, "the first pictures are encoded")
        with crowd:
            crowd.switch(NEW, "switch", NEW, "--yes", "--wait", "60")
            crowd.switch(OLD, "rollback")
            crowd.switch(NEW, "activate", NEW)
            space("retire", OLD)
            wait_for(lambda: not has_partitions(old), 40, "the old space is cleared away")
            crowd.switch(NEW, "list")
        assert crowd.wrong() == []
        wait_for(all_ready, 60, "what was uploaded meanwhile is ready")
    assert Space.objects.get(slug=NEW).state == SpaceState.ACTIVE
    assert len(crowd.uploaded) >= 5
    assert set(Asset.objects.filter(collection=attic).values_list("pk", flat=True)) == set(crowd.uploaded)
    assert not Work.objects.filter(target=OLD).exists()
    assert_all_answers_are_right(crowd, fixed)


def assert_all_answers_are_right(crowd: Crowd, fixed: list[Asset]) -> None:
    right = {slug: right_answers(slug, fixed) for slug in (OLD, NEW)}
    for one in crowd.everybody:
        assert {seen[2] for seen in one.seen} == {OLD, NEW}, one.name
        for start, until, answered_by, about, found in one.seen:
            assert answered_by in crowd.allowed(start, until), (one.name, about)
            problem = what_is_wrong(right[answered_by], about, found)
            assert not problem, (one.name, answered_by, about, problem)
    mixed = Right(right[NEW].ids, right[NEW].rows, right[OLD].asked)  # words of one, pictures of the other
    in_new = [(about, found) for *_, slug, about, found in crowd.everybody[0].seen if slug == NEW]
    seen = [bool(what_is_wrong(mixed, about, found)) for about, found in in_new]
    assert sum(seen) > 0.8 * len(seen)  # it would have been seen


@dataclass(frozen=True)
class Right:
    """In one space: the vectors of the fixed pictures, and of everything that was asked."""

    ids: list[int]
    rows: Any
    asked: dict[str, Any]


def right_answers(slug: str, fixed: list[Asset]) -> Right:
    """Computed here, with the model itself and not with what is stored: the old space is gone by now."""
    row = Space.objects.get(slug=slug)
    encoder = encoder_of(row)
    shown = []
    for asset in fixed:
        rendition = read(asset.renditions.get(spec="encoder").key)
        shown.append(encoder.prepare(Image.open(BytesIO(rendition)).convert("RGB")))
    rows = np.concatenate([encoder.encode_pictures(shown[i : i + 8]) for i in range(0, len(shown), 8)])
    ids = [asset.pk for asset in fixed]
    asked = dict(zip(WORDS, encoder.encode_texts(list(WORDS)), strict=True))
    for pk, vector in zip(ids, rows, strict=True):
        asked[f"like {pk}"] = asked[f"picture {pk}"] = vector
    return Right(ids, rows, asked)


def what_is_wrong(right: Right, about: str, found: list[int]) -> str:
    """Empty where these are the nearest of all, in their order, up to a rounding."""
    closeness = dict(zip(right.ids, (right.rows @ right.asked[about]).tolist(), strict=True))
    if about.startswith("like"):
        closeness.pop(int(about.split()[1]), None)
    best = sorted(closeness.values(), reverse=True)[: len(found)]
    got = [closeness.get(pk, -1.0) for pk in found]
    off = max(abs(one - other) for one, other in zip(best, got, strict=True))
    return f"off by {off:.4f}" if off > ROUNDING else ""
