"""Passwords and keys, made once and kept in 0600 files of a 0700 folder; never on a command line."""

import os
import secrets
from pathlib import Path


def get_secret(folder: Path, name: str, *, size: int = 32) -> str:
    """The secret of this name; made at the first call. URL-safe letters, `size` bytes of chance."""
    path = folder / name
    try:
        path.chmod(0o600)
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        write_private(path, secrets.token_urlsafe(size) + "\n")
        return path.read_text(encoding="ascii").strip()


def write_private(path: Path, content: str) -> None:
    """Write a 0600 file whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
