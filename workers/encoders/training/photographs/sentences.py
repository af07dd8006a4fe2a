"""A teacher that reads: all-MiniLM-L6-v2 turns any text into 384 numbers, near for texts of near meaning."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

MOST_TOKENS = 48
BATCH = 128
Vectors = NDArray[np.float32]


class Reader:
    def __init__(self, folder: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MOST_TOKENS)
        self._tokenizer.enable_padding()
        self._model = BertModel(BertConfig.from_json_file(folder / "config.json"), add_pooling_layer=False)
        self._model.load_state_dict(
            {name: tensor for name, tensor in load_file(folder / "model.safetensors").items() if "pooler" not in name},
            strict=False,
        )
        self._model.train(False).to(torch.bfloat16)  # the same to a cosine of 0.9999

    def read(self, texts: Sequence[str]) -> Vectors:
        """(texts, 384), unit length: the mean over a text's tokens. Read by length, so that little is padded."""
        order = np.argsort([len(text) for text in texts], kind="stable")
        rows = np.empty((len(texts), 384), np.float32)
        with torch.inference_mode():
            for start in range(0, len(order), BATCH):
                chosen = order[start : start + BATCH]
                rows[chosen] = self._batch([texts[row] for row in chosen])
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

    def _batch(self, texts: list[str]) -> Vectors:
        encoded = self._tokenizer.encode_batch(texts)
        ids = torch.tensor([one.ids for one in encoded])
        mask = torch.tensor([one.attention_mask for one in encoded])
        hidden = self._model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        weights = mask[..., None].float()
        mean: Vectors = ((hidden * weights).sum(1) / weights.sum(1)).numpy()
        return mean
