"""Saved searches: a query with a name, kept as its address has it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import Http404

from archive.models import Collection, SavedSearch
from archive.models.saved import LONGEST_NAME
from search.failures import PictureExpired
from search.pictures import find_picture
from search.query import BadQuery, Query
from search.terms import NOTHING_WANTED, find_seed

if TYPE_CHECKING:
    from archive.models.collections import Person

MOST = 500  # a person
# Of an answer, or of a curator who compares models: no part of what is looked for.
NOT_KEPT: dict[str, Any] = {"offset": 0, "cursor": "", "limit": Query.limit, "space": "", "exact": False}


class NameTaken(BadQuery):
    def __init__(self, name: str) -> None:
        super().__init__({"name": f"You have a saved search named “{name}” already. Choose another name."})


def save_search(query: Query, name: str, user: User, collection: Collection | None = None) -> SavedSearch:
    """Keep `query` for `user`. Raises `BadQuery`, and `NotAnswered` where its pictures are not there (any more)."""
    query = query.but(**NOT_KEPT)
    if query.asks and not (query.text or query.like or query.picture):
        raise BadQuery({"without" if query.without else "unlike": NOTHING_WANTED})
    if SavedSearch.objects.filter(owner=user).count() >= MOST:
        raise BadQuery({"name": f"At most {MOST} searches can be saved. Delete one that is not needed any more."})
    for seed in filter(None, (query.like, query.unlike)):
        find_seed(seed, user)
    made = SavedSearch(owner=user, name=read_name(name), params=query.params(), collection=collection)
    if query.picture:
        picture = find_picture(query.picture, user)
        if picture is None:
            raise PictureExpired
        made.picture_key, made.picture, made.stamp = query.picture, picture.rendition, picture.thumbnail
    return _stored(made)


def query_of(saved: SavedSearch) -> Query:
    """Raises `BadQuery` where a part of it means nothing any more."""
    return Query.from_params(saved.params)


def change(saved: SavedSearch, *, name: str | None = None, **sharing: Collection | None) -> SavedSearch:
    """Rename it, or share it with the members of another `collection`, or of none. Raises `BadQuery`."""
    if name is not None:
        saved.name = read_name(name)
    if "collection" in sharing:
        saved.collection = sharing["collection"]
    return _stored(saved)


def may_change(saved: SavedSearch, user: User) -> bool:
    """Its owner; superusers tidy up what they see, and that is what is shared."""
    return saved.owner_id == user.pk or user.is_superuser


def find_saved(user: Person, wanted: uuid.UUID) -> SavedSearch | None:
    """Without the picture, which is read when it is looked at."""
    found = SavedSearch.objects.visible_to(user).select_related("owner", "collection")
    return found.defer("picture", "stamp").filter(uuid=wanted).first()


def find_seen_search(user: Person, wanted: uuid.UUID) -> SavedSearch:
    """For whatever is addressed by it: what `user` may not see is a 404."""
    found = find_saved(user, wanted)
    if found is None:
        raise Http404
    return found


def find_named(user: User, name: str) -> SavedSearch | None:
    """By its id or its name, one's own first: for the command line."""
    seen = SavedSearch.objects.visible_to(user).defer("picture", "stamp")
    try:
        return seen.filter(uuid=uuid.UUID(name)).first()
    except ValueError:
        same = list(seen.filter(name=name)[:MOST])
    return next((one for one in same if one.owner_id == user.pk), same[0] if same else None)


def read_collection(slug: str, user: User) -> Collection | None:
    """With whose members it is shared: a collection that `user` sees, or none. Raises `BadQuery`."""
    if not slug:
        return None
    found = Collection.objects.visible_to(user).filter(slug=slug.replace("\0", "")).first()
    if found is None:
        raise BadQuery({"collection": "There is no such collection, or you may not see it."})
    return found


def read_name(raw: str) -> str:
    name = " ".join(raw.replace("\0", "").split())
    if not name:
        raise BadQuery({"name": "Give the search a name."})
    if len(name) > LONGEST_NAME:
        raise BadQuery({"name": f"A name of at most {LONGEST_NAME} characters, please."})
    return name


def _stored(saved: SavedSearch) -> SavedSearch:
    try:
        with transaction.atomic():
            saved.save()
    except IntegrityError as error:
        raise NameTaken(saved.name) from error
    return saved
