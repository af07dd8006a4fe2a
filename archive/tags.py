"""Putting tags on assets and taking them off. Who may is decided by the caller (`Asset.objects.curated_by`).

Whoever changes tags holds their assets until the end of the transaction: two changes of one asset
take turns, and each sees what the other wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Prefetch, QuerySet
from django.utils.text import slugify
from django.utils.timezone import now

from archive.models import Asset, Concept, ConceptKind, Space, Tag, TagSource, TagState
from archive.models.concepts import fold
from archive.tag_names import refuse_prohibited

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from archive.models.collections import Person


class Was(TypedDict):
    """A tag as it was, as plain data."""

    state: str
    source: str
    space: int | None
    score: float | None
    by: int | None
    at: str
    decided: NotRequired[bool]


class Change(TypedDict):
    """One tag that changed: what it was (None: not there) and its version since (None: gone)."""

    concept: int
    was: Was | None
    at: str | None


Changes = dict[int, list[Change]]  # by asset


def find_concepts(names: Iterable[str]) -> list[Concept]:
    return list(Concept.objects.filter(folded__in=[fold(name) for name in names]))


@transaction.atomic
def get_concepts(names: Iterable[str], by: User | None) -> list[Concept]:
    """The concepts of these clean names; new ones are made.

    Their makers take turns until the transaction ends: whoever holds assets in it calls this before.
    """
    wanted = {fold(name): name for name in names}
    known = find_concepts(wanted.values())
    if len(known) < len(wanted):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [2, 0])
        known = find_concepts(wanted.values())
        missing = wanted.keys() - {concept.folded for concept in known}
        known += [Concept.objects.create(name=wanted[f], slug=free_slug(wanted[f]), created_by=by) for f in missing]
    return known


@transaction.atomic
def add_tags(assets: QuerySet[Asset], names: Iterable[str], by: User) -> Changes:
    """Have every asset carry all these tags; returns what changed. Raises `BadTag` of what is prohibited."""
    refuse_prohibited(names := list(names))
    concepts = get_concepts(names, by)
    held, at = _hold(assets), now()
    there = {(tag.asset_id, tag.concept_id): tag for tag in _tags(held, concepts)}
    changes: Changes = {}
    for asset in held:
        for concept in concepts:
            tag = there.get((asset, concept.pk))
            if tag is None or tag.state != TagState.ACCEPTED or not tag.decided:
                changes.setdefault(asset, []).append(_change(concept.pk, tag, at.isoformat()))
    known = [there[asset, c["concept"]].pk for asset, many in changes.items() for c in many if c["was"]]
    Tag.objects.filter(pk__in=known).update(state=TagState.ACCEPTED, by=by, at=at, decided=True)
    Tag.objects.bulk_create(
        Tag(asset_id=asset, concept_id=c["concept"], by=by, at=at, decided=True)
        for asset, many in changes.items()
        for c in many
        if not c["was"]
    )
    return changes


@transaction.atomic
def remove_tags(assets: QuerySet[Asset], names: Iterable[str], by: User) -> Changes:
    """Have no asset carry any of these tags; returns what changed. See `TagState` for what is left behind."""
    concepts = [concept for concept in find_concepts(names) if concept.kind == ConceptKind.TAG]
    held, at = _hold(assets), now()
    watched = set(Concept.objects.watched().filter(pk__in=[one.pk for one in concepts]).values_list("pk", flat=True))
    carried = [tag for tag in _tags(held, concepts) if tag.state != TagState.REJECTED]
    gone = {tag.pk for tag in carried if tag.source == TagSource.PERSON and tag.concept_id not in watched}
    changes: Changes = {}
    for tag in carried:
        after = None if tag.pk in gone else at.isoformat()
        changes.setdefault(tag.asset_id, []).append(_change(tag.concept_id, tag, after))
    Tag.objects.filter(pk__in=gone).delete()
    left = [tag.pk for tag in carried if tag.pk not in gone]
    Tag.objects.filter(pk__in=left).update(state=TagState.REJECTED, by=by, at=at, decided=True)
    return changes


@transaction.atomic
def judge_tag(assets: QuerySet[Asset], concept: Concept, state: TagState, by: User) -> None:
    """Say that these show a watched concept or do not, whether or not a model thought so: it is not proposed anew.

    Of a prohibited concept this is what it learns from, and no tag: `Tag.objects.accepted` leaves it out.
    """
    held, at = _hold(assets), now()
    Tag.objects.bulk_create(
        [Tag(asset_id=one, concept=concept, state=state, by=by, at=at, decided=True) for one in held],
        update_conflicts=True,
        unique_fields=["asset", "concept"],
        update_fields=["state", "by", "at", "decided"],
    )


@transaction.atomic
def forget_judgement(assets: QuerySet[Asset], concept: Concept) -> None:
    """As if nobody had judged: what a model says of these counts again, from its next walk on."""
    Tag.objects.filter(asset__in=_hold(assets), concept=concept, decided=True).delete()


@transaction.atomic
def set_tags(asset: Asset, names: Iterable[str], by: User) -> None:
    """Have an asset carry these tags and no others. Raises `BadTag` of what is prohibited."""
    this = Asset.objects.filter(pk=asset.pk)
    add_tags(this, wanted := list(names), by)
    kept = {fold(name) for name in wanted}
    remove_tags(this, [concept.name for concept in tags_of(asset) if concept.folded not in kept], by)


@transaction.atomic
def put_back(changes: Changes) -> set[int]:
    """Undo what `add_tags` or `remove_tags` did; returns the assets of which all is as it was.

    A tag that somebody touched since stays as they left it.
    """
    held = _hold(Asset.objects.filter(pk__in=changes))
    there = {(tag.asset_id, tag.concept_id): tag for tag in Tag.objects.filter(asset__in=held)}
    alive = set(Concept.objects.values_list("pk", flat=True).filter(pk__in=_concepts_of(changes)))
    gone: list[int] = []
    back: list[Tag] = []
    whole = set(held)
    for asset in held:
        for change in changes[asset]:
            tag, was = there.get((asset, change["concept"])), change["was"]
            touched = (tag.at.isoformat() if tag else None) != change["at"] or change["concept"] not in alive
            if touched:
                whole.discard(asset)
            elif was is None:
                gone.append(there[asset, change["concept"]].pk)
            else:
                back.append(_as_it_was(asset, change["concept"], was))
    _forget_the_gone(back)
    Tag.objects.filter(pk__in=gone).delete()
    Tag.objects.bulk_create(
        back,
        update_conflicts=True,
        unique_fields=["asset", "concept"],
        update_fields=["state", "source", "space", "score", "by", "at", "decided"],
    )
    return whole


def with_tags(assets: QuerySet[Asset]) -> QuerySet[Asset]:
    """The same assets, with their tags in one more statement for all of them."""
    shown = Tag.objects.accepted().select_related("concept").order_by("concept__folded")
    return assets.prefetch_related(Prefetch("tags", shown, to_attr="shown_tags"))


def tags_of(asset: Asset) -> list[Concept]:
    """What an asset is tagged with, in the order of names."""
    shown: Iterable[Tag] | None = getattr(asset, "shown_tags", None)
    if shown is None:
        shown = asset.tags.accepted().select_related("concept").order_by("concept__folded")
    return [tag.concept for tag in shown]


def proposed_on(asset: Asset) -> list[Concept]:
    """What a model or a file proposes for an asset, the surest first."""
    open_ones = asset.tags.filter(state=TagState.PROPOSED).select_related("concept")
    return [tag.concept for tag in open_ones.order_by(F("score").desc(nulls_last=True), "concept__folded")]


def seen_tags(user: Person) -> QuerySet[Concept]:
    """The tags on what `user` may see, by name."""
    return Concept.objects.filter(Exists(_carried(user).filter(concept=OuterRef("pk"))))


def count_tags(user: Person, tags: Sequence[Concept]) -> dict[int, int]:
    """By id, how many of the assets that `user` may see carry each of `tags`; what none carries is not in it.

    In one statement, which reads the archive once: counted tag by tag, each asset is looked up for each of its tags.
    """
    carried = _carried(user).filter(concept__in=[tag.pk for tag in tags])
    return dict(carried.values_list("concept").annotate(Count("asset")))


def _carried(user: Person) -> QuerySet[Tag]:
    seen = Asset.objects.visible_to(user, named=True).order_by().values("pk")
    return Tag.objects.accepted().filter(asset__in=seen).order_by()


def free_slug(name: str) -> str:
    base = slugify(name, allow_unicode=True)[:90] or "tag"
    taken = set(Concept.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)


def _hold(assets: QuerySet[Asset]) -> list[int]:
    return list(assets.order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))


def _tags(assets: list[int], concepts: list[Concept]) -> list[Tag]:
    return list(Tag.objects.filter(asset__in=assets, concept__in=[concept.pk for concept in concepts]))


def _change(concept: int, tag: Tag | None, at: str | None) -> Change:
    return {"concept": concept, "was": _was(tag) if tag else None, "at": at}


def _was(tag: Tag) -> Was:
    return {
        "state": tag.state,
        "source": tag.source,
        "space": tag.space_id,
        "score": tag.score,
        "by": tag.by_id,
        "at": tag.at.isoformat(),
        "decided": tag.decided,
    }


def _as_it_was(asset: int, concept: int, was: Was) -> Tag:
    fields: dict[str, Any] = {name: was[name] for name in ("state", "source", "score")}
    fields["decided"] = was.get("decided", was["source"] == TagSource.PERSON or was["by"] is not None)
    at = datetime.fromisoformat(was["at"])
    return Tag(asset_id=asset, concept_id=concept, space_id=was["space"], by_id=was["by"], at=at, **fields)


def _forget_the_gone(tags: list[Tag]) -> None:
    """An account or a space that was deleted meanwhile is nobody's and nothing's, as on every other tag of theirs."""
    people = set(get_user_model().objects.filter(pk__in={tag.by_id for tag in tags}).values_list("pk", flat=True))
    spaces = set(Space.objects.filter(pk__in={tag.space_id for tag in tags}).values_list("pk", flat=True))
    for tag in tags:
        tag.by_id = tag.by_id if tag.by_id in people else None
        tag.space_id = tag.space_id if tag.space_id in spaces else None


def _concepts_of(changes: Changes) -> set[int]:
    return {change["concept"] for many in changes.values() for change in many}
