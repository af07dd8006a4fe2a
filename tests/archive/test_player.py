"""What the page of a video shows beside the player."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.models import Asset, Collection, Frame, Kind, Rendition, Status
from archive.video import player
from tests.cast import make_jpeg, upload


@pytest.fixture
def film(harbour: Collection, bob: User, tmp_path: Path) -> Asset:
    """A video of three hours with a shot every nine seconds."""
    asset = upload(harbour, make_jpeg(tmp_path, "film.jpg", "red"), bob)
    Asset.objects.filter(pk=asset.pk).update(kind=Kind.VIDEO, status=Status.READY, duration=10_800.0)
    Rendition.objects.create(asset=asset, spec="preview", key="x", media_type="image/webp", width=32, height=24, size=1)
    Frame.objects.filter(asset=asset).delete()
    Frame.objects.bulk_create(
        Frame(asset=asset, at=9.0 * n, start=9.0 * n, end=9.0 * n + 9, representative=True) for n in range(1200)
    )
    asset.refresh_from_db()
    return asset


def test_the_shots_of_a_long_video_are_thinned_evenly_and_it_says_so(film: Asset, bob: User, client: Client) -> None:
    shots, in_all = player.shots_of(film)
    assert (len(shots), in_all) == (player.MOST_SHOTS, 1200)
    assert {round(later.at - one.at) for one, later in pairwise(shots)} == {18}
    assert (shots[0].at, shots[-1].at) == (0.0, 10_782.0)
    client.force_login(bob)
    page = client.get(film.get_absolute_url()).content.decode()
    assert "600 of its 1200 shots, evenly over the whole video." in page


def test_a_video_with_few_shots_shows_all(film: Asset, bob: User, client: Client) -> None:
    Frame.objects.filter(asset=film, at__gte=9 * player.MOST_SHOTS).delete()
    assert len(player.shots_of(film)[0]) == player.MOST_SHOTS
    client.force_login(bob)
    assert "evenly over" not in client.get(film.get_absolute_url()).content.decode()
