"""Figures of a plan as people read them: for the command and the page."""

from __future__ import annotations

UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
SPANS = ((86400 * 365, "years"), (86400, "days"), (3600, "hours"), (60, "minutes"))
UNKNOWN = "–"


def size(count: float) -> str:
    """Bytes in the unit that fits, by thousands: 3,072,000,000 are 3.07 GB."""
    for many, unit in UNITS:
        if count >= many * 0.9995:
            return f"{count / many:.2f} {unit}"
    return f"{count:.0f} bytes"


def span(seconds: float | None) -> str:
    """A time that nobody waits for with a watch: in its largest unit of which there are two."""
    if seconds is None:
        return UNKNOWN
    for long, unit in SPANS:
        if seconds >= 2 * long:
            count = seconds / long
            return f"{count:,.0f} {unit}" if count >= 10 else f"{count:.1f} {unit}"
    return "less than a second" if seconds < 1 else f"{seconds:.0f} seconds"


def number(value: float) -> str:
    """With as many digits as mean something."""
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:,.3g}"
