"""`manage.py benchmark video`: frames from file to vector, beside the bare decoder and the bare encoder; and whether
memory stays flat over a long video."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
from django.conf import settings
from django.contrib.auth.models import User
from PIL import Image

from archive.incoming import receive_file
from archive.ingest import ingest_file
from archive.measuring import Report, milliseconds, rate_row, time_row
from archive.models import Collection, Frame, Space, Status
from archive.spaces import activate
from archive.video.packs import read_frames
from workers.benchmarks.moving import moving_picture
from workers.encode import drain_encode
from workers.encoders.load import encoder_of
from workers.prepare import drain_prepare
from workers.spaces import make_space

RATE = 25
SIZE = (1280, 720)
SLOW = 5  # of the films that are only long
GOP = 50  # a key frame every two seconds, as streaming services make them
SCENE_SECONDS = 5


def measure(*, quick: bool = False, model: str = "", seconds: int = 0, runs: int = 0) -> Report:
    model = model or ("fake" if quick else "shipped:everyday-things")
    seconds = seconds or (6 if quick else 40)
    runs = runs or (1 if quick else 3)
    space = make_space("benchmark", model)
    activate(space, even_if_partial=True)
    owner, _ = User.objects.get_or_create(username="bob")
    place = Collection.objects.create(slug="films", name="films", owner=owner)
    folder = settings.SIGHTLINE_DATA / "films"
    folder.mkdir()
    bench = Bench(space, place, folder)
    bench.take(bench.film(2, seed=99))  # the model is loaded, the decoder has started once
    whole, decoding, encoding = [], [], []
    for run in range(runs):
        path = bench.film(seconds, seed=run)
        frames, prepared, encoded = bench.take(path)
        bare, model_alone = bench.bare_decode(path), bench.bare_encode(frames)
        decoding.append((1000 * frames / prepared, 1000 * seconds / bare))
        encoding.append((1000 * frames / encoded, 1000 * frames / model_alone))
        whole.append((1000 * frames / (prepared + encoded), 1000 * frames / (bare + model_alone)))
    name = f"{SIZE[0]}x{SIZE[1]} H.264"
    rows = [
        rate_row(f"{name}: file to vectors, one after the other", "frames/s", whole),
        rate_row(f"{name}: file to frames, beside the bare decoder", "frames/s", decoding),
        rate_row(f"{model}: frames to vectors, beside the bare model", "frames/s", encoding),
        time_row("peak memory over a film of six times the length", "MB", [bench.memory(seconds)]),
    ]
    return Report("video", rows)


class Bench:
    def __init__(self, space: Space, place: Collection, folder: Path) -> None:
        self.space = space
        self.place = place
        self.folder = folder
        self.encoder = encoder_of(space)

    def film(self, seconds: int, seed: int, rate: int = RATE) -> Path:
        """Soft moving shapes with grain, another scene every few seconds."""
        path = self.folder / f"{seed}-{seconds}.mp4"
        print(f"drawing a film of {seconds} seconds", file=sys.stderr, flush=True)  # noqa: T201
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "23"})
            stream.width, stream.height = SIZE
            stream.pix_fmt = "yuv420p"
            stream.codec_context.gop_size = GOP
            for number in range(seconds * rate):
                pixels = moving_picture(SIZE, seed * 10_000 + number // (SCENE_SECONDS * rate), number)
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, rate)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    def take(self, path: Path) -> tuple[int, float, float]:
        """Frames, and the milliseconds of preparing and of encoding them."""
        asset = ingest_file(
            receive_file(path), collection=self.place, uploader=None, filename=path.name, ring=False
        ).asset
        prepared = milliseconds(lambda: drain_prepare(float("inf")))
        encoded = milliseconds(lambda: drain_encode(float("inf")))
        asset.refresh_from_db()
        if asset.error or asset.status == Status.FAILED:
            raise RuntimeError(f"The film was not taken in: {asset.error}")
        self.asset = asset
        return Frame.objects.filter(asset=asset).count(), prepared, encoded

    def bare_decode(self, path: Path) -> float:
        """Milliseconds that FFmpeg takes for every frame, in one thread, without making anything of them."""

        def work() -> None:
            with av.open(str(path)) as container:
                stream = container.streams.video[0]
                stream.codec_context.thread_count = 1
                for _ in container.decode(stream):
                    pass

        return milliseconds(work)

    def bare_encode(self, frames: int) -> float:
        """Milliseconds that the model takes for as many pictures as the film has frames, prepared before."""
        seconds = Frame.objects.filter(asset=self.asset).order_by("at").values_list("at", flat=True)
        times = [round(at * 1000) for at in seconds]
        size = settings.SIGHTLINE_ENCODE_BATCH
        data = read_frames(self.asset.pk, times)
        ready = [self.encoder.prepare(_opened(data[at])) for at in times]
        batches = [ready[i : i + size] for i in range(0, frames, size)]
        return milliseconds(lambda: [self.encoder.encode_pictures(batch) for batch in batches])

    def memory(self, seconds: int) -> tuple[float, float]:
        """(MB at the peak over a long film, over a short one), of this process and its decoder together."""
        short, long = (self.film(times * seconds, seed=500 + times, rate=SLOW) for times in (1, 6))
        few = peak_of(lambda: self.take(short))
        many = peak_of(lambda: self.take(long))
        return many, few


def peak_of(work: Callable[[], object]) -> float:
    """MB of resident memory at most, looked at twenty times a second, of this process and its children."""
    stop, seen = threading.Event(), [0.0]

    def look() -> None:
        while not stop.wait(0.05):
            seen[0] = max(seen[0], sum(_resident(pid) for pid in (os.getpid(), *_children())))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        work()
    finally:
        stop.set()
        watcher.join()
    return seen[0] / 2**20


def _children() -> list[int]:
    tasks = Path("/proc/self/task")
    return [int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()]


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")
