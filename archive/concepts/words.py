"""From the words of a concept to the texts that a model reads.

Prompt ensembling as in the CLIP paper (https://arxiv.org/abs/2103.00020, 3.1.4): each prompt is set into several
templates, and the mean of their unit vectors, made unit again, is steadier than any one of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import orjson

from archive.models import Concept, ConceptExample
from archive.vectors import Vector

TEMPLATES = (
    "a photo of a {}",
    "a photo of the {}",
    "a close-up photo of a {}",
    "a picture of {}",
    "a photo of many {}",
    "{}",
)
PLAIN = ("{}",)  # for what is no noun, and says its own sentence
MOST_EXAMPLES = 50  # of a concept, and as many counter-examples
MOST_PROMPTS = 20
MOST_TEMPLATES = 20
LONGEST_PROMPT = 200


class BadPrompt(ValueError):
    """What was written cannot be a prompt or a template; the message says why, for people."""


def clean_lines(written: str, most: int, what: str) -> list[str]:
    """One a line, each once. Raises `BadPrompt`."""
    lines = list(dict.fromkeys(" ".join(line.split()) for line in written.splitlines() if line.strip()))
    if len(lines) > most:
        raise BadPrompt(f"At most {most} {what}, please.")
    for line in lines:
        if len(line) > LONGEST_PROMPT:
            raise BadPrompt(f"One of the {what} has more than {LONGEST_PROMPT} characters.")
        if "\0" in line:
            raise BadPrompt(f"The {what} cannot contain characters that nobody sees.")
    return lines


def clean_templates(written: str) -> list[str]:
    """Raises `BadPrompt` where a template has no place for the prompt."""
    lines = clean_lines(written, MOST_TEMPLATES, "templates")
    for line in lines:
        if line.count("{}") != 1:
            raise BadPrompt(f"“{line}” needs {{}} once: the place where the prompt goes.")
    return lines


def prompts_of(concept: Concept) -> list[str]:
    return list(concept.prompts) or [concept.name]


def texts_of(concept: Concept) -> list[str]:
    """Every prompt in every template."""
    return in_templates(prompts_of(concept), concept.templates or TEMPLATES)


def rival_texts_of(concept: Concept) -> list[list[str]]:
    """For each of what it is mistaken for, its texts."""
    return [in_templates([words], concept.templates or TEMPLATES) for words in concept.negatives]


def in_templates(prompts: Sequence[str], templates: Sequence[str]) -> list[str]:
    return [template.replace("{}", prompt) for prompt in prompts for template in templates]


def every_text(concepts: Sequence[Concept]) -> list[str]:
    """All that a model has to read for these concepts, each once."""
    texts: dict[str, None] = {}
    for concept in concepts:
        texts.update(dict.fromkeys(texts_of(concept)))
        for rival in rival_texts_of(concept):
            texts.update(dict.fromkeys(rival))
    return list(texts)


def ensemble(texts: Sequence[str], read: Mapping[str, Vector]) -> Vector:
    """(768,) unit length: the mean of the texts' vectors."""
    return unit(np.mean([read[text] for text in texts], axis=0, dtype=np.float32))


def unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    made: Vector = np.asarray(vector / (length or 1.0), dtype=np.float32)
    return made


def mark_of(concept: Concept, examples: Sequence[ConceptExample], scope: Sequence[int]) -> str:
    """Another one for other words, examples or collections: what its vectors were made of."""
    shown = sorted((one.asset_id, one.counter) for one in examples)
    said = [texts_of(concept), rival_texts_of(concept), shown, sorted(scope)]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()
