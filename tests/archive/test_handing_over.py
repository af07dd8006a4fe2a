"""Files handed over to the server in front: to who may have them, and without their bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from archive.models import Asset, Collection, Rendition
from tests.prepared import store_film

KEY = "originals/ha/nd/over-test é"
PLACE = "/sightline-files/originals/ha/nd/over-test%20%C3%A9"
DATA = b"so many bytes"


@pytest.fixture
def film(harbour: Collection) -> Asset:
    return store_film(harbour, KEY, DATA, exif={"VideoCodec": "h264", "PixelFormat": "yuv420p"})


@pytest.fixture
def nginx(settings: Any) -> None:
    settings.SIGHTLINE_ACCEL = "nginx"


@pytest.mark.django_db
class TestHandingOver:
    def test_left_alone_the_web_sends_the_file_itself(self, film: Asset, bob: User, client: Client) -> None:
        client.force_login(bob)
        answer = client.get(film.original_url)
        assert b"".join(answer) == DATA
        assert not {"X-Accel-Redirect", "X-Sendfile"} & set(answer.headers)

    def test_nginx_is_told_where_it_lies(self, film: Asset, bob: User, client: Client, nginx: None) -> None:
        client.force_login(bob)
        for headers in ({}, {"Range": "bytes=0-3"}):
            answer = client.get(film.original_url, headers=headers)
            assert (answer.status_code, answer.content) == (200, b"")
            assert answer["X-Accel-Redirect"] == PLACE
            assert answer["Content-Type"] == "video/mp4"
            assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''M%C3%B6we")
            assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
            assert answer["Cache-Control"].startswith("private")

    def test_so_are_films_and_renditions_and_they_are_no_downloads(
        self, film: Asset, bob: User, client: Client, nginx: None
    ) -> None:
        key = default_storage.save("renditions/ha/thumbnail.webp", ContentFile(b"webp"))
        sizes = {"width": 1, "height": 1, "size": 4}
        Rendition.objects.create(asset=film, spec="thumbnail", key=key, media_type="image/webp", **sizes)
        client.force_login(bob)
        for address, place in (
            (f"/assets/{film.uuid}/play/", PLACE),
            (f"/assets/{film.uuid}/thumbnail/", f"/sightline-files/{key}"),
        ):
            answer = client.get(address)
            assert answer["X-Accel-Redirect"] == place, address
            assert "Content-Disposition" not in answer.headers

    def test_whoever_may_not_see_it_learns_nothing(
        self, film: Asset, visitor: User, client: Client, nginx: None
    ) -> None:
        for log_in in (False, True):
            if log_in:
                client.force_login(visitor)
            answer = client.get(film.original_url)
            assert answer.status_code in (302, 404)
            assert "X-Accel-Redirect" not in answer.headers

    def test_a_file_that_is_gone_is_not_there(self, film: Asset, bob: User, client: Client, nginx: None) -> None:
        default_storage.delete(film.original)
        client.force_login(bob)
        answer = client.get(film.original_url)
        assert answer.status_code == 404
        assert "X-Accel-Redirect" not in answer.headers

    def test_apache_is_told_the_path(self, film: Asset, bob: User, client: Client, settings: Any) -> None:
        settings.SIGHTLINE_ACCEL = "x-sendfile"
        client.force_login(bob)
        answer = client.get(film.original_url)
        assert Path(answer["X-Sendfile"]).read_bytes() == DATA
        assert answer.content == b""
