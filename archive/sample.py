"""The sample of a demo: photographs that come along, where they and the drawn scenes live, and when there are
enough of them for a first search."""

import time
from enum import StrEnum
from pathlib import Path

from archive.models import Asset, Collection, Membership, Role, Status, Visibility
from archive.people import get_curator, get_person

# One folder, one collection. Each file carries its title, caption, author and licence; ATTRIBUTION.md lists them.
PHOTOGRAPHS = Path(__file__).parent / "photographs"
ENOUGH_TO_SEARCH = 12
MEMBERS = {"bob": Role.CONTRIBUTOR, "visitor": Role.VIEWER}


class Shown(StrEnum):
    """What a collection of the sample holds, as its description begins."""

    PHOTOGRAPHS = "Photographs under free licences, named at each"
    DRAWN = "Scenes drawn by Sightline itself"
    FILMS = "Films made here, of the photographs and drawn scenes; whose photographs they show is named at each"


def photograph_folders() -> list[Path]:
    return sorted({path.parent for path in PHOTOGRAPHS.glob("*/*.jpg")})


def get_sample_collection(slug: str, shown: Shown) -> Collection:
    """The curator's; everybody who can log in may look, bob may upload."""
    collection, _ = Collection.objects.get_or_create(
        slug=slug,
        defaults={
            "name": slug.replace("-", " ").capitalize() + (" (drawn)" if shown == Shown.DRAWN else ""),
            "owner": get_curator(),
            "visibility": Visibility.EVERYONE,
            "description": f"{shown}. Delete the collection when you have seen enough of it.",
        },
    )
    for name, role in MEMBERS.items():
        Membership.objects.get_or_create(collection=collection, user=get_person(name), defaults={"role": role})
    return collection


def wait_until_searchable(*, at_most: float) -> bool:
    """Wait for the workers. False when so few were ready after `at_most` seconds."""
    deadline = time.monotonic() + at_most
    while time.monotonic() < deadline:
        if Asset.objects.filter(status=Status.READY).count() >= ENOUGH_TO_SEARCH:
            return True
        time.sleep(0.5)
    return False
