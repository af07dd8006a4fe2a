"""Titles, captions and keywords that people wrote: XMP, then IPTC, then what a container names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from defusedxml import ElementTree
from PIL import ImageFile, IptcImagePlugin

from archive.decoder.clean import clean_text, text_of
from archive.decoder.keywords import keywords_of

MAX_XMP = 1024 * 1024
DC = "{http://purl.org/dc/elements/1.1/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
XML_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
IPTC_TITLE, IPTC_HEADLINE, IPTC_CAPTION = (2, 5), (2, 105), (2, 120)


@dataclass(frozen=True)
class Written:
    """Empty where there is none."""

    title: str
    caption: str
    keywords: tuple[str, ...]


def written_in(picture: ImageFile.ImageFile, notes: list[str], windows_keywords: str = "") -> Written:
    """Never raises."""
    return written_as(picture.info.get("xmp"), notes, windows_keywords, _iptc(picture))


def written_as(
    packet: object, notes: list[str], keywords: str = "", iptc: Mapping[tuple[int, int], Any] | None = None
) -> Written:
    """In a packet of XMP and in what else there is; `keywords` separated by semicolons or commas. Never raises."""
    xmp, iptc = _xmp(packet, notes), iptc or {}
    return Written(
        _alternative(xmp, f"{DC}title") or _text(iptc, IPTC_TITLE) or _text(iptc, IPTC_HEADLINE),
        _alternative(xmp, f"{DC}description") or _text(iptc, IPTC_CAPTION),
        keywords_of(xmp, iptc, keywords),
    )


def _xmp(packet: object, notes: list[str]) -> Element | None:
    data = packet.encode("utf-8", "ignore") if isinstance(packet, str) else packet
    if not isinstance(data, bytes) or not data.strip(b"\0 \r\n") or len(data) > MAX_XMP:
        return None
    try:
        root: Element = ElementTree.fromstring(data.strip(b"\0 \r\n"))
    except Exception as problem:  # defusedxml's refusals of entities, and broken XML
        notes.append(f"Its XMP was ignored: {type(problem).__name__}.")
        return None
    return root


def _alternative(root: Element | None, tag: str) -> str:
    """The text of a property in its default language, else in the first one."""
    node = None if root is None else root.find(f".//{tag}")
    if node is None:
        return ""
    items = sorted(node.iter(f"{RDF}li"), key=lambda item: item.get(XML_LANGUAGE) != "x-default")
    return clean_text(next((item.text for item in items if item.text), node.text or ""))


def _iptc(picture: ImageFile.ImageFile) -> Mapping[tuple[int, int], Any]:
    try:
        return IptcImagePlugin.getiptcinfo(picture) or {}
    except Exception:  # the record is a string of lengths: anything may be wrong with it
        return {}


def _text(iptc: Mapping[tuple[int, int], Any], key: tuple[int, int]) -> str:
    value = iptc.get(key, b"")
    first = value[0] if isinstance(value, list) and value else value
    return clean_text(text_of(first)) if isinstance(first, bytes) else ""
