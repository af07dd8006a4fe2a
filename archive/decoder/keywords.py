"""Keywords that people wrote into a picture: XMP, IPTC, and those of Windows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree.ElementTree import Element

from archive.decoder.clean import clean_text, text_of

MOST = 100
LONGEST = 300
DC_SUBJECT = "{http://purl.org/dc/elements/1.1/}subject"
# Lightroom's tree: “Places|Europe|Paris”. Its own leaf is what the picture shows.
TREE = "{http://ns.adobe.com/lightroom/1.0/}hierarchicalSubject"
LI = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"
IPTC_KEYWORDS = (2, 25)
IPTC_BYTES = 64  # where IPTC cuts a keyword off
WINDOWS_KEYWORDS = 0x9C9E


def keywords_of(xmp: Element | None, iptc: Mapping[tuple[int, int], Any], windows: str) -> tuple[str, ...]:
    """Each once, in the order of the file, at most `MOST`: those of XMP, then what only the others have.

    `windows` is text, separated by semicolons. Never raises.
    """
    found = list(_from_xmp(xmp)) if xmp is not None else []
    cut = {word.encode()[:IPTC_BYTES] for word in found if len(word.encode()) > IPTC_BYTES}
    found += [text_of(word) for word in _from_iptc(iptc) if word not in cut]
    found += windows.split(";")
    words: dict[str, str] = {}
    for word in _clean(found):
        words.setdefault(word.casefold(), word)
    return tuple(list(words.values())[:MOST])


def _clean(found: Iterable[str]) -> Iterable[str]:
    """Commas separate tags in the archive, and so they do in a keyword."""
    for written in found:
        for word in written.split(","):
            if cleaned := re.sub(r"\s+", " ", clean_text(word, LONGEST)):
                yield cleaned


def _from_xmp(root: Element) -> Iterable[str]:
    for node in root.iter(DC_SUBJECT):
        items = [item.text or "" for item in node.iter(LI)]
        yield from items or [node.text or ""]
    for node in root.iter(TREE):
        for item in node.iter(LI):
            yield (item.text or "").rpartition("|")[2]


def _from_iptc(iptc: Mapping[tuple[int, int], Any]) -> Iterable[bytes]:
    value = iptc.get(IPTC_KEYWORDS, [])
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, bytes):
            yield one
