"""What the archive knows of a picture, beside it: an XMP packet (ISO 16684-1) that other programs read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.sax.saxutils import escape

from django.db.models import QuerySet

from archive.models import Asset, Concept

# What XML 1.0 cannot hold.
UNSEEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
DEEPEST = 30
HEAD = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Sightline">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
    xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/">
"""
TAIL = """  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


def sidecar(asset: Asset, tags: Iterable[Concept], paths: dict[int, list[str]]) -> bytes:
    """UTF-8. `paths`: of concepts that have a parent their names from the root down (`paths_of`)."""
    shown = list(tags)
    trees = ["|".join(name.replace("|", "/") for name in paths[tag.pk]) for tag in shown if tag.pk in paths]
    return (
        HEAD
        + _alternative("dc:title", asset.title)
        + _alternative("dc:description", asset.caption)
        + _bag("dc:subject", [tag.name for tag in shown])
        + _bag("lr:hierarchicalSubject", trees)
        + _plain("Iptc4xmpCore:Location", asset.place)
        + _plain("photoshop:DateCreated", asset.taken_at.isoformat() if asset.taken_at else "")
        + TAIL
    ).encode()


def paths_of(concepts: Iterable[Concept], told: QuerySet[Concept]) -> dict[int, list[str]]:
    """The ancestors of those that have some, and their own name last: a statement for each step of the tree.

    `told`: the concepts whose names may be written; a path begins below the nearest ancestor that is none of them.
    """
    known = {concept.pk: concept for concept in concepts}
    asked = {one.parent_id for one in known.values() if one.parent_id} - known.keys()
    everything = dict(known)
    for _ in range(DEEPEST):
        if not asked:
            break
        found = told.in_bulk(list(asked))
        everything |= found
        asked = {one.parent_id for one in found.values() if one.parent_id} - everything.keys()
    return {pk: _path(pk, everything) for pk, concept in known.items() if concept.parent_id in everything}


def _path(pk: int, everything: dict[int, Concept]) -> list[str]:
    names: list[str] = []
    at: int | None = pk
    while at in everything and len(names) < DEEPEST:
        names.append(everything[at].name)
        at = everything[at].parent_id
    return names[::-1]


def _alternative(name: str, text: str) -> str:
    """Text in languages, of which the archive knows none: the default."""
    if not text:
        return ""
    return f'   <{name}><rdf:Alt><rdf:li xml:lang="x-default">{_text(text)}</rdf:li></rdf:Alt></{name}>\n'


def _bag(name: str, entries: list[str]) -> str:
    if not entries:
        return ""
    return f"   <{name}><rdf:Bag>{''.join(f'<rdf:li>{_text(one)}</rdf:li>' for one in entries)}</rdf:Bag></{name}>\n"


def _plain(name: str, text: str) -> str:
    return f"   <{name}>{_text(text)}</{name}>\n" if text else ""


def _text(text: str) -> str:
    return escape(UNSEEN.sub("", text), {"\r": "&#13;"})
