"""What may happen to real workers, and what must be true afterwards: nothing lost, nothing twice, nothing wrong."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import orjson
import pytest
import redis
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from PIL import Image
from rest_framework.authtoken.models import Token

from archive import dispatch
from archive.models import Asset, Collection, Embedding, Space, Status, Step, Work, WorkState
from tests import pictures
from tests.archive.bundled_processes import free_port
from tests.faults import DEADLY, POISON
from tests.faults.workers import Doorbells, Fleet, Running, holders, kill_a_holder, wait_for
from tests.prepared import fake_rows, make_prepared
from tests.workers.test_prepare import take_in

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

SMALL = (64, 48)


@pytest.fixture
def fleet(tmp_path: Path, db: None) -> Iterator[Fleet]:
    with Fleet(tmp_path) as fleet:
        yield fleet


def prepare_many(harbour: Collection, space: Space, count: int) -> list[Asset]:
    return [make_prepared(harbour, pictures.distinct(seed, SMALL), space) for seed in range(count)]


def all_settled() -> bool:
    return not Work.objects.filter(state__in=(WorkState.READY, WorkState.RUNNING)).exists()


def assert_each_has_its_one_right_vector(space: Space, assets: list[Asset]) -> None:
    assert (
        list(Work.objects.exclude(last_error="").values_list("step", "state", "crashes", "errors", "last_error")) == []
    )
    assert set(Asset.objects.values_list("status", flat=True)) == {Status.READY}
    assert set(Work.objects.values_list("state", "token")) == {(WorkState.DONE, None)}
    stored = dict(Embedding.objects.filter(space=space).values_list("asset", "vector"))
    assert Embedding.objects.count() == len(assets)
    assert set(stored) == {asset.pk for asset in assets}
    found = np.array([stored[asset.pk] for asset in assets], dtype=np.float32)
    likeness = found @ fake_rows([pictures.distinct(seed, SMALL) for seed in range(len(assets))]).T
    assert np.diagonal(likeness).min() > 0.999
    assert (likeness.argmax(axis=1) == np.arange(len(assets))).all()


def test_children_killed_in_the_middle_and_redis_flushed_lose_no_picture(
    fleet: Fleet, harbour: Collection, fake_space: Space
) -> None:
    assets = prepare_many(harbour, fake_space, 200)
    encode, *_ = fleet.start("encode", "media", "beat")
    killed: set[int] = set()
    for turn in range(10):  # who died a moment ago still holds its lease, and may be met again
        killed.add(kill_a_holder())
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.flushall()
        time.sleep(1)
        if turn >= 3 and len(killed - {0}) >= 2:
            break
    wait_for(all_settled, 120, "all 200 are encoded")
    assert len(killed - {0}) >= 2
    assert_each_has_its_one_right_vector(fake_space, assets)
    deaths = Work.objects.filter(step=Step.ENCODE, crashes__gt=0).count()
    assert deaths >= 2  # they died while they held something
    assert encode.process.poll() is None
    maps = Path(f"/proc/{encode.pid}/maps").read_text()
    assert "libtorch" not in maps  # the parent of the pool, which forks
    assert all(pid not in killed for pid in encode.children())


def test_a_worker_killed_with_all_its_children_is_replaced_by_the_next(
    fleet: Fleet, harbour: Collection, fake_space: Space
) -> None:
    assets = prepare_many(harbour, fake_space, 60)
    encode, *_ = fleet.start("encode", "media", "beat")
    dispatch.ring(Step.ENCODE)
    wait_for(lambda: bool(holders()), 20, "somebody works")
    children = encode.children()
    os.kill(encode.pid, signal.SIGKILL)  # the parent alone: its children must not go on without it
    encode.process.wait(10)
    wait_for(lambda: not any(_lives(pid) for pid in children), 5, "the children go with their parent")
    assert not all_settled()
    fleet.start("encode")
    wait_for(all_settled, 60, "the rest is encoded")
    assert_each_has_its_one_right_vector(fake_space, assets)


def test_a_worker_that_slept_past_its_lease_is_fenced(fleet: Fleet, harbour: Collection, fake_space: Space) -> None:
    assets = prepare_many(harbour, fake_space, 40)
    encode, *_ = fleet.start("encode", "media", "beat")
    dispatch.ring(Step.ENCODE)
    wait_for(lambda: bool(holders()), 20, "somebody works")
    sleeper = holders()[0]
    os.kill(sleeper, signal.SIGSTOP)
    try:
        asleep_with = set(
            Work.objects.filter(state=WorkState.RUNNING, worker__endswith=f":{sleeper}").values_list("pk", flat=True)
        )
        assert asleep_with
        dispatch.ring(Step.ENCODE)
        wait_for(all_settled, 60, "others do its work")
        done = dict(Work.objects.filter(pk__in=asleep_with).values_list("pk", "done_at"))
        assert set(Work.objects.filter(pk__in=asleep_with).values_list("crashes", flat=True)) == {1}
    finally:
        os.kill(sleeper, signal.SIGCONT)
    wait_for(lambda: "fenced" in encode.output(), 30, "the sleeper's results are refused")
    assert dict(Work.objects.filter(pk__in=asleep_with).values_list("pk", "done_at")) == done
    assert_each_has_its_one_right_vector(fake_space, assets)


def test_a_worker_told_to_stop_gives_back_what_it_holds(tmp_path: Path, harbour: Collection, fake_space: Space) -> None:
    """At the worst moment: just after it began a drain, with batches that take seconds."""
    with Fleet(tmp_path, DRILL_SECONDS_A_PICTURE="0.3") as fleet:
        prepare_many(harbour, fake_space, 120)
        (encode,) = fleet.start("encode")
        dispatch.ring(Step.ENCODE)
        wait_for(lambda: bool(holders()), 20, "somebody works")
        start = time.monotonic()
        encode.process.terminate()
        encode.process.wait(30)
        assert time.monotonic() - start < 30
        states = set(Work.objects.filter(step=Step.ENCODE).values_list("state", flat=True))
        assert states <= {WorkState.READY, WorkState.DONE}
        assert WorkState.READY in states
        assert set(Work.objects.values_list("crashes", "errors")) == {(0, 0)}
        done = Work.objects.filter(step=Step.ENCODE, state=WorkState.DONE).count()
        assert Embedding.objects.count() == done


def test_a_picture_that_kills_its_worker_fails_alone(fleet: Fleet, harbour: Collection, fake_space: Space) -> None:
    good = [make_prepared(harbour, pictures.distinct(seed, SMALL), fake_space) for seed in range(7)]
    bad = make_prepared(harbour, Image.new("RGB", SMALL, DEADLY), fake_space)
    fleet.start("encode", "media", "beat")
    dispatch.ring(Step.ENCODE)
    wait_for(all_settled, 120, "seven are done and one is set aside")
    bad.refresh_from_db()
    assert (bad.status, bad.error) == (Status.FAILED, "The worker died 4 times while it had this file.")
    assert set(Asset.objects.filter(pk__in=[a.pk for a in good]).values_list("status", flat=True)) == {Status.READY}
    assert Embedding.objects.count() == 7


def test_a_picture_that_kills_the_decoder_fails_alone(fleet: Fleet, harbour: Collection, fake_space: Space) -> None:
    good = [take_in(harbour, pictures.jpeg(pictures.distinct(seed, SMALL))) for seed in range(7)]
    bad = take_in(harbour, pictures.jpeg(comment=POISON))
    fleet.start("media", "encode", "beat", children=1)

    def settled() -> bool:
        Work.objects.filter(state=WorkState.READY).update(not_before="2000-01-01T00:00Z")  # skip its pauses
        return all_settled()

    wait_for(settled, 90, "seven are done and one is set aside")
    bad.refresh_from_db()
    assert bad.status == Status.FAILED
    assert bad.error == "The decoder was ended by signal 9 while it read this file."
    assert set(Asset.objects.filter(pk__in=[a.pk for a in good]).values_list("status", flat=True)) == {Status.READY}


@pytest.fixture
def token(bob: User) -> dict[str, str]:
    return {"Authorization": f"Token {Token.objects.create(user=bob).key}"}


@dataclass(frozen=True)
class Reply:
    status: int
    json: dict[str, Any]


def ask(port: int, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> Reply:
    """A request over loopback; with a `body`, one that posts a form."""
    data = None if body is None else encode_multipart(BOUNDARY, body)
    kind = {} if body is None else {"Content-Type": MULTIPART_CONTENT}
    request = Request(f"http://127.0.0.1:{port}{path}", data, {**kind, **(headers or {})})
    with urlopen(request, timeout=30) as response:  # noqa: S310  (our own address)
        return Reply(response.status, orjson.loads(response.read()))


def post(port: int, token: dict[str, str], data: bytes, name: str = "a.jpg") -> Reply:
    body = {"collection": "harbour", "file": SimpleUploadedFile(name, data, "image/jpeg")}
    return ask(port, "/api/v1/assets", body, token)


def start_web(fleet: Fleet, port: int) -> Running:
    (web,) = fleet.start("web")

    def answers() -> bool:
        try:
            return ask(port, "/healthz").status == 200
        except OSError:
            return False

    wait_for(answers, 60, "the web answers")
    return web


def test_the_same_file_twenty_times_at_once_over_http_is_one_asset(
    tmp_path: Path, harbour: Collection, fake_space: Space, token: dict[str, str]
) -> None:
    port = free_port()
    with Fleet(tmp_path, port=port) as fleet:
        start_web(fleet, port)
        fleet.start("media", "encode", "beat", children=1)
        data = pictures.jpeg(pictures.distinct(0, SMALL))
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda number: post(port, token, data, f"{number}.jpg"), range(20)))
        assert sorted(a.status for a in answers) == [200] * 19 + [201]
        asset = Asset.objects.get()
        assert {answer.json["asset"] for answer in answers} == {str(asset.uuid)}
        originals = list((Path(settings.MEDIA_ROOT) / "originals").rglob(asset.sha256))
        assert len(originals) == 1
        wait_for(all_settled, 60, "it is encoded")
        assert Work.objects.count() == 2
        assert Embedding.objects.count() == 1


def test_uploads_go_on_without_redis_and_are_encoded_when_it_is_back(
    tmp_path: Path, harbour: Collection, fake_space: Space, token: dict[str, str]
) -> None:
    port = free_port()
    doorbells = Doorbells(tmp_path)
    doorbells.start()
    try:
        with Fleet(tmp_path, redis_url=doorbells.url, port=port) as fleet:
            start_web(fleet, port)
            fleet.start("media", "encode", "beat", children=1)
            assert post(port, token, pictures.jpeg(pictures.distinct(0, SMALL))).status == 201
            wait_for(all_settled, 60, "the first is encoded")
            doorbells.stop()
            took = []
            for seed in range(1, 6):
                start = time.monotonic()
                answer = post(port, token, pictures.jpeg(pictures.distinct(seed, SMALL)))
                took.append(time.monotonic() - start)
                assert answer.status == 201
            assert max(took) < 2
            assert ask(port, "/healthz").json["redis"] is False
            assert Asset.objects.filter(status=Status.PENDING).count() == 5
            doorbells.start()
            wait_for(lambda: Asset.objects.filter(status=Status.READY).count() == 6, 90, "all are encoded")
    finally:
        doorbells.stop()
    assert Embedding.objects.count() == 6


def backends_of_workers() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
        return [pid for (pid,) in cursor.fetchall()]


def test_a_crash_of_postgres_in_the_middle_loses_nothing(fleet: Fleet, harbour: Collection, fake_space: Space) -> None:
    assets = prepare_many(harbour, fake_space, 100)
    fleet.start("encode", "media", "beat")
    dispatch.ring(Step.ENCODE)
    for _ in range(2):
        wait_for(lambda: bool(holders()) and bool(backends_of_workers()), 20, "somebody works")
        os.kill(backends_of_workers()[0], signal.SIGKILL)  # the postmaster then ends all others and recovers
        connection.close()
        wait_for(_postgres_answers, 30, "Postgres recovers")
        time.sleep(1)
    wait_for(all_settled, 120, "all are encoded")
    assert_each_has_its_one_right_vector(fake_space, assets)


def _postgres_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone() == (1,))
    except OperationalError:
        connection.close()
        return False


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
