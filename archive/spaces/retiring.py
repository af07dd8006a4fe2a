"""The end of a space: its row stays for the history, its vectors and its work go."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from archive import dispatch
from archive.models import Space, SpaceState, Step, Work
from archive.spaces.filling import forget_work
from archive.spaces.partitions import drop_partitions, has_partitions


class SpaceInUse(Exception):
    def __init__(self, space: Space) -> None:
        super().__init__(f"{space.slug} is the space that is searched. Activate another one first, or roll back.")


@transaction.atomic
def retire(space: Space) -> None:
    """From now on nothing is written to it and nobody opens it. `clear_away` frees what it held.

    Raises `SpaceInUse` for the searched one.
    """
    found = Space.objects.select_for_update().get(pk=space.pk)
    if found.state == SpaceState.ACTIVE:
        raise SpaceInUse(found)
    Space.objects.filter(pk=space.pk).update(state=SpaceState.RETIRED)
    space.refresh_from_db()
    transaction.on_commit(dispatch.look_after_spaces, robust=True)


def is_left_over(space: Space) -> bool:
    """Whether a RETIRED space still holds anything."""
    return has_partitions(space) or _work_of(space).exists()


def clear_away(space: Space) -> bool:
    """Remove the work and the tables of a RETIRED space; returns whether all is gone.

    Work goes first: whoever holds some finds its token gone and stores nothing.
    """
    assert space.state == SpaceState.RETIRED
    forget_work(_work_of(space))
    return not has_partitions(space) or drop_partitions(space)


def _work_of(space: Space) -> QuerySet[Work]:
    return Work.objects.filter(step=Step.ENCODE, target=space.slug)
