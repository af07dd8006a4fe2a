"""The words of concepts, read by the models of all live spaces: once, and again only where they changed."""

from __future__ import annotations

import logging

import numpy as np

from archive import dispatch
from archive.concepts.background import SAMPLE, read_background
from archive.concepts.passes import start_due
from archive.concepts.vectors import find_unmade, scopes_of, store_concepts
from archive.concepts.words import every_text
from archive.models import Concept, ConceptPass, ConceptVector, Space, Step
from archive.models.concept_vectors import GOING
from workers.encoders.load import encoder_of
from workers.encoders.protocol import Encoder, EncoderRefused, NotNow

log = logging.getLogger(__name__)
BATCH = 64
GREW = 4  # times as many pictures make another background


def read_concepts() -> int:
    """In every live space, where a model has to; then have what is stored walked over. Returns how many were made."""
    made = 0
    for space in Space.objects.live().select_related("parent"):
        unmade = unread(space)
        if not unmade:
            continue
        try:
            encoder = encoder_of(space)
            read_into(space, unmade, encoder)
        except (EncoderRefused, NotNow) as error:
            log.error("space %s: concepts wait (%s)", space.slug, error)
            continue
        made += len(unmade)
    start_due()
    return made


def read_into(space: Space, concepts: list[Concept], encoder: Encoder) -> None:
    texts = every_text(concepts)
    rows = np.concatenate([encoder.encode_texts(texts[i : i + BATCH]) for i in range(0, len(texts), BATCH)])
    store_concepts(space, concepts, dict(zip(texts, rows, strict=True)))


def unread(space: Space) -> list[Concept]:
    """Watched concepts without a vector of their present words, and those made when there was hardly an archive to
    stand out from."""
    watched = list(Concept.objects.watched())
    if not watched:
        return []
    unmade = {concept.pk: concept for concept in find_unmade(space, watched)}
    early = ConceptVector.objects.made().filter(space=space, concept__in=watched, pictures__lt=SAMPLE // GREW)
    young = list(early.select_related("concept"))
    scopes = scopes_of([row.concept for row in young])
    known = {scope: read_background(space, scope).known for scope in set(scopes.values())}
    outgrown = {row.concept_id for row in young if row.pictures * GREW < known[scopes[row.concept_id]]}
    unmade |= {concept.pk: concept for concept in watched if concept.pk in outgrown}
    return list(unmade.values())


def look_after_concepts() -> None:
    """A round of the clock: ring for models where words wait to be read, and for walks that wait or were cut short."""
    if any(unread(space) for space in Space.objects.live().slim()):
        dispatch.ring(Step.ENCODE)
    start_due()
    if ConceptPass.objects.filter(state__in=GOING).exists():
        dispatch.walk_concepts()
