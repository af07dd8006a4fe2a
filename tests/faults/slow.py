"""The workers' Celery app as a drill: the fake model takes its time, and some pictures are deadly.

`celery -A tests.faults.slow worker ...` runs the real workers; only what they compute with is changed.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from io import BytesIO
from typing import Any, cast

import django
from PIL import Image

from tests.faults import DEADLY, POISON
from workers import app

django.setup()  # models are imported below, before Celery would do it

from archive.decoder.decoded import Decoded  # noqa: E402
from archive.decoder.sandbox import Sandbox  # noqa: E402
from workers.encoders.fake import FakeEncoder  # noqa: E402

__all__ = ["app"]

SECONDS_A_PICTURE = float(os.environ.get("DRILL_SECONDS_A_PICTURE", "0.05"))

encode_pictures = FakeEncoder.encode_pictures
prepare = FakeEncoder.prepare
decode = Sandbox.decode


def encode_slowly(self: FakeEncoder, prepared: Sequence[Any]) -> Any:
    time.sleep(SECONDS_A_PICTURE * len(prepared))
    return encode_pictures(self, prepared)


def die_of_some(self: FakeEncoder, picture: Image.Image) -> Any:
    if all(
        low > want - 8 and high < want + 8
        for (low, high), want in zip(cast(Any, picture.getextrema()), DEADLY, strict=True)
    ):
        os.kill(os.getpid(), signal.SIGKILL)
    return prepare(self, picture)


def lose_the_decoder(self: Sandbox, source: Any, **options: Any) -> Decoded:
    data = source.read()
    if POISON not in data:
        return decode(self, BytesIO(data), **options)
    decode(self, harmless(), specs=[])
    assert self.pid is not None
    os.kill(self.pid, signal.SIGSTOP)  # so that it is in the middle of this picture
    threading.Timer(0.1, os.kill, (self.pid, signal.SIGKILL)).start()
    return decode(self, BytesIO(data), **options)


def harmless() -> bytes:
    out = BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG")
    return out.getvalue()


FakeEncoder.encode_pictures = encode_slowly  # type: ignore[method-assign]
FakeEncoder.prepare = die_of_some  # type: ignore[method-assign]
Sandbox.decode = lose_the_decoder  # type: ignore[method-assign]
