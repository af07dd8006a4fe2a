"""Models from the hub: resumable, checked against the hub's checksums and our own, written for sites without a hub.

The hub's own library starts over when it is called again after an interruption, so the few requests are made here.
"""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import json
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

from django.conf import settings

from archive.catalogue import Model
from workers.encoders.first_seen import known_weights, remember_weights, why_other
from workers.encoders.weights import OPEN_CLIP, SUMS, TRANSFORMERS, read_sums, sha256_of

TIMEOUT = 20.0
TRIES = 4  # of one file, each going on where the last stopped
PAUSE = 1.0  # seconds, longer each time
CHUNK = 1 << 20
TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
)
CONFIGURATION = {
    "open_clip": ("open_clip_config.json", *TOKENIZER),
    "align": ("config.json", "preprocessor_config.json", *TOKENIZER),
    "xclip": ("config.json", "preprocessor_config.json", *TOKENIZER),
}

Progress = Callable[[str, int, int], None]  # file, bytes that are here, bytes in all


class FetchFailed(Exception):
    """The sentence says what was wanted, what came, and what to do."""


class HubUnreachable(FetchFailed):
    """No answer at all: a site without a hub."""


@dataclass(frozen=True)
class Remote:
    """One file as the hub lists it. Large files have a sha256, small ones git's own digest."""

    name: str
    size: int
    sha256: str
    git: str


def fetch(model: Model, folder: Path, progress: Progress = lambda *_: None) -> Path:
    """Make `folder` hold the model, downloading what it lacks. Raises `FetchFailed`; calling again goes on."""
    if not model.hub:
        raise FetchFailed(f"{model.name} comes with Sightline: there is nothing to fetch.")
    revision, files = _listing(model)
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_full_disk(folder, files)
    with (folder / f"{SUMS}.part").open("a", encoding="utf-8") as written:  # while it lies there, not all is here
        _refuse_company(written, folder)
        written.truncate(0)
        for file in files:
            written.write(f"{_get(model, revision, file, folder, progress)}  {file.name}\n")
        written.flush()
        os.fsync(written.fileno())
        os.replace(written.name, folder / SUMS)
    remember_weights(model, read_sums(folder / SUMS)[files[-1].name])  # the weights come last
    return folder


def _listing(model: Model) -> tuple[str, list[Remote]]:
    """The newest revision, and those of its files that an encoder reads."""
    url = f"{settings.HF_ENDPOINT}/api/models/{model.hub}?blobs=true"
    try:
        with _open(url) as answer:
            said: Any = json.load(answer)
        revision = str(said["sha"])
        found = {str(one["rfilename"]): _remote(one) for one in said["siblings"]}
    except urllib.error.HTTPError as error:
        raise FetchFailed(
            f"{settings.HF_ENDPOINT} has no {model.hub} for you ({error.code} {error.reason})."
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise HubUnreachable(
            f"{settings.HF_ENDPOINT} does not answer: {_reason(error)}. HF_ENDPOINT can name a mirror; on a site "
            "without internet, fetch the model elsewhere with --to FOLDER and copy its folder here."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise FetchFailed(f"{settings.HF_ENDPOINT} answers, but not as a model hub does.") from error
    weights = next((name for name in _weights_names(model) if name in found), None)
    if weights is None:
        raise FetchFailed(f"{model.hub} on {settings.HF_ENDPOINT} holds no weights that can be read.")
    known, offered = known_weights(model), found[weights].sha256
    if known and offered and offered != known and (weights.endswith(".safetensors") or not model.sha256):
        raise FetchFailed(
            f"{model.hub} on {settings.HF_ENDPOINT} offers other weights than {why_other(model)} "
            f"({offered[:16]}... for {known[:16]}...). Do not use them unless you know why."
        )
    return revision, [found[name] for name in (*CONFIGURATION[model.kind], weights) if name in found]


def _weights_names(model: Model) -> tuple[str, ...]:
    """Of open_clip's folders only its own: beside them may lie transformers' version of the same model."""
    return TRANSFORMERS if model.kind != "open_clip" else tuple(name for name in OPEN_CLIP if "open_clip" in name)


def _remote(one: dict[str, Any]) -> Remote:
    large = one.get("lfs") or {}
    return Remote(str(one["rfilename"]), int(one["size"]), str(large.get("sha256", "")), str(one.get("blobId", "")))


def _get(model: Model, revision: str, file: Remote, folder: Path, progress: Progress) -> str:
    """Download one file unless it is there; returns its sha256. Only a checked file gets its name."""
    target = folder / file.name
    if target.is_file() and _is_whole(target, file):
        progress(file.name, file.size, file.size)
        return sha256_of(target)
    part = folder / f"{file.name}.part"
    begun = part.is_file()
    url = f"{settings.HF_ENDPOINT}/{model.hub}/resolve/{revision}/{file.name}"
    _download(url, file, part, progress)
    if begun and not _is_whole(part, file):  # what lay there may have been of another version
        part.unlink()
        _download(url, file, part, progress)
    if not _is_whole(part, file):
        part.unlink()
        raise FetchFailed(
            f"{file.name} of {model.name} came damaged: its checksum is not the one that the hub lists. It was thrown "
            "away. Give the command again; if it happens again, something on the way changes files."
        )
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(target)
    return sha256_of(target)


def _download(url: str, file: Remote, part: Path, progress: Progress) -> None:
    """Bring `part` to the file's size, from where it ends."""
    wrong: Exception | None = None
    for attempt in range(TRIES):
        if part.is_file() and part.stat().st_size == file.size:
            return
        if attempt:
            time.sleep(attempt * PAUSE)
        try:
            _append(url, file, part, progress)
        except (OSError, http.client.HTTPException) as error:
            wrong = error
    if part.is_file() and part.stat().st_size == file.size:
        return
    here = part.stat().st_size if part.is_file() else 0
    reason = f": {_reason(wrong)}" if wrong else ""
    raise FetchFailed(
        f"{file.name} stopped after {here:,} of {file.size:,} bytes{reason}. Give the command again: it goes on there."
    )


def _append(url: str, file: Remote, part: Path, progress: Progress) -> None:
    here = part.stat().st_size if part.is_file() else 0
    if here > file.size:  # of another version
        part.unlink()
        here = 0
    with _open(url, {"Range": f"bytes={here}-"} if here else {}) as answer:
        goes_on = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        with part.open("ab" if here and goes_on else "wb") as out:
            here = here if goes_on else 0
            while here < file.size and (chunk := answer.read(min(CHUNK, file.size - here))):
                out.write(chunk)
                here += len(chunk)
                progress(file.name, here, file.size)


def _is_whole(path: Path, file: Remote) -> bool:
    if path.stat().st_size != file.size:
        return False
    if file.sha256:
        return sha256_of(path) == file.sha256
    data = path.read_bytes()  # small: large files have a sha256
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest() == file.git


def _refuse_company(lock: TextIO, folder: Path) -> None:
    """Two that write into one file would damage it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise FetchFailed(f"Another process is fetching into {folder}. Wait for it.") from error


def _refuse_full_disk(folder: Path, files: list[Remote]) -> None:
    here = sum(path.stat().st_size for file in files for path in folder.glob(f"{file.name}*"))
    needed, free = sum(file.size for file in files) - here, shutil.disk_usage(folder).free
    if needed > free:
        raise FetchFailed(f"{folder} has room for {free:,} bytes and {needed:,} are needed. Free some, or use --to.")


def _open(url: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
    if not url.startswith(("https://", "http://")):
        raise FetchFailed(f"HF_ENDPOINT is {settings.HF_ENDPOINT!r}, but must begin with https://.")
    request = urllib.request.Request(url, headers={"User-Agent": "sightline", **(headers or {})})  # noqa: S310
    return cast(http.client.HTTPResponse, urllib.request.urlopen(request, timeout=TIMEOUT))  # noqa: S310


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", "") or error or type(error).__name__)
