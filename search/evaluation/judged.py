"""What the right answers are: captions and labels of assets, from the archive or from a file."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.db.models import QuerySet

from archive.models import Asset, Status

# More would take longer and tell no more: a share of 500 is known to about two hundredths.
MOST = 500


class BadJudgements(Exception):
    """The file cannot be used; says why."""


@dataclass(frozen=True)
class Judged:
    """By the id of an asset: a sentence that describes it, and the one label of those in use that it has."""

    captions: Mapping[int, str] = field(default_factory=dict)
    labels: Mapping[int, str] = field(default_factory=dict)


def searchable() -> QuerySet[Asset]:
    """Everything that somebody could find, for whoever runs the archive."""
    return Asset.objects.filter(status=Status.READY, trashed_at__isnull=True)


def judged_by_captions() -> Judged:
    """The archive's own captions, of assets in the order of their hashes: any, and the same ones each time."""
    rows = searchable().exclude(caption="").order_by("sha256", "pk").values_list("pk", "caption")[:MOST]
    return Judged({pk: " ".join(caption.split()) for pk, caption in rows})


def judged_by_file(path: Path) -> Judged:
    """A CSV file with the columns `filename` and `label`, `caption` or both. Without captions the archive's serve."""
    rows = _read(path)
    names = {row["filename"] for row in rows}
    named = searchable().filter(filename__in=names).order_by("-pk")
    found: dict[str, int] = dict(named.values_list("filename", "pk"))  # of several with one name the oldest
    if not found:
        raise BadJudgements(f"None of the {len(names)} file names in {path} is one of a searchable asset.")
    told = [(found[row["filename"]], row) for row in rows if row["filename"] in found]
    captions = {pk: row["caption"] for pk, row in told if row.get("caption")}
    labels = {pk: row["label"] for pk, row in told if row.get("label")}
    return Judged(captions or judged_by_captions().captions, labels)


def _read(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            columns = {name.strip() for name in table.fieldnames or []}
            rows = [{(k or "").strip(): (v or "").strip() for k, v in row.items() if k} for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadJudgements(f"{path} cannot be read as CSV: {error}") from error
    if "filename" not in columns or not columns & {"label", "caption"}:
        raise BadJudgements(f"{path} needs a first line that names its columns: filename,label or filename,caption.")
    return rows
