"""Inside one video: the strip, the moments, as a part of its page, as a page and as JSON; and from the command line."""

from __future__ import annotations

import json
import re
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from archive.models import Asset, Collection, Frame, Space
from search.hits import Moment
from search.strip import MOST_BARS, draw_strip
from tests.prepared import Shot, add_film_files, add_renditions, make_encoded, make_video, random_rows
from workers import client as worker

HTMX = {"HX-Request": "true"}


@pytest.fixture
def film(harbour: Collection, fake_space: Space, queries_in_process: None) -> Asset:
    make_encoded(harbour, fake_space, random_rows(40, seed=5))
    shots = [Shot(worker.encode_text(fake_space, word).vector, 10) for word in ("red", "green", "blue")]
    film = make_video(harbour, fake_space, shots)
    add_film_files(film)
    add_renditions(film)
    return film


def heights(outline: str) -> list[float]:
    return [100 - float(level) for level in re.findall(r"V([\d.]+)H", outline)]


def test_a_strip_is_as_high_as_the_closest_frame_of_each_part() -> None:
    seconds = [(float(n), 0.1 * n) for n in range(5)]
    strip = draw_strip(seconds, 5.0, (Moment(2, 4, 3, 0.3), Moment(4, 5, 4, 0.4, well=False)), usual=0.1)
    assert heights(strip.outline) == pytest.approx([0, 0, 100 / 3, 200 / 3, 100], abs=0.1)
    assert [(span.left, span.width) for span in strip.spans] == [(400, 400)]
    assert len(heights(draw_strip([(n / 2, n % 7) for n in range(9000)], 4500.0).outline)) == MOST_BARS
    assert draw_strip([], 10.0).outline == ""
    # A header that lies about the duration pushes nothing out of the strip; frames may be missing.
    assert len(heights(draw_strip([(0.0, 0.1), (90.0, 0.2)], 1.0).outline)) == 2


@pytest.mark.django_db
class TestInside:
    def test_the_page_of_a_video_gets_its_strip_and_moments(self, film: Asset, bob: User, client: Client) -> None:
        client.force_login(bob)
        part = client.get(f"/moments/{film.uuid}/?q=green", headers=HTMX)
        body = part.content.decode()
        assert "<html" not in body
        assert re.findall(r'data-start="(\d+)"', body)[0] == "10"
        assert len(re.findall(r"/stills/\d+/", body)) == 3
        outline = re.search(r'd="(M[^"]+)"', body)
        assert outline
        levels = heights(outline[1])
        assert len(levels) == 30
        assert 10 <= levels.index(max(levels)) < 20
        assert "HX-Request" in part["Vary"]
        assert "<html" in client.get(f"/moments/{film.uuid}/?q=green").content.decode()

    def test_a_moment_s_picture_is_sent_and_leads_back_to_its_second(
        self, film: Asset, bob: User, visitor: User, client: Client
    ) -> None:
        client.force_login(bob)
        body = client.get(f"/moments/{film.uuid}/?q=green", headers=HTMX).content.decode()
        still = re.search(r'src="(/assets/[^"]+/stills/\d+/)"', body)
        assert still
        assert client.get(still[1])["Content-Type"] == "image/webp"
        assert re.search(rf'href="{film.get_absolute_url()}\?q=green&amp;t=1\d"', body)
        client.force_login(visitor)
        assert client.get(still[1]).status_code == 404

    def test_a_still_of_another_asset_or_of_a_frame_without_one_is_not_there(
        self, film: Asset, harbour: Collection, fake_space: Space, bob: User, client: Client
    ) -> None:
        other = make_video(harbour, fake_space, [Shot(random_rows(1)[0], 3)], "other.mp4")
        shown = Frame.objects.filter(asset=film, representative=True).earliest("at")
        client.force_login(bob)
        assert client.get(f"/assets/{film.uuid}/stills/{shown.pk}/").status_code == 200
        bare = Frame.objects.filter(asset=film, representative=False).earliest("at")
        for address in (
            f"{other.uuid}/stills/{shown.pk}",
            f"{film.uuid}/stills/{bare.pk}",
            f"{film.uuid}/stills/{2**70}",
        ):
            assert client.get(f"/assets/{address}/").status_code == 404

    def test_the_same_as_json(self, film: Asset, bob: User, client: Client) -> None:
        client.force_login(bob)
        answer: dict[str, Any] = client.get(f"/api/v1/assets/{film.uuid}/moments?q=blue&limit=2").json()
        assert (answer["asset"], answer["duration"], answer["space"]) == (str(film.uuid), 30, "fake")
        assert [one["at"] for one in answer["seconds"]] == list(range(30))
        assert [set(one) for one in answer["moments"]] == [{"start", "end", "at", "score"}] * 2
        assert answer["moments"][0]["start"] == 20
        assert max(one["score"] for one in answer["seconds"]) == answer["moments"][0]["score"]
        assert answer["usual"] < answer["moments"][0]["score"]

    def test_who_may_not_see_it_learns_nothing_and_nothing_to_look_for_is_said(
        self, film: Asset, bob: User, visitor: User, client: Client
    ) -> None:
        client.force_login(bob)
        assert client.get(f"/api/v1/assets/{film.uuid}/moments").status_code == 400
        empty = client.get(f"/moments/{film.uuid}/")
        assert (empty.status_code, "Say what to look for" in empty.content.decode()) == (400, True)
        client.force_login(visitor)
        for address in (f"/moments/{film.uuid}/?q=red", f"/api/v1/assets/{film.uuid}/moments?q=red"):
            assert client.get(address).status_code == 404
        assert client.get(f"/api/v1/search?q=red&within={film.uuid}").status_code == 404

    def test_a_hit_of_the_api_names_its_moments_and_the_page_at_the_second(
        self, film: Asset, bob: User, client: Client
    ) -> None:
        client.force_login(bob)
        hit = client.get("/api/v1/search?q=green&kind=video").json()["hits"][0]
        assert hit["moments"][0]["start"] == 10
        assert hit["url"] == f"{film.get_absolute_url()}?t={hit['moments'][0]['at']:.2f}"
        chain = client.get("/api/v1/search?q=red&then=blue&seconds=30").json()["hits"][0]
        assert [one["start"] for one in chain["moments"]] == [0, 20]

    def test_inside_a_video_the_search_page_leads_to_its_own(self, film: Asset, bob: User, client: Client) -> None:
        client.force_login(bob)
        answer = client.get(f"/?q=green&within={film.uuid}")
        assert (answer.status_code, answer["Location"]) == (302, f"{film.get_absolute_url()}?q=green")

    def test_the_previews_are_a_track_of_parts_of_the_sprite(self, film: Asset, bob: User, client: Client) -> None:
        client.force_login(bob)
        track = client.get(f"/assets/{film.uuid}/previews.vtt")
        assert track["Content-Type"] == "text/vtt; charset=utf-8"
        head, *cues = track.content.decode().strip().split("\n\n")
        assert (head, len(cues)) == ("WEBVTT", 30)
        assert cues[11].split("\n")[0] == "00:00:11.000 --> 00:00:12.000"
        assert cues[11].endswith(f"/assets/{film.uuid}/sprite/#xywh=160,120,160,120")
        assert client.get(f"/assets/{film.uuid}/sprite/").status_code == 200

    def test_the_page_opens_at_a_second_and_looks_away_from_nonsense(
        self, film: Asset, bob: User, client: Client
    ) -> None:
        client.force_login(bob)
        for raw, source in (("12.5", "/play/#t=12.50"), ("nan", '/play/"'), ("-3", '/play/"'), ("x", '/play/"')):
            page = client.get(film.get_absolute_url(), {"t": raw, "q": "green"}).content.decode()
            assert source in page, raw
            assert f'hx-get="/moments/{film.uuid}/?q=green"' in page

    def test_the_command_line_knows_moments_and_sequences(self, film: Asset) -> None:
        def run(*options: str) -> dict[str, Any]:
            out = StringIO()
            call_command("search", *options, "--json", stdout=out)
            found: dict[str, Any] = json.loads(out.getvalue())
            return found

        (hit,) = run("red", "--then", "blue", "--seconds", "15")["hits"]
        assert [one["start"] for one in hit["moments"]] == [0, 20]
        (inside,) = run("green", "--within", str(film.uuid))["hits"]
        assert len(inside["moments"]) == 3
        table = StringIO()
        call_command("search", "green", "--kind", "video", stdout=table)
        assert re.search(r"\b1\ds\b", table.getvalue())
