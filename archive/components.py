"""Union-find: which of many things hang together, by pairs."""

from __future__ import annotations

from collections.abc import Iterable


def components(pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The groups that `pairs` connect, each sorted, in the order in which they first appear."""
    parent: dict[int, int] = {}

    def root(one: int) -> int:
        parent.setdefault(one, one)
        while parent[one] != one:
            parent[one] = one = parent[parent[one]]
        return one

    for one, other in pairs:
        ours, theirs = root(one), root(other)
        if ours != theirs:
            parent[theirs] = ours
    groups: dict[int, list[int]] = {}
    for one in parent:
        groups.setdefault(root(one), []).append(one)
    return [sorted(group) for group in groups.values()]
