"""An animated GIF or WebP as a short film, by Pillow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from PIL import Image, ImageFile

from archive.decoder.captions import written_in
from archive.decoder.colour import to_plain
from archive.decoder.decoded import Facts
from archive.decoder.films.reel import Known
from archive.decoder.opening import PARSERS, refuse_huge
from archive.decoder.refusals import no_frames
from archive.decoder.renditions import shrink
from archive.decoder.specs import Spec
from archive.sniff import PICTURES

HASTY, USUAL = 20, 100  # browsers show for 100 ms what asks for less than 20
MOST = 20_000


class Animation:
    def __init__(self, file: IO[bytes], media_type: str, max_pixels: int) -> None:
        self.label = PICTURES[media_type].label
        self.damaged = 0
        self.picture: ImageFile.ImageFile = PARSERS[media_type](file)
        refuse_huge(self.picture, max_pixels)

    def know(self) -> Known:
        width, height = self.picture.size
        notes: list[str] = []
        written = written_in(self.picture, notes)
        end = 0
        for at, length in self._times():
            end = at + length
        if not end:
            raise no_frames(self.label)
        technical: dict[str, str | float] = {"Container": self.label, "VideoCodec": self.label.lower()}
        facts = Facts(title=written.title, caption=written.caption, keywords=written.keywords)
        return Known(width, height, end / 1000, facts, technical, notes)

    def frames(self, first_ms: int, step_ms: int, spec: Spec) -> Iterator[tuple[int, Image.Image]]:
        slot = first_ms // step_ms
        for at, _ in self._times():
            if at // step_ms >= slot:
                slot = at // step_ms + 1
                yield at, shrink(to_plain(self.picture.copy(), []).convert("RGB"), [spec])

    def _times(self) -> Iterator[tuple[int, int]]:
        """(beginning, length) of each picture in milliseconds, while `self.picture` stands at it."""
        at = 0
        for number in range(MOST):
            try:
                self.picture.seek(number)
                self.picture.load()
            except EOFError:
                return
            except MemoryError:
                raise
            except Exception:  # Pillow raises many kinds on a damaged file; what came before is kept
                self.damaged += 1
                return
            asked = self.picture.info.get("duration", USUAL)
            length = int(asked) if isinstance(asked, int | float) and asked >= HASTY else USUAL
            yield at, length
            at += length
