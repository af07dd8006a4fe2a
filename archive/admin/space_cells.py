"""What moves on the Spaces page: cells that are refreshed where they stand."""

from __future__ import annotations

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from archive.models import Space, SpaceState
from archive.spaces import Progress, is_large, progress

# Counts of everybody's assets are told only to those who see all of them.
COUNTING = ("covered", "size")
NAMES = ("state_badge", "covered", "index", "size", "measured")
NOTHING = SafeString("–")
# Of an evaluation, as the table of `manage.py space evaluate` has them: shares and speeds, no counts.
FIGURES = {
    "coverage": "covers",
    "recall@10": "recall@10 of the index",
    "R@1": "R@1",
    "R@5": "R@5",
    "accuracy": "accuracy",
    "pictures_a_second": "pictures a second",
    "text_ms": "one text, ms",
    "bytes_a_million": "bytes a million",
    "device": "measured on",
    "at": "at",
}


def cell(space: Space, name: str, *, oob: bool = False) -> SafeString:
    """One of `NAMES`, with an id by which a later answer replaces it (`oob`: as a part of such an answer)."""
    inner = WRITERS[name](progress_of(space))
    swap = SafeString(' hx-swap-oob="true"') if oob else ""
    return format_html('<span id="space-{}-{}"{}>{}</span>', space.pk, name, swap, inner)


def cells(spaces: list[Space], names: list[str]) -> SafeString:
    return format_html_join("\n", "{}", ((cell(space, name, oob=True),) for space in spaces for name in names))


def progress_of(space: Space) -> Progress:
    """Asked once for all cells of a row."""
    found = getattr(space, "_progress", None)
    if found is None:
        found = space._progress = progress(space)  # type: ignore[attr-defined]
    assert isinstance(found, Progress)
    return found


def state_badge(row: Progress) -> SafeString:
    badge = format_html('<span class="badge {}">{}</span>', row.space.state, row.space.get_state_display())
    if not row.space.takes_over or row.space.state not in (SpaceState.BUILDING, SpaceState.READY):
        return badge
    return format_html('{}<span class="moving">searched as soon as it is full</span>', badge)


def covered(row: Progress) -> SafeString:
    if row.space.state == SpaceState.RETIRED:
        return NOTHING
    told = row.covered
    return format_html(
        '<span class="covered"><progress value="{}" max="{}" aria-label="{} of {} assets"></progress>'
        "<span>{} of {}</span></span>{}",
        told.done if told.total else 1,
        told.total or 1,
        told.done,
        told.total,
        f"{told.done:,}",
        f"{told.total:,}",
        _moving(row),
    )


def _moving(row: Progress) -> SafeString:
    told = row.covered
    said = []
    if told.done < told.total and told.waiting:
        left = as_time(row.seconds_left)
        moving = f"{row.rate:.1f} a second, {left} left"
        said.append(moving if row.rate and left else "waits for a worker, or has just begun")
    elif told.done + told.set_aside < told.total:
        said.append("nothing fills it now")
    if told.set_aside:
        said.append(f"{told.set_aside:,} set aside")
    return format_html('<span class="moving">{}</span>', " · ".join(said)) if said else SafeString("")


def index(row: Progress) -> SafeString | str:
    if row.space.state == SpaceState.RETIRED:
        return NOTHING
    if row.index.built is not None:
        return f"{row.index.built:.0%} built"
    if row.index.valid:
        return "HNSW"
    return "none yet: slow" if is_large(row.space) else "small: exact"


def size(row: Progress) -> SafeString | str:
    megabytes = row.bytes / 1e6
    return f"{megabytes / 1000:,.1f} GB" if megabytes >= 1000 else f"{megabytes:,.1f} MB" if megabytes else NOTHING


def measured(row: Progress) -> SafeString | str:
    found = row.space.evaluation
    if not found:
        return NOTHING
    shares = [f"{name} {found[name]:.2f}" for name in ("R@5", "accuracy") if found.get(name) is not None]
    return " · ".join([*shares, f"{found['pictures_a_second']:.0f} pictures/s"])


def figures(space: Space) -> SafeString | str:
    """The whole last evaluation."""
    found = space.evaluation
    if not found:
        return "Not measured yet: choose “Measure” in the list, or run manage.py space evaluate."
    rows = ((label, NOTHING if found.get(name) is None else found[name]) for name, label in FIGURES.items())
    return format_html('<dl class="facts">{}</dl>', format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", rows))


def gain(space: Space) -> SafeString | str:
    """What an adapter was seen to find on captions that it was not trained on, beside its parent."""
    found = space.gain
    if not found:
        return NOTHING
    by = found["difference"]
    rows = [
        (name, f"{found['adapted'][name]:.3f}, where {space.parent or 'its parent'} has {found['parent'][name]:.3f}")
        for name in ("R@1", "R@5", "MRR")
    ]
    rows.append(("change of MRR", f"{by['MRR']:+.3f}, 95 % sure: {by['low']:+.3f} to {by['high']:+.3f}"))
    rows.append(("judged on", f"{found['captions']:,} captions that it was not trained on"))
    return format_html('<dl class="facts">{}</dl>', format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", rows))


def as_time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.0f} h"


WRITERS = {"state_badge": state_badge, "covered": covered, "index": index, "size": size, "measured": measured}
