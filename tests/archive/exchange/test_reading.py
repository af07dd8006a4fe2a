"""Cells and files as spreadsheets save them: no formula, every dialect, and what is no table named by its line."""

from __future__ import annotations

from io import BytesIO

import pytest

from archive.exchange.cells import bare, guard
from archive.exchange.lines import BadFile, Problem, Record
from archive.exchange.reading import read_records
from archive.exchange.tag_rows import TAGS
from archive.exchange.writing import write
from tests.archive.exchange.tables import ODD

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("text", [*ODD, "", "'", "''", "\tx", "\r=x", "\n=x", "plain", "'plain", "'''-"])
def test_a_cell_is_no_formula_and_gives_back_what_went_in(text: str) -> None:
    cell = guard(text)
    assert bare(cell) == text
    assert not cell or cell[0] not in "=+-@\t\r\n＝＋－＠"


def read(data: bytes) -> list[Record | Problem]:
    return list(read_records(BytesIO(data), TAGS))


@pytest.mark.parametrize(
    "data",
    [
        b"asset,tag\r\n1,sea\r\n\r\n2,b\r\n",
        b"\xef\xbb\xbfasset,tag\r\n1,sea\r\n\r\n2,b\r\n",
        b"asset;tag\r\n1;sea\r\n\r\n2;b\r\n",
        b"sep=;\r\nasset;tag\r\n1;sea\r\n\r\n2;b\r\n",
        "asset\ttag\r\n1\tsea\r\n\r\n2\tb\r\n".encode("utf-16"),
        b" Asset , TAG \n1,sea\n,\n2,b\n",
    ],
)
def test_whatever_a_spreadsheet_saves_is_read(data: bytes) -> None:
    found = read(data)
    values = [one.values for one in found if isinstance(one, Record)]
    assert values == [{"asset": "1", "tag": "sea"}, {"asset": "2", "tag": "b"}]
    assert [one.line for one in found] == ([3, 5] if data.startswith(b"sep") else [2, 4])


@pytest.mark.parametrize(
    ("data", "line", "says"),
    [
        (b"", 1, "empty"),
        (b"asset,name\n", 1, "“name” is no column"),
        (b"asset\n", 1, "“tag” is missing"),
        (b"tag,tag\n", 1, "same name"),
        (b"asset,tag\n1,a\n2,\xff\xfe\n", 3, "not UTF-8"),
        (b'asset,tag\n1,a\n2,"b\n3,c\n', 3, "not CSV"),
        (b'[{"tag": "a"},\n{"tag": }]', 2, "not JSON"),
        (b'[{"tag": "a"},\n{"tag": "b"}\n', 3, "ends too early"),
        (b'[{"tag": "a"}]\n[', 2, "behind the end"),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(data: bytes, line: int, says: str) -> None:
    with pytest.raises(BadFile, match=says) as told:
        read(data)
    assert told.value.line == line


def test_one_wrong_line_does_not_hide_the_others() -> None:
    found = read(b"asset,tag\n1,a\n2,b,c\n3,d\n")
    assert [(type(one), one.line) for one in found] == [(Record, 2), (Problem, 3), (Record, 4)]
    found = read(b'[{"tag": "a"},\n 7,\n {"tagg": "x"},\n {"tag": "b"}]')
    assert [(type(one), one.line) for one in found] == [(Record, 1), (Problem, 2), (Problem, 3), (Record, 4)]


def test_a_long_json_file_is_read_a_piece_at_a_time() -> None:
    data = b"".join(write(({"tag": f"tag {n}\n{n}"} for n in range(20_000)), TAGS.known, "json"))
    found = list(read_records(BytesIO(data), TAGS))
    assert [one.line for one in found] == list(range(2, 20_002))
    deep = read_records(BytesIO(b"[" + b'{"tag":' * 100_000), TAGS)
    with pytest.raises(BadFile):
        list(deep)
