"""A vocabulary from a table. Names are what a line is about: one that is there is changed, another one is new."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from django.db import connection, transaction

from archive.concepts.keeping import take_effect
from archive.concepts.words import MOST_PROMPTS, BadPrompt, clean_lines, clean_templates
from archive.exchange.concept_rows import VOCABULARY
from archive.exchange.lines import BadFile, Problem, Record
from archive.exchange.reading import read_records
from archive.exchange.tally import NotImported, Tally
from archive.models import Collection, Concept, ConceptKind, OnMatch
from archive.models.concepts import fold
from archive.tag_names import BadTag, clean_one
from archive.tags import free_slug

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MOST = 50_000
VOCABULARY_LOCK = (2, 0)  # that of archive.tags: the makers of concepts take turns
NOT_YOURS = "Only whoever runs the archive may change what is there, or have a model look for it."
CLEANERS: dict[str, Callable[[str], list[str]]] = {
    "prompts": lambda text: clean_lines(text, MOST_PROMPTS, "prompts"),
    "negatives": lambda text: clean_lines(text, MOST_PROMPTS, "negatives"),
    "templates": clean_templates,
}


@dataclass(frozen=True)
class Wanted:
    """A line as it is understood. `fields`: those that the table has a column for, and no others."""

    line: int
    name: str
    fields: dict[str, Any]
    parent: str | None  # folded; "" takes it away, None leaves it
    scope: list[str] | None


@dataclass
class _Known:
    """What is there before."""

    concepts: dict[str, Concept] = field(default_factory=dict)
    places: dict[str, Collection] = field(default_factory=dict)


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


def understand(record: Record) -> Wanted:
    """Raises `ValueError` in words for people."""
    name = clean_one(record.text("name"))
    if not name:
        raise BadTag("A concept needs a name.")
    fields: dict[str, Any] = {"name": name}
    for column, choices in (("kind", ConceptKind), ("on_match", OnMatch)):
        if written := record.text(column).casefold():
            if written not in choices.values:
                raise ValueError(f"“{column}” is one of {', '.join(choices.values)}, not “{written[:40]}”.")
            fields[column] = written
    for column, clean in CLEANERS.items():
        if column in record.values:
            fields[column] = clean("\n".join(_lines(record, column)))
    if "note" in record.values:
        fields["note"] = _seen(record.text("note", exact=True))
    parent = fold(clean_one(record.text("parent"))) if "parent" in record.values else None
    scope = list(filter(None, map(str.strip, _lines(record, "scope")))) if "scope" in record.values else None
    return Wanted(record.line, name, fields, parent, scope)


def _lines(record: Record, column: str) -> list[str]:
    """Of a list in JSON its entries, of a cell its lines."""
    value = record.values[column]
    if isinstance(value, list):
        if not all(isinstance(one, str) for one in value):
            raise ValueError(f"“{column}” must be a list of texts.")
        return [_seen(one) for one in value]
    return _seen(record.text(column)).splitlines()


def _seen(text: str) -> str:
    """Raises `BadPrompt` where Postgres could not keep it."""
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise BadPrompt("It cannot contain characters that nobody sees.")
    return text


def _find(wanted: list[Wanted]) -> _Known:
    names = {fold(one.name) for one in wanted} | {one.parent for one in wanted if one.parent}
    concepts = Concept.objects.filter(folded__in=names).select_related("parent").prefetch_related("scope")
    slugs = {slug for one in wanted for slug in one.scope or ()}
    return _Known(
        {concept.folded: concept for concept in concepts},
        {place.slug: place for place in Collection.objects.filter(slug__in=slugs)},
    )


def _without_wrong(wanted: list[Wanted], known: _Known, user: User, tally: Tally) -> list[Wanted]:
    """The lines that can be written, counted as what they do."""
    parents = _parents(wanted)
    right = []
    for one in wanted:
        folded = fold(one.name)
        was = known.concepts.get(folded)
        changed = was is None or _differs(was, one)
        problem = _problem(one, known, parents) or (NOT_YOURS if changed and not _may(user, was, one) else "")
        if problem:
            tally.complain(one.line, problem)
            continue
        right.append(one)
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
    return user.is_superuser or (was is None and bare and not one.parent and not one.scope)


def _differs(was: Concept, one: Wanted) -> bool:
    if any(getattr(was, name) != value for name, value in one.fields.items()):
        return True
    if one.parent is not None and one.parent != (was.parent.folded if was.parent else ""):
        return True
    return one.scope is not None and {place.slug for place in was.scope.all()} != set(one.scope)


def _write(wanted: list[Wanted], known: _Known, user: User) -> None:
    made = dict(known.concepts)
    before = {pk: copy(concept) for concept in known.concepts.values() if (pk := concept.pk)}
    touched: dict[int, Concept] = {}
    for one in wanted:
        folded = fold(one.name)
        concept = made.get(folded)
        if concept is not None and not _differs(concept, one):
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
        touched[concept.pk] = concept
    for one in wanted:
        if one.parent is None:
            continue
        concept, parent = made[fold(one.name)], made.get(one.parent)
        if concept.parent_id != (parent.pk if parent else None):
            concept.parent = parent
            concept.save(update_fields=["parent"])
    take_effect(list(touched.values()), before, user)
