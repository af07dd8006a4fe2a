"""`manage.py benchmark ingest`: taking pictures in, beside the bare decoding and the bare copying that it needs."""

from __future__ import annotations

import hashlib
import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from PIL import Image

from archive.decoder.specs import ALL_SPECS
from archive.incoming import receive_file
from archive.ingest import ingest_file
from archive.measuring import Report, Row, milliseconds, rate_row
from archive.models import Asset, Collection, Status, Step, WorkState
from workers.prepare import drain_prepare

SIZES = {"12 megapixels": (4000, 3000), "small": (640, 480)}
DIFFERENT = 4
FORMATS = {"image/webp": "WEBP", "image/jpeg": "JPEG"}


def measure(*, quick: bool = False, pictures: int = 0, runs: int = 0) -> Report:
    pictures = pictures or (6 if quick else 200)
    runs = runs or (2 if quick else 5)
    rows: list[Row] = []
    for name, size in SIZES.items():
        folder = settings.SIGHTLINE_DATA / "pictures" / name.replace(" ", "-")
        print(f"drawing {pictures} of {name}", file=sys.stderr, flush=True)  # noqa: T201
        files = draw(folder, (400, 300) if quick else size, pictures)
        rows += Intake(name, files, max(1, pictures // runs)).rows(runs)
    return Report("ingest", rows)


def draw(folder: Path, size: tuple[int, int], count: int) -> list[Path]:
    """JPEGs with some grain. A few are drawn; the others differ in what stands behind their end, which
    no decoder reads and every hash does."""
    folder.mkdir(parents=True)
    different = [_jpeg(size, seed) for seed in range(DIFFERENT)]
    paths = [folder / f"{i:05}.jpg" for i in range(count)]
    for i, path in enumerate(paths):
        path.write_bytes(different[i % DIFFERENT] + i.to_bytes(4, "big"))
    return paths


def _jpeg(size: tuple[int, int], seed: int) -> bytes:
    dice = np.random.default_rng(seed)
    coarse = Image.fromarray(dice.integers(0, 255, (30, 40, 3), dtype=np.uint8))
    grain = Image.fromarray(dice.integers(96, 160, (size[1] // 2, size[0] // 2, 3), dtype=np.uint8)).resize(size)
    out = io.BytesIO()
    Image.blend(coarse.resize(size, Image.Resampling.BICUBIC), grain, 0.15).save(out, "JPEG", quality=90)
    return out.getvalue()


@dataclass
class Intake:
    """Each turn takes in files that the archive has not seen yet."""

    name: str
    files: list[Path]
    chunk: int

    def rows(self, runs: int) -> list[Row]:
        owner, _ = User.objects.get_or_create(username="bob")
        self.place = Collection.objects.create(slug=self.name.replace(" ", "-"), name=self.name, owner=owner)
        whole: list[tuple[float, float]] = []
        keeping: list[tuple[float, float]] = []
        for run in range(runs):
            files = self.files[run * self.chunk : (run + 1) * self.chunk]
            kept, copied = self._ingest(files), copy_all(files)
            prepared, decoded = drain_milliseconds(), decode_all(files)
            keeping.append((_rate(files, kept), _rate(files, copied)))
            whole.append((_rate(files, kept + prepared), _rate(files, decoded)))
        self._check()
        return [
            rate_row(f"{self.name}: file to renditions, beside bare decoding", "pictures/s", whole),
            rate_row(f"{self.name}: file to row, beside hash, copy, sync, rename", "pictures/s", keeping),
        ]

    def _ingest(self, files: list[Path]) -> float:
        def work() -> None:
            for path in files:
                ingest_file(receive_file(path), collection=self.place, uploader=None, filename=path.name, ring=False)

        return milliseconds(work)

    def _check(self) -> None:
        """A rate of failures would be no rate."""
        failed = Asset.objects.filter(collection=self.place, status=Status.FAILED).first()
        waiting = Asset.objects.filter(collection=self.place, work__step=Step.PREPARE, work__state=WorkState.READY)
        if failed or waiting.exists():
            raise RuntimeError(f"Not everything was prepared: {failed.error if failed else 'some of it waits'}")


def drain_milliseconds() -> float:
    return milliseconds(lambda: drain_prepare(float("inf")))


def copy_all(files: list[Path]) -> float:
    folder = settings.SIGHTLINE_DATA / "copies"
    folder.mkdir(exist_ok=True)

    def work() -> None:
        for path in files:
            copy_durably(path, folder)

    return milliseconds(work)


def decode_all(files: list[Path]) -> float:
    def work() -> None:
        for path in files:
            decode_barely(path)

    return milliseconds(work)


def copy_durably(path: Path, folder: Path) -> None:
    data = path.read_bytes()
    part, target = folder / "part", folder / hashlib.sha256(data).hexdigest()
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.rename(target)


def decode_barely(path: Path) -> None:
    """The three renditions by Pillow alone: no confinement, no facts, no files."""
    picture: Image.Image = Image.open(path)
    picture.draft("RGB", (1800, 1350))
    for spec in sorted(ALL_SPECS, key=lambda spec: spec.longest, reverse=True):
        size = spec.size_for(*picture.size)
        smaller = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
        options = {"method": spec.effort} if spec.media_type == "image/webp" else {"subsampling": 0}
        smaller.save(io.BytesIO(), FORMATS[spec.media_type], quality=spec.quality, **options)


def _rate(files: list[Path], taken: float) -> float:
    return 1000 * len(files) / taken
