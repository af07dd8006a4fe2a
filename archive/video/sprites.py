"""Sprites: small stills of a video in a grid, one picture for many."""

from __future__ import annotations

from dataclasses import dataclass

from archive.models import Asset, Rendition


@dataclass(frozen=True)
class Sprite:
    """`columns` by `rows` stills of `width` by `height` pixels, one every so many seconds, row by row."""

    columns: int
    rows: int
    width: int
    height: int
    every_seconds: float


def is_sprite(spec: str) -> bool:
    return spec.startswith("sprite")


def sprites_of(asset: Asset) -> tuple[Sprite, list[Rendition]] | None:
    """The grids of a video in order; None until they are made."""
    return None
