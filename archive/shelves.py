"""New collections and their addresses."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from archive.models import Collection, Visibility
from archive.models.assets import may_upload_to

TRIES = 5


class SlugTaken(Exception):
    def __init__(self, slug: str) -> None:
        self.slug = slug
        super().__init__(f"The address “{slug}” is taken. Choose another one.")


def create_collection(
    *, name: str, owner: User, slug: str = "", description: str = "", visibility: str = Visibility.MEMBERS
) -> Collection:
    """A collection at `slug`, or at a free address made from its name."""
    for _ in range(TRIES):
        address = slug or free_slug(name)
        try:
            with transaction.atomic():
                return Collection.objects.create(
                    slug=address, name=name, owner=owner, description=description, visibility=visibility
                )
        except IntegrityError:  # an address found by us may be taken by somebody faster
            if slug:
                break
    raise SlugTaken(address)


@transaction.atomic
def collection_named(name: str, user: User) -> Collection:
    """One of this name that `user` may upload to, else a new one.

    The files of one drop ask for it at the same moment: they take turns, so that one is made.
    """
    list(User.objects.select_for_update(no_key=True).filter(pk=user.pk).values_list("pk"))
    known = may_upload_to(user).filter(name=name).first()
    return known or create_collection(name=name, owner=user)


def get_collection(slug: str, owner: User) -> Collection:
    """The collection at `slug`; a new one of `owner` where there is none."""
    known = Collection.objects.filter(slug=slug).first()
    if known is not None:
        return known
    try:
        return create_collection(name=slug.replace("-", " ").capitalize(), owner=owner, slug=slug)
    except SlugTaken:  # somebody else was faster
        return Collection.objects.get(slug=slug)


def free_slug(name: str) -> str:
    """An address for `name`; with a number behind it where that address is taken."""
    base = slugify(name)[:70] or "collection"
    taken = set(Collection.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)
