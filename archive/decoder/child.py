"""The process that reads what strangers upload: `python -m archive.decoder.child`, started by the sandbox.

File descriptor 0 is a socket to the parent, and all that this process ever sees of the world.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
from io import BytesIO
from typing import Any

from PIL import Image
from PIL.ImageCms import ImageCmsProfile, createProfile

from archive.decoder.confinement import DEFAULT_MEMORY, confine, grant_cpu
from archive.decoder.decoded import Decoded, Stretch
from archive.decoder.kept import Kept
from archive.decoder.opening import use_one_thread
from archive.decoder.pictures import decode_picture
from archive.decoder.refusals import DecoderTimedOut, StoreFailed, Undecodable
from archive.decoder.specs import MAX_PIXELS, POSTER_SPECS, Spec
from archive.decoder.wire import Hangup, receive_job, send


def main(memory: int = DEFAULT_MEMORY, films: int = 0) -> None:
    """With `films` it reads those too, for which it takes a hundred megabytes of FFmpeg in."""
    parent = socket.socket(fileno=0)
    _get_ready()
    if films:
        _get_ready_for_films()
    gc.freeze()  # what is loaded stays: sweeping after each job looks only at what the job made
    send(parent, {"confined": confine(memory)})
    kept = Kept()
    try:
        while True:
            message, fd = receive_job(parent)
            grant_cpu(int(message["cpu_seconds"]))
            send(parent, *_answer(message, fd, kept))
            # A container and its streams name each other. Until they are swept, each film that was read keeps its
            # decoder with all the pictures that this holds: 4K footage would fill the memory within a few chunks.
            gc.collect()
    except Hangup:
        return


def _get_ready() -> None:
    """Do once what opens files, for later none can be: modules, codecs, plugins."""
    use_one_thread()
    for codec in ("utf-8", "utf-16-le", "utf-16-be", "utf-16", "latin-1", "ascii", "idna"):
        "".encode(codec)
    profile = ImageCmsProfile(createProfile("sRGB")).tobytes()
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"):
        file = BytesIO()
        Image.new("RGB", (8, 8)).save(file, kind, icc_profile=profile)
        file.seek(0)
        decode_picture(file)


def _get_ready_for_films() -> None:
    """The same for what FFmpeg, PyAV and numpy load at their first use."""
    import av  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    from archive.decoder.films import jobs, pieces, upright  # noqa: PLC0415

    av.logging.set_level(None)
    frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), dtype=np.uint8), format="rgb24")
    upright.to_sdr(frame.reformat(8, 8, "rgb48le", threads=1).to_ndarray().astype(np.uint16), upright.PQ)
    film = BytesIO()
    with av.open(film, "w", format="avi") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        container.mux([*stream.encode(frame), *stream.encode(None)])
    still = BytesIO()
    Image.new("RGB", (8, 8), "teal").save(still, "GIF", save_all=True, append_images=[Image.new("RGB", (8, 8))])
    for file in (film, still):
        for job in (
            lambda file: jobs.look_at_film(file, POSTER_SPECS, 10, MAX_PIXELS),
            lambda file: jobs.read_stretch(file, 0, 1000, 100, 10, MAX_PIXELS),
            lambda file: pieces.make_piece(file, 0, 1000, 10, MAX_PIXELS),
        ):
            file.seek(0)
            job(file)


def _answer(message: dict[str, Any], fd: int, kept: Kept) -> tuple[dict[str, Any], list[bytes]]:
    try:
        if message["job"] in ("frames", "piece"):
            return _read_on(message, fd, kept)
        kept.forget()
        specs, pixels = [Spec(**spec) for spec in message["specs"]], int(message["max_pixels"])
        with os.fdopen(fd, "rb") as file:
            if message["job"] == "picture":
                return _as_message(decode_picture(file, specs, pixels))
            from archive.decoder.films.jobs import look_at_film  # noqa: PLC0415

            return _as_message(look_at_film(file, specs, float(message["seconds"]), pixels))
    except (StoreFailed, DecoderTimedOut) as passing:
        told = {"late": passing.seconds} if isinstance(passing, DecoderTimedOut) else {"unreadable": passing.detail}
        return told, []
    except Undecodable as refusal:
        return {"refused": refusal.reason, "code": refusal.code, "detail": refusal.detail}, []


def _read_on(message: dict[str, Any], fd: int, kept: Kept) -> tuple[dict[str, Any], list[bytes]]:
    from archive.decoder.films.jobs import StretchReader  # noqa: PLC0415
    from archive.decoder.films.pieces import PieceMaker  # noqa: PLC0415

    first, until, pixels = (int(message[name]) for name in ("first_ms", "until_ms", "max_pixels"))
    seconds = float(message["seconds"])
    if message["job"] == "piece":
        with kept.reader(PieceMaker, lambda file: PieceMaker(file, pixels), fd, first, 1) as maker:
            piece = maker.make(first, until, seconds)
            return {"reached_ms": piece.reached_ms, "ended": piece.ended}, [piece.data]
    step = int(message["step_ms"])
    with kept.reader(StretchReader, lambda file: StretchReader(file, pixels), fd, first, step) as reader:
        return _as_frames(reader.read(first, until, step, seconds))


def _as_frames(stretch: Stretch) -> tuple[dict[str, Any], list[bytes]]:
    told = {"reached_ms": stretch.reached_ms, "ended": stretch.ended, "notes": stretch.notes}
    times = [at for at, _ in stretch.frames]
    return {"frames": times, **told}, [data for _, data in stretch.frames]


def _as_message(decoded: Decoded) -> tuple[dict[str, Any], list[bytes]]:
    renditions = decoded.renditions
    facts = {name: getattr(decoded, name) for name in decoded.__dataclass_fields__ if name != "renditions"}
    sizes = {
        name: {"width": made.width, "height": made.height, "media_type": made.media_type}
        for name, made in renditions.items()
    }
    return {"decoded": facts, "renditions": sizes}, [made.data for made in renditions.values()]


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
