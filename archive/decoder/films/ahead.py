"""Pictures in the order of time; one that was taken before its turn can be put back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Self, TypeVar

Picture = TypeVar("Picture")


class Ahead(Generic[Picture]):
    """Of (milliseconds, picture)."""

    def __init__(self, pictures: Iterator[tuple[int, Picture]]) -> None:
        self._pictures = pictures
        self._back: list[tuple[int, Picture]] = []

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[int, Picture]:
        return self._back.pop() if self._back else next(self._pictures)

    def put_back(self, at_ms: int, picture: Picture) -> None:
        self._back.append((at_ms, picture))
