"""Where adapters lie: in the store beside the originals, named by their bytes, so that every worker has them."""

from __future__ import annotations

import hashlib

from django.core.files.storage import default_storage

from archive.incoming import receive
from archive.ingest import keep
from archive.models import Space
from workers.encoders.adapter import PREFIX, Adapter, read_adapter
from workers.encoders.protocol import EncoderRefused


def keep_adapter(adapter: Adapter) -> str:
    """Writes it down, synced; returns the `model` by which a space names it."""
    incoming = receive([adapter.as_bytes()])
    try:
        keep(incoming, _key(incoming.sha256))
    finally:
        incoming.discard()
    return f"{PREFIX}{incoming.sha256}"


def find_adapter(space: Space) -> Adapter:
    """The adapter of a derived space. Raises `EncoderRefused` when its file is gone or other than it was, and
    when it was trained for another model than the parent's."""
    sha256 = space.model.removeprefix(PREFIX)
    try:
        with default_storage.open(_key(sha256)) as file:
            data = file.read()
    except FileNotFoundError as error:
        raise EncoderRefused(
            f"The adapter {_key(sha256)} is gone from the store: restore it from the backup."
        ) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise EncoderRefused(f"The adapter {_key(sha256)} is damaged: restore it from the backup.")
    adapter = read_adapter(data)
    if space.parent is None or adapter.parent != space.parent.fingerprint:
        raise EncoderRefused(
            f"The adapter of {space.slug} was trained for another model than its parent's, whose vectors it would turn "
            f"into nonsense. Train one for this parent: manage.py space adapt."
        )
    return adapter


def _key(sha256: str) -> str:
    return f"adapters/{sha256}.safetensors"
