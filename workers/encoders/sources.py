"""Where a model comes from: its name and its weights become files on this machine. No torch here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive.catalogue import Model, find_model, models_folder
from workers.encoders.first_seen import known_weights, why_other
from workers.encoders.protocol import EncoderRefused
from workers.encoders.weights import OPEN_CLIP, TRANSFORMERS, check_sums, sha256_of, weights_in

SHIPPED = Path(__file__).parent / "shipped"
RANDOM = "random"  # as weights: for measuring speed, never for searching
CLIP_CONFIG = "open_clip_config.json"
KINDS = {"align": "align", "xclip": "xclip"}  # transformers' model_type -> the module that opens it


@dataclass(frozen=True)
class Source:
    """What an encoder is opened from. `weights` is None for random ones."""

    kind: str
    name: str  # for people: as it was asked for
    weights: Path | None
    architecture: str = ""  # open_clip's name
    folder: Path | None = None  # holds the configuration
    tag: str = ""  # of open_clip: which preprocessing the weights were trained with
    quick_gelu: bool = False  # the weights were trained so, whatever the folder says


def find_source(model: str, weights: str = "") -> Source:
    """`shipped:NAME`, `local-dir:PATH`, a name of models.toml, or an architecture of open_clip with a weights file.

    Raises `EncoderRefused` with what to do when the files are not there.
    """
    if model.startswith(("shipped:", "local-dir:")):
        scheme, _, rest = model.partition(":")
        return _in_folder(model, SHIPPED / rest if scheme == "shipped" else Path(rest).expanduser().resolve())
    curated = find_model(model)
    if weights == RANDOM and (curated is None or curated.architecture):
        return Source("open_clip", model, None, curated.architecture if curated else model)
    if curated is not None:
        return _curated(curated, weights)
    path = Path(weights).expanduser()
    if weights and path.is_dir():
        return _in_folder(model, path.resolve())
    return Source("open_clip", model, path, model)  # open_clip says whether it knows the name


def differs_from_known(source: Source) -> bool:
    """Whether these weights are others than those that models.toml pins under this name (of safetensors), or, where it
    pins none, than those that this machine had under it first."""
    curated = find_model(source.name)
    if curated is None or source.weights is None or curated.kind == "shipped":
        return False
    if curated.sha256 and source.weights.suffix != ".safetensors":
        return False
    known = known_weights(curated)
    return bool(known) and sha256_of(source.weights) != known


def _curated(model: Model, weights: str) -> Source:
    if model.kind == "shipped":
        return _in_folder(f"shipped:{model.name}", SHIPPED / model.name)
    named = Path(weights).expanduser().resolve() if weights else None
    if named is not None and (named / model.name).is_dir():  # the folder that it was fetched into
        named /= model.name
    path = named if named is not None and named.exists() else models_folder() / model.name
    if not path.exists():
        looked = f"{named} or {path}" if named else f"{path}"
        raise EncoderRefused(
            f"The weights of {model.name} are not on this machine: there is no {looked}. Where the hub can be "
            f"reached, `manage.py space fetch {model.name}` gets them; elsewhere, fetch them on a machine that can "
            f"(--to FOLDER), copy the folder here and name it with --weights."
        )
    source = _in_folder(model.name, path, model) if path.is_dir() else _file(model, path)
    if path != named and differs_from_known(source):
        raise EncoderRefused(
            f"{source.weights} is not what was published as {model.name}: its sha256 differs from the one that "
            f"{why_other(model)}. Remove the folder and fetch it again, or name weights of your own with --weights."
        )
    return source


def _file(model: Model, path: Path) -> Source:
    if model.kind != "open_clip":
        raise EncoderRefused(f"{model.name} needs its whole folder, not the one file {path}: name the folder.")
    return Source("open_clip", model.name, path, model.architecture, tag=model.tag)


def _in_folder(name: str, folder: Path, model: Model | None = None) -> Source:
    """A folder in open_clip's format (open_clip_config.json, weights, tokenizer files) or in transformers'."""
    check_sums(folder)
    if (folder / CLIP_CONFIG).is_file():
        _refuse_another(model, folder)
        weights = weights_in(folder, OPEN_CLIP)
        if model is None:
            return Source("open_clip", name, weights, folder=folder)
        return Source("open_clip", name, weights, model.architecture, folder, model.tag, model.quick_gelu)
    kind = KINDS.get(_json(folder / "config.json").get("model_type", ""))
    if kind is not None and (model is None or model.kind == kind):
        return Source(kind, name, weights_in(folder, TRANSFORMERS), folder=folder)
    if model is not None and model.kind == "open_clip":
        return _file(model, weights_in(folder, OPEN_CLIP))
    raise EncoderRefused(f"There is no {CLIP_CONFIG} in {folder}: name open_clip's model folder.")


def _refuse_another(model: Model | None, folder: Path) -> None:
    """The folder of another model under a curated name would pass for it."""
    if model is None:
        return
    config = _json(folder / CLIP_CONFIG).get("model_cfg") or {}
    found = (
        config.get("embed_dim"),
        config.get("vision_cfg", {}).get("image_size"),
        config.get("text_cfg", {}).get("context_length", 77),
    )
    other_gelu = config.get("quick_gelu", False) and not model.quick_gelu
    if model.kind != "open_clip" or other_gelu or found != (model.numbers, model.size, model.context):
        raise EncoderRefused(
            f"{folder} does not hold {model.name}: its {CLIP_CONFIG} says {found[0]} numbers, {found[1]} pixels and "
            f"{found[2]} tokens{', with quick GELU' if other_gelu else ''}, where {model.numbers}, {model.size} and "
            f"{model.context} belong to that name."
        )


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EncoderRefused(f"{path} is not valid JSON: {error}. Fetch or copy it again.") from error
    return found if isinstance(found, dict) else {}
