"""The texts that the text tower learns from: what people might write, and which mixture of classes it means."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from workers.encoders.training.photographs.meanings import Meanings, read_words
from workers.encoders.training.photographs.sentences import Reader
from workers.encoders.training.photographs.wordnet import Synset, WordNet

OPENINGS = (
    "a photo of",
    "a picture of",
    "photo of",
    "a close-up of",
    "an image of",
    "a photograph of",
    "show me",
    "my",
)
QUALITIES = [
    "red",
    "blue",
    "green",
    "yellow",
    "white",
    "black",
    "brown",
    "grey",
    "orange",
    "pink",
    "big",
    "small",
    "little",
    "large",
    "old",
    "new",
    "young",
    "beautiful",
    "pretty",
    "cute",
    "colourful",
    "tall",
    "wet",
    "dark",
    "bright",
    "sleeping",
    "running",
    "standing",
    "sitting",
    "wild",
    "tiny",
    "two-tone",
    "wooden",
    "modern",
]
SURROUNDINGS = (
    "outside",
    "in the morning",
    "at night",
    "by day",
    "in the sun",
    "in the rain",
    "in winter",
    "in summer",
    "at home",
    "on a sunny day",
    "in black and white",
    "from above",
    "up close",
    "in the background",
)
NUMBERS = ("two", "three", "some", "many", "several", "a group of", "a few", "lots of")
JOINTS = (
    "on the",
    "in the",
    "on a",
    "in a",
    "with a",
    "and a",
    "next to a",
    "near the",
    "in front of the",
    "and",
    "with",
)
VERY_OFTEN, OFTEN = 4_000, 12_000  # ranks of words in captions
NOTED = 3.0
SECOND = 0.7  # what stands behind "on the" counts less than what stands before


@dataclass(frozen=True, slots=True)
class Noun:
    """A word with its plural, how often it is drawn, and the row of its target."""

    word: str
    plural: str
    weight: float
    row: int


@dataclass(frozen=True)
class Corpus:
    """`targets` (rows, numbers), unit length, for nouns and fixed texts alike."""

    nouns: list[Noun]
    fixed: list[tuple[str, int]]
    targets: NDArray[np.float32]


def collect(
    wordnet: WordNet,
    meanings: Meanings,
    classes: Sequence[str],
    common: dict[str, int],
    reader: Reader,
    directions: NDArray[np.float32],
) -> Corpus:
    """All nouns and definitions. `common` ranks everyday words; `directions` (1000, numbers) are the classes'."""
    mixtures: list[NDArray[np.float32]] = []
    nouns = []
    for word, weight in _weights(wordnet, meanings, classes, common).items():
        mixture = meanings.of_word(word, wordnet)
        if mixture is not None:
            # Words of the project's own notes that WordNet does not list, such as "trees", are plural already.
            plural = wordnet.plural(word) if word.lower() in wordnet.senses else word
            nouns.append(Noun(word, plural, weight, len(mixtures)))
            mixtures.append(mixture)
    fixed = []
    for synset in _worth_defining(wordnet, meanings, common):
        fixed.append((synset.definition, len(mixtures)))
        mixtures.append(meanings.mixtures[meanings.rows[synset.key]])
    named = {noun.word for noun in nouns}
    others = [word for word, rank in common.items() if rank < OFTEN and word in wordnet.others - named]
    read = read_words(reader, others, [wordnet.synsets[key] for key in classes])
    for word, mixture in zip(others, read, strict=True):
        fixed.append((word, len(mixtures)))
        mixtures.append(mixture)
    targets = np.stack(mixtures) @ directions
    return Corpus(nouns, fixed, targets / np.linalg.norm(targets, axis=1, keepdims=True))


def _weights(wordnet: WordNet, meanings: Meanings, classes: Sequence[str], common: dict[str, int]) -> dict[str, float]:
    """How often each word is drawn: names of classes and of what stands above them, then everyday words."""
    chosen = set(classes)
    weights: dict[str, float] = dict.fromkeys(meanings.shown, NOTED)
    for key in meanings.rows:
        synset = wordnet.synsets[key]
        for word in synset.words:
            ranks = [common.get(part) for part in word.lower().split()]
            everyday = None if None in ranks else max(rank for rank in ranks if rank is not None)
            weight = 0.0
            if key in chosen:
                weight = 3.0 / len(synset.words) ** 0.5
            elif key in meanings.known:
                weight = 0.5
            if everyday is not None:
                weight += 1.5 if everyday < VERY_OFTEN else 0.7 if everyday < OFTEN else 0.2
            if weight:
                weights[word] = max(weights.get(word, 0), weight)
    return weights


def _worth_defining(wordnet: WordNet, meanings: Meanings, common: dict[str, int]) -> Iterable[Synset]:
    for key in meanings.rows:
        synset = wordnet.synsets[key]
        if key in meanings.known or any(common.get(word.lower(), OFTEN) < OFTEN for word in synset.words):
            yield synset


class Writer:
    """Writes `n` texts with their targets: each time other words around the same nouns."""

    def __init__(self, corpus: Corpus, seed: int) -> None:
        self._corpus = corpus
        self._random = Random(seed)
        self._weights = np.cumsum([noun.weight for noun in corpus.nouns]).tolist()

    def write(self, count: int) -> tuple[list[str], NDArray[np.float32]]:
        written = [self._one() for _ in range(count)]
        return [text for text, _ in written], np.stack([target for _, target in written])

    def _one(self) -> tuple[str, NDArray[np.float32]]:
        chance = self._random.random()
        targets = self._corpus.targets
        if chance < 0.1:
            text, row = self._random.choice(self._corpus.fixed)
            return text, targets[row]
        first = self._noun()
        if chance < 0.27:
            second = self._noun()
            target = targets[first.row] + SECOND * targets[second.row]
            text = f"{self._plain(first)} {self._random.choice(JOINTS)} {second.word}"
            return text, target / np.linalg.norm(target)
        return self._dressed(first), targets[first.row]

    def _noun(self) -> Noun:
        return self._random.choices(self._corpus.nouns, cum_weights=self._weights)[0]

    def _plain(self, noun: Noun) -> str:
        return self._random.choice((noun.word, with_article(noun.word), with_article(noun.word), noun.plural))

    def _dressed(self, noun: Noun) -> str:
        random = self._random
        text = self._plain(noun)
        if random.random() < 0.18:
            text = f"{random.choice(QUALITIES)} {random.choice((noun.word, noun.plural))}"
            text = with_article(text) if random.random() < 0.5 else text
        elif random.random() < 0.1:
            text = f"{random.choice(NUMBERS)} {noun.plural}"
        if random.random() < 0.2:
            text = f"{random.choice(OPENINGS)} {text}"
        if random.random() < 0.08:
            text = f"{text} {random.choice(SURROUNDINGS)}"
        return text


def with_article(words: str) -> str:
    return f"{'an' if words[0].lower() in 'aeiou' else 'a'} {words}"
