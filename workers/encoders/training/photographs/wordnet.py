"""WordNet's nouns: which words name what, what is a kind of what, and how each is defined."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

UNCHANGED = {"fish", "sheep", "deer", "moose", "bison", "salmon", "trout", "aircraft", "swine", "shrimp", "squid"}
# What one may see: WordNet's lexicographer files for the most general words, acts, animals, artifacts, bodies, events,
# food, groups, places, things of nature, people, phenomena, plants, substances.
VISIBLE_FILES = {3, 4, 5, 6, 8, 11, 13, 14, 15, 17, 18, 19, 20, 27}


@dataclass(frozen=True)
class Synset:
    """One meaning: `key` is WordNet's offset, as in the names of ImageNet's classes."""

    key: str
    file: int
    words: tuple[str, ...]
    above: tuple[str, ...]
    gloss: str

    @property
    def definition(self) -> str:
        """The gloss without its examples."""
        return self.gloss.split('; "')[0].strip()


@dataclass
class WordNet:
    synsets: dict[str, Synset]
    senses: dict[str, tuple[str, ...]]  # a word: its meanings, the most frequent first
    irregular: dict[str, str]  # a word: its plural
    others: set[str]  # verbs and adjectives
    below: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.below = {}
        for synset in self.synsets.values():
            for key in synset.above:
                self.below.setdefault(key, []).append(synset.key)

    def ancestors(self, key: str) -> Iterator[str]:
        """Everything that it is a kind of, the nearest first, without itself."""
        seen, level = {key}, [key]
        while level:
            level = [above for one in level for above in self.synsets[one].above if above not in seen]
            seen.update(level)
            yield from dict.fromkeys(level)

    def plural(self, words: str) -> str:
        """Of the last word: irregular ones from WordNet's own list, the others by the rules of spelling."""
        before, _, last = words.rpartition(" ")
        return f"{before} {self._plural(last)}".strip()

    def _plural(self, word: str) -> str:
        if word in UNCHANGED:
            return word
        if word in self.irregular:
            return self.irregular[word]
        if word.endswith(("s", "x", "z", "ch", "sh")):
            return f"{word}es"
        if word.endswith("y") and word[-2:-1] not in set("aeiou"):
            return f"{word[:-1]}ies"
        return f"{word}s"

    @cached_property
    def visible(self) -> list[Synset]:
        return [synset for synset in self.synsets.values() if synset.file in VISIBLE_FILES]


def read_wordnet(folder: Path) -> WordNet:
    """Its nouns, and the words of its verbs and adjectives (WordNet 3.0: ImageNet's names are its offsets)."""
    synsets = {synset.key: synset for synset in map(_synset, _lines(folder / "data.noun"))}
    senses = dict(map(_senses, _lines(folder / "index.noun")))
    irregular: dict[str, str] = {}
    for line in _lines(folder / "noun.exc"):
        plural, singular = line.split()[:2]
        irregular.setdefault(singular.replace("_", " "), plural.replace("_", " "))
    others = {line.split()[0] for name in ("index.verb", "index.adj") for line in _lines(folder / name)}
    return WordNet(synsets, senses, irregular, others)


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        yield from (line for line in file if not line.startswith("  "))


def _synset(line: str) -> Synset:
    facts, _, gloss = line.partition(" | ")
    parts = facts.split()
    count = int(parts[3], 16)
    words = tuple(parts[4 + 2 * n].replace("_", " ") for n in range(count))
    pointers = parts[5 + 2 * count :]
    above = tuple(pointers[4 * n + 1] for n in range(len(pointers) // 4) if pointers[4 * n] in ("@", "@i"))
    return Synset(parts[0], int(parts[1]), words, above, gloss.strip())


def _senses(line: str) -> tuple[str, tuple[str, ...]]:
    parts = line.split()
    return parts[0].replace("_", " "), tuple(parts[-int(parts[2]) :])
