"""Zip files on their way out: kept for a day beside the originals, where workers and web both reach them."""

from __future__ import annotations

import io
import os
import re
import shutil
import time
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, NotRequired, TypedDict, cast

from django.core.files import File
from django.core.files.storage import default_storage
from django.utils.timezone import localtime

from archive.incoming import room_left
from archive.models import Asset, Batch, ItemState
from archive.storage import DurableStorage, sync

KEPT_SECONDS = 24 * 3600
LONGEST_STEM, LONGEST_SUFFIX = 180, 12  # bytes, characters
SIDECAR = ".xmp"
# What some system's file names cannot have.
UNSAFE = re.compile(r'[<>:"/\\|?*]')
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)


class Lost(Exception):
    """The unfinished file is not there, or shorter than it was."""


class Entry(TypedDict):
    """A file in a zip, as the directory at its end names it."""

    name: str
    folded: str
    date: list[int]
    offset: int
    size: int
    crc: int
    sidecar: NotRequired[Entry]  # lies right behind it


class Names:
    """Names inside one zip: safe on every system, and no two alike, whatever their case.

    A sidecar is called as its picture is, with `SIDECAR` behind it: programs pair them by that.
    """

    def __init__(self, batch: Batch, assets: Iterable[Asset]) -> None:
        wanted = {safe_name(asset.filename).casefold() for asset in assets}
        wanted |= {name + SIDECAR for name in wanted}
        done = batch.items.filter(state=ItemState.DONE)
        self._taken = {
            name
            for path in ("before__folded", "before__sidecar__folded")
            for name in done.filter(**{f"{path}__in": wanted}).values_list(path, flat=True)
        }

    def take(self, asset: Asset, *, with_sidecar: bool = False) -> str:
        name = safe_name(asset.filename)
        if self._taken & {name.casefold(), *([name.casefold() + SIDECAR] if with_sidecar else [])}:
            path = PurePosixPath(name)
            name = f"{path.stem} ({asset.uuid.hex[:12]}){path.suffix}"
        self._taken.add(name.casefold())
        if with_sidecar:
            self._taken.add(name.casefold() + SIDECAR)
        return name


def safe_name(filename: str) -> str:
    """A name that every system takes, from whatever somebody's file was called."""
    name = UNSAFE.sub("_", unicodedata.normalize("NFC", filename))
    name = "".join("_" if unicodedata.category(c)[0] == "C" else c for c in name).strip(" .") or "picture"
    path = PurePosixPath(name)
    suffix = path.suffix if len(path.suffix) <= LONGEST_SUFFIX else ""
    stem = name.removesuffix(suffix).encode()[:LONGEST_STEM].decode(errors="ignore").strip(" .") or "picture"
    return f"_{stem}{suffix}" if RESERVED.fullmatch(stem) else f"{stem}{suffix}"


def folder() -> Path:
    return cast(DurableStorage, default_storage).exports


def room() -> int:
    """Bytes that may be written: uploads keep theirs."""
    return room_left(folder())


def unfinished(batch: Batch) -> Path:
    return folder() / f"{batch.uuid}.part"


def finished(batch: Batch) -> Path:
    return folder() / f"{batch.uuid}.zip"


@contextmanager
def growing(batch: Batch) -> Iterator[IO[bytes]]:
    """The unfinished file, at the end of what is complete; on the disk when the block ends."""
    path = unfinished(batch)
    if batch.size == 0:
        path.touch()
    try:
        file = path.open("r+b")
    except FileNotFoundError as error:
        raise Lost from error
    with file:
        if file.seek(0, io.SEEK_END) < batch.size:
            raise Lost
        file.truncate(batch.size)
        file.seek(batch.size)
        yield file
        sync(file)


def append(file: IO[bytes], asset: Asset, names: Names, sidecar: bytes | None = None) -> Entry:
    """Write an original as it is: pictures are compressed already. Raises FileNotFoundError before it writes."""
    with default_storage.open(asset.original) as original:
        name = names.take(asset, with_sidecar=sidecar is not None)
        entry = _append(file, name, asset, asset.size, original)
    if sidecar is not None:
        entry["sidecar"] = _append(file, name + SIDECAR, asset, len(sidecar), io.BytesIO(sidecar))
    return entry


def _append(file: IO[bytes], name: str, asset: Asset, size: int, source: IO[bytes] | File[bytes]) -> Entry:
    date = localtime(asset.taken_at or asset.added_at)
    info = zipfile.ZipInfo(name, (min(max(date.year, 1980), 2107), *date.timetuple()[1:6]))
    info.file_size = size
    # A zip of its own for each: closing it writes a directory, which the next file overwrites.
    with zipfile.ZipFile(file, "w") as part:
        with part.open(info, "w") as target:
            shutil.copyfileobj(source, target, 2**20)
        end = file.tell()
    file.truncate(end)
    file.seek(end)
    return {
        "name": name,
        "folded": name.casefold(),
        "date": list(info.date_time),
        "offset": info.header_offset,
        "size": info.file_size,
        "crc": info.CRC,
    }


def finish(batch: Batch, entries: Iterable[Entry]) -> None:
    """Write the directory, and give the file its name."""
    if finished(batch).exists():  # whoever did so died before it could say so
        return
    with growing(batch) as file, zipfile.ZipFile(file, "w") as whole:
        for entry in entries:
            whole.infolist().extend(_info(one) for one in (entry, entry.get("sidecar")) if one)
        whole.comment = b""  # has the directory written, though nothing was added
    os.replace(unfinished(batch), finished(batch))


def discard(batch: Batch) -> None:
    unfinished(batch).unlink(missing_ok=True)
    finished(batch).unlink(missing_ok=True)


def sweep_exports() -> int:
    """Remove what was made, or last written to, more than a day ago; returns how many files."""
    return sum(_remove_old(path) for path in folder().iterdir())


def _remove_old(path: Path) -> bool:
    try:
        if time.time() - path.stat().st_mtime < KEPT_SECONDS:
            return False
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _info(entry: Entry) -> zipfile.ZipInfo:
    year, month, day, hour, minute, second = entry["date"]
    info = zipfile.ZipInfo(entry["name"], (year, month, day, hour, minute, second))
    info.header_offset, info.CRC = entry["offset"], entry["crc"]
    info.file_size = info.compress_size = entry["size"]
    info.external_attr = 0o644 << 16
    return info
