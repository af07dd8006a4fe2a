"""Tags from a table. A line is a person's decision about one asset: that it carries the tag, or does not."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from django.db import transaction
from django.utils.timezone import now

from archive.exchange.lines import Problem, Record
from archive.exchange.reading import read_records
from archive.exchange.tag_rows import CHUNK, TAGS
from archive.exchange.tally import NotImported, Tally
from archive.models import Asset, Concept, ConceptKind, Tag, TagState
from archive.models.concepts import fold
from archive.tag_names import BadTag, clean_name
from archive.tags import find_concepts, get_concepts

if TYPE_CHECKING:
    from django.contrib.auth.models import User

STATES = ("", TagState.ACCEPTED, TagState.REJECTED, TagState.PROPOSED)
Was = tuple[str, bool]  # a state, and whether a person decided it: only then no model changes it
HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Wanted:
    """A line as it is understood: `state` ACCEPTED or REJECTED. The asset by its id, else by its content."""

    line: int
    asset: uuid.UUID | None
    sha256: str
    collection: str
    name: str
    state: TagState


def import_tags(file: BinaryIO, user: User, *, dry_run: bool = False, leave_out_wrong: bool = False) -> Tally:
    """Have assets that `user` curates carry what `file` says; returns what changed, or would.

    The whole file is checked before anything is written. What a line says is there already is left untouched.
    Proposals of models are passed over: they make their own. Raises `BadFile`, `NotImported`.
    """
    checked = _run(file, user, write=False)
    if dry_run:
        return checked
    if checked.wrong and not leave_out_wrong:
        raise NotImported(checked)
    return _run(file, user, write=True)


def _run(file: BinaryIO, user: User, *, write: bool) -> Tally:
    tally = Tally()
    understood = _understood(file, tally)
    while chunk := list(islice(understood, CHUNK)):
        _take(chunk, user, tally, write=write)
    return tally


def _understood(file: BinaryIO, tally: Tally) -> Iterator[Wanted]:
    prohibited = set(Concept.objects.filter(kind=ConceptKind.PROHIBITED).values_list("folded", flat=True))
    for found in read_records(file, TAGS):
        tally.lines += 1
        if isinstance(found, Problem):
            tally.complain(found.line, found.sentence)
            continue
        try:
            wanted = understand(found)
        except ValueError as error:
            tally.complain(found.line, str(error))
            continue
        if wanted.state == TagState.PROPOSED:
            tally.same += 1
        elif fold(wanted.name) in prohibited:
            tally.complain(found.line, f"“{wanted.name}” is a prohibited concept: pictures are flagged, not tagged.")
        else:
            yield wanted


def understand(record: Record) -> Wanted:
    """Raises `ValueError` in words for people."""
    name = clean_name(record.text("tag"))
    if not name or "," in name:
        raise BadTag("A tag needs a name, without commas: they separate tags.")
    state = record.text("state").casefold()
    if state not in STATES:
        raise ValueError(f"A state is accepted or rejected, not “{state[:40]}”. Without one it is accepted.")
    written, sha256 = record.text("asset"), record.text("sha256").casefold()
    if sha256 and not HASH.fullmatch(sha256):
        raise ValueError("“sha256” must be 64 digits, from 0 to f.")
    try:
        asset = uuid.UUID(written) if written else None
    except ValueError:
        raise ValueError(f"“{written[:60]}” is not the id of an asset.") from None
    if asset is None and not sha256:
        raise ValueError("Which asset? Give its id in “asset”, or the hash of its file in “sha256”.")
    collection = record.text("collection")
    return Wanted(record.line, asset, sha256, collection, name, TagState(state or TagState.ACCEPTED))


def _take(lines: list[Wanted], user: User, tally: Tally, *, write: bool) -> None:
    places = Places(lines, user)
    pairs: dict[tuple[int, str], TagState] = {}
    spelt: dict[str, str] = {}
    for line in lines:
        assets = places.find(line)
        if not assets:
            tally.complain(line.line, "There is no such asset that you curate.")
        for asset in assets:
            pairs[asset, spelt_as(line.name, spelt)] = line.state
    if write:
        _write(pairs, spelt, user, tally)
    else:
        _count(pairs, spelt, tally)


def spelt_as(name: str, spelt: dict[str, str]) -> str:
    folded = fold(name)
    spelt.setdefault(folded, name)
    return folded


class Places:
    """The assets that some lines are about, as far as somebody curates them: two statements for all."""

    def __init__(self, lines: list[Wanted], user: User) -> None:
        mine = Asset.objects.curated_by(user).order_by()
        ids = {line.asset for line in lines if line.asset}
        self._by_id = dict(mine.filter(uuid__in=ids).values_list("uuid", "pk"))
        self._by_content: dict[str, list[tuple[int, str]]] = {}
        hashes = {line.sha256 for line in lines if line.sha256 and line.asset not in self._by_id}
        if hashes:
            found = mine.filter(sha256__in=hashes).values_list("sha256", "pk", "collection__slug")
            for sha256, pk, collection in found:
                self._by_content.setdefault(sha256, []).append((pk, collection))

    def find(self, line: Wanted) -> list[int]:
        """By its id; one that is not known here by its content, in the named collection if that has it."""
        if line.asset in self._by_id:
            return [self._by_id[line.asset]]
        twins = self._by_content.get(line.sha256, [])
        there = [pk for pk, collection in twins if collection == line.collection]
        return there or [pk for pk, _ in twins]


def _count(pairs: dict[tuple[int, str], TagState], spelt: dict[str, str], tally: Tally) -> None:
    known = {concept.folded: concept.pk for concept in find_concepts(spelt.values())}
    tally.new_names |= spelt.keys() - known.keys()
    states = _states({asset for asset, _ in pairs}, known.values())
    for (asset, folded), state in pairs.items():
        _tell(states.get((asset, known.get(folded, 0))), state, tally)


@transaction.atomic
def _write(pairs: dict[tuple[int, str], TagState], spelt: dict[str, str], user: User, tally: Tally) -> None:
    before = {concept.folded for concept in find_concepts(spelt.values())}
    concepts = {concept.folded: concept.pk for concept in get_concepts(spelt.values(), user)}
    tally.new_names |= concepts.keys() - before
    rows = Asset.objects.filter(pk__in={asset for asset, _ in pairs}).order_by("pk")
    held = set(rows.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))
    states, at = _states(held, concepts.values()), now()
    new: list[Tag] = []
    for (asset, folded), state in pairs.items():
        if asset not in held:  # deleted for good since it was looked up
            continue
        was = states.get((asset, concepts[folded]))
        _tell(was, state, tally)
        if was != (state, True):
            new.append(Tag(asset_id=asset, concept_id=concepts[folded], state=state, by=user, at=at, decided=True))
    Tag.objects.bulk_create(
        new, update_conflicts=True, unique_fields=["asset", "concept"], update_fields=["state", "by", "at", "decided"]
    )


def _states(assets: set[int], concepts: Iterable[int]) -> dict[tuple[int, int], Was]:
    there = Tag.objects.filter(asset__in=assets, concept__in=list(concepts))
    told = there.values_list("asset_id", "concept_id", "state", "decided")
    return {(asset, concept): (state, decided) for asset, concept, state, decided in told}


def _tell(was: Was | None, wanted: str, tally: Tally) -> None:
    if was is None:
        tally.added += 1
    elif was == (wanted, True):
        tally.same += 1
    else:
        tally.changed += 1
