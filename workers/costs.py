"""A plan for an archive: what it takes as it is, what a planned one would take, and what other models would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from django.db.models import QuerySet

from archive.catalogue import Model, find_model, models
from archive.models import DIMENSIONS, Asset, Space
from archive.plan import BARE, Bill, Pace, Seen, Volume, bare_bytes, bill_for, look_around, pace_here

# So many times more operations a second did transformers do than towers of convolutions, which wait for memory:
# 2.5 times (MobileCLIP-S2) to 9 (everyday-things), beside ViT-B-32 on a processor with bf16.
CONVOLUTIONS_SLOWER = 5.0
MEASURED, ESTIMATE, ROUGH, UNKNOWN = "measured", "estimate", "rough estimate", "not measured"


@dataclass(frozen=True)
class Choice:
    """A model beside others: `pace` in frames a second here, and how it is known."""

    name: str
    numbers: int
    gflops: float | None
    pace: float | None
    known: str
    source: str  # in words, where it was measured
    space: str = ""  # the slug, where a live space uses it
    active: bool = False


@dataclass(frozen=True)
class Plan:
    seen: Seen
    planned: Volume | None
    choices: Sequence[Choice]

    @property
    def chosen(self) -> Choice | None:
        """What is searched now; without that, nothing is known about time."""
        return next((one for one in self.choices if one.active), None)

    @property
    def volumes(self) -> dict[str, Volume]:
        """By what they are called."""
        here = {"as it is": self.seen.volume}
        return {**here, "planned": self.planned} if self.planned else here

    def bill(self, volume: Volume, choice: Choice | None) -> Bill:
        return bill_for(
            volume, self.seen.sizes, choice.numbers if choice else DIMENSIONS, choice.pace if choice else None
        )

    def bare(self) -> dict[str, Any]:
        """What a million frames of 768 floats are, stored, indexed one by one, and by shots."""
        frames, numbers = BARE
        video = Volume(0, frames / 3600 / self.seen.volume.fps, self.seen.volume.fps)
        bill = bill_for(video, self.seen.sizes, numbers)
        return {
            "frames": frames,
            "numbers": numbers,
            "floats": bare_bytes(frames, numbers),
            "rows": bill.rows,
            "index_of_all": bill.index_of_all,
            "index": bill.index,
            "shots": bill.indexed,
        }

    def as_dict(self) -> dict[str, Any]:
        seen = self.seen
        return {
            "million": self.bare(),
            "seen": {
                "assets": seen.assets,
                "videos": seen.videos,
                **{name: round(value, 2) for name, value in vars(seen.sizes).items()},
                "assumed": sorted(seen.assumed),
            },
            "plans": [
                {"name": name, **asdict(volume), **_billed(self.bill(volume, self.chosen))}
                for name, volume in self.volumes.items()
            ],
            "models": [
                {**asdict(one), "seconds": {n: self.bill(v, one).seconds for n, v in self.volumes.items()}}
                for one in self.choices
            ],
        }


class Asked(Protocol):
    """What somebody plans, told how many frames of a second are taken here. None: nothing."""

    def planned(self, fps: float) -> Volume | None: ...


def draw_up(assets: QuerySet[Asset], asked: Asked | None = None) -> Plan:
    """For these assets, and for a planned archive that is like them."""
    active = Space.objects.active()
    seen = look_around(assets, active)
    return Plan(seen, asked.planned(seen.volume.fps) if asked else None, choices(active))


def choices(active: Space | None) -> list[Choice]:
    """The live spaces, the searched one first, then every other model that is known by name."""
    live = sorted(Space.objects.live().select_related("parent"), key=lambda space: space != active)
    used = [_of_space(space, pace_here(space), space == active) for space in live]
    measured = next((one for one in used if one.pace and one.gflops), None)
    there = {one.name for one in used}
    others = [_of_model(model, measured) for name, model in models().items() if name not in there]
    return [_guessed(one, measured) for one in used] + others


def _of_space(space: Space, pace: Pace | None, active: bool) -> Choice:
    model = find_model((space.parent or space).model.removeprefix("shipped:"))
    name = model.name if model and not space.parent else space.model
    return Choice(
        name,
        space.dimensions,
        model.gflops if model else None,
        pace.rate if pace else None,
        MEASURED if pace else UNKNOWN,
        pace.source if pace else "",
        space.slug,
        active,
    )


def _of_model(model: Model, measured: Choice | None) -> Choice:
    pace, known = _estimated(model, measured)
    return Choice(model.name, model.numbers, model.gflops, pace, known, "")


def _guessed(one: Choice, measured: Choice | None) -> Choice:
    """A live space whose own pace nobody saw yet."""
    model = find_model(one.name)
    if one.pace or model is None:
        return one
    pace, known = _estimated(model, measured)
    return Choice(one.name, one.numbers, one.gflops, pace, known, "", one.space, one.active)


def _estimated(model: Model, measured: Choice | None) -> tuple[float | None, str]:
    """By operations, from a model that was measured here. Between the two sorts of towers that is rough."""
    beside = find_model(measured.name) if measured else None
    if measured is None or beside is None or not measured.pace:
        return None, UNKNOWN
    pace = measured.pace * beside.gflops / model.gflops
    if beside.convolutions == model.convolutions:
        return pace, ESTIMATE
    return (pace / CONVOLUTIONS_SLOWER if model.convolutions else pace * CONVOLUTIONS_SLOWER), ROUGH


def _billed(bill: Bill) -> dict[str, Any]:
    return {"frames": bill.frames, "indexed": bill.indexed, "seconds": bill.seconds, "bytes": _bytes(bill)}


def _bytes(bill: Bill) -> dict[str, int]:
    names = ("floats", "rows", "index", "index_of_all", "stills", "renditions", "total")
    return {name: getattr(bill, name) for name in names}
