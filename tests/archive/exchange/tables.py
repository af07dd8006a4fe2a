"""What tables are made of: the names that a spreadsheet would trip over, a file, and what came of it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from archive.exchange.writing import write
from archive.models import Asset
from archive.tags import tags_of

ODD = ["=1+1", "+49", "-1", "@home", "'=x", "''@y", "'tis", 'a"b', "c;d", "Été", "100 %", "＝wide", "{}", "[x"]


def out(rows: Any, columns: Any, kind: str) -> BytesIO:
    return BytesIO(b"".join(write(rows, columns.known, kind)))


def carried(asset: Asset) -> set[str]:
    return {tag.name for tag in tags_of(asset)}
