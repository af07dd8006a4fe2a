"""Who appears in the tests: alice curates, bob uploads, carol curates the harbour alone, visitor looks."""

from __future__ import annotations

from pathlib import Path

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from PIL import Image

from archive.incoming import receive_file
from archive.ingest import ingest_file
from archive.models import Asset, Collection, Membership, Role

PASSWORD = "a long enough password"


class QuickHasher(PBKDF2PasswordHasher):
    """Django's own with one round: people of tests are made in no time, and any process can check them."""

    iterations = 1


def make_user(name: str, *, curator: bool = False) -> User:
    return User.objects.create_user(name, password=PASSWORD, is_staff=curator, is_superuser=curator)


def make_curator(name: str, collection: Collection) -> User:
    """Somebody who curates that collection and nothing else, and is no superuser."""
    curator = make_user(name)
    Membership.objects.create(collection=collection, user=curator, role=Role.CURATOR)
    return curator


def make_harbour(alice: User, bob: User) -> Collection:
    """Alice's collection, in which bob may upload; nobody else sees it."""
    harbour = Collection.objects.create(slug="harbour", name="Harbour", owner=alice)
    Membership.objects.create(collection=harbour, user=bob, role=Role.CONTRIBUTOR)
    return harbour


def make_jpeg(folder: Path, name: str, colour: str, size: tuple[int, int] = (320, 240)) -> Path:
    path = folder / name
    Image.new("RGB", size, colour).save(path, "JPEG", quality=95)
    return path


def upload(collection: Collection, path: Path, uploader: User | None = None) -> Asset:
    incoming = receive_file(path)
    return ingest_file(incoming, collection=collection, uploader=uploader, filename=path.name).asset
