"""A plan in rows of words, which the command prints and the page shows: one place for what stands where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from archive.plan.words import UNKNOWN, number, size, span
from workers.costs import UNKNOWN as NOT_MEASURED
from workers.costs import Plan

# What `Seen.assumed` names, for people.
SIZES = {
    "shots_a_minute": "shots a minute",
    "row": "bytes a stored vector",
    "node": "bytes an indexed vector",
    "photo": "bytes of a photo's pictures",
    "hour": "bytes of an hour's renditions",
    "still": "bytes of a still",
}


@dataclass(frozen=True)
class Table:
    """The first column names its row; `notes` are sentences below."""

    title: str
    head: list[str]
    rows: list[list[str]]
    notes: list[str]


def tables(plan: Plan) -> list[Table]:
    return [million(plan), volumes(plan), seen(plan), models(plan)]


def million(plan: Plan) -> Table:
    """The sum that everybody begins with, and what becomes of it."""
    told = plan.bare()
    frames, numbers = told["frames"], told["numbers"]
    shots = number(plan.seen.sizes.shots_a_minute)
    each = frames / max(1, told["shots"])
    return Table(
        f"{frames:,} frames",
        ["", "Bytes", ""],
        [
            [f"{frames:,} x {numbers} x 4 bytes", f"{told['floats']:,}", f"= {size(told['floats'])}"],
            ["stored as halfvec, with keys and two plain indexes", f"{told['rows']:,}", size(told["rows"])],
            ["HNSW of every frame", f"{told['index_of_all']:,}", size(told["index_of_all"])],
            [f"HNSW of shots only, {shots} a minute", f"{told['index']:,}", size(told["index"])],
        ],
        [f"A shot stands for {each:.1f} frames here, so search keeps {size(told['index'])} in memory for a million."],
    )


def volumes(plan: Plan) -> Table:
    """This archive, and the planned one beside it."""
    columns = list(plan.volumes.items())
    bills = [plan.bill(volume, plan.chosen) for _, volume in columns]
    rows = [
        ["photos", *(f"{volume.photos:,}" for _, volume in columns)],
        ["hours of video", *(number(round(volume.hours, 2)) for _, volume in columns)],
        ["frames a second", *(number(round(volume.fps, 2)) for _, volume in columns)],
        ["frames", *(f"{bill.frames:,}" for bill in bills)],
        ["photos and shots, which are indexed", *(f"{bill.indexed:,}" for bill in bills)],
        ["vectors as floats", *(size(bill.floats) for bill in bills)],
        ["vectors as stored (halfvec)", *(size(bill.rows) for bill in bills)],
        ["index (HNSW)", *(size(bill.index) for bill in bills)],
        ["stills of shots", *(size(bill.stills) for bill in bills)],
        ["renditions", *(size(bill.renditions) for bill in bills)],
        ["all of it, beside the originals", *(size(bill.total) for bill in bills)],
        ["encoder", *(span(bill.seconds) for bill in bills)],
    ]
    return Table("What it takes", ["", *(name for name, _ in columns)], rows, list(_about_pace(plan)))


def seen(plan: Plan) -> Table:
    sizes, assumed = vars(plan.seen.sizes), plan.seen.assumed
    rows = [
        [words, number(round(sizes[name], 2)), "assumed" if name in assumed else "seen here"]
        for name, words in SIZES.items()
    ]
    note = "Assumed is what there is too little of to measure; docs/costs.md says where it comes from."
    return Table("Reckoned with", ["", "", ""], rows, [note] if assumed else [])


def models(plan: Plan) -> Table:
    """Every model that is known by name, with the time that its encoder would take."""
    names = list(plan.volumes)
    rows = []
    for one in plan.choices:
        times = [span(plan.bill(volume, one).seconds) for volume in plan.volumes.values()]
        marks = f" ({one.space}, searched)" if one.active else f" ({one.space})" if one.space else ""
        pace = number(round(one.pace, 3)) if one.pace else UNKNOWN
        gflops = f"{one.gflops:.2f}" if one.gflops is not None else UNKNOWN
        rows.append([f"{one.name}{marks}", str(one.numbers), gflops, pace, *times, one.known])
    head = ["", "Numbers", "GFLOPs", "Frames/s", *names, ""]
    notes = [
        "An estimate compares the operations of the picture towers; a rough one, towers of two sorts, and may be three "
        "times too much or too little. `manage.py benchmark encode --model NAME` measures. Stored vectors take the "
        "same room in every model."
    ]
    return Table("Other models", head, rows, notes)


def _about_pace(plan: Plan) -> Iterable[str]:
    chosen = plan.chosen
    if chosen is None:
        yield "No space is searched, so nobody knows how fast its encoder is."
    elif chosen.known == NOT_MEASURED:
        yield f"The pace of {chosen.space} was not measured yet: run manage.py space evaluate {chosen.space}"
    elif chosen.source:
        yield f"Encoder: {chosen.space}, {number(round(chosen.pace or 0, 2))} frames a second, {chosen.source}."
    else:
        yield f"Encoder: {chosen.space}, {number(round(chosen.pace or 0, 2))} frames a second, {chosen.known}."
