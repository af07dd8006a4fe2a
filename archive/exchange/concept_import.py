"""A vocabulary from a table. Names are what a line is about: one that is there is changed, another one is new."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from django.db import connection, transaction

from archive.concepts.keeping import take_effect
from archive.concepts.vectors import examples_of
from archive.exchange.concept_evidence import Archive, Here, differs, write_evidence
from archive.exchange.concept_lines import Wanted, understand
from archive.exchange.concept_rows import VOCABULARY
from archive.exchange.lines import BadFile, Problem
from archive.exchange.reading import read_records
from archive.exchange.tally import NotImported, Tally
from archive.models import Collection, Concept, ConceptExample, ConceptKind, ConceptVector, OnMatch
from archive.models.concepts import fold
from archive.tags import free_slug

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MOST = 50_000
VOCABULARY_LOCK = (2, 0)  # that of archive.tags: the makers of concepts take turns
NOT_YOURS = "Only whoever runs the archive may change what is there, or have a model look for it."


@dataclass
class _Known:
    """What is there before."""

    concepts: dict[str, Concept] = field(default_factory=dict)
    places: dict[str, Collection] = field(default_factory=dict)
    lines: dict[int, dict[int, float | None]] = field(default_factory=dict)  # by concept, then by space
    had: dict[int, list[ConceptExample]] = field(default_factory=dict)  # by concept
    here: dict[str, Here] = field(default_factory=dict)  # what lines mean in this archive, by folded name

    def lines_of(self, concept: Concept | None) -> dict[int, float | None]:
        return self.lines.get(concept.pk, {}) if concept is not None else {}

    def shown_on(self, concept: Concept | None) -> dict[int, bool]:
        """{asset: counter-example}."""
        return {one.asset_id: one.counter for one in self.had.get(concept.pk, ())} if concept is not None else {}


def import_vocabulary(file: BinaryIO, user: User, *, dry_run: bool = False, leave_out_wrong: bool = False) -> Tally:
    """Have the vocabulary be as `file` says; what it does not name stays. Returns what changed, or would.

    Columns that the file lacks leave what there is. Raises `BadFile`, `NotImported`.
    """
    tally = Tally()
    wanted = list(_understood(file, tally))
    with transaction.atomic():
        if not dry_run:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", list(VOCABULARY_LOCK))
        known = _find(wanted)
        right = _without_wrong(wanted, known, user, tally)
        if not dry_run:
            if tally.wrong and not leave_out_wrong:
                raise NotImported(tally)
            _write(right, known, user)
    return tally


def _understood(file: BinaryIO, tally: Tally) -> list[Wanted]:
    found: dict[str, Wanted] = {}
    for record in read_records(file, VOCABULARY):
        tally.lines += 1
        if tally.lines > MOST:
            raise BadFile(record.line, f"A vocabulary has at most {MOST:,} concepts.")
        if isinstance(record, Problem):
            tally.complain(record.line, record.sentence)
            continue
        try:
            wanted = understand(record)
        except ValueError as error:
            tally.complain(record.line, str(error))
            continue
        before = found.setdefault(fold(wanted.name), wanted)
        if before is not wanted:
            tally.complain(record.line, f"Line {before.line} names “{before.name}” already.")
    return list(found.values())


def _find(wanted: list[Wanted]) -> _Known:
    names = {fold(one.name) for one in wanted} | {one.parent for one in wanted if one.parent}
    concepts = Concept.objects.filter(folded__in=names).select_related("parent").prefetch_related("scope")
    slugs = {slug for one in wanted for slug in one.scope or ()}
    known = _Known(
        {concept.folded: concept for concept in concepts},
        {place.slug: place for place in Collection.objects.filter(slug__in=slugs)},
    )
    ids = [concept.pk for concept in known.concepts.values()]
    for pk, space, line in ConceptVector.objects.filter(concept__in=ids).values_list("concept", "space", "chosen"):
        known.lines.setdefault(pk, {})[space] = line
    known.had = examples_of(list(known.concepts.values()))
    return known


def _without_wrong(wanted: list[Wanted], known: _Known, user: User, tally: Tally) -> list[Wanted]:
    """The lines that can be written, counted as what they do."""
    parents, archive = _parents(wanted), Archive(one.evidence for one in wanted)
    right = []
    for one in wanted:
        folded = fold(one.name)
        was = known.concepts.get(folded)
        try:
            here = known.here[folded] = archive.find(one.evidence, known.shown_on(was))
        except ValueError as error:
            tally.complain(one.line, str(error))
            continue
        changed = was is None or _differs(was, one, known)
        problem = _problem(one, known, parents) or (NOT_YOURS if changed and not _may(user, was, one) else "")
        if problem:
            tally.complain(one.line, problem)
            continue
        right.append(one)
        for sentence in here.unknown:
            tally.leave_out(one.line, sentence)
        if was is None:
            tally.added += 1
            tally.new_names.add(folded)
        elif changed:
            tally.changed += 1
        else:
            tally.same += 1
    return right


def _problem(one: Wanted, known: _Known, parents: dict[str, str]) -> str:
    for slug in one.scope or ():
        if slug not in known.places:
            return f"There is no collection “{slug[:60]}”."
    if one.parent and one.parent not in known.concepts and one.parent not in parents:
        return f"Its parent “{one.parent[:60]}” is neither in the vocabulary nor in this file."
    if one.parent and _leads_to(one.parent, fold(one.name), parents):
        return "It would be its own ancestor."
    return ""


def _parents(wanted: list[Wanted]) -> dict[str, str]:
    """Of every concept its parent, as it would be: those of the file before those that are there."""
    links = Concept.objects.filter(parent__isnull=False).values_list("folded", "parent__folded")
    parents = dict(links)
    for one in wanted:
        folded = fold(one.name)
        parents[folded] = parents.get(folded, "") if one.parent is None else one.parent
    return parents


def _leads_to(start: str, goal: str, parents: dict[str, str]) -> bool:
    seen: set[str] = set()
    while start and start not in seen:
        if start == goal:
            return True
        seen.add(start)
        start = parents.get(start, "")
    return False


def _may(user: User, was: Concept | None, one: Wanted) -> bool:
    """A new name is what any tagging may make; all else is for whoever runs the archive."""
    plain = {"kind": ConceptKind.TAG, "on_match": OnMatch.NOTHING, "prompts": [], "templates": [], "negatives": []}
    bare = all(one.fields.get(name, usual) == usual for name, usual in plain.items())
    return user.is_superuser or (
        was is None and bare and not one.parent and not one.scope and not one.evidence.says_something
    )


def _differs(was: Concept, one: Wanted, known: _Known) -> bool:
    if differs(known.here[fold(one.name)], known.lines_of(was), known.shown_on(was)):
        return True
    if any(getattr(was, name) != value for name, value in one.fields.items()):
        return True
    if one.parent is not None and one.parent != (was.parent.folded if was.parent else ""):
        return True
    return one.scope is not None and {place.slug for place in was.scope.all()} != set(one.scope)


def _write(wanted: list[Wanted], known: _Known, user: User) -> None:
    made = dict(known.concepts)
    before = {pk: copy(concept) for concept in known.concepts.values() if (pk := concept.pk)}
    touched: dict[int, Concept] = {}
    more: dict[int, list[str]] = {}
    for one in wanted:
        folded = fold(one.name)
        concept = made.get(folded)
        if concept is not None and not _differs(concept, one, known):
            continue
        if concept is None:
            concept = made[folded] = Concept(slug=free_slug(one.name), created_by=user, **one.fields)
            concept.save()
        elif any(getattr(concept, name) != value for name, value in one.fields.items()):
            for name, value in one.fields.items():
                setattr(concept, name, value)
            concept.save(update_fields=list(one.fields))
        if one.scope is not None:
            concept.scope.set([known.places[slug] for slug in one.scope])
        more[concept.pk] = write_evidence(concept, known.here[folded], known.lines_of(concept), known.shown_on(concept))
        touched[concept.pk] = concept
    for one in wanted:
        if one.parent is None:
            continue
        concept, parent = made[fold(one.name)], made.get(one.parent)
        if concept.parent_id != (parent.pk if parent else None):
            concept.parent = parent
            concept.save(update_fields=["parent"])
    take_effect(list(touched.values()), before, known.had, more, user)
