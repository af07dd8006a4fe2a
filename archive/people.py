"""The first people of an archive, with generated passwords that stand in SIGHTLINE_DATA/secrets."""

from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User

from archive.bundled.secrets import get_secret

CURATOR = "alice"


def make_first_log_in() -> None:
    """Make the curator, a superuser, unless somebody is there already.

    Where the curator's password was changed since, the file with the first one goes: it would mislead.
    """
    note = _secrets() / f"log-in-{CURATOR}"
    curator = User.objects.filter(username=CURATOR).first()
    if curator is None and not User.objects.exists():
        User.objects.create_superuser(CURATOR, password=_password(CURATOR))
    elif note.exists() and (curator is None or not curator.check_password(_password(CURATOR))):
        note.unlink()


def get_curator() -> User:
    found = User.objects.filter(username=CURATOR).first() or User.objects.filter(is_superuser=True).first()
    return found or get_person(CURATOR)


def get_person(name: str) -> User:
    """The user of this name; made with a generated password where there is none."""
    user, new = User.objects.get_or_create(username=name)
    if new:
        user.set_password(_password(name))
        user.save(update_fields=["password"])
    return user


def _password(name: str) -> str:
    return get_secret(_secrets(), f"log-in-{name}", size=12)


def _secrets() -> Path:
    folder: Path = settings.SIGHTLINE_DATA / "secrets"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
