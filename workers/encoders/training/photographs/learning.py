"""The loop: the text tower learns where texts about photographs belong, and, together with a few numbers of its own
in the picture's vector, which captions are true of which drawn scenes."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from workers.encoders.training.learning import read_texts
from workers.encoders.training.photographs.heads import Head
from workers.encoders.training.photographs.recipe import Recipe
from workers.encoders.training.photographs.texts import Writer
from workers.encoders.training.truth import facts_of, true_pairs
from workers.scenes.captions import full_caption, short_caption
from workers.scenes.scene import Scene

Tokenize = Callable[[list[str]], Tensor]
PARTS = 4
LOGIT_SCALE = 25.0  # of the contrastive loss; cosines of this model are small


@dataclass(frozen=True)
class Pictures:
    """Features of drawn scenes, row by row, and of photographs without any caption."""

    scenes: Sequence[Scene]
    drawn: NDArray[np.float32]
    photographed: NDArray[np.float32]


class DrawnNumbers(nn.Module):
    """The last numbers of a picture's vector: learned from drawn scenes, and kept silent on photographs."""

    mean: Tensor
    spread: Tensor

    def __init__(self, pictures: Pictures, numbers: int) -> None:
        super().__init__()
        everything = np.concatenate([pictures.drawn, pictures.photographed])
        self.register_buffer("mean", torch.from_numpy(everything.mean(axis=0)))
        self.register_buffer("spread", torch.from_numpy(everything.std(axis=0) + 1e-3))
        self.linear = nn.Linear(everything.shape[1], numbers)
        nn.init.normal_(self.linear.weight, std=0.3 / (everything.shape[1] * numbers) ** 0.5)
        nn.init.zeros_(self.linear.bias)

    def forward(self, features: Tensor) -> Tensor:
        numbers: Tensor = self.linear((features - self.mean) / self.spread)
        return numbers

    def folded(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Weight and bias that take the features as they come."""
        weight = (self.linear.weight / self.spread).detach()
        bias = self.linear.bias.detach() - weight @ self.mean
        return weight.numpy(), bias.numpy()


def learn(
    model: Any,
    tokenize: Tokenize,
    head: Head,
    drawn: DrawnNumbers,
    writer: Writer,
    pictures: Pictures,
    recipe: Recipe,
    *,
    report: Callable[[int, float, float], None],
) -> float:
    """Trains the text tower of `model` and `drawn` in place; returns the seconds that it took. `report` hears the
    step and the losses on photographs and on scenes."""
    texts = [parameter for name, parameter in model.named_parameters() if not name.startswith("visual.")]
    texts = [parameter for parameter in texts if parameter is not model.logit_scale]
    optimizer = torch.optim.AdamW(_groups([*texts, *drawn.parameters()], recipe), lr=1.0, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, recipe))
    random = Random(recipe.seed + 1)
    facts = facts_of(pictures.scenes)
    seen_as_photographs = torch.from_numpy(head(pictures.drawn))
    features, photographed = torch.from_numpy(pictures.drawn), torch.from_numpy(pictures.photographed)
    as_photographs = torch.from_numpy(head(pictures.photographed))
    began = time.monotonic()
    for step, rows in enumerate(_batches(len(pictures.scenes), recipe)):
        written, targets = writer.write(recipe.texts)
        captions = _captions([pictures.scenes[row] for row in rows], random)
        read = _read(model, tokenize(written))
        about_photographs = _towards(read, torch.from_numpy(targets))
        seen = functional.normalize(torch.cat([seen_as_photographs[rows], drawn(features[rows])], dim=1), dim=1)
        some = torch.from_numpy(np.random.default_rng(step).integers(0, len(photographed), 128))
        loud = (drawn(photographed[some]).square().sum(1) / as_photographs[some].square().sum(1)).mean()
        true = true_pairs([caption.terms for caption in captions], facts[rows])
        others = functional.normalize(torch.cat([as_photographs[some], drawn(photographed[some])], dim=1), dim=1)
        about_scenes = _contrastive(_read(model, tokenize([one.text for one in captions])), seen, others, true)
        loss = about_photographs + 0.15 * about_scenes + 0.3 * loud
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(texts, 1.0)
        optimizer.step()
        schedule.step()
        if step % 20 == 0:
            report(step, float(about_photographs.detach()), float(about_scenes.detach()))
    return time.monotonic() - began


def _towards(read: Tensor, targets: Tensor) -> Tensor:
    """How far texts about photographs are from where they belong: they have nothing to say in drawn numbers."""
    own, rest = read[:, : targets.shape[1]], read[:, targets.shape[1] :]
    return (1 - functional.cosine_similarity(own, targets)).mean() + 0.3 * rest.square().sum(1).mean()


def _read(model: Any, tokens: Tensor) -> Tensor:
    """Unit vectors. Read in parts of like length, so that few are padded to the longest; multiplied in bf16, which
    takes a CPU that knows it half the time."""
    order = (tokens != 0).sum(1).argsort()
    with torch.autocast("cpu", torch.bfloat16):
        read = torch.cat([read_texts(model, tokens[part]) for part in order.tensor_split(PARTS)])
    return functional.normalize(read.float()[order.argsort()], dim=-1)


def _contrastive(read: Tensor, seen: Tensor, others: Tensor, true: NDArray[np.bool_]) -> Tensor:
    """Symmetric cross entropy with the truth as target, full and short captions apart (as `training.learning`). No
    full caption of a scene is true of the `others`, which are photographs."""
    count = len(seen)
    logits = LOGIT_SCALE * read @ seen.T
    target = torch.from_numpy(true).float()
    beside = LOGIT_SCALE * read[:count] @ others.T
    return (
        _soft(torch.cat([logits[:count], beside], dim=1), functional.pad(target[:count], (0, len(others))))
        + _soft(logits[count:], target[count:])
        + _soft(logits[:count].T, target[:count].T)
        + 0.3 * _soft(logits[count:].T, target[count:].T)
    ) / 3.3


def _soft(logits: Tensor, true: Tensor) -> Tensor:
    return functional.cross_entropy(logits, true / true.sum(1, keepdim=True).clamp(min=1))


def _captions(scenes: Sequence[Scene], random: Random) -> list[Any]:
    return [full_caption(scene, random) for scene in scenes] + [short_caption(scene, random) for scene in scenes]


def _batches(count: int, recipe: Recipe) -> Iterator[NDArray[np.int64]]:
    chance = np.random.default_rng(recipe.seed)
    for _ in range(recipe.steps):
        yield chance.choice(count, recipe.captions, replace=False)


def _rate(step: int, recipe: Recipe) -> float:
    if step < recipe.warm_up:
        return (step + 1) / recipe.warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - recipe.warm_up) / (recipe.steps - recipe.warm_up)))


def _groups(parameters: list[nn.Parameter], recipe: Recipe) -> list[dict[str, Any]]:
    decayed = [parameter for parameter in parameters if parameter.ndim >= 2]
    free = [parameter for parameter in parameters if parameter.ndim < 2]
    rate = recipe.learning_rate
    return [
        {"params": decayed, "lr": rate, "weight_decay": recipe.weight_decay},
        {"params": free, "lr": rate, "weight_decay": 0.0},
    ]
