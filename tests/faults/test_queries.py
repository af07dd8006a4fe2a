"""What happens to the real queries worker, as somebody who searches sees it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from redis import Redis

from archive import signs
from archive.models import Collection, Space
from tests.faults.workers import Fleet, wait_for
from tests.prepared import make_encoded, random_rows

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


def test_a_worker_that_hangs_costs_a_search_moments_and_comes_back(
    tmp_path: Path, harbour: Collection, fake_space: Space, bob: User, client: Client, settings: Any
) -> None:
    settings.SIGHTLINE_QUERY_TIMEOUT, settings.SIGHTLINE_QUERY_PATIENCE = 60.0, 2.0
    make_encoded(harbour, fake_space, random_rows(20))
    client.force_login(bob)
    redis = Redis.from_url(settings.REDIS_URL)
    with Fleet(tmp_path, SIGHTLINE_QUERY_PATIENCE="2") as fleet:
        (queries,) = fleet.start("queries", children=1)
        assert client.get("/?q=a+boat").status_code == 200  # whatever it takes to load
        wait_for(lambda: bool(redis.hexists(signs.READY, fake_space.fingerprint)), 20, "its model is at hand")
        (child,) = queries.children()
        os.kill(child, signal.SIGSTOP)
        try:
            start = time.monotonic()
            hangs = client.get("/?q=a+quiet+harbour")
            took = time.monotonic() - start
        finally:
            os.kill(child, signal.SIGCONT)
        assert hangs.status_code == 503
        assert "the search worker does not answer" in hangs.content.decode()
        assert took < 20  # of the sixty that a model may take to load
        assert client.get("/?q=a+city").status_code == 200
