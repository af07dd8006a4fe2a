"""Files: atomic, under the name that was asked for, and never half."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile

from archive.storage import DurableStorage


@pytest.fixture
def storage(tmp_path: Path) -> DurableStorage:
    return DurableStorage(location=str(tmp_path / "media"))


def files(storage: DurableStorage) -> set[str]:
    root = Path(storage.location)
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_a_file_keeps_the_name_that_its_content_gave_it(storage: DurableStorage) -> None:
    for content in (b"first", b"second"):
        assert storage.save("renditions/ab/abc.preview", ContentFile(content)) == "renditions/ab/abc.preview"
    assert files(storage) == {"renditions/ab/abc.preview"}
    assert storage.open("renditions/ab/abc.preview").read() == b"second"


def test_a_write_that_fails_leaves_the_old_file_and_no_part(storage: DurableStorage) -> None:
    class Torn(ContentFile):  # type: ignore[type-arg]
        def chunks(self, chunk_size: int | None = None) -> object:  # type: ignore[override]
            yield b"half"
            raise OSError("the disk is gone")

    storage.save("a/b", ContentFile(b"whole"))
    with pytest.raises(OSError, match="the disk is gone"):
        storage.save("a/b", Torn(b""))
    assert files(storage) == {"a/b"}
    assert storage.open("a/b").read() == b"whole"


def test_an_adopted_file_is_synced_with_every_new_folder(
    storage: DurableStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = storage.incoming / "x.part"
    part.write_bytes(b"bytes")
    synced: list[str] = []
    fsync = os.fsync

    def watch(handle: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        fsync(handle)

    monkeypatch.setattr("archive.storage.os.fsync", watch)
    storage.adopt(part, "originals/ab/cd/abcd")
    assert files(storage) == {"originals/ab/cd/abcd"}
    root = Path(storage.location)
    assert set(synced) == {str(root / p) for p in ("", "originals", "originals/ab", "originals/ab/cd")}


def test_no_name_leads_out_of_the_store(storage: DurableStorage) -> None:
    for name in ("../outside", "/etc/passwd", "a/../../outside"):
        with pytest.raises(SuspiciousFileOperation):
            storage.adopt(storage.incoming / "x.part", name)
