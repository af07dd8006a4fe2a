"""`manage.py benchmark encode`: the whole pipeline beside the model alone, in the same number of processes."""

from __future__ import annotations

import io
import os
import sys
from functools import partial
from itertools import cycle, tee

import numpy as np
from django.db import connection
from PIL import Image

from archive.measuring import Report, Row, in_turns, milliseconds, rate_row
from archive.models import DIMENSIONS, Frame, Space
from archive.spaces import activate, backfill
from archive.vectors import COPIED, store_vectors
from workers.benchmarks.backlog import make_backlog, photographs, renew_backlog
from workers.benchmarks.crew import Crew, crew
from workers.encoders.load import encoder_of
from workers.encoders.protocol import Encoder, Vectors
from workers.spaces import make_space

BACKLOG = 8192  # at most: a fast model empties it before its time is over
STORED = 1024


def measure(*, quick: bool = False, model: str = "", processes: int = 0, runs: int = 0) -> Report:
    model = model or ("fake" if quick else "ViT-B-32")
    processes = processes or (1 if quick else min(os.cpu_count() or 1, 4))
    seconds = 0.3 if quick else 10.0
    space = make_space("benchmark", model, "" if ":" in model or model == "fake" else "random")
    activate(space, even_if_partial=True)
    with crew(space.pk, processes) as everybody:
        _say(f"{model} in {processes} processes")
        expected = everybody.bare(min(seconds, 3)) * seconds * 1.5 + 64 * processes
        make_backlog(space, 128 if quick else min(BACKLOG, int(expected)))
        pairs = in_turns(
            runs or 5,
            lambda: _said("the pipeline", _drained(space, everybody, seconds)),
            lambda: _said("the bare model", everybody.bare(seconds)),
        )
        both = two_live_spaces(space, everybody, runs or 3, int(expected / 1.5) if not quick else 32)
    rows = [
        rate_row(f"{model}: rendition to vector, in {processes} process(es)", "pictures/s", pairs),
        rate_row(f"{model}: with two live spaces, beside one", "pictures/s", both),
    ]
    encoder = encoder_of(space)
    rows += _parts(model, space, encoder, 5 if quick else 60)
    return Report("encode", rows, _device(encoder))


def two_live_spaces(space: Space, everybody: Crew, runs: int, pictures: int) -> list[tuple[float, float]]:
    """What a new model costs every upload while it comes in: pictures a second until each is in all live spaces."""
    second = make_space("benchmark-second", space.model, space.pretrained)
    backfill(second)
    everybody.drain()  # all have loaded the second model, and every vector is there
    pictures = min(pictures, Frame.objects.count())

    def rate(name: str, *spaces: Space) -> float:
        for one in spaces:
            renew_backlog(one, pictures)
        return _said(name, pictures / everybody.drain())

    return in_turns(runs, lambda: rate("two live spaces", space, second), lambda: rate("one live space", space))


def _drained(space: Space, everybody: Crew, seconds: float) -> float:
    renew_backlog(space)
    return everybody.pipeline(seconds)


def _said(what: str, rate: float) -> float:
    _say(f"{what}: {rate:.1f} pictures/s")
    return rate


def _parts(name: str, space: Space, encoder: Encoder, count: int) -> list[Row]:
    """What stands beside the model: making pictures ready for it, and writing vectors down."""
    ours, bare = tee(cycle(photographs()))
    prepare = in_turns(
        count,
        lambda: 1000 / milliseconds(partial(encoder.prepare_jpeg, next(ours))),
        lambda: 1000 / milliseconds(partial(_resized, next(bare))),
    )
    renew_backlog(space)
    frames = list(Frame.objects.values_list("pk", "asset_id")[:STORED])
    vectors = encoder.encode_pictures([encoder.prepare_jpeg(next(ours))]).repeat(len(frames), axis=0)
    data = _as_copied(frames, vectors)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE bare (frame_id bigint, asset_id bigint, vector halfvec(768))")
    store = in_turns(
        5,
        lambda: 1000 * len(frames) / milliseconds(lambda: _store(space, frames, vectors)),
        lambda: 1000 * len(frames) / milliseconds(lambda: _copy(data)),
    )
    return [
        rate_row(f"{name}: decode and prepare, beside decode and resize", "pictures/s", prepare),
        rate_row(f"{name}: store vectors, beside a bare COPY", "rows/s", store),
    ]


def _store(space: Space, frames: list[tuple[int, int]], vectors: Vectors) -> None:
    store_vectors(space, [frame for frame, _ in frames], [asset for _, asset in frames], vectors)


def _as_copied(frames: list[tuple[int, int]], vectors: Vectors) -> bytes:
    """As COPY reads it in binary: a header, of each row the number of columns and each with its length, a trailer."""
    rows = np.zeros(len(frames), dtype=COPIED)
    rows["columns"], rows["l1"], rows["l2"], rows["l3"] = 3, 8, 8, 4 + 2 * DIMENSIONS
    rows["frame"], rows["asset"] = zip(*frames, strict=True)
    rows["dimensions"], rows["vector"] = DIMENSIONS, vectors
    return b"PGCOPY\n\xff\r\n\0" + bytes(8) + rows.tobytes() + b"\xff\xff"


def _copy(data: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy("COPY bare FROM STDIN (FORMAT binary)") as copy:
        copy.write(data)


def _resized(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=["JPEG"]).convert("RGB").resize((224, 224))


def _device(encoder: Encoder) -> str:
    device = getattr(encoder, "device", None)
    return f"{device.name}, {device.precision}" if device else "cpu"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  progress of a command
