"""Where tables go out and come in: the commands, and the page."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from archive.models import Asset, Tag
from archive.tags import add_tags
from tests.archive.exchange.tables import ODD, carried

pytestmark = pytest.mark.django_db


def test_the_commands_write_and_read_files(boat: Asset, alice: User, tmp_path: Path) -> None:
    add_tags(Asset.objects.all(), ODD, alice)
    for command, ending in (("tags", "csv"), ("vocabulary", "json")):
        path = tmp_path / f"{command}.{ending}"
        call_command(command, "export", str(path))
        said = StringIO()
        call_command(command, "import", str(path), "--dry-run", "--json", stdout=said)
        assert json.loads(said.getvalue())["same"] == len(ODD)
    (tmp_path / "bad.csv").write_text(f"asset,tag\n{boat.uuid},ok\nx,y\n")
    complaints = StringIO()
    with pytest.raises(CommandError, match="Nothing was imported"):
        call_command("tags", "import", str(tmp_path / "bad.csv"), stderr=complaints, stdout=StringIO())
    assert "Line 3: “x” is not the id of an asset." in complaints.getvalue()


def test_a_page_gives_and_takes_tables(boat: Asset, alice: User, bob: User, client: Client) -> None:
    add_tags(Asset.objects.all(), ["=sea"], alice)
    client.force_login(bob)
    sent: Any = client.get("/tables/file/", {"table": "tags", "format": "csv"})
    data = b"".join(sent.streaming_content)
    assert b"'=sea" in data
    assert "attachment" in sent["Content-Disposition"]
    assert client.get("/tables/file/", {"table": "users", "format": "csv"}).status_code == 404
    assert client.post("/tables/", {"table": "tags"}).status_code == 404  # he curates nothing
    Tag.objects.all().delete()
    client.force_login(alice)
    checked = client.post("/tables/", {"table": "tags", "check": "1", "file": SimpleUploadedFile("t.csv", data)})
    assert "1 would be added" in checked.content.decode()
    assert not Tag.objects.exists()
    client.post("/tables/", {"table": "tags", "import": "1", "file": SimpleUploadedFile("t.csv", data)})
    assert carried(boat) == {"=sea"}
    bad = client.post("/tables/", {"table": "tags", "file": SimpleUploadedFile("t.csv", b"asset,tag\nx,y\n")})
    assert bad.status_code == 400
    assert "Line 2" in bad.content.decode()
