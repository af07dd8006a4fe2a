"""The pictures of README and docs: `python -m tests.browser.screenshots [FOLDER]`.

Runs the demo on a folder of its own, waits until its sample is ready, and photographs the pages.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from workers.scenes.sample import write_sample

ROOT = Path(__file__).resolve().parents[2]
WIDE, TABLET, PHONE = (1440, 900), (768, 1024), (390, 844)
PATIENCE = 600

# Name, address, size, colour scheme.
SHOTS = (
    ("search-wide", "/?q=boats+on+the+shore", WIDE, "light"),
    ("search-dark", "/?q=a+city+at+night", WIDE, "dark"),
    ("search-tablet", "/?q=a+flower", TABLET, "light"),
    ("search-phone", "/?q=a+cup+of+coffee", PHONE, "light"),
    ("asset", "ASSET", WIDE, "light"),
    ("asset-phone", "ASSET", PHONE, "dark"),
    ("collections", "/collections/", WIDE, "light"),
    ("upload", "UPLOAD", WIDE, "light"),
    ("admin-assets", "/admin/archive/asset/", WIDE, "light"),
    ("admin-work", "/admin/archive/work/", WIDE, "light"),
)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with demo() as (url, password, data), sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        state = log_in(browser, url, password)
        for name, address, (width, height), scheme in SHOTS:
            context = browser.new_context(
                base_url=url,
                storage_state=state,  # type: ignore[arg-type]
                viewport={"width": width, "height": height},
                color_scheme=scheme,  # type: ignore[arg-type]
                reduced_motion="reduce",
            )
            page = context.new_page()
            visit(page, address, data)
            page.screenshot(path=folder / f"{name}.png")
            print(folder / f"{name}.png")
            context.close()
        browser.close()


@contextmanager
def demo() -> Iterator[tuple[str, str, Path]]:
    """A demo of its own: its address, alice's password, its folder."""
    data = Path(tempfile.mkdtemp(prefix="sightline-screenshots-"))
    data.chmod(0o711)  # as root, the database runs as another user, who must get through
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    outside = {"DATABASE_URL", "REDIS_URL"}
    environment = {k: v for k, v in os.environ.items() if k not in outside} | {"SIGHTLINE_DATA": str(data)}
    command = [sys.executable, str(ROOT / "manage.py"), "up", "--demo", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("ready "):
                break
        else:
            raise SystemExit("The demo did not start; run `make demo` to see why.")
        yield f"http://127.0.0.1:{port}", (data / "secrets" / "log-in-alice").read_text().strip(), data
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(data, ignore_errors=True)


def log_in(browser: Browser, url: str, password: str) -> object:
    """Log in, wait until nothing of the sample is on its way any more; returns the session."""
    context = browser.new_context(base_url=url)
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("Name").fill("alice")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")
    deadline = time.monotonic() + PATIENCE
    while page.locator(".hit").count() < 60 or page.locator(".hit.pending").count():
        if time.monotonic() > deadline:
            raise SystemExit("The sample did not become ready.")
        time.sleep(2)
        page.goto("/")
    state = context.storage_state()
    context.close()
    return state


def visit(page: Page, address: str, data: Path) -> None:
    if address == "ASSET":
        page.goto("/?q=boats+on+the+shore")
        page.goto(page.locator("#grid .hit > a").first.get_attribute("href") or "/")
    elif address == "UPLOAD":
        page.goto("/upload/")
        files: list[str | Path] = list(islice(write_sample(data / "new", count=8, seed=99), 4))
        page.get_by_label("Choose files").set_input_files(files)
        page.get_by_text("4 of 4 ready").wait_for()
    else:
        page.goto(address)
        page.reload()  # the words are encoded now, as for whoever asks the second time
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "screenshots")
