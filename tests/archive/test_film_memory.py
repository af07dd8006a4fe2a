"""A long film takes no more memory than a short one: what a job took is given back before the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.decoder.sandbox import Sandbox
from tests import films

SHOWN = films.scenes(2, 1.5, (1280, 720))
CHUNKS = 30
MB = 1024


def highest(sandbox: Sandbox) -> int:
    """The most memory that the child ever had, in kB, as Linux counts it."""
    status = Path(f"/proc/{sandbox.pid}/status")
    if not status.exists():
        pytest.skip("only Linux tells it")
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1])


def test_the_decoder_takes_no_more_memory_for_many_chunks_than_for_three(tmp_path: Path) -> None:
    """Of this film one chunk that is not given back would be some 6 MB."""
    path = films.make_film(tmp_path / "film.mp4", SHOWN, gop=5)
    with Sandbox(films=True) as sandbox:
        for _ in range(3):
            sandbox.read_stretch(path, 1000, 3000, 1000)
        pid, few = sandbox.pid, highest(sandbox)
        for _ in range(CHUNKS):
            sandbox.read_stretch(path, 1000, 3000, 1000)
        assert sandbox.pid == pid
        assert highest(sandbox) < few + 20 * MB


def test_nor_for_making_many_pieces(tmp_path: Path) -> None:
    path = films.make_film(tmp_path / "film.mkv", SHOWN, gop=5, audio=True)
    with Sandbox(films=True) as sandbox:
        for _ in range(3):
            sandbox.make_piece(path, 0, 2000)
        pid, few = sandbox.pid, highest(sandbox)
        for _ in range(CHUNKS // 2):
            sandbox.make_piece(path, 0, 2000)
        assert sandbox.pid == pid
        assert highest(sandbox) < few + 20 * MB
