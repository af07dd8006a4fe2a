"""The text tower before its first step: a bag of words, in which every word already lies where its meaning does."""

from typing import Any

import numpy as np
import torch

from workers.encoders.training.photographs.texts import Corpus

SPREAD = 0.05


def begin_as_a_bag_of_words(model: Any, tokenizer: Any, corpus: Corpus) -> None:
    """Token vectors are the targets of the words, turned to their strongest directions; the projection turns them
    back. The first layer's attention looks everywhere alike and passes on what it sees, all else adds nothing yet.
    Words without a meaning of their own ("a", "of", "photo") are zero, which layer normalisation leaves zero."""
    width, numbers = model.token_embedding.weight.shape[1], corpus.targets.shape[1]
    _, _, directions = np.linalg.svd(corpus.targets, full_matrices=False)
    directions = directions[:width]
    vectors = np.zeros((tokenizer.vocab_size, width), np.float32)
    for word, row in _rows(corpus).items():
        token = tokenizer.encoder.get(f"{word}</w>")
        if token is not None:
            vectors[token] = directions @ corpus.targets[row]
    first = model.transformer.resblocks[0]
    with torch.no_grad():
        model.token_embedding.weight.copy_(torch.from_numpy(vectors * (SPREAD / vectors.std(where=vectors != 0))))
        model.positional_embedding.zero_()
        model.text_projection.zero_()
        model.text_projection[:, :numbers] = torch.from_numpy(directions)
        for block in model.transformer.resblocks:
            block.attn.out_proj.weight.zero_()
            block.mlp.c_proj.weight.zero_()
        first.attn.in_proj_weight[: 2 * width] *= 0.1
        first.attn.in_proj_weight[2 * width :] = torch.eye(width)
        first.attn.out_proj.weight.copy_(torch.eye(width))


def _rows(corpus: Corpus) -> dict[str, int]:
    """Single words with their rows, nouns in both numbers before other words."""
    rows = {text: row for text, row in corpus.fixed if " " not in text}
    rows |= {noun.plural.lower(): noun.row for noun in corpus.nouns}
    return rows | {noun.word.lower(): noun.row for noun in corpus.nouns}
