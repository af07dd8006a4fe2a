"""Text in cells of a spreadsheet, which takes some text for a formula and would run it."""

from __future__ import annotations

import re

# What spreadsheets begin a formula with, the wide forms of East Asian keyboards included. Tabs and line ends
# are skipped by some before they look.
FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def guard(text: str) -> str:
    """The same text as a cell that is no formula. `bare` gives back exactly what went in."""
    return f"'{text}" if FORMULA.match(text) else text


def bare(cell: str) -> str:
    """The text of a cell: an apostrophe before what could be a formula is the guard and not part of it."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
