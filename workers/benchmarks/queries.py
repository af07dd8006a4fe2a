"""A text's way to the queries worker and back, beside encoding it right here."""

from __future__ import annotations

import subprocess
import time
from functools import partial

from django.conf import settings

from archive.bundled.processes import processes
from archive.bundled.supervisor import kept
from archive.measuring import Report, milliseconds, time_row
from archive.models import Space
from workers.client import EncoderUnavailable, encode_text
from workers.encoders.load import encoder_of
from workers.spaces import SHIPPED, make_space

PATIENCE = 60.0
# For two messages through Redis, and for reading and writing them.
ALLOWANCE_MS = 5.0


def measure(*, quick: bool = False, rows: int = 0, runs: int = 0) -> Report:
    """The worker is started for this; `rows` belongs to the search that is measured before."""
    runs = runs or (5 if quick else 60)
    space = make_space("queries", "fake" if quick else SHIPPED)
    encoder = encoder_of(space)
    table = {process.name: process for process in processes(host="", port=0, data=settings.SIGHTLINE_DATA)}
    with subprocess.Popen(kept(table["queries"].command), stdout=subprocess.DEVNULL) as worker:
        try:
            _wait_for(space)
            asked: list[float] = []
            here: list[float] = []
            for text in [f"a red boat {number}" for number in range(runs)]:  # new each time: answers are kept
                here.append(milliseconds(partial(encoder.encode_texts, [text])))
                asked.append(milliseconds(partial(encode_text, space, text)))
        finally:
            worker.terminate()
    limits = [time + ALLOWANCE_MS for time in here]
    return Report(
        "search", [time_row("text query through the queries worker", "ms", list(zip(asked, limits, strict=True)))]
    )


def _wait_for(space: Space) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            encode_text(space, f"are you there at {time.monotonic()}")
        except EncoderUnavailable:
            if time.monotonic() > until:
                raise
        else:
            return
