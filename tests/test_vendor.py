"""Code of others that browsers get: it is exactly what its authors published, and nothing comes from elsewhere."""

import base64
import hashlib
import json
import re
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
VENDOR = TEMPLATES / "static" / "vendor"


def test_every_vendored_file_has_the_hash_that_is_written_down() -> None:
    listed = {entry["file"]: entry["sha384"] for entry in json.loads((VENDOR / "vendor.json").read_text())}
    found = {
        path.name: base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()
        for path in VENDOR.iterdir()
        if path.name != "vendor.json"
    }
    assert found == listed
    assert found


def test_every_entry_says_where_it_is_from_and_under_which_licence() -> None:
    for entry in json.loads((VENDOR / "vendor.json").read_text()):
        assert set(entry) == {"name", "version", "file", "source", "sha384", "licence"}
        assert entry["version"] in entry["file"]


def test_no_page_loads_anything_from_another_host_or_carries_inline_code() -> None:
    """The policy would block it; this says so before a browser does."""
    for page in TEMPLATES.rglob("*.html"):
        text = page.read_text()
        assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", text), page
        inline = r"<script(?![^>]*\bsrc=)|<style|\son[a-z]+=|\bhx-on\b|\bjs:"
        if not page.stem.endswith("_mail"):  # mail programs know no style sheets, and no policy of ours
            inline += r"|\sstyle="
        assert not re.search(inline, text), page
        assert not re.search(r"\|safe\b|autoescape off", text), page
