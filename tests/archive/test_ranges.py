"""Parts of files, as players ask for them: the right bytes, to those who may have them, and never all at once."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from archive.models import Asset, Collection
from archive.ranges import BLOCK, Part, Unsatisfiable, read_range
from archive.views import files
from tests.prepared import store_film

DATA = bytes(range(256)) * 4


@pytest.fixture
def film(harbour: Collection) -> Asset:
    return store_film(harbour, "originals/ra/ng/range-test", DATA)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("bytes=0-", (0, 99)),
        ("bytes=0-0", (0, 0)),
        ("bytes=10-19", (10, 19)),
        ("bytes=90-500", (90, 99)),
        ("bytes=-10", (90, 99)),
        ("bytes=-500", (0, 99)),
        ("Bytes = 1 - 2", (1, 2)),
        ("bytes=20-10", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("bytes=a-b", None),
        ("seconds=1-2", None),
        ("bytes=١-٢", None),
    ],
)
def test_a_range_is_read_or_overlooked(header: str, found: tuple[int, int] | None) -> None:
    assert read_range(header, 100) == found


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", f"bytes={'9' * 19}-"])
def test_what_lies_behind_the_end_is_refused(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        read_range(header, 100)


@pytest.mark.django_db
class TestOverHttp:
    def test_a_part_comes_with_its_place_and_its_length(self, film: Asset, bob: User, client: Client) -> None:
        client.force_login(bob)
        answer = client.get(film.original_url, headers={"Range": "bytes=100-299"})
        assert answer.status_code == 206
        assert b"".join(answer) == DATA[100:300]
        assert answer["Content-Range"] == "bytes 100-299/1024"
        assert answer["Content-Length"] == "200"
        assert answer["Content-Type"] == "video/mp4"
        assert answer["Accept-Ranges"] == "bytes"
        assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''M%C3%B6we")

    def test_without_a_range_the_whole_comes_and_says_that_parts_are_to_be_had(
        self, film: Asset, bob: User, client: Client
    ) -> None:
        client.force_login(bob)
        for headers in ({}, {"Range": "bytes=0-1,5-6"}, {"Range": "nonsense"}):
            answer = client.get(film.original_url, headers=headers)
            assert (answer.status_code, b"".join(answer)) == (200, DATA)
            assert answer["Accept-Ranges"] == "bytes"

    def test_behind_the_end_there_is_nothing(self, film: Asset, bob: User, client: Client) -> None:
        client.force_login(bob)
        answer = client.get(film.original_url, headers={"Range": "bytes=1024-"})
        assert (answer.status_code, answer["Content-Range"], answer.content) == (416, "bytes */1024", b"")

    def test_a_head_has_the_length_of_the_whole_and_no_body(self, film: Asset, bob: User, client: Client) -> None:
        client.force_login(bob)
        answer = client.head(film.original_url, headers={"Range": "bytes=0-9"})
        assert answer.status_code == 200
        assert (answer["Content-Length"], answer["Accept-Ranges"]) == ("1024", "bytes")
        assert b"".join(answer) == b""

    def test_another_file_by_now_is_sent_as_a_whole(self, film: Asset, bob: User, client: Client) -> None:
        client.force_login(bob)
        tag = client.get(film.original_url)["ETag"]
        for if_range, status in ((tag, 206), ('"other"', 200), ("Wed, 21 Oct 2015 07:28:00 GMT", 200)):
            answer = client.get(film.original_url, headers={"Range": "bytes=0-9", "If-Range": if_range})
            assert answer.status_code == status, if_range
            b"".join(answer)
        assert client.get(film.original_url, headers={"Range": "bytes=0-9", "If-None-Match": tag}).status_code == 304

    def test_a_player_gets_a_part_at_a_time_and_the_whole_by_asking_on(
        self, film: Asset, bob: User, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(files, "MOST_PLAYED", 400)
        monkeypatch.setattr(files, "playable_key", lambda asset: (asset.original, "video/mp4"))
        client.force_login(bob)
        address = reverse("playable", args=[film.uuid])
        had = b""
        while len(had) < len(DATA):
            answer = client.get(address, headers={"Range": f"bytes={len(had)}-"})
            part = b"".join(answer)
            assert (answer.status_code, int(answer["Content-Length"])) == (206, len(part))
            assert answer["Content-Range"] == f"bytes {len(had)}-{len(had) + len(part) - 1}/1024"
            assert len(part) <= 400
            had += part
        assert had == DATA
        assert len(b"".join(client.get(address, headers={"Range": "bytes=0-999"}))) == 400
        assert b"".join(client.get(address)) == DATA
        # Few tools that go on with a download ask a second time.
        assert b"".join(client.get(film.original_url, headers={"Range": "bytes=24-"})) == DATA[24:]

    def test_a_range_opens_no_door(self, film: Asset, visitor: User, client: Client) -> None:
        assert client.get(film.original_url, headers={"Range": "bytes=0-9"}).status_code == 302
        client.force_login(visitor)
        assert client.get(film.original_url, headers={"Range": "bytes=0-9"}).status_code == 404
        assert client.get(film.original_url, headers={"Range": "bytes=5000-"}).status_code == 404

    def test_the_api_gives_parts_as_well(self, film: Asset, bob: User, client: Client) -> None:
        client.force_login(bob)
        answer = client.get(f"/api/v1/assets/{film.uuid}/original", headers={"Range": "bytes=-24"})
        assert (answer.status_code, b"".join(answer)) == (206, DATA[-24:])


def test_a_part_is_read_in_blocks_and_closes_its_file(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as out:
        out.truncate(64 * 1024 * 1024)
    part = Part(path.open("rb"), 1000, 48 * 1024 * 1024)
    tracemalloc.start()
    total = sum(len(block) for block in part)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 48 * 1024 * 1024
    assert peak < 4 * BLOCK
    part.close()
    assert part.file.closed
    # Closed although nobody read any of it.
    unread = Part(io.BytesIO(b"abc"), 0, 3)
    unread.close()
    assert unread.file.closed
