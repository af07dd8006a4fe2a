"""The project's own notes on words that ImageNet has no class for: everyday.toml."""

import tomllib
from pathlib import Path

NOTES = Path(__file__).with_suffix(".toml")


def shown_with() -> dict[str, list[str]]:
    """Each word with the names of the classes in whose pictures one sees it."""
    notes = tomllib.loads(NOTES.read_text(encoding="utf-8"))
    return {word: names.split(", ") for words, names in notes.items() for word in words.split(", ")}
