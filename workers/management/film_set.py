"""Made films as the workers would see them: a frame each second, its vector, and the shot that it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from archive.models import Space
from archive.vectors import Vectors
from archive.video.calibration import Sample, find_mark
from archive.video.shots import USUAL_THRESHOLD, part
from workers.encoders.load import encoder_of, open_encoder
from workers.encoders.protocol import Encoder
from workers.filming.judged import Question, make_films, sentences, short_words

BATCH = 64
KNOWS_DRAWINGS = "shipped:drawn-scenes"


@dataclass(frozen=True)
class EncodedFilm:
    """`vectors` (n, 768) of its frames, `moments` (n): the second at which the shot of each begins."""

    vectors: Vectors
    moments: list[float]


@dataclass(frozen=True)
class EncodedQuestion:
    vector: Vectors  # (768,)
    right: dict[int, list[float]]


@dataclass(frozen=True)
class FilmSet:
    model: str
    scenes: int
    films: list[EncodedFilm]
    sentences: list[EncodedQuestion]
    words: list[EncodedQuestion]

    @property
    def frames(self) -> int:
        return sum(len(film.moments) for film in self.films)


def encode_set(count: int, seed: int, space: Space | None = None) -> FilmSet:
    """Draw, sample, encode and part `count` films; by the encoder of `space`, else by the one that knows drawings.

    Raises `EncoderRefused` where this machine has not the model of the space.
    """
    encoder = encoder_of(space) if space else open_encoder(KNOWS_DRAWINGS)
    films = make_films(count, seed)
    vectors = [encoder.encode_pictures([encoder.prepare(still) for still in film.stills()]) for film in films]
    mark = _mark_of(vectors)
    return FilmSet(
        model=space.model if space else KNOWS_DRAWINGS,
        scenes=sum(len(film.scenes) for film in films),
        films=[EncodedFilm(rows, _moments(rows, mark)) for rows in vectors],
        sentences=_encoded(encoder, sentences(films, seed)),
        words=_encoded(encoder, short_words(films)),
    )


def _mark_of(films: Sequence[Vectors]) -> float:
    """From which cosine on two frames are of one shot, by the measure of archives with videos."""
    neighbours = np.concatenate([(rows[:-1] * rows[1:]).sum(axis=1) for rows in films])
    means = np.stack([rows.mean(axis=0) for rows in films])
    unrelated = float(np.mean([one @ other for one, other in pairwise(means)]))
    return find_mark(Sample(neighbours, unrelated, len(films))) or USUAL_THRESHOLD


def _moments(vectors: Vectors, mark: float) -> list[float]:
    times = [float(second) for second in range(len(vectors))]
    found: list[float] = []
    for at, begins in zip(times, part(None, times, vectors, mark), strict=True):
        found.append(at if begins else found[-1])
    return found


def _encoded(encoder: Encoder, asked: Sequence[Question]) -> list[EncodedQuestion]:
    vectors = _texts(encoder, [one.text for one in asked])
    return [EncodedQuestion(vector, one.right) for vector, one in zip(vectors, asked, strict=True)]


def _texts(encoder: Encoder, texts: Sequence[str]) -> Iterator[Vectors]:
    for start in range(0, len(texts), BATCH):
        yield from encoder.encode_texts(texts[start : start + BATCH])
