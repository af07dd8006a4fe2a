"""The vectors of concepts: made once a space, kept for ever, made anew only where words or examples changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from archive.concepts.background import Background, read_background
from archive.concepts.words import ensemble, mark_of, rival_texts_of, texts_of, unit
from archive.models import DIMENSIONS, Concept, ConceptExample, ConceptHead, ConceptVector, Space
from archive.vectors import Vector, asset_vectors

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ConceptVectors:
    """What n concepts are in a space, ready for one product.

    `vectors` (n, 768) unit length; `thresholds` (n,): the scores from which each is there; `backgrounds` (n, 2): mean
    and spread of the closeness of pictures at large. `rivals` (k, 768) are what concepts are mistaken for, those of
    one concept side by side, `rival_of` (k,) the place of each one's concept.
    """

    ids: list[int]
    vectors: Floats
    thresholds: Floats
    backgrounds: Floats
    rivals: Floats
    rival_of: npt.NDArray[np.intp]
    rival_backgrounds: Floats

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def weights(self) -> Floats:
        """(768, n + k): with the spreads divided in, so that scoring is one product and a subtraction."""
        both = np.concatenate([self.backgrounds, self.rival_backgrounds])
        stacked = np.concatenate([self.vectors, self.rivals]) / both[:, 1:]
        return np.ascontiguousarray(stacked.T, dtype=np.float32)

    @cached_property
    def offsets(self) -> Floats:
        """(n + k,): the means, in spreads."""
        both = np.concatenate([self.backgrounds, self.rival_backgrounds])
        made: Floats = np.asarray(both[:, 0] / both[:, 1], dtype=np.float32)
        return made


@dataclass(frozen=True)
class Made:
    """One concept, made in a space."""

    vector: Vector
    mean: float
    spread: float
    line: float
    rivals: Floats  # (k, 768)
    rival_means: list[float]
    rival_spreads: list[float]
    pictures: int


def find_concept_vectors(space: Space, concepts: Iterable[Concept]) -> ConceptVectors:
    """Of those that have a vector in `space`, in the order of ids; a head in use stands for its concept's words.

    Two statements, however many there are.
    """
    rows = list(ConceptVector.objects.made().filter(space=space, concept__in=concepts).order_by("concept_id"))
    in_use = ConceptHead.objects.filter(space=space, in_use=True, concept__in=[row.concept_id for row in rows])
    return _stacked(rows, {head.concept_id: head for head in in_use})


def version_vectors(space: Space, concept: int, head: ConceptHead | None) -> ConceptVectors:
    """Of one concept as `head` judges, or its words alone, whichever of them is in use. Empty until it was read."""
    rows = list(ConceptVector.objects.made().filter(space=space, concept=concept))
    return _stacked(rows, {concept: head} if head is not None else {})


def _stacked(rows: list[ConceptVector], heads: Mapping[int, ConceptHead]) -> ConceptVectors:
    ids = [row.concept_id for row in rows]
    return stack([_made(row, heads.get(row.concept_id)) for row in rows], ids, _lines(rows, heads))


def _lines(rows: list[ConceptVector], heads: Mapping[int, ConceptHead]) -> list[float]:
    """A line was chosen for the words or for a head: each has its own."""
    return [
        heads[row.concept_id].line if row.concept_id in heads else row.line if row.chosen is None else row.chosen
        for row in rows
    ]


def learnt_line(head: ConceptHead) -> float:
    """The score that a head learnt, whatever somebody chose since."""
    return float(head.measured.get("line", head.line))


def head_vectors(head: ConceptHead) -> ConceptVectors:
    """Of one head alone, with the line that it learnt."""
    return stack([_made_by(head, 0)], [head.concept_id], [learnt_line(head)])


def _made_by(head: ConceptHead, pictures: int) -> Made:
    none = np.empty((0, DIMENSIONS), dtype=np.float32)
    return Made(read_numbers(head.vector), head.mean, head.spread, head.line, none, [], [], pictures)


def _made(row: ConceptVector, head: ConceptHead | None) -> Made:
    if head is not None:
        return _made_by(head, row.pictures)
    return Made(
        vector=read_numbers(row.vector),
        mean=row.mean,
        spread=row.spread,
        line=row.line,
        rivals=read_numbers(row.rivals).reshape(-1, DIMENSIONS),
        rival_means=row.rival_means,
        rival_spreads=row.rival_spreads,
        pictures=row.pictures,
    )


def stack(made: Sequence[Made], ids: list[int], lines: Sequence[float]) -> ConceptVectors:
    empty = np.empty((0, DIMENSIONS), dtype=np.float32)
    return ConceptVectors(
        ids=ids,
        vectors=np.stack([one.vector for one in made]) if made else empty,
        thresholds=np.asarray(lines, dtype=np.float32),
        backgrounds=np.asarray([(one.mean, one.spread) for one in made], dtype=np.float32).reshape(-1, 2),
        rivals=np.concatenate([empty, *(one.rivals for one in made)]),
        rival_of=np.repeat(np.arange(len(made)), [len(one.rivals) for one in made]),
        rival_backgrounds=np.asarray(
            [pair for one in made for pair in zip(one.rival_means, one.rival_spreads, strict=True)], dtype=np.float32
        ).reshape(-1, 2),
    )


def make_concept(
    concept: Concept, read: Mapping[str, Vector], background: Background, examples: Sequence[ConceptExample] = ()
) -> Made:
    """`read` has the vectors of the concept's texts. Examples draw the words' vector to themselves, half and half,
    by where they lie to pictures at large: pictures and texts live in different corners of a space."""
    space = background.space
    vector = ensemble(texts_of(concept), read)
    rivals = [ensemble(texts, read) for texts in rival_texts_of(concept)]
    shown = asset_vectors(space, [one.asset_id for one in examples])
    centre = background.pictures.mean(axis=0)
    good = [shown[one.asset_id] - centre for one in examples if not one.counter and one.asset_id in shown]
    bad = [shown[one.asset_id] - centre for one in examples if one.counter and one.asset_id in shown]
    if good:
        vector = unit(vector + unit(np.mean(good, axis=0)))
    if bad:
        rivals.append(unit(np.mean(bad, axis=0)))
    means, spreads = background.of(np.stack([vector, *rivals]))
    return Made(
        vector=vector,
        mean=float(means[0]),
        spread=float(spreads[0]),
        line=background.line(float(means[0]), float(spreads[0])),
        rivals=np.asarray(rivals, dtype=np.float32).reshape(-1, DIMENSIONS),
        rival_means=means[1:].tolist(),
        rival_spreads=spreads[1:].tolist(),
        pictures=background.known,
    )


def find_unmade(space: Space, concepts: Iterable[Concept]) -> list[Concept]:
    """Those of `concepts` that have no vector in `space`, or one that was made of other words or examples."""
    wanted = list(concepts)
    marks = dict(ConceptVector.objects.filter(space=space, concept__in=wanted).values_list("concept_id", "mark"))
    examples, scopes = examples_of(wanted), scopes_of(wanted)
    return [one for one in wanted if marks.get(one.pk) != mark_of(one, examples[one.pk], scopes[one.pk])]


def store_concepts(space: Space, concepts: Sequence[Concept], read: Mapping[str, Vector]) -> None:
    """Make and keep the vectors of `concepts` in `space`, of texts that were read before. What a person chose as a
    line stays until they choose another."""
    examples, scopes = examples_of(concepts), scopes_of(concepts)
    backgrounds = {scope: read_background(space, scope) for scope in set(scopes.values())}
    for concept in concepts:
        scope = scopes[concept.pk]
        made = make_concept(concept, read, backgrounds[scope], examples[concept.pk])
        ConceptVector.objects.update_or_create(
            concept=concept,
            space=space,
            defaults={
                "mark": mark_of(concept, examples[concept.pk], scope),
                "vector": write_numbers(made.vector),
                "mean": made.mean,
                "spread": made.spread,
                "rivals": write_numbers(made.rivals),
                "rival_means": made.rival_means,
                "rival_spreads": made.rival_spreads,
                "pictures": made.pictures,
                "line": made.line,
                "due": True,
            },
        )


def examples_of(concepts: Sequence[Concept]) -> dict[int, list[ConceptExample]]:
    found: dict[int, list[ConceptExample]] = {concept.pk: [] for concept in concepts}
    saved = [concept.pk for concept in concepts if concept.pk]
    for example in ConceptExample.objects.filter(concept__in=saved).order_by("pk"):
        found[example.concept_id].append(example)
    return found


def scopes_of(concepts: Sequence[Concept]) -> dict[int, tuple[int, ...]]:
    """The collections in which each is looked for; none: everywhere."""
    found: dict[int, tuple[int, ...]] = {concept.pk: () for concept in concepts}
    rows = Concept.scope.through.objects.filter(concept_id__in=list(found)).order_by("collection_id")
    for concept, collection in rows.values_list("concept_id", "collection_id"):
        found[concept] += (collection,)
    return found


def write_numbers(numbers: Floats) -> bytes:
    return np.ascontiguousarray(numbers, dtype="<f4").tobytes()


def read_numbers(packed: bytes | memoryview) -> Vector:
    return np.frombuffer(packed, dtype="<f4")
