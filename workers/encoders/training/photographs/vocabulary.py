"""CLIP's vocabulary cut to what the training texts need: a subset of its merges that reads those texts alike."""

import gzip
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from open_clip.tokenizer import SimpleTokenizer, default_bpe


def everyday_words(tokenizer: SimpleTokenizer) -> dict[str, int]:
    """Words that CLIP reads as one token, with their rank: its merges were counted on captions of pictures."""
    end = "</w>"
    return {token.removesuffix(end): rank for token, rank in tokenizer.encoder.items() if token.endswith(end)}


def words_in(tokenizer: SimpleTokenizer, texts: Iterable[str]) -> Counter[str]:
    """The words of the texts as the tokenizer sees them before it merges anything."""
    words: Counter[str] = Counter()
    for text in texts:
        for word in tokenizer.pat.findall(tokenizer.clean_fn(text)):
            words["".join(tokenizer.byte_encoder[byte] for byte in word.encode())] += 1
    return words


def cut_merges(tokenizer: SimpleTokenizer, words: Counter[str], tokens: int) -> list[str]:
    """`tokens` merges as lines, in CLIP's order: those behind the most frequent words, each with all that lead to
    it, so that a word kept whole is read as CLIP reads it."""
    rank = tokenizer.bpe_ranks
    made_of = {"".join(pair): pair for pair in rank}
    kept: set[tuple[str, str]] = set()
    for word, _ in words.most_common():
        needed: set[tuple[str, str]] = set()
        for token in tokenizer.bpe(word).split(" "):
            _needs(token, made_of, needed)
        if len(kept | needed) > tokens:
            break
        kept |= needed
    for pair in rank:  # the most general ones fill the rest
        if len(kept) == tokens:
            break
        if all((half in made_of and made_of[half] in kept) or half not in made_of for half in pair):
            kept.add(pair)
    return [" ".join(pair) for pair in sorted(kept, key=rank.__getitem__)]


def write_vocabulary(path: Path, merges: Iterable[str]) -> None:
    """In the format of CLIP's own file. mtime=0: the same vocabulary gives the same bytes."""
    with gzip.open(default_bpe(), "rt", encoding="utf-8") as whole:
        first = whole.readline().rstrip("\n")
    path.write_bytes(gzip.compress("\n".join([first, *merges]).encode(), mtime=0))


def _needs(token: str, made_of: dict[str, tuple[str, str]], needed: set[tuple[str, str]]) -> None:
    if token in made_of and made_of[token] not in needed:
        needed.add(made_of[token])
        for half in made_of[token]:
            _needs(half, made_of, needed)
