"""Fingerprints of moments' stills: made when they are first wanted, for few are ever compared."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.files.storage import default_storage

from archive.models import Frame, StillFingerprint
from archive.models.duplicates import LEAST_QUALITY, LEAST_SPREAD
from archive.pdq import Bits, as_digits, from_digits, look_at


@dataclass(frozen=True)
class Print:
    """`sharp`: no black, slate or faded still, which all look alike."""

    bits: Bits
    sharp: bool


@dataclass(frozen=True)
class Prints:
    """By the ids of frames. `whole`: time sufficed for all; a moment whose still is not there has none all the same."""

    found: Mapping[int, Print]
    whole: bool

    @property
    def sharp(self) -> dict[int, Print]:
        return {frame: one for frame, one in self.found.items() if one.sharp}


def get_prints(frames: Sequence[int], until: float) -> Prints:
    """Those that are missing are made until `until` on the monotonic clock, and kept."""
    known = StillFingerprint.objects.filter(frame__in=frames)
    found = {one.pk: _print(one) for one in known}
    missing = Frame.objects.filter(pk__in=set(frames) - set(found)).exclude(still="")
    made, whole = [], True
    for frame, key in missing.values_list("pk", "still"):
        if time.monotonic() > until:
            whole = False
            break
        one = _look(frame, key)
        if one is not None:
            made.append(one)
    _keep(made)
    return Prints({**found, **{one.pk: _print(one) for one in made}}, whole)


def _keep(made: Sequence[StillFingerprint]) -> None:
    """Others may have made the same; a frame that went meanwhile has no place for one."""
    there = set(Frame.objects.filter(pk__in=[one.pk for one in made]).values_list("pk", flat=True))
    StillFingerprint.objects.bulk_create([one for one in made if one.pk in there], ignore_conflicts=True)


def _look(frame: int, key: str) -> StillFingerprint | None:
    try:
        with default_storage.open(key) as file:
            look = look_at(file.read())
    except Exception:  # gone, or damaged: Pillow raises many kinds
        return None
    return StillFingerprint(frame_id=frame, pdq=as_digits(look.bits), quality=look.quality, spread=look.spread)


def _print(one: StillFingerprint) -> Print:
    return Print(from_digits(one.pdq), one.quality >= LEAST_QUALITY and one.spread >= LEAST_SPREAD)
