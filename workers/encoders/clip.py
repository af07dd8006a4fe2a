"""CLIP-family encoders through open_clip: the one file that calls it to load a model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import exp
from pathlib import Path
from typing import Any
from zlib import crc32

import open_clip
import torch
from open_clip.tokenizer import HFTokenizer
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from archive.catalogue import models
from workers.encoders.device import Device, choose_device, exact, keep_freed_memory, use_one_thread
from workers.encoders.pixels import halved
from workers.encoders.protocol import EncoderRefused, Identity, Vectors, refuse_too_many_numbers
from workers.encoders.running import reading, run
from workers.encoders.sources import CLIP_CONFIG, RANDOM, Source, find_source
from workers.encoders.trained import trained_number
from workers.encoders.weights import refuse_what_runs_code, refuse_without_words, sha256_of, tokenizer_files

PREPROCESSING = ("mean", "std", "interpolation", "resize_mode")


class ClipEncoder:
    """A model of open_clip on the best device, in eval mode. Loading takes seconds and memory: once a process."""

    def __init__(self, model: str, pretrained: str = "", device: Device | None = None) -> None:
        source = find_source(model, pretrained)
        config = _config(source)
        self.device = device or choose_device()
        self._layout = torch.contiguous_format
        if _is_efficientnet(config):
            self.device, self._layout = exact(self.device), torch.channels_last
        use_one_thread()
        keep_freed_memory()
        self._model = _load(source, self.device).to(memory_format=self._layout)
        preprocessing = open_clip.get_model_preprocess_cfg(self._model)
        steps = image_transform_v2(PreprocessCfg(**preprocessing), is_train=False)
        self._window, self._numbers = halved(steps, self.device)
        self._tokenize = _tokenizer(source, config, self._model)
        self.identity = _identity(source, config, self._model, preprocessing)

    def prepare(self, picture: Image.Image) -> torch.Tensor:
        """(3, side, side) uint8, resized and cropped as the model was trained."""
        return self._window(picture)

    def prepare_jpeg(self, data: bytes) -> torch.Tensor:
        return self._window(data)

    def encode_pictures(self, prepared: Sequence[torch.Tensor]) -> Vectors:
        pixels = torch.stack(list(prepared)).to(memory_format=self._layout)
        return run(lambda: self._model.encode_image(self._numbers(pixels)), self.device)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Padded to the full context, as all of these models were trained; SigLIP ranks wrongly otherwise."""
        tokens = self._tokenize(list(texts))
        return run(lambda: self._model.encode_text(tokens.to(self.device.name)), self.device)

    def count_tokens(self, text: str) -> int:
        if isinstance(self._tokenize, HFTokenizer):
            inner = self._tokenize.tokenizer
            return len(inner(self._tokenize.clean_fn(text), truncation=False, verbose=False).input_ids)
        return len(self._tokenize.encode(text)) + 2  # begin and end


def _config(source: Source) -> dict[str, Any]:
    """The model's configuration. Raises `EncoderRefused` before anything large is read."""
    if source.folder is not None:
        read: dict[str, Any] = json.loads((source.folder / CLIP_CONFIG).read_text())
        found = read.get("model_cfg")
        if not isinstance(found, dict):
            raise EncoderRefused(f"{source.folder / CLIP_CONFIG} has no model_cfg: it is not open_clip's.")
        if source.quick_gelu:
            found["quick_gelu"] = True
    else:
        found = open_clip.get_model_config(source.architecture)
        if found is None:
            raise EncoderRefused(
                f"open_clip knows no architecture {source.architecture!r}, nor does models.toml. "
                f"Known by name: {', '.join(models())}."
            )
    refuse_too_many_numbers(source.name, int(found.get("embed_dim", 0)))
    if source.weights is not None and not source.weights.is_file():
        raise EncoderRefused(f"There is no weights file {str(source.weights)!r}. Download it first and name its path.")
    return found


def _is_efficientnet(config: dict[str, Any]) -> bool:
    """Depthwise convolutions with batch normalisation: bf16 turns their vectors by up to a cosine of 0.98, and on
    a CPU it is no faster than fp32 in channels-last order."""
    return "efficientnet" in config.get("vision_cfg", {}).get("timm_model_name", "")


def _load(source: Source, device: Device) -> Any:
    if source.weights is None:
        torch.manual_seed(0)  # the same random weights in every process: goldens are checked for them too
    else:
        refuse_what_runs_code(source.weights)
    by_name = source.folder is None
    with reading(lambda said: _unusable(source, said)):
        model, _, _ = open_clip.create_model_and_transforms(
            source.architecture if by_name else f"local-dir:{source.folder}",
            pretrained=str(source.weights) if by_name and source.weights else None,
            precision=device.precision,
            device=device.name,
            require_pretrained=source.weights is not None,
            pretrained_text=False,
            force_quick_gelu=source.quick_gelu,
            weights_only=True,
            **_trained_preprocessing(source),
        )
    return model.eval()


def _unusable(source: Source, said: str) -> str:
    return (
        f"{source.weights or source.architecture} cannot be used as {source.name}: {said} "
        "Is it cut short, or another model's?"
    )


def _trained_preprocessing(source: Source) -> dict[str, Any]:
    """Where no folder says how pictures were prepared, the weights' tag does.

    By name and file open_clip would take OpenAI's mean and std whatever the model is.
    """
    if source.folder is not None and json.loads((source.folder / CLIP_CONFIG).read_text()).get("preprocess_cfg"):
        return {}
    tags = [source.tag] if source.tag else open_clip.list_pretrained_tags_by_model(source.architecture)
    trained = open_clip.get_pretrained_cfg(source.architecture, tags[0]) if tags else {}
    return {f"image_{key}": trained[key] for key in PREPROCESSING if trained.get(key)}


def _tokenizer(source: Source, config: dict[str, Any], model: Any) -> Any:
    text = config["text_cfg"]
    if text.get("hf_tokenizer_name"):
        return _words_of_its_own(source, text, model.context_length)
    options: dict[str, Any] = dict(text.get("tokenizer_kwargs", {}))
    vocabulary = sorted(source.folder.glob("bpe*.txt.gz")) if source.folder else []
    if vocabulary:  # a cut vocabulary: with CLIP's own, token ids would overflow
        options["bpe_path"] = str(vocabulary[0])
    return open_clip.SimpleTokenizer(context_length=model.context_length, **options)


def _words_of_its_own(source: Source, text: dict[str, Any], context_length: int) -> Any:
    """The tokenizer of a model with another vocabulary than CLIP's: its files lie beside the weights."""
    if source.weights is None:
        return MeaninglessTokenizer(text["vocab_size"], context_length)
    folder = source.folder or source.weights.parent
    refuse_without_words(source.name, folder)
    with reading(lambda said: _unreadable_words(source, folder, said)):
        found = HFTokenizer(
            str(folder),
            context_length=context_length,
            tokenizer_mode=text.get("tokenizer_mode"),
            local_files_only=True,
            **text.get("tokenizer_kwargs", {}),
        )
    # All were trained with padding behind the text; where its file says nothing, Gemma's class pads in front.
    found.tokenizer.padding_side = "right"
    return found


def _unreadable_words(source: Source, folder: Path, said: str) -> str:
    return (
        f"The tokenizer files of {source.name} in {folder} cannot be read: {said} Fetch or copy the whole folder again."
    )


class MeaninglessTokenizer:
    """For random weights, which mean nothing either: tokens of the right number, shape and range."""

    def __init__(self, vocabulary: int, context_length: int) -> None:
        self._vocabulary = vocabulary
        self._context_length = context_length

    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        tokens = torch.zeros((len(texts), self._context_length), dtype=torch.long)
        for row, text in zip(tokens, texts, strict=True):
            found = self.encode(text)[: self._context_length]
            row[: len(found)] = torch.tensor(found, dtype=torch.long)
        return tokens

    def encode(self, text: str) -> list[int]:
        return [1 + crc32(word.encode()) % (self._vocabulary - 1) for word in text.split()]


def _identity(source: Source, config: dict[str, Any], model: Any, preprocessing: dict[str, Any]) -> Identity:
    with torch.inference_mode():
        probe = torch.zeros((1, model.context_length), dtype=torch.long, device=next(model.parameters()).device)
        dimensions = model.encode_text(probe).shape[-1]
    scale = trained_number(source.weights, "logit_scale", model.logit_scale)
    bias = getattr(model, "logit_bias", None)
    tokenizer = {"context_length": model.context_length}
    own_words = bool(config["text_cfg"].get("hf_tokenizer_name"))
    if source.folder is not None:
        tokenizer |= tokenizer_files(source.folder, own_words=own_words)
    elif source.weights is not None and own_words:
        tokenizer |= tokenizer_files(source.weights.parent, own_words=True)
    return Identity(
        model=source.name,
        weights=sha256_of(source.weights) if source.weights else RANDOM,
        config=config if source.folder is not None else {"name": source.architecture},
        preprocessing=json.loads(json.dumps(preprocessing)),
        tokenizer=tokenizer,
        dimensions=int(dimensions),
        library=f"open_clip {open_clip.__version__}, torch {torch.__version__}",
        scale=round(exp(scale), 3),
        bias=None if bias is None else round(trained_number(source.weights, "logit_bias", bias), 3),
        context_length=int(model.context_length),
    )
