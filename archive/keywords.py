"""The keywords in a file are tags that somebody gave it before it came: accepted, and a person's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archive.models import Asset, Concept, ConceptKind, Tag, TagSource, TagState
from archive.models.concepts import fold
from archive.tag_names import BadTag, clean_name
from archive.tags import get_concepts


def name_concepts(words: Iterable[str]) -> dict[str, Concept]:
    """The concepts that keywords name, by folded name; new ones are made. What cannot be a tag is left out, and so
    is a prohibited concept: a word in a file raises no flag.

    In a transaction of its own, before any asset is held: whoever tags holds the vocabulary first as well.
    """
    names: dict[str, str] = {}
    for word in words:
        try:
            name = clean_name(word)
        except BadTag:
            continue
        if name:
            names.setdefault(fold(name), name)
    if not names:
        return {}
    found = get_concepts(names.values(), None)
    return {concept.folded: concept for concept in found if concept.kind == ConceptKind.TAG}


def keep_keywords(asset: Asset, words: Sequence[str], concepts: dict[str, Concept]) -> int:
    """Tag `asset`, which the caller holds, by what its file says; returns how many tags it got.

    Each word counts once: what people took off since, or rejected, does not come back however often it is read.
    """
    before = {fold(word) for word in asset.keywords or ()}
    new = [
        concepts[folded] for folded in dict.fromkeys(map(fold, words)) if folded in concepts and folded not in before
    ]
    there = set(Tag.objects.filter(asset=asset, concept__in=[one.pk for one in new]).values_list("concept", flat=True))
    made = [
        Tag(asset=asset, concept=one, source=TagSource.FILE, state=TagState.ACCEPTED, decided=True)
        for one in new
        if one.pk not in there
    ]
    Tag.objects.bulk_create(made)
    asset.keywords = list(words)
    asset.save(update_fields=["keywords"])
    return len(made)
