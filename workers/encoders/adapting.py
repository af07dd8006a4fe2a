"""Training an adapter on pairs of stored picture vectors and encoded captions, with open_clip's own losses.

Minutes on a CPU: no picture and no text passes through the model here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from open_clip.loss import ClipLoss, SigLipLoss
from torch import Tensor, nn
from torch.nn import functional

from workers.encoders.adapter import Adapter, Map, Pairs
from workers.encoders.adapter_recipe import Recipe
from workers.encoders.device import use_one_thread
from workers.encoders.protocol import Identity

Score = Callable[[Adapter], float]
Report = Callable[[int, float, float], None]
LEAST_TAKEN, MOST_TAKEN = 0.2, 0.9  # of another picture; all of it would leave noise where two are alike


def learn(pairs: Pairs, parent: Identity, recipe: Recipe, score: Score, report: Report) -> Adapter:
    """The best adapter on the way, by `score` on pairs that are not trained on; at worst one that changes nothing.

    `report` hears step, loss and score.
    """
    use_one_thread()
    torch.manual_seed(recipe.seed)
    model = _Towers(parent, recipe)
    optimizer = torch.optim.AdamW(model.parameter_groups(recipe.weight_decay), lr=recipe.learning_rate)
    pictures, texts = (torch.from_numpy(rows[:, : parent.dimensions].copy()) for rows in (pairs.pictures, pairs.texts))
    best = model.as_adapter(parent, recipe.loss)
    best_score, looks = score(best), 0
    for step, rows in enumerate(_batches(pairs, recipe), 1):
        loss = model.loss(pictures[rows], texts[rows])
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()
        model.limit_scale()
        if step % recipe.look_every:
            continue
        now = model.as_adapter(parent, recipe.loss)
        found, looks = score(now), looks + 1
        report(step, float(loss.detach()), found)
        if found > best_score:
            best, best_score, looks = now, found, 0
        elif looks >= recipe.patience:
            break
    return best


class _Tower(nn.Module):
    """v -> unit(v + up (down v) + bias). It begins by changing nothing, for `up` and `bias` are zero."""

    def __init__(self, dimensions: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(rank, dimensions) / math.sqrt(dimensions))
        self.up = nn.Parameter(torch.zeros(dimensions, rank))
        self.bias = nn.Parameter(torch.zeros(dimensions))

    def forward(self, vectors: Tensor) -> Tensor:
        return functional.normalize(vectors + (vectors @ self.down.T) @ self.up.T + self.bias, dim=-1)

    def as_map(self) -> Map:
        return Map(*(part.detach().numpy().copy() for part in (self.down, self.up, self.bias)))


class _Towers(nn.Module):
    def __init__(self, parent: Identity, recipe: Recipe) -> None:
        super().__init__()
        rank = min(recipe.rank, parent.dimensions)
        self.pictures = _Tower(parent.dimensions, rank)
        self.texts = _Tower(parent.dimensions, rank)
        self.keep = recipe.keep
        scale, bias = _beginning(parent, recipe.loss)
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))
        self.logit_bias = None if bias is None else nn.Parameter(torch.tensor(bias))
        self.contrast: Any = ClipLoss() if recipe.loss == "softmax" else SigLipLoss()

    def loss(self, pictures: Tensor, texts: Tensor) -> Tensor:
        """The contrastive loss, and how far the two maps turn what was understood before.

        A model has texts that mean a picture near that picture, but not on it: a text leaves out most of what is to be
        seen. So the map of texts has to leave pictures where they are, and what one picture is beside another.
        """
        seen = self.pictures(pictures)
        contrast = self.contrast(seen, self.texts(texts), self.log_scale.exp(), self.logit_bias)
        turned = _turned(seen, pictures)
        for left in (pictures, _beside(pictures)):
            turned = turned + _turned(self.texts(left), left)
        loss: Tensor = contrast + self.keep * turned
        return loss

    @torch.no_grad()
    def limit_scale(self) -> None:
        """To 100, as CLIP does: beyond, single pairs decide everything."""
        self.log_scale.clamp_(0, math.log(100))

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        decayed = [parameter for parameter in self.parameters() if parameter.ndim >= 2]
        free = [parameter for parameter in self.parameters() if parameter.ndim < 2]
        return [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]

    def as_adapter(self, parent: Identity, loss: str) -> Adapter:
        return Adapter(
            pictures=self.pictures.as_map(),
            texts=self.texts.as_map(),
            parent=parent.fingerprint,
            loss=loss,
            scale=round(float(self.log_scale.detach().exp()), 3),
            bias=None if self.logit_bias is None else round(float(self.logit_bias.detach()), 3),
        )


def _turned(after: Tensor, before: Tensor) -> Tensor:
    return 1 - (after * before).sum(1).mean()


def _beside(pictures: Tensor) -> Tensor:
    """What each picture of the batch is, less a part of another: (n, d), unit length."""
    others = pictures[torch.randperm(len(pictures))]
    shares = LEAST_TAKEN + (MOST_TAKEN - LEAST_TAKEN) * torch.rand(len(pictures), 1)
    return functional.normalize(pictures - shares * others, dim=-1)


def _beginning(parent: Identity, loss: str) -> tuple[float, float | None]:
    """Scale and bias: the parent's where it was trained with this loss, else those of the papers
    (CLIP's 1 / 0.07, SigLIP's 10 and -10)."""
    if loss == "sigmoid":
        return (parent.scale, parent.bias) if parent.scale and parent.bias is not None else (10.0, -10.0)
    return (parent.scale if parent.scale and parent.bias is None else 1 / 0.07), None


def _batches(pairs: Pairs, recipe: Recipe) -> Iterator[npt.NDArray[np.int64]]:
    """Rows of a batch, all with different texts: the losses take every other text for a wrong one.

    Each caption brings one of its pictures, with the caption or its tags; with the caption, where those tags are
    a text of the batch already.
    """
    dice = np.random.default_rng(recipe.seed)
    members: Sequence[npt.NDArray[np.int64]] = _members(pairs.groups)
    with_caption = [rows[pairs.words[rows] == pairs.groups[rows]] for rows in members]
    size = min(recipe.batch, len(members))
    done = 0
    while True:
        order = dice.permutation(len(members))
        for start in range(0, len(order) - size + 1, size):
            chosen = order[start : start + size]
            rows = np.array([dice.choice(members[group]) for group in chosen])
            taken = set(pairs.groups[rows].tolist())  # by the captions, shown or not
            for place in np.flatnonzero(pairs.words[rows] != pairs.groups[rows]):
                word = int(pairs.words[rows[place]])
                if word in taken:
                    rows[place] = dice.choice(with_caption[chosen[place]])
                taken.add(word)
            yield rows
            done += 1
            if done == recipe.most_steps:
                return


def _members(groups: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
