"""CLIP-family encoders through open_clip: the one file that calls it to load a model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from archive.models.spaces import DIMENSIONS
from workers.encoders.device import Device, choose_device, exact, use_one_thread
from workers.encoders.protocol import EncoderRefused, Identity, OutOfMemory, Vectors, unit_padded

SHIPPED = Path(__file__).parent / "shipped"
RANDOM = "random"  # as weights: for measuring speed, never for searching


@dataclass(frozen=True)
class Source:
    """Where a model comes from: what open_clip is told, and the files behind it."""

    name: str
    pretrained: str | None
    weights: Path | None
    folder: Path | None = None


def find_source(model: str, pretrained: str = "") -> Source:
    """`shipped:NAME`, `local-dir:PATH`, or an architecture of open_clip with a weights file.

    A folder is in open_clip's own format: open_clip_config.json, weights as safetensors, and
    tokenizer files where the model does not use CLIP's vocabulary.
    """
    if model.startswith(("shipped:", "local-dir:")):
        scheme, _, rest = model.partition(":")
        folder = SHIPPED / rest if scheme == "shipped" else Path(rest).expanduser().resolve()
        if not (folder / "open_clip_config.json").is_file():
            raise EncoderRefused(f"There is no open_clip_config.json in {folder}: name open_clip's model folder.")
        return Source(f"local-dir:{folder}", None, _weights_in(folder), folder)
    if model not in open_clip.list_models():
        raise EncoderRefused(f"open_clip knows no architecture {model!r}. Its list: open_clip.list_models().")
    if pretrained == RANDOM:
        return Source(model, None, None)
    weights = Path(pretrained).expanduser()
    if not weights.is_file():
        raise EncoderRefused(f"There is no weights file {pretrained!r}. Download it first and name its path.")
    return Source(model, str(weights), weights)


def _weights_in(folder: Path) -> Path:
    found = sorted(folder.glob("*.safetensors")) or sorted([*folder.glob("*.bin"), *folder.glob("*.pt*")])
    if not found:
        raise EncoderRefused(f"There are no weights in {folder}: expected open_clip_model.safetensors.")
    preferred = [path for path in found if path.name.startswith("open_clip_")]
    return (preferred or found)[0]


class ClipEncoder:
    """A model of open_clip on the best device, in eval mode. Loading takes seconds and memory: once a process."""

    def __init__(self, model: str, pretrained: str = "", device: Device | None = None) -> None:
        source = find_source(model, pretrained)
        self.device = device or choose_device()
        self._layout = torch.contiguous_format
        if _is_efficientnet(source):
            self.device, self._layout = exact(self.device), torch.channels_last
        use_one_thread()
        self._model = _load(source, self.device).to(memory_format=self._layout)
        config = open_clip.get_model_preprocess_cfg(self._model)
        self._transform = image_transform_v2(PreprocessCfg(**config), is_train=False)
        self._tokenize = _tokenizer(source, self._model)
        self.identity = _identity(model, source, self._model, config)
        if self.identity.dimensions > DIMENSIONS:
            raise EncoderRefused(
                f"{model} gives {self.identity.dimensions} numbers and the archive keeps {DIMENSIONS}. Models that "
                "fit: ViT-B-16-SigLIP2-256, ViT-L-14, ViT-L-14-336, EVA02-L-14, ViT-B-32."
            )

    def prepare(self, picture: Image.Image) -> torch.Tensor:
        """(3, side, side) float32, resized and normalised as the model was trained."""
        tensor: torch.Tensor = self._transform(picture)
        return tensor

    def encode_pictures(self, prepared: Sequence[torch.Tensor]) -> Vectors:
        pixels = torch.stack(list(prepared)).to(memory_format=self._layout)
        return self._run(lambda: self._model.encode_image(pixels.to(self.device.name, self.device.dtype)))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        tokens = self._tokenize(list(texts))
        return self._run(lambda: self._model.encode_text(tokens.to(self.device.name)))

    def count_tokens(self, text: str) -> int:
        """Counted with a long context, so that more than the model takes shows."""
        tokens = self._tokenize([text], context_length=1024)[0]
        padding = int(tokens[-1])
        return int((tokens != padding).sum())

    def _run(self, forward: Any) -> Vectors:
        # The handler only notes it: an exception in scope would keep the tensors alive (pytorch#18853).
        full = False
        try:
            with torch.inference_mode():
                return unit_padded(forward().float().cpu().numpy())
        except torch.OutOfMemoryError:
            full = True
        if full and self.device.name.startswith("cuda"):
            torch.cuda.empty_cache()
        raise OutOfMemory


def _is_efficientnet(source: Source) -> bool:
    """Depthwise convolutions with batch normalisation: bf16 turns their vectors by up to a cosine of 0.98, and on
    a CPU it is no faster than fp32 in channels-last order."""
    if source.folder is None:
        config = open_clip.get_model_config(source.name)
    else:
        config = json.loads((source.folder / "open_clip_config.json").read_text())["model_cfg"]
    return "efficientnet" in config.get("vision_cfg", {}).get("timm_model_name", "")


def _load(source: Source, device: Device) -> Any:
    overrides = {}
    if source.folder is None:
        # By name and file open_clip would take OpenAI's mean and std whatever the model is.
        tags = open_clip.list_pretrained_tags_by_model(source.name)
        tagged = open_clip.get_pretrained_cfg(source.name, tags[0]) if tags else {}
        keys = {"mean": "image_mean", "std": "image_std", "interpolation": "image_interpolation"}
        keys["resize_mode"] = "image_resize_mode"
        overrides = {ours: tagged[theirs] for theirs, ours in keys.items() if tagged.get(theirs)}
    if source.weights is None:
        torch.manual_seed(0)  # the same random weights in every process: goldens are checked for them too
    try:
        model, _, _ = open_clip.create_model_and_transforms(
            source.name,
            pretrained=source.pretrained,
            precision=device.precision,
            device=device.name,
            require_pretrained=source.weights is not None,
            pretrained_text=False,
            weights_only=True,
            **overrides,
        )
    except Exception as error:  # each format has errors of its own for a damaged or foreign file
        raise EncoderRefused(f"open_clip could not load {source.name}: {error}") from error
    return model.eval()


def _tokenizer(source: Source, model: Any) -> Any:
    options: dict[str, Any] = {}
    if source.folder is not None:
        vocabulary = sorted(source.folder.glob("bpe*.txt.gz"))
        if vocabulary:  # a cut vocabulary: with CLIP's own, token ids would overflow
            options["bpe_path"] = str(vocabulary[0])
    return open_clip.get_tokenizer(source.name, context_length=model.context_length, **options)


def _identity(name: str, source: Source, model: Any, preprocessing: dict[str, Any]) -> Identity:
    with torch.inference_mode():
        probe = torch.zeros((1, model.context_length), dtype=torch.long, device=next(model.parameters()).device)
        dimensions = model.encode_text(probe).shape[-1]
    config: dict[str, Any] = {"name": source.name} if source.folder is None else {}
    tokenizer: dict[str, Any] = {"context_length": model.context_length}
    if source.folder is not None:
        config = json.loads((source.folder / "open_clip_config.json").read_text())["model_cfg"]
        for path in sorted([*source.folder.glob("bpe*.txt.gz"), *source.folder.glob("tokenizer*.json")]):
            tokenizer[path.name] = sha256_of(path)
    bias = getattr(model, "logit_bias", None)
    return Identity(
        model=name,
        weights=sha256_of(source.weights) if source.weights else RANDOM,
        config=config,
        preprocessing=json.loads(json.dumps(preprocessing)),
        tokenizer=tokenizer,
        dimensions=int(dimensions),
        library=f"open_clip {open_clip.__version__}, torch {torch.__version__}",
        scale=round(float(model.logit_scale.detach().float().exp()), 3),
        bias=None if bias is None else round(float(bias.detach().float()), 3),
        context_length=int(model.context_length),
    )


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
