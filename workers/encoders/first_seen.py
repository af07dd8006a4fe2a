"""Trust on first use: the weights that a name stood for when it was fetched for the first time.

Few published weights are pinned in models.toml, for a pin must have been verified. For the others this machine
remembers what came first, beside the models; what comes later under the same name, from the hub or by hand, must be
the same. No torch here.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from archive.catalogue import Model, models_folder
from workers.encoders.weights import read_sums

FIRST_SEEN = "FIRST_SEEN"


def first_seen_file() -> Path:
    return models_folder() / FIRST_SEEN


def known_weights(model: Model) -> str:
    """The sha256 that weights of this name must have: the published one, else the first that came; else empty."""
    if model.sha256:
        return model.sha256
    path = first_seen_file()
    return read_sums(path).get(model.name, "") if path.is_file() else ""


def remember_weights(model: Model, sha256: str) -> None:
    """Nothing is written where something is known."""
    models_folder().mkdir(parents=True, exist_ok=True)
    with first_seen_file().open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if known_weights(model):
            return
        file.write(f"{sha256}  {model.name}\n")
        file.flush()
        os.fsync(file.fileno())


def why_other(model: Model) -> str:
    """The part of a sentence that says by what weights were judged."""
    if model.sha256:
        return "workers/models.toml pins"
    return f"this machine had first ({first_seen_file()}; if the publisher replaced them, take the line out)"
