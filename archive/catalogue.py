"""The models that are known by name, read from workers/models.toml. No torch, no database, no network."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

FILE = Path(__file__).parent.parent / "workers/models.toml"


@dataclass(frozen=True)
class Model:
    """One curated model. `kind` names the code that opens it: open_clip, align, xclip or shipped."""

    name: str
    family: str
    kind: str
    numbers: int
    size: int  # pixels of a picture's side
    context: int  # tokens of a text
    parameters: float  # millions
    gflops: float  # billions of multiplications and additions of the picture tower, for one picture
    licence: str
    languages: str
    choose: str
    architecture: str = ""  # open_clip's name, with -quickgelu where the weights were trained so
    tag: str = ""  # open_clip's name of the weights
    hub: str = ""  # repository of the model hub
    imagenet: float | None = None  # published zero-shot top-1, percent
    source: str = ""  # who published that figure
    sha256: str = ""  # of the published safetensors file, where it is known
    convolutions: bool = False  # its picture tower is mostly made of them, and no transformer

    @property
    def quick_gelu(self) -> bool:
        """Trained with an approximation of GELU: computed with the real one, the weights find less."""
        return self.architecture.endswith("-quickgelu")


@cache
def models() -> dict[str, Model]:
    """Every curated model by its name, in the order of the file."""
    data = _read()
    return {name: _model(name, fields, data["families"]) for name, fields in data["models"].items()}


def default_model() -> Model:
    """What a machine with weights at hand begins with."""
    return models()[_read()["default"]]


def find_model(name: str) -> Model | None:
    return models().get(name)


def models_folder() -> Path:
    """Where fetched models lie, a folder each, and where a site without the hub puts them by hand."""
    return Path(settings.SIGHTLINE_MODELS)


def is_here(model: Model) -> bool:
    """Whether a whole copy lies in the models' folder: not one whose download was cut short."""
    folder = models_folder() / model.name
    return model.kind == "shipped" or (folder.is_dir() and not any(folder.glob("*.part")))


def names_that_fit(numbers: int) -> str:
    """For sentences: the models that give at most so many numbers."""
    return ", ".join(model.name for model in models().values() if model.numbers <= numbers)


def _model(name: str, fields: dict[str, Any], families: dict[str, Any]) -> Model:
    family = families[fields["family"]]
    shared = {key: value for key, value in family.items() if key != "title"}
    return Model(name=name, **{**shared, **fields, "family": family["title"]})


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))
