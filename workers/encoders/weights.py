"""Weights as files: which one a folder means, whether it is whole, and what may be read at all. No torch here."""

from __future__ import annotations

import hashlib
import zipfile
from functools import lru_cache
from pathlib import Path

from workers.encoders.protocol import EncoderRefused

# The order in which open_clip and transformers choose: what is hashed must be what is loaded.
OPEN_CLIP = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.pth",
    "model.pth",
)
TRANSFORMERS = ("model.safetensors", "pytorch_model.bin")
OLD_TOKENIZERS = ("merges.txt", "special_tokens_map.json", "spiece.model", "tokenizer.model", "vocab.json", "vocab.txt")
VOCABULARIES = ("tokenizer.json", "spiece.model", "tokenizer.model", "vocab.json", "vocab.txt")
SUMS = "SHA256SUMS"
FOR_GOOD = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)


def weights_in(folder: Path, preferred: tuple[str, ...] = OPEN_CLIP) -> Path:
    """The weights file of a model folder. Raises `EncoderRefused` when there is none."""
    for name in preferred:
        if (folder / name).is_file():
            return folder / name
    others = [path for suffix in (".safetensors", ".bin", ".pth") for path in sorted(folder.glob(f"*{suffix}"))]
    if preferred is TRANSFORMERS or not others:
        raise EncoderRefused(f"There are no weights in {folder}: expected {preferred[0]}.")
    return others[0]


def is_away(error: Exception) -> bool:
    """Whether the system could not read just now. Over bad files libraries raise an OSError without a number."""
    return isinstance(error, OSError) and error.errno is not None and not isinstance(error, FOR_GOOD)


def sha256_of(path: Path) -> str:
    """Of the bytes as they are now. Asked again for the same unchanged file, the process remembers."""
    about = path.stat()
    return _sha256(path, about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino)


@lru_cache(maxsize=256)
def _sha256(path: Path, *_state: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tokenizer_files(folder: Path, *, own_words: bool) -> dict[str, str]:
    """What decides how texts become numbers, padding included: name -> sha256.

    `own_words`: the model has another vocabulary than CLIP's, so these files are read.
    """
    found = sorted([*folder.glob("bpe*.txt.gz"), *folder.glob("tokenizer*.json")])
    if own_words and not (folder / "tokenizer.json").is_file():  # else it says all that these do
        found += [folder / name for name in OLD_TOKENIZERS if (folder / name).is_file()]
    return {path.name: sha256_of(path) for path in found}


def refuse_without_words(name: str, folder: Path) -> None:
    """transformers makes up an empty vocabulary where these files are missing: every text would be the same."""
    if not any((folder / file).is_file() for file in VOCABULARIES):
        raise EncoderRefused(
            f"{name} needs its tokenizer.json and tokenizer_config.json in {folder}. Fetch or copy the whole folder."
        )


def refuse_what_runs_code(path: Path) -> None:
    """TorchScript archives are programs: reading one runs it. OpenAI's own .pt files are such."""
    if path.suffix == ".safetensors" or not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        if any("/code/" in name or name.endswith("constants.pkl") for name in archive.namelist()):
            raise EncoderRefused(
                f"{path.name} is a TorchScript archive: a program, which would run when it is read. Use the same "
                "weights as safetensors; `manage.py space fetch NAME` has them for every model in docs/models.md."
            )


def check_sums(folder: Path) -> None:
    """Every file that SHA256SUMS names, as `space fetch` wrote it, is whole. Without that list nothing is checked."""
    listed = folder / SUMS
    if not listed.is_file():
        return
    for name, wanted in read_sums(listed).items():
        path = folder / name
        if not path.is_file():
            raise EncoderRefused(f"{path} is missing, though {SUMS} names it. Copy the whole folder again.")
        if sha256_of(path) != wanted:
            raise EncoderRefused(
                f"{path} is not the file that was fetched: its sha256 is {sha256_of(path)[:16]}..., {SUMS} says "
                f"{wanted[:16]}.... It was cut short or changed. Copy or fetch it again."
            )


def read_sums(path: Path) -> dict[str, str]:
    """As `sha256sum` writes them: name -> digest. A line that is none is refused."""
    sums = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not name or Path(name).name != name:
            raise EncoderRefused(f"{path} has a line that is no checksum: {line[:80]!r}. Fetch the model again.")
        sums[name] = digest
    return sums
