"""A line of a vocabulary, understood: what it says of one concept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from archive.concepts.words import MOST_PROMPTS, BadPrompt, clean_lines, clean_templates
from archive.exchange.concept_evidence import SHOWN, Evidence, read_pictures, read_thresholds
from archive.exchange.lines import Record
from archive.models import ConceptKind, OnMatch
from archive.models.concepts import fold
from archive.tag_names import BadTag, clean_one

CLEANERS: dict[str, Callable[[str], list[str]]] = {
    "prompts": lambda text: clean_lines(text, MOST_PROMPTS, "prompts"),
    "negatives": lambda text: clean_lines(text, MOST_PROMPTS, "negatives"),
    "templates": clean_templates,
}


@dataclass(frozen=True)
class Wanted:
    """A line as it is understood. `fields`: those that the table has a column for, and no others."""

    line: int
    name: str
    fields: dict[str, Any]
    parent: str | None  # folded; "" takes it away, None leaves it
    scope: list[str] | None
    evidence: Evidence = field(default_factory=Evidence)


def understand(record: Record) -> Wanted:
    """Raises `ValueError` in words for people."""
    name = clean_one(record.text("name"))
    if not name:
        raise BadTag("A concept needs a name.")
    fields: dict[str, Any] = {"name": name}
    for column, choices in (("kind", ConceptKind), ("on_match", OnMatch)):
        if written := record.text(column).casefold():
            if written not in choices.values:
                raise ValueError(f"“{column}” is one of {', '.join(choices.values)}, not “{written[:40]}”.")
            fields[column] = written
    for column, clean in CLEANERS.items():
        if column in record.values:
            fields[column] = clean("\n".join(_lines(record, column)))
    if "note" in record.values:
        fields["note"] = _seen(record.text("note", exact=True))
    parent = fold(clean_one(record.text("parent"))) if "parent" in record.values else None
    scope = list(filter(None, map(str.strip, _lines(record, "scope")))) if "scope" in record.values else None
    return Wanted(record.line, name, fields, parent, scope, _evidence(record))


def _evidence(record: Record) -> Evidence:
    thresholds = read_thresholds(_lines(record, "thresholds")) if "thresholds" in record.values else None
    shown = {
        counter: read_pictures(_lines(record, column)) if column in record.values else None
        for column, counter in SHOWN.items()
    }
    return Evidence(thresholds, shown)


def _lines(record: Record, column: str) -> list[str]:
    """Of a list in JSON its entries, of a cell its lines."""
    value = record.values[column]
    if isinstance(value, list):
        if not all(isinstance(one, str) for one in value):
            raise ValueError(f"“{column}” must be a list of texts.")
        return [_seen(one) for one in value]
    return _seen(record.text(column)).splitlines()


def _seen(text: str) -> str:
    """Raises `BadPrompt` where Postgres could not keep it."""
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise BadPrompt("It cannot contain characters that nobody sees.")
    return text
