"""The loop: batches of scenes with their captions, and a contrastive loss in which a caption may be true of
many scenes of the batch."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from workers.encoders.training.recipe import PREPROCESS_CFG, Recipe
from workers.encoders.training.truth import Facts, facts_of, true_pairs
from workers.scenes.captions import Caption, full_caption, short_caption
from workers.scenes.scene import Scene

SHIFT = 4
Tokenize = Callable[[list[str]], Tensor]


def learn(
    model: Any,
    tokenize: Tokenize,
    scenes: Sequence[Scene],
    pixels: NDArray[np.uint8],
    recipe: Recipe,
    *,
    report: Callable[[int, float], None],
) -> float:
    """Trains `model` in place and returns the seconds that it took. `report` hears step and loss."""
    optimizer = torch.optim.AdamW(_parameter_groups(model, recipe), lr=recipe.learning_rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, recipe))
    captions = Random(recipe.seed + 1)
    facts = facts_of(scenes)
    began = time.monotonic()
    model.train()
    for step, rows in enumerate(_batches(len(scenes), recipe)):
        texts = _captions([scenes[row] for row in rows], captions, recipe.short_captions)
        pictures = augmented(torch.from_numpy(pixels[rows]), captions)
        loss = _loss(model, tokenize, pictures, texts, facts[rows])
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        if step % 20 == 0:
            report(step, float(loss.detach()))
    model.eval()
    return time.monotonic() - began


def augmented(pixels: Tensor, random: Random) -> Tensor:
    """Bytes (n, height, width, 3) as normalised pictures: mirrored, shifted and lit differently by chance."""
    pictures = pixels.permute(0, 3, 1, 2).float() / 255
    if random.random() < 0.5:
        pictures = pictures.flip(3)
    padded = functional.pad(pictures, (SHIFT,) * 4, mode="replicate")
    x, y, side = random.randint(0, 2 * SHIFT), random.randint(0, 2 * SHIFT), pixels.shape[1]
    pictures = padded[:, :, y : y + side, x : x + side]
    light = 1 + 0.06 * (2 * torch.rand(len(pictures), 3, 1, 1) - 1)
    mean, std = (torch.tensor(PREPROCESS_CFG[name]).view(3, 1, 1) for name in ("mean", "std"))
    return ((pictures * light).clamp(0, 1) - mean) / std


def _loss(model: Any, tokenize: Tokenize, pictures: Tensor, texts: Sequence[Caption], facts: Facts) -> Tensor:
    """Symmetric cross entropy with the truth as target: text to picture for all captions, picture to text for
    full captions and short ones apart, or "by day" would stand in for what only this picture shows."""
    seen = model.encode_image(pictures, normalize=True)
    count = len(pictures)
    tokens = tokenize([caption.text for caption in texts])
    read = torch.cat([read_texts(model, tokens[:count]), read_texts(model, tokens[count:])])
    logits = model.logit_scale.exp() * read @ seen.T
    true = torch.from_numpy(true_pairs([caption.terms for caption in texts], facts)).float()
    return (
        _soft_cross_entropy(logits[:count], true[:count])
        + _soft_cross_entropy(logits[count:], true[count:])
        + _soft_cross_entropy(logits[:count].T, true[:count].T)
        + 0.3 * _soft_cross_entropy(logits[count:].T, true[count:].T)
    ) / 3.3


def read_texts(model: Any, tokens: Tensor) -> Tensor:
    """`encode_text` without the padding: attention looks back only, so what comes after the end of a text
    changes nothing, and short captions cost a third."""
    tokens = tokens[:, : int((tokens != 0).sum(1).max())]
    length = tokens.shape[1]
    hidden = model.token_embedding(tokens) + model.positional_embedding[:length]
    hidden = model.ln_final(model.transformer(hidden, attn_mask=model.attn_mask[:length, :length]))
    ends = hidden[torch.arange(len(tokens)), tokens.argmax(1)]
    return functional.normalize(ends @ model.text_projection, dim=-1)


def _soft_cross_entropy(logits: Tensor, true: Tensor) -> Tensor:
    return functional.cross_entropy(logits, true / true.sum(1, keepdim=True))


def _captions(scenes: Sequence[Scene], random: Random, short: int) -> list[Caption]:
    """The full captions of all scenes, then their short ones: every scene is true of its own captions."""
    return [full_caption(scene, random) for scene in scenes] + [
        short_caption(scene, random) for _ in range(short) for scene in scenes
    ]


def _batches(count: int, recipe: Recipe) -> Iterator[NDArray[np.int64]]:
    order = np.random.default_rng(recipe.seed)
    done = 0
    while True:
        shuffled = order.permutation(count)
        for start in range(0, count - recipe.batch + 1, recipe.batch):
            yield shuffled[start : start + recipe.batch]
            done += 1
            if done == recipe.steps:
                return


def _rate(step: int, recipe: Recipe) -> float:
    if step < recipe.warm_up:
        return (step + 1) / recipe.warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - recipe.warm_up) / (recipe.steps - recipe.warm_up)))


def _parameter_groups(model: Any, recipe: Recipe) -> list[dict[str, Any]]:
    decayed = [parameter for parameter in model.parameters() if parameter.ndim >= 2]
    free = [parameter for parameter in model.parameters() if parameter.ndim < 2]
    return [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": free, "weight_decay": 0.0}]
