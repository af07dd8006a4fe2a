"""Titles, captions and keywords that people wrote into videos."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.decoder.sandbox import Sandbox
from tests import films

SHOWN = films.scenes(2, 1.0, (64, 48))
XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">In the harbour</rdf:li></rdf:Alt></dc:title>
<dc:subject><rdf:Bag><rdf:li>boat</rdf:li><rdf:li>red sea</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(films=True) as made:
        yield made


def with_xmp(path: Path, packet: bytes) -> Path:
    """A box of XMP behind the others of an MP4."""
    body = b"uuid" + XMP_BOX + packet
    path.write_bytes(path.read_bytes() + (len(body) + 4).to_bytes(4, "big") + body)
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_keywords_that_the_container_names_are_read(sandbox: Sandbox, tmp_path: Path, suffix: str) -> None:
    options = {"movflags": "use_metadata_tags"} if suffix == ".mov" else {}
    said = {"keywords": "boat, harbour; red sea; Boat", "title": "Noon"}
    path = films.make_film(tmp_path / f"film{suffix}", SHOWN, metadata=said, options=options)
    known = sandbox.look_at_film(path)
    assert (known.title, known.keywords) == ("Noon", ("boat", "harbour", "red sea"))


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_xmp_of_a_film_is_read_and_goes_first(sandbox: Sandbox, tmp_path: Path, suffix: str) -> None:
    known = sandbox.look_at_film(
        with_xmp(films.make_film(tmp_path / f"film{suffix}", SHOWN, metadata={"title": "DSC 0001"}), XMP)
    )
    assert (known.title, known.keywords, known.notes) == ("In the harbour", ("boat", "red sea"), ())


def test_xmp_that_is_none_is_ignored_with_a_note(sandbox: Sandbox, tmp_path: Path) -> None:
    evil = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    known = sandbox.look_at_film(with_xmp(films.make_film(tmp_path / "film.mp4", SHOWN), evil))
    assert (known.duration, known.keywords) == (2.0, ())
    assert known.notes == ("Its XMP was ignored: EntitiesForbidden.",)


def test_xmp_of_an_animation_is_read(sandbox: Sandbox, tmp_path: Path) -> None:
    first, second = (picture for picture, _ in SHOWN)
    path = tmp_path / "moves.webp"
    first.save(path, save_all=True, append_images=[second], duration=500, xmp=XMP)
    known = sandbox.look_at_film(path)
    assert (known.title, known.keywords, known.duration) == ("In the harbour", ("boat", "red sea"), 1.0)
