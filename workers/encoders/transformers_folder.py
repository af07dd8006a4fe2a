"""Models that open_clip has not, from a folder in transformers' format: config.json, model.safetensors, tokenizer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from workers.encoders.device import Device
from workers.encoders.protocol import EncoderRefused, Identity
from workers.encoders.running import reading
from workers.encoders.sources import Source
from workers.encoders.weights import refuse_what_runs_code, refuse_without_words, sha256_of, tokenizer_files

# What transformers writes into a configuration that changes no vector.
IDLE = {"_commit_hash", "_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version"}


def load_model(kind: Any, source: Source, device: Device) -> Any:
    """A model of the class `kind`, in eval mode.

    Raises `EncoderRefused` where a weight is missing or has another shape: transformers would put random numbers there.
    """
    weights = source.weights
    if weights is None or source.folder is None:
        raise EncoderRefused(f"{source.name} needs its folder: config.json, model.safetensors, tokenizer.json.")
    refuse_what_runs_code(weights)
    quiet: Any = transformers.utils.logging
    quiet.disable_progress_bar()
    with reading(
        lambda said: f"{weights} cannot be used as {source.name}: {said} Is it cut short, or another model's?"
    ):
        model, told = kind.from_pretrained(
            source.folder,
            dtype=device.dtype,
            use_safetensors=weights.suffix == ".safetensors",
            weights_only=True,
            local_files_only=True,
            output_loading_info=True,
        )
    lacking = sorted(map(str, [*told["missing_keys"], *told["mismatched_keys"]]))
    if lacking:
        raise EncoderRefused(
            f"{weights} cannot be used as {source.name}: {len(lacking)} weights are missing or have another shape, "
            f"such as {lacking[0]}."
        )
    return model.eval().to(device.name)


class Words:
    """Texts as (n, context) tokens and their mask, always padded to the full context."""

    def __init__(self, source: Source, context_length: int) -> None:
        assert source.folder is not None
        refuse_without_words(source.name, source.folder)
        with reading(lambda said: f"The tokenizer files of {source.name} in {source.folder} cannot be read: {said}"):
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(source.folder, local_files_only=True)
        self.context_length = min(context_length, self._tokenizer.model_max_length)

    def __call__(self, texts: Sequence[str], device: Device) -> dict[str, torch.Tensor]:
        found = self._tokenizer(
            list(texts),
            padding="max_length",
            truncation=True,
            max_length=self.context_length,
            return_tensors="pt",
        )
        return {name: found[name].to(device.name) for name in ("input_ids", "attention_mask")}

    def count(self, text: str) -> int:
        return len(self._tokenizer(text, truncation=False, verbose=False).input_ids)


def identity_of(source: Source, words: Words, dimensions: int, scale: float) -> Identity:
    assert source.folder is not None
    assert source.weights is not None
    return Identity(
        model=source.name,
        weights=sha256_of(source.weights),
        config=_read(source.folder / "config.json"),
        preprocessing=_read(source.folder / "preprocessor_config.json"),
        tokenizer={
            "context_length": words.context_length,
            "padding": "max_length",
            **tokenizer_files(source.folder, own_words=True),
        },
        dimensions=dimensions,
        library=f"transformers {transformers.__version__}, torch {torch.__version__}",
        scale=round(scale, 3),
        context_length=words.context_length,
    )


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise EncoderRefused(f"{path} is missing. Fetch or copy the whole folder.")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {key: value for key, value in found.items() if key not in IDLE}
