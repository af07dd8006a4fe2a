"""Where adapters lie: in the store beside the originals, named by their bytes, so that every worker has them."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.timezone import now

from archive.incoming import receive
from archive.ingest import keep, lock_content
from archive.models import Space
from workers.encoders.adapter import PREFIX, Adapter, read_adapter
from workers.encoders.protocol import EncoderRefused

FOLDER, SUFFIX = "adapters", ".safetensors"
KEPT_UNUSED = timedelta(days=1)


def keep_adapter(adapter: Adapter) -> str:
    """Writes it down, synced; returns the `model` by which a space names it."""
    incoming = receive([adapter.as_bytes()])
    try:
        with transaction.atomic():
            lock_content(incoming.sha256)
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


def sweep_adapters() -> int:
    """Remove the files that no live space is made of and that are older than a day: of spaces that were retired, or
    that never came to be. Returns how many."""
    if not default_storage.exists(FOLDER):
        return 0
    _, names = default_storage.listdir(FOLDER)
    return sum(_remove_unused(name.removesuffix(SUFFIX)) for name in names if name.endswith(SUFFIX))


def _remove_unused(sha256: str) -> bool:
    """Under the lock of its content: the same adapter may be kept again in this moment, and is young then."""
    with transaction.atomic():
        lock_content(sha256)
        if Space.objects.live().filter(model=f"{PREFIX}{sha256}").exists():
            return False
        if now() - default_storage.get_modified_time(_key(sha256)) < KEPT_UNUSED:
            return False
        default_storage.delete(_key(sha256))
    return True


def _key(sha256: str) -> str:
    return f"{FOLDER}/{sha256}{SUFFIX}"
