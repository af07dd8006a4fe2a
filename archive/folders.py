"""What lies in folders: every ordinary file of some paths, one at a time, however many there are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# Left behind by file managers; nobody meant to keep them.
SYSTEM_FILES = {"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r"}


@dataclass(frozen=True)
class NotTaken:
    """A path that did not become an asset, and why, as a sentence."""

    path: Path
    error: str


def walk(paths: Iterable[Path]) -> Iterator[Path | NotTaken]:
    """The files named by `paths` and those in folders named by them, at any depth.

    In folders, hidden and system files are passed over. Links are not followed: what they name
    inside the same folder comes by itself, and what lies outside is named as not taken.
    """
    for path in paths:
        if path.is_dir():
            yield from _walk_folder(path, path.resolve())
        elif path.is_file():
            yield path
        elif path.exists():
            yield NotTaken(path, "This is neither a file nor a folder.")
        else:
            yield NotTaken(path, "There is no such file or folder.")


def count(paths: Iterable[Path]) -> int:
    return sum(1 for _ in walk(paths))


def _walk_folder(folder: Path, top: Path) -> Iterator[Path | NotTaken]:
    try:
        entries = os.scandir(folder)
    except OSError as error:
        yield NotTaken(folder, f"This folder cannot be read: {error.strerror}.")
        return
    inside = []
    with entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower() in SYSTEM_FILES:
                continue
            path = Path(entry.path)
            if entry.is_symlink():
                yield from _judge_link(path, top)
            elif entry.is_dir(follow_symlinks=False):
                inside.append(path)
            elif entry.is_file(follow_symlinks=False):
                yield path
    for path in sorted(inside):
        yield from _walk_folder(path, top)


def _judge_link(path: Path, top: Path) -> Iterator[NotTaken]:
    target = Path(os.path.realpath(path))
    if not target.exists():
        yield NotTaken(path, "This link leads nowhere.")
    elif not target.is_relative_to(top):
        yield NotTaken(path, f"This link leads out of the folder, to {target}. Name that path itself to take it in.")
