"""What a word should find: each meaning of WordNet as a mixture of the 1,000 classes that the tower knows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.encoders.training.photographs.everyday import shown_with
from workers.encoders.training.photographs.sentences import Reader
from workers.encoders.training.photographs.wordnet import Synset, WordNet

Mixture = NDArray[np.float32]
FEW, NEAR = 2, 60  # with fewer or more classes below it an ancestor says too little about what is beside them
WARMTH = 0.05  # how much nearer in the reader's eyes a class must be to count e times as much
LEAST = 0.02
SECOND_SENSE = 0.35


@dataclass(frozen=True)
class Meanings:
    """`mixtures[rows[key]]` of a synset: shares of the classes, that sum to one. `known` are the synsets that are a
    class, hold classes below them or are a kind of one: there WordNet knows, elsewhere the reader guesses."""

    rows: dict[str, int]
    mixtures: NDArray[np.float32]
    known: set[str]
    shown: dict[str, Mixture]

    def of_word(self, word: str, wordnet: WordNet) -> Mixture | None:
        """All visible senses of a word, the frequent ones first, a known one counting threefold; and what the
        project's own notes add. None where neither knows it."""
        noted = self.shown.get(word.lower())
        total = np.zeros(self.mixtures.shape[1], np.float32)
        certain = False
        for rank, key in enumerate(wordnet.senses.get(word.lower(), ())[:6]):
            if key in self.rows:
                certain = certain or (rank == 0 and key in self.known)
                total += SECOND_SENSE**rank * (3 if key in self.known else 1) * self.mixtures[self.rows[key]]
        if not total.any():
            return noted
        total /= total.sum()
        if noted is None:
            return total
        share = 0.4 if certain else 0.85
        return share * noted + (1 - share) * total


def find_meanings(wordnet: WordNet, classes: Sequence[str], everyday: set[str], reader: Reader) -> Meanings:
    """Mixtures of the visible synsets that an everyday word names or that stand above a class. `classes` are the
    keys of the tower's classes, in its order."""
    below = _classes_below(wordnet, classes)
    chosen = [one for one in wordnet.visible if one.key in below or _named_by(one, everyday)]
    read = read_mixtures(reader, chosen, [wordnet.synsets[key] for key in classes])
    exact = {key: _mean(wordnet, key, below, len(classes)) for key in below}
    leaves = set(classes)
    mixtures = np.stack([_mixture(one, wordnet, leaves, below, exact, read[row]) for row, one in enumerate(chosen)])
    known = {one.key for one in chosen if one.key in below or not leaves.isdisjoint(wordnet.ancestors(one.key))}
    return Meanings({one.key: row for row, one in enumerate(chosen)}, mixtures, known, _shown(wordnet, classes))


def read_mixtures(reader: Reader, synsets: Sequence[Synset], classes: Sequence[Synset]) -> NDArray[np.float32]:
    """Shares of the classes that the reader finds near each synset: by its words, and by words and definition."""
    words = reader.read([_words(one) for one in synsets]) @ reader.read([_words(one) for one in classes]).T
    defined = reader.read([_defined(one) for one in synsets]) @ reader.read([_defined(one) for one in classes]).T
    return shares(np.asarray((words + defined) / 2, dtype=np.float32))


def read_words(reader: Reader, words: Sequence[str], classes: Sequence[Synset]) -> NDArray[np.float32]:
    """The same for bare words of any kind."""
    return shares(reader.read(words) @ reader.read([_words(one) for one in classes]).T)


def shares(nearness: NDArray[np.float32]) -> NDArray[np.float32]:
    parts = np.exp((nearness - nearness.max(axis=1, keepdims=True)) / WARMTH)
    parts[parts < LEAST] = 0
    return np.asarray(parts / parts.sum(axis=1, keepdims=True), dtype=np.float32)


def _mixture(
    synset: Synset,
    wordnet: WordNet,
    leaves: set[str],
    below: dict[str, list[int]],
    exact: dict[str, Mixture],
    read: Mixture,
) -> Mixture:
    if synset.key in exact:
        return exact[synset.key]
    above = next((key for key in wordnet.ancestors(synset.key) if key in below), None)
    if above is None or (above not in leaves and not FEW <= len(below[above]) <= NEAR):
        return read
    share = 0.8 if above in leaves else 0.4
    return share * exact[above] + (1 - share) * read


def _words(synset: Synset) -> str:
    return ", ".join(synset.words[:3])


def _defined(synset: Synset) -> str:
    return f"{_words(synset)}: {synset.definition}"


def _named_by(synset: Synset, everyday: set[str]) -> bool:
    return any(all(part in everyday for part in word.lower().split()) for word in synset.words)


def _shown(wordnet: WordNet, classes: Sequence[str]) -> dict[str, Mixture]:
    numbers: dict[str, list[int]] = {}
    for number, key in enumerate(classes):
        for word in wordnet.synsets[key].words:
            numbers.setdefault(word.lower(), []).append(number)
    mixtures = {}
    for word, names in shown_with().items():
        mixture = np.zeros(len(classes), np.float32)
        for name in names:
            mixture[numbers[name.lower()]] += 1 / len(numbers[name.lower()])
        mixtures[word] = mixture / mixture.sum()
    return mixtures


def _classes_below(wordnet: WordNet, classes: Sequence[str]) -> dict[str, list[int]]:
    below: dict[str, list[int]] = {}
    for number, key in enumerate(classes):
        for above in (key, *wordnet.ancestors(key)):
            below.setdefault(above, []).append(number)
    return below


def _mean(wordnet: WordNet, key: str, below: dict[str, list[int]], count: int) -> Mixture:
    """Half by class, half by branch: else "animal" would be dogs, of which the tower knows 118."""
    by_class = _evenly(below[key], count)
    return np.asarray((by_class + _by_branch(wordnet, key, below, count)) / 2, dtype=np.float32)


def _by_branch(wordnet: WordNet, key: str, below: dict[str, list[int]], count: int) -> Mixture:
    branches = [child for child in wordnet.below.get(key, ()) if child in below]
    reached = {number for child in branches for number in below[child]}
    parts = [_by_branch(wordnet, child, below, count) for child in branches]
    own = [number for number in below[key] if number not in reached]
    if own:
        parts.append(_evenly(own, count))
    return np.asarray(np.mean(parts, axis=0), dtype=np.float32)


def _evenly(numbers: list[int], count: int) -> Mixture:
    mixture = np.zeros(count, np.float32)
    mixture[numbers] = 1 / len(numbers)
    return mixture
