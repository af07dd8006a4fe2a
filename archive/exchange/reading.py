"""Read a table of unknown making: CSV from any spreadsheet, or JSON. As a stream, with the numbers of its lines."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from typing import BinaryIO

from archive.exchange.cells import bare
from archive.exchange.json_reading import read_json
from archive.exchange.lines import LONGEST, BadFile, Columns, Problem, Record

# Spreadsheets of half of Europe separate by semicolons; “Unicode text” of Excel by tabs.
SEPARATORS = ",;\t"
NOT_TEXT = "This is not UTF-8. Save it as “CSV UTF-8”, or as Unicode text."


def read_records(file: BinaryIO, columns: Columns) -> Iterator[Record | Problem]:
    """From the beginning of `file`, which must be seekable. Raises `BadFile` where nothing more can be read."""
    file.seek(0)
    beginning = file.read(512)
    encoding = _encoding(beginning)
    plain = beginning.decode(encoding, "ignore").lstrip("\ufeff \t\r\n")
    file.seek(0)
    lines = _decoded(file, encoding)
    return read_json(lines, columns) if plain[:1] in ("[", "{") else read_csv(lines, columns)


def read_csv(lines: Iterator[str], columns: Columns) -> Iterator[Record | Problem]:
    before = 0
    first = next(lines, "")
    if first[:4].casefold() == "sep=":  # tells Excel what separates, and us
        separator, before, first = first[4:5], 1, next(lines, "")
    else:
        separator = _separator(first, columns)
    if not first.strip():
        raise BadFile(before + 1, "The file is empty. Its first line must name the columns.")
    reader = csv.reader(_chain(first, lines), delimiter=separator, strict=True)
    names: list[str] = []
    at = before + 1
    try:
        for cells in reader:
            if not names:
                names = [name.strip().casefold() for name in cells]
                columns.check(names, at)
            elif any(cell.strip() for cell in cells):
                yield _record(at, names, cells)
            at = before + reader.line_num + 1
    except csv.Error as error:
        raise BadFile(at, f"This is not CSV: {error}.") from error


def _record(line: int, names: list[str], cells: list[str]) -> Record | Problem:
    if any(cell.strip() for cell in cells[len(names) :]):
        return Problem(line, f"There are {len(cells)} cells for {len(names)} columns. Put text with commas in quotes.")
    return Record(line, {name: bare(cell) for name, cell in zip(names, cells, strict=False)})


def _separator(header: str, columns: Columns) -> str:
    def fits(separator: str) -> bool:
        (cells,) = list(csv.reader([header], delimiter=separator)) or [[]]
        return set(columns.needed) <= {cell.strip().casefold() for cell in cells}

    return next(filter(fits, SEPARATORS), ",")


def _encoding(beginning: bytes) -> str:
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def _decoded(file: BinaryIO, encoding: str) -> Iterator[str]:
    """Lines with their ends, each at most `LONGEST` long."""
    decoder = codecs.getincrementaldecoder(encoding)()
    number, held = 1, ""
    while True:
        data = file.read(65536)
        try:
            held += decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            before = data[: error.start].count(b"\n") + held.count("\n")
            raise BadFile(number + before, NOT_TEXT) from error
        # Not `splitlines`: it knows other ends of lines, which stand in the middle of a cell.
        *whole, held = held.split("\n")
        yield from (f"{line}\n" for line in whole)
        number += len(whole)
        if not data:
            yield from [held] if held else []
            return
        if len(held) > LONGEST:
            raise BadFile(number, "This line is too long to be one of a table.")


def _chain(first: str, others: Iterator[str]) -> Iterator[str]:
    yield first
    yield from others
