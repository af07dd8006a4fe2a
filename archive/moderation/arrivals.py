"""Assets that come where a policy holds without new vectors: moved in from a collection where it does not."""

from __future__ import annotations

from collections.abc import Sequence

from archive.models import Collection, Policy, Space
from archive.moderation.flagging import raise_flags
from archive.moderation.judging import judge
from archive.moderation.policies import lines_on, start_check
from archive.vectors import read_vectors

AT_ONCE = 200  # assets that a move may have looked at; of more a worker looks at the whole


def watch_moved(assets: Sequence[int], to: Collection) -> None:
    """In the transaction that moves and holds them. What a policy that holds everywhere found needs no second look."""
    space = Space.objects.active()
    lines = [line for line in lines_on(space) if line.collections is not None and line.covers(to.pk)] if space else []
    if not lines or space is None:
        return
    if len(assets) > AT_ONCE:
        for policy in Policy.objects.filter(pk__in=[line.policy for line in lines]).select_related("concept"):
            start_check(policy, None)
        return
    raise_flags(space, judge(space, read_vectors(space, list(assets)), lines))
