"""Opening originals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from django.core.files.storage import default_storage

from archive.models import Asset
from archive.storage import StoreAway, store_is_there


class OriginalMissing(Exception):
    def __init__(self) -> None:
        super().__init__("The original file is gone from the store. Restore it from the backup, then try again.")


@contextmanager
def opened(asset: Asset) -> Iterator[BinaryIO]:
    """Its bytes as they came. Raises `OriginalMissing`, or `StoreAway` where no file can be seen at all."""
    try:
        file = default_storage.open(asset.original)
    except FileNotFoundError as error:
        raise (OriginalMissing() if store_is_there() else StoreAway()) from error
    with file:
        yield cast(BinaryIO, file.file)
