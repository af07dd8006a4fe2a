"""Thresholds and examples of concepts in a table of the vocabulary, as text: “space: score”, “uuid sha256”.

What this archive does not have is named and left out: spaces that are not made here, pictures that are not kept here.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from archive.concepts.keeping import as_line, choose_words_line, show_by
from archive.concepts.words import MOST_EXAMPLES
from archive.models import Asset, Concept, ConceptExample, ConceptVector, Space

FURTHEST = 1000.0  # no score is
HASH = re.compile(r"[0-9a-f]{64}")
SHOWN = {"examples": False, "counters": True}  # the columns, and what ConceptExample.counter is
EVIDENCE = ("thresholds", *SHOWN)

Picture = tuple[uuid.UUID | None, str]  # its id, and the hash of its file


@dataclass(frozen=True)
class Evidence:
    """As a line says it. None where the table has no such column; `shown` by `ConceptExample.counter`."""

    thresholds: dict[str, float] | None = None
    shown: dict[bool, list[Picture] | None] = field(default_factory=dict)

    @property
    def says_something(self) -> bool:
        return bool(self.thresholds) or any(self.shown.values())


@dataclass(frozen=True)
class Here:
    """The same in this archive: `lines` by space, `shown` as {asset: counter}; `unknown` in words."""

    lines: dict[int, float]
    shown: dict[int, bool]
    unknown: list[str]


def evidence_of(concepts: Iterable[Concept]) -> dict[int, dict[str, list[str]]]:
    """The columns of each, by id: two statements for all."""
    ids = [concept.pk for concept in concepts]
    found: dict[int, dict[str, list[str]]] = {pk: {name: [] for name in EVIDENCE} for pk in ids}
    chosen = ConceptVector.objects.filter(concept__in=ids, chosen__isnull=False).order_by("space__slug")
    for pk, slug, line in chosen.values_list("concept", "space__slug", "chosen"):
        found[pk]["thresholds"].append(f"{slug}: {line!r}")
    examples = ConceptExample.objects.filter(concept__in=ids).order_by("asset__uuid")
    for pk, counter, asset, sha256 in examples.values_list("concept", "counter", "asset__uuid", "asset__sha256"):
        found[pk]["counters" if counter else "examples"].append(f"{asset} {sha256}")
    return found


def read_thresholds(lines: Iterable[str]) -> dict[str, float]:
    """Raises `ValueError` in words for people."""
    found: dict[str, float] = {}
    for line in filter(None, map(str.strip, lines)):
        slug, _, written = line.rpartition(":")
        try:
            score = float(written)
        except ValueError:
            score = math.nan
        if not slug.strip() or not abs(score) <= FURTHEST:
            raise ValueError(f"A threshold is written as “space: score”, not “{line[:60]}”.")
        if found.setdefault(slug.strip(), score) != score:
            raise ValueError(f"It has two thresholds in “{slug.strip()[:60]}”.")
    return found


def read_pictures(lines: Iterable[str]) -> list[Picture]:
    """An id, the hash of a file, or both. Raises `ValueError` in words for people."""
    found = [_picture(line) for line in filter(None, map(str.strip, lines))]
    if len(found) > MOST_EXAMPLES:
        raise ValueError(f"At most {MOST_EXAMPLES} pictures, please.")
    return found


def _picture(line: str) -> Picture:
    asset, sha256 = None, ""
    for part in line.casefold().split():
        if HASH.fullmatch(part):
            sha256 = part
            continue
        try:
            asset = uuid.UUID(part)
        except ValueError:
            raise ValueError(f"A picture is named by its id or the hash of its file, not by “{line[:60]}”.") from None
    return asset, sha256


class Archive:
    """The spaces and pictures here that some lines name: three statements for all."""

    def __init__(self, named: Iterable[Evidence]) -> None:
        all_of_it = list(named)
        slugs = {slug for one in all_of_it for slug in one.thresholds or ()}
        self._spaces = dict(Space.objects.filter(slug__in=slugs).values_list("slug", "pk"))
        pictures = [picture for one in all_of_it for some in one.shown.values() for picture in some or ()]
        ids, hashes = {asset for asset, _ in pictures if asset}, {sha256 for _, sha256 in pictures if sha256}
        self._by_id = dict(Asset.objects.filter(uuid__in=ids).values_list("uuid", "pk"))
        twins = Asset.objects.filter(sha256__in=hashes).order_by("-pk")
        self._by_content = dict(twins.values_list("sha256", "pk"))  # the first that came

    def find(self, evidence: Evidence, before: Mapping[int, bool]) -> Here:
        """`before`: what shows it now. Where something that the line names is not here, that stays beside the rest.
        Raises `ValueError` where a picture is to show a concept and not to."""
        lines: dict[int, float] = {}
        unknown: list[str] = []
        for slug, score in (evidence.thresholds or {}).items():
            if slug in self._spaces:
                lines[self._spaces[slug]] = score
            else:
                unknown.append(f"There is no space “{slug[:60]}” here: its threshold was left out.")
        named: dict[int, bool] = {}
        replaced = set()
        for counter, pictures in evidence.shown.items():
            found, missing = self._pictures(pictures or [])
            unknown += [f"There is no picture “{name}” here: it was left out as an example." for name in missing]
            if found & named.keys():
                raise ValueError("A picture is named as an example and as a counter-example.")
            named |= dict.fromkeys(sorted(found), counter)
            if pictures is not None and not missing:
                replaced.add(counter)
        kept = {pk: counter for pk, counter in before.items() if counter not in replaced}
        return Here(lines, kept | named, unknown)

    def _pictures(self, named: Sequence[Picture]) -> tuple[set[int], list[str]]:
        """Those that are here, and the names of the others."""
        found: set[int] = set()
        missing: list[str] = []
        for asset, sha256 in named:
            pk = self._by_id.get(asset) if asset else None
            pk = pk or self._by_content.get(sha256)
            if pk is None:
                missing.append(str(asset or sha256))
            else:
                found.add(pk)
        return found, missing


def differs(here: Here, lines: Mapping[int, float | None], before: Mapping[int, bool]) -> bool:
    return any(lines.get(space) != line for space, line in here.lines.items()) or dict(before) != here.shown


def write_evidence(
    concept: Concept, here: Here, lines: Mapping[int, float | None], before: Mapping[int, bool]
) -> list[str]:
    """Returns what is another than it was, in words."""
    told = []
    for space, line in here.lines.items():
        if lines.get(space) != line:
            choose_words_line(concept, space, line)
            told.append(
                f"line: {as_line(line)} instead of {as_line(lines.get(space))} in {Space.objects.get(pk=space)}"
            )
    if dict(before) != here.shown:
        show_by(concept, here.shown)
        told.append("other examples")
    return told
