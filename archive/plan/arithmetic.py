"""The arithmetic of a plan: no database, no clock, only figures and what they make."""

from __future__ import annotations

from dataclasses import dataclass

FLOAT = 4  # bytes of a number as models give it
# What everybody reckons with first: a million frames in a model of 768 numbers are 3.07 GB.
BARE = (1_000_000, 768)


def bare_bytes(vectors: int, numbers: int) -> int:
    """Vectors as floats in a row, without a database around them."""
    return vectors * numbers * FLOAT


@dataclass(frozen=True)
class Volume:
    """How much there is. A photo is one frame, a video one for each `1 / fps` seconds."""

    photos: int
    hours: float
    fps: float

    @property
    def frames(self) -> int:
        return self.photos + round(self.hours * 3600 * self.fps)


@dataclass(frozen=True)
class Sizes:
    """Bytes, and shots a minute: as seen here, or where there is too little to see, as seen elsewhere."""

    row: float  # a stored vector with its keys: its share of the table and of the two plain indexes
    node: float  # of HNSW, an indexed vector
    photo: float  # the renditions of a photo
    hour: float  # the renditions of an hour of video, without the stills
    still: float  # of a shot
    shots_a_minute: float


@dataclass(frozen=True)
class Bill:
    """What a volume takes in one space. Bytes, and seconds of the encoder (None: nobody knows its pace)."""

    frames: int
    indexed: int  # photos and shots: all that HNSW holds
    floats: int  # the vectors as a model gives them
    rows: int
    index: int
    index_of_all: int  # if every frame were indexed
    stills: int
    renditions: int
    seconds: float | None

    @property
    def total(self) -> int:
        """On the disk, beside the originals."""
        return self.rows + self.index + self.stills + self.renditions


def bill_for(volume: Volume, sizes: Sizes, numbers: int, pace: float | None = None) -> Bill:
    """`numbers`: of the model; `pace`: its frames a second.

    Stored vectors have the same length whatever the model, so only `floats` knows its numbers. A shot has a
    frame at least, so there are never more shots than frames.
    """
    seconds_of_video = round(volume.hours * 3600 * volume.fps)
    shots = min(round(volume.hours * 60 * sizes.shots_a_minute), seconds_of_video)
    indexed = volume.photos + shots
    return Bill(
        frames=volume.frames,
        indexed=indexed,
        floats=bare_bytes(volume.frames, numbers),
        rows=round(volume.frames * sizes.row),
        index=round(indexed * sizes.node),
        index_of_all=round(volume.frames * sizes.node),
        stills=round(shots * sizes.still),
        renditions=round(volume.photos * sizes.photo + volume.hours * sizes.hour),
        seconds=volume.frames / pace if pace else None,
    )
