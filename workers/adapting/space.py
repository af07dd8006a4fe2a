"""A new space from an archive's own captions: train an adapter, judge it, derive the vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from archive.models import Space, SpaceState
from archive.spaces import GainsNothing, backfill
from workers.adapting.captions import captioned_assets, part
from workers.adapting.gain import Gain, figures, judge, ranks_with
from workers.deriving import derive_vectors
from workers.encoders.adapter import Adapter
from workers.encoders.adapter_files import keep_adapter
from workers.encoders.adapter_recipe import Recipe
from workers.encoders.load import encoder_of
from workers.spaces import make_space

Say = Callable[[str], None]
USUAL = Recipe()
SAID_EVERY = 100  # steps


class CannotAdapt(ValueError):
    """There is no space to adapt, or no room for a new one; the sentence says what to do."""


@dataclass(frozen=True)
class Trained:
    adapter: Adapter
    gain: Gain
    recipe: Recipe
    pictures: int  # that it was trained on

    def as_json(self) -> dict[str, Any]:
        return self.gain.as_json() | {
            "loss": self.recipe.loss,
            "keep": self.recipe.keep,
            "trained_on": self.pictures,
        }


def adapt_space(
    slug: str,
    parent: Space | None = None,
    *,
    recipe: Recipe = USUAL,
    even_if_worse: bool = False,
    say: Say,
) -> Space:
    """Create and fill a space derived from `parent` (the searched one, if none is named).

    It stays BUILDING: whoever asked for it activates it. `say` hears how far it is. Raises `GainsNothing`
    (unless `even_if_worse`), `TooFewCaptions`, `CannotAdapt`, and `EncoderRefused` when the parent's model
    cannot be opened.
    """
    root = find_root(parent or Space.objects.active())
    _check_room(slug)
    trained = train_adapter(root, recipe, say)
    if not trained.gain.is_real and not even_if_worse:
        raise GainsNothing(trained.as_json())
    space = make_space(slug, keep_adapter(trained.adapter), knows=_knows(root), parent=root, gain=trained.as_json())
    backfill(space)
    say(f"{derive_vectors(space)} assets have their vectors; no picture was encoded again")
    return space


def find_root(space: Space | None) -> Space:
    """The space whose model it is: adapters do not stack, a new one begins at the model's own vectors."""
    if space is None:
        raise CannotAdapt("No space is searched yet, so there is nothing to adapt. Name one with --parent.")
    return space.parent or space


def train_adapter(root: Space, recipe: Recipe, say: Say) -> Trained:
    """An adapter for `root`, and what it gains on captions of the archive that it did not see."""
    encoder = encoder_of(root)
    say("reading captions")
    parts = part(captioned_assets(root, encoder))
    trained_on = len(parts.trained.of_captions().groups)
    say(f"training on {trained_on} assets, judging on {len(parts.held_out.groups)} held out")
    learning: Any = import_module("workers.encoders.adapting")  # torch
    learnt: Adapter = learning.learn(
        parts.trained,
        encoder.identity,
        recipe,
        score=lambda adapter: figures(ranks_with(adapter, parts.validated)).reciprocal_rank,
        report=lambda step, loss, found: (
            None if step % SAID_EVERY else say(f"step {step}: loss {loss:.3f}, mean reciprocal rank {found:.3f}")
        ),
    )
    # The row's fingerprint: another machine's encoder may round its own and still pass for the same.
    adapter = replace(learnt, parent=root.fingerprint)
    before, after = (ranks_with(used, parts.held_out) for used in (None, adapter))
    gain = judge(before, after, len(parts.held_out.groups))
    return Trained(adapter, gain, recipe, trained_on)


def _check_room(slug: str) -> None:
    """Before minutes are spent on it."""
    if Space.objects.filter(slug=slug).exists():
        raise CannotAdapt(f"There is a space {slug!r} already. Choose another name.")
    filling = Space.objects.filter(state=SpaceState.BUILDING).first()
    if filling is not None:
        raise CannotAdapt(f"{filling.slug} is being filled. Activate or retire it first: one is filled at a time.")


def _knows(root: Space) -> str:
    return f"{root.knows} Adapted to the captions of this archive.".strip()[:200]
