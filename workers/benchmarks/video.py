"""`manage.py benchmark video`: frames from file to vector, beside the bare decoder and the bare encoder; and whether
memory stays flat over a long video."""

from __future__ import annotations

import io
import sys
from fractions import Fraction
from pathlib import Path

import av
from django.conf import settings
from django.contrib.auth.models import User
from PIL import Image

from archive.incoming import receive_file
from archive.ingest import ingest_file
from archive.measuring import Report, Row, milliseconds, rate_row, time_row
from archive.models import Asset, Collection, Frame, Space, Status
from archive.spaces import activate
from archive.video.packs import read_frames
from archive.video.sprites import MOST
from workers.benchmarks.alone import peaks_of
from workers.benchmarks.moving import moving_picture
from workers.encode import drain_encode
from workers.encoders.load import encoder_of
from workers.prepare import drain_prepare
from workers.spaces import make_space

RATE = 25
SIZE = (1280, 720)
SLOW, SMALL = 2, (640, 360)  # of the films that are only long
LONGER = 4
GOP = 50  # a key frame every two seconds, as streaming services make them
SCENE_SECONDS = 5


def measure(*, quick: bool = False, model: str = "", seconds: int = 0, runs: int = 0) -> Report:
    model = model or ("fake" if quick else "shipped:everyday-things")
    seconds = seconds or (6 if quick else 40)
    # Long enough for a sprite to be full, and for the loader, the model and the writer to have a whole batch each: what
    # those take is another question than how long the film is.
    batch = settings.SIGHTLINE_ENCODE_BATCH
    short = batch if quick else max(MOST, 4 * batch)
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
        *bench.memory(short),
    ]
    return Report("video", rows)


class Bench:
    def __init__(self, space: Space, place: Collection, folder: Path) -> None:
        self.space = space
        self.place = place
        self.folder = folder
        self.encoder = encoder_of(space)

    def film(
        self, seconds: int, seed: int, rate: int = RATE, size: tuple[int, int] = SIZE, suffix: str = ".mp4"
    ) -> Path:
        """Soft moving shapes with grain, another scene every few seconds."""
        path = self.folder / f"{seed}-{seconds}{suffix}"
        print(f"drawing a film of {seconds} seconds", file=sys.stderr, flush=True)  # noqa: T201
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "23"})
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            stream.codec_context.gop_size = GOP
            for number in range(seconds * rate):
                pixels = moving_picture(size, seed * 10_000 + number // (SCENE_SECONDS * rate), number)
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
        refuse_failed(asset)
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

    def memory(self, seconds: int) -> list[Row]:
        """A film of so many seconds, one a few times as long, and each process that works on them by itself."""
        short, long = (
            self.film(times * seconds, seed=500 + times, rate=SLOW, size=SMALL, suffix=".mkv") for times in (1, LONGER)
        )
        few, many = self.peaks(short), self.peaks(long)
        return [
            time_row(f"{name}: memory over {LONGER} times the film", "MB", [(peak, few[name])])
            for name, peak in many.items()
        ]

    def peaks(self, path: Path) -> dict[str, float]:
        """MB at most, by process. Browsers do not play Matroska, so that a film is made for them, too."""
        asset = ingest_file(
            receive_file(path), collection=self.place, uploader=None, filename=path.name, ring=False
        ).asset
        reading, decoder = peaks_of("prepare")
        refuse_failed(asset)
        encoding, _ = peaks_of("encode")
        making, maker = peaks_of("play")
        return {
            "reading": reading,
            "its decoder": decoder,
            "encoding": encoding,
            "making it playable": making,
            "its encoder": maker,
        }


def refuse_failed(asset: Asset) -> None:
    """What was not read leaves the others nothing to do: quick, and in little memory."""
    asset.refresh_from_db()
    if asset.error or asset.status == Status.FAILED:
        raise RuntimeError(f"The film was not taken in: {asset.error}")


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")
