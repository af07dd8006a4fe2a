"""A real browser, and where a test asks for them, real workers on the test's own database."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from archive.bundled.supervisor import kept
from archive.models import Asset, Collection, Rendition, Space
from tests.cast import PASSWORD
from tests.pictures import webp
from tests.prepared import make_encoded, random_rows

expect.set_options(timeout=20_000)

SIZES = ((1200, 800), (800, 1200), (1600, 900), (1000, 1000), (900, 1200), (2000, 800))
"""Of the pictures in the grid, taken in turn."""


@pytest.fixture
def wall(harbour: Collection, fake_space: Space) -> list[Asset]:
    """A hundred ready pictures of many proportions."""
    assets = make_encoded(harbour, fake_space, random_rows(100), prefix="picture")
    rows = []
    for n, asset in enumerate(assets):
        asset.width, asset.height = SIZES[n % len(SIZES)]
        picture = Image.new("RGB", (asset.width // 8, asset.height // 8), f"hsl({n * 37 % 360}, 45%, 60%)")
        data = webp(picture)
        for spec in ("thumbnail", "preview"):
            key = default_storage.save(f"t/{hashlib.sha256(data).hexdigest()}.{spec}", ContentFile(data))
            size = {"width": picture.width, "height": picture.height, "size": len(data)}
            rows.append(Rendition(asset=asset, spec=spec, key=key, media_type="image/webp", **size))
    Asset.objects.bulk_update(assets, ["width", "height"])
    Rendition.objects.bulk_create(rows)
    return assets


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.fail("No Chromium: `apt-get install chromium`, or run the others with `pytest -m 'not browser'`.")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Playwright's event loop runs in this thread, which Django would take for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(autouse=True)
def answered(transactional_db: None) -> Iterator[None]:
    """A page that is closed leaves questions behind, and emptying the tables in the middle of one is a deadlock:
    the test ends when the server has answered them all."""
    yield
    deadline = time.monotonic() + 20
    while _being_answered() and time.monotonic() < deadline:
        time.sleep(0.02)


def _being_answered() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle')"
        )
        (busy,) = cursor.fetchone()
    return bool(busy)


@pytest.fixture
def page(browser: Browser, live_server: Any) -> Iterator[Page]:
    """A page of a fresh browser; the test fails on scripts that break and on anything the policy blocks."""
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.extend(_broken(str(error))))
    page.on("console", lambda message: complaints.extend(_blocked(message)))
    yield page
    context.close()
    assert not complaints


def _broken(error: str) -> list[str]:
    """A picture stops growing into its page when somebody goes on; Chromium calls that an error of the page."""
    return [] if error.startswith(("Transition was aborted", "Transition was skipped")) else [error]


def _blocked(message: ConsoleMessage) -> list[str]:
    return [message.text] if "Content Security Policy" in message.text or "Content-Security" in message.text else []


def log_in(page: Page, name: str) -> None:
    page.goto("/login/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")


@pytest.fixture
def real_workers(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """Celery for all queues, on the test database; gone with the test, even if that is killed."""
    address = urlsplit(os.environ["DATABASE_URL"])
    database = urlunsplit(address._replace(path=f"/{connection.settings_dict['NAME']}"))
    log = (tmp_path / "workers.log").open("wb")
    options = ["-Q", "media,encode,queries", "-P", "prefork", "-c", "2", "--loglevel", "INFO"]
    worker = ["-m", "celery", "--quiet", "-A", "workers", "worker", *options]
    environment = {**os.environ, "DATABASE_URL": database, "OMP_NUM_THREADS": "1", "REMAP_SIGTERM": "SIGQUIT"}
    process = subprocess.Popen(kept((sys.executable, *worker)), env=environment, stdout=log, stderr=log)
    try:
        _await(tmp_path / "workers.log", b"ready.")
        yield
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def _await(log: Path, words: bytes, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while words not in log.read_bytes():
        if time.monotonic() > deadline:
            pytest.fail(f"the workers did not start:\n{log.read_text()[-3000:]}")
        time.sleep(0.2)
