"""Taking films in: what is a video, how large it may be, and what the pages and the API say of one under way."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from PIL import Image, ImageStat
from rich.console import Console
from rich.progress import Progress

from archive.incoming import TooLarge, receive_file
from archive.ingest import ingest_file
from archive.management.films_bar import FilmsBar
from archive.models import Asset, Collection, Frame, Kind, Space, Status, Step, Work
from archive.video import animated
from archive.video.animated import is_animated
from archive.video.progress import progress_of
from archive.video.stepping import step_of
from tests import films, pictures
from workers.claims import claim
from workers.encode import drain_encode
from workers.prepare import drain_prepare, prepare, sandboxes

pytestmark = pytest.mark.django_db(transaction=True)


def take_in(collection: Collection, path: Path) -> Asset:
    return ingest_file(receive_file(path), collection=collection, uploader=None, filename=path.name).asset


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".ts"])
def test_a_film_is_a_video_whatever_its_name(harbour: Collection, tmp_path: Path, suffix: str) -> None:
    path = films.make_film(tmp_path / f"film{suffix}", films.scenes(1, 1.0))
    asset = take_in(harbour, path.rename(tmp_path / f"{suffix[1:]}.jpg"))
    assert asset.kind == Kind.VIDEO
    assert asset.media_type.startswith("video/")


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_what_moves_is_a_video_and_what_stands_still_a_photo(harbour: Collection, tmp_path: Path, kind: str) -> None:
    moving, still = tmp_path / f"a.{kind.lower()}", tmp_path / f"b.{kind.lower()}"
    films.animation(moving, films.scenes(2, 0.5))
    still.write_bytes(pictures.save(pictures.reference(), kind))
    assert take_in(harbour, moving).kind == Kind.VIDEO
    assert take_in(harbour, still).kind == Kind.PHOTO


def test_a_torn_gif_is_no_video(tmp_path: Path) -> None:
    path = films.animation(tmp_path / "a.gif", films.scenes(2, 0.5))
    whole = path.read_bytes()
    for length in (0, 5, 13, 40, 200):
        path.write_bytes(whole[:length])
        assert not is_animated(path, "image/gif")


class Counted(BytesIO):
    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        return super().read(size)


@pytest.mark.parametrize("part", [b"\x21\xfe\x00", b"\x21\xfe\x01a\x00"])
def test_an_upload_is_not_walked_over_without_an_end(part: bytes, tmp_path: Path) -> None:
    """A second picture behind a million comments is not looked for."""
    whole = films.animation(tmp_path / "a.gif", films.scenes(2, 0.5)).read_bytes()
    colours = 3 << ((whole[10] & 7) + 1) if whole[10] & 0x80 else 0
    head, rest = whole[: 13 + colours], whole[13 + colours :]
    few, many = Counted(head + part * 100 + rest), Counted(head + part * 1_000_000 + rest)
    assert animated._second_picture(few)
    assert not animated._second_picture(many)
    assert many.reads < 4 * animated.MOST_BLOCKS


def test_videos_have_a_limit_of_their_own(tmp_path: Path, settings: Any) -> None:
    path = films.make_film(tmp_path / "film.mp4", films.scenes(1, 1.0))
    settings.SIGHTLINE_UPLOAD_LIMIT = 100
    settings.SIGHTLINE_VIDEO_LIMIT = path.stat().st_size
    receive_file(path).discard()
    settings.SIGHTLINE_VIDEO_LIMIT -= 1
    with pytest.raises(TooLarge):
        receive_file(path)


def test_a_video_is_uploaded_by_the_page_and_by_the_api(
    harbour: Collection, bob: User, client: Client, tmp_path: Path
) -> None:
    client.force_login(bob)
    for number, (address, field) in enumerate((("/upload/", "files"), ("/api/v1/assets", "file"))):
        path = films.make_film(tmp_path / f"{number}.mp4", films.scenes(1, 1.0, seed=number))
        body = {"collection": "harbour", field: SimpleUploadedFile("film.mp4", path.read_bytes())}
        answer = client.post(address, body, headers={"accept": "application/json"})
        assert answer.status_code == 201, answer.content
    assert set(Asset.objects.values_list("kind", flat=True)) == {Kind.VIDEO}


def test_the_ingest_command_takes_films(harbour: Collection, alice: User, fake_space: Space, tmp_path: Path) -> None:
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    films.make_film(tmp_path / "film.mp4", films.scenes(2, 2.0))
    call_command("ingest", str(tmp_path / "film.mp4"), "--collection", "harbour", "--user", "alice", "--json")
    call_command("drain")
    asset = Asset.objects.get()
    assert (asset.status, asset.kind, asset.duration) == (Status.READY, Kind.VIDEO, 4.0)
    assert asset.renditions.filter(spec="sprite").exists()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: films.audio_only(folder / "a.mp4"), "holds sound and no pictures"),
        (lambda folder: films.without_frames(folder / "a.mkv"), "not a single frame"),
        (lambda folder: films.cut_off(films.make_film(folder / "a.mp4", films.scenes(1, 2.0)), 0.5), "ends too early"),
    ],
)
def test_what_holds_no_film_fails_with_a_sentence_and_keeps_its_original(
    harbour: Collection, fake_space: Space, tmp_path: Path, make: Any, words: str
) -> None:
    asset = take_in(harbour, make(tmp_path))
    drain_prepare()
    asset.refresh_from_db()
    assert asset.status == Status.FAILED
    assert words in asset.error


def test_a_video_is_found_and_tells_how_far_it_is_while_the_rest_is_worked_on(
    harbour: Collection, bob: User, client: Client, fake_space: Space, tmp_path: Path
) -> None:
    asset = take_in(harbour, films.make_film(tmp_path / "long.mp4", films.scenes(20, 10.0, (64, 48)), fps=2))
    (one,) = claim(Step.PREPARE, "", 8, "me")
    prepare(one, sandboxes.of(one), until=0.0)  # one chunk, then the time is over
    drain_encode()
    asset.refresh_from_db()
    assert asset.status == Status.PENDING
    told = progress_of(asset)
    assert told is not None
    assert (told.done_seconds, told.duration, told.frames, told.expected, told.moments) == (60.0, 200.0, 60, 200, 6)
    client.force_login(bob)
    page = client.get(f"/assets/{asset.uuid}/").content.decode()
    assert "1:00 of 3:20 can be searched, 60 frames read" in page
    (state,) = client.get(f"/upload/status/?id={asset.uuid}").json()["assets"]
    assert state["progress"]["share"] == 0.3
    shape = client.get(f"/api/v1/assets/{asset.uuid}").json()
    assert (shape["status"], shape["duration"], shape["progress"]["frames"]) == ("pending", 200.0, 60)
    while drain_prepare(60) or drain_encode(60):
        pass
    drain_encode()
    call_command("drain")
    assert client.get(f"/api/v1/assets/{asset.uuid}").json()["progress"] is None
    assert Asset.objects.get().status == Status.READY


def test_whoever_waits_for_a_video_sees_its_frames_and_the_time_left(
    harbour: Collection, fake_space: Space, tmp_path: Path
) -> None:
    asset = take_in(harbour, films.make_film(tmp_path / "long.mp4", films.scenes(20, 10.0, (64, 48)), fps=2))
    console = Console(file=StringIO(), force_terminal=True, width=120)
    with Progress(console=console) as progress:
        bar = FilmsBar(progress)
        bar.look([asset.pk])
        assert not progress.tasks  # nothing is known of it
        (one,) = claim(Step.PREPARE, "", 8, "me")
        prepare(one, sandboxes.of(one), until=0.0)
        drain_encode()
        Work.objects.filter(asset=asset, step=Step.ENCODE).update(begun_at=now() - timedelta(seconds=120))
        bar.asked = float("-inf")
        bar.look([asset.pk])
        (task,) = progress.tasks
        assert (task.description, task.completed, task.total) == ("frames of a video", 60, 200)
        assert task.fields["rate"] == "about 5 min left"
        bar.asked = float("-inf")
        bar.look([])
        assert not task.visible


def test_a_long_video_is_looked_at_less_often_and_says_so(harbour: Collection, settings: Any) -> None:
    settings.SIGHTLINE_FRAME_LIMIT = 100
    assert step_of(harbour, 100.0) == (1000, "")
    step, note = step_of(harbour, 1000.0)
    assert step == 10_000
    assert note.startswith("It is so long that one frame in 10 seconds is looked at, 100 in all")


def test_a_collection_may_have_its_own_pace(
    harbour: Collection, fake_space: Space, tmp_path: Path, settings: Any
) -> None:
    settings.SIGHTLINE_FRAMES_PER_SECOND = 0.5
    assert step_of(harbour, 10.0) == (2000, "")
    harbour.frames_per_second = 4.0
    harbour.save()
    asset = take_in(harbour, films.make_film(tmp_path / "film.mp4", films.scenes(2, 1.0)))
    drain_prepare()
    assert [frame.at for frame in asset.frames.order_by("at")] == [0.0, 0.3, 0.5, 0.8, 1.0, 1.3, 1.5, 1.8]


def test_the_poster_is_not_the_black_that_films_begin_with(
    harbour: Collection, fake_space: Space, tmp_path: Path
) -> None:
    black = Image.new("RGB", films.SIZE)
    asset = take_in(harbour, films.make_film(tmp_path / "film.mp4", [(black, 2.0), *films.scenes(1, 8.0)]))
    drain_prepare()
    poster = Image.open(BytesIO(asset.renditions.get(spec="preview").read())).convert("L")
    assert ImageStat.Stat(poster).stddev[0] > 10


def test_a_page_of_pending_videos_takes_as_many_statements_as_one(
    harbour: Collection, bob: User, client: Client, fake_space: Space
) -> None:
    def pending(number: int) -> Asset:
        made = {"sha256": f"{number:064}", "original": f"film-{number}", "media_type": "video/mp4", "size": 1}
        film = Asset.objects.create(collection=harbour, kind=Kind.VIDEO, duration=100.0, step_ms=1000, **made)
        Work.objects.create(asset=film, step=Step.PREPARE, position=9000 + number * 1000)
        Frame.objects.create(asset=film, at=0.0, representative=True)
        return film

    client.force_login(bob)
    films = [pending(0)]

    def asked(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    def status() -> str:
        return "/upload/status/?" + "&".join(f"id={film.uuid}" for film in films)

    before = (asked("/api/v1/assets"), asked(status()))
    films += [pending(number) for number in range(1, 8)]
    assert (asked("/api/v1/assets"), asked(status())) == before
    listed = client.get("/api/v1/assets").json()["results"]
    assert [one["progress"]["done_seconds"] for one in listed] == [10.0 + number for number in range(7, -1, -1)]
    assert {one["progress"]["frames"] for one in listed} == {1}
    for film in films:
        told = progress_of(film)
        assert told is not None
        assert client.get(f"/api/v1/assets/{film.uuid}").json()["progress"] == told.as_dict()
