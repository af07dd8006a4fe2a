"""The process that reads what strangers upload: `python -m archive.decoder.child`, started by the sandbox.

File descriptor 0 is a socket to the parent, and all that this process ever sees of the world.
"""

from __future__ import annotations

import os
import socket
import sys
from io import BytesIO
from typing import Any

from PIL import Image
from PIL.ImageCms import ImageCmsProfile, createProfile

from archive.decoder.confinement import DEFAULT_MEMORY, confine, grant_cpu
from archive.decoder.decoded import Decoded
from archive.decoder.opening import use_one_thread
from archive.decoder.pictures import decode_picture
from archive.decoder.refusals import Undecodable
from archive.decoder.specs import Spec
from archive.decoder.wire import Hangup, receive_job, send


def main(memory: int = DEFAULT_MEMORY) -> None:
    parent = socket.socket(fileno=0)
    _get_ready()
    send(parent, {"confined": confine(memory)})
    try:
        while True:
            message, fd = receive_job(parent)
            grant_cpu(int(message["cpu_seconds"]))
            answer, blobs = _answer(message, fd)
            send(parent, answer, blobs)
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


def _answer(message: dict[str, Any], fd: int) -> tuple[dict[str, Any], list[bytes]]:
    specs = [Spec(**spec) for spec in message["specs"]]
    try:
        with os.fdopen(fd, "rb") as file:
            decoded = decode_picture(file, specs, int(message["max_pixels"]))
    except Undecodable as refusal:
        return {"refused": refusal.reason, "code": refusal.code, "detail": refusal.detail}, []
    return _as_message(decoded)


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
