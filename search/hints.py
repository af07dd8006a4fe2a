"""What models of this family misread in a query, said in one line before anybody wonders.

CLIP-like models miss numbers, sides and written words, and read only so many words: known weaknesses of training
on whole captions. Only plain English words are looked for; a hint too few costs nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from archive.models import Space
from search.hits import Answer
from search.languages import guess_language, is_foreign
from search.negation import join_list, split_list, split_negations
from search.phrases import read_phrases, unquoted
from search.query import Query
from search.reading import MOST_STEPS
from workers import client

NEGATION = re.compile(r"^\s*(?:no|not|without)\s+\S|(?:^|\s)-\w", re.IGNORECASE)
COUNTS = re.compile(r"\b(?:\d+|two|three|four|five|six|seven|eight|nine|ten|several|exactly)\b", re.IGNORECASE)
SIDES = re.compile(
    r"\b(?:left|right)(?: side)? of\b|\bon the (?:left|right)\b|\bin front of\b"
    r"|\b(?:above|below|under|behind|beneath)\b",
    re.IGNORECASE,
)
THEN = re.compile(r"[\s,]+(?:and )?then[\s,]+", re.IGNORECASE)
READING = re.compile(
    r"\b(?:saying|that says|says|written|reads|the words?|the text|sign with|labell?ed)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Hint:
    """One sentence, and where there is one, a query that does better."""

    sentence: str
    label: str = ""
    url: str = ""


ENGLISH_ONLY = (
    "the model that is searched with learned from English: other languages find less. Say it in English, or use a "
    "model that reads many."
)
CUT = "These are more words than the model reads: it overlooked {}. Shorter questions do better."
INSTEAD = {
    "numbers": "Instead of a number say what it looks like (a pair, a row, a crowd).",
    "sides": "Name the things without the side, or show a picture that is arranged like that.",
}


def find_hints(query: Query, answer: Answer | None = None, space: Space | None = None) -> list[Hint]:
    """At most a few quiet lines about this query, the most helpful first."""
    cut = Hint(name_cut(query, space)) if answer is not None and answer.cut else None
    found = [cut, _language(query, space), _sequence(query), _negation(query), _reading(query), _gist(query)]
    return [hint for hint in found if hint is not None][:2]


def name_cut(query: Query, space: Space | None) -> str:
    """Of a query that was cut: from which word on, where that is remembered."""
    for text in (unquoted(query.text), *split_list(query.then), *split_list(query.also)):
        encoded = client.recall_text(space, text) if space and text else None
        if encoded and encoded.read:
            return CUT.format(f"all from word {encoded.read + 1} on, “{text.split()[encoded.read]}”")
    return CUT.format("the last ones")


def _language(query: Query, space: Space | None) -> Hint | None:
    """Only of a model that is known to have learned from English alone."""
    if space is None or not is_foreign(query.text):
        return None
    known: str = space.identity.get("about", {}).get("languages", "")
    if known != "English":
        return None
    language = guess_language(query.text)
    return Hint(f"This looks like {language}, and {ENGLISH_ONLY}" if language else f"T{ENGLISH_ONLY[1:]}")


def _sequence(query: Query) -> Hint | None:
    """A model reads "a boat, then a bridge" as one picture of both."""
    first, *then = THEN.split(query.text)
    if not then or query.literal or query.sequence or not all(part.strip() for part in (first, *then)):
        return None
    asked = query.but(text=first.strip(), then=join_list(tuple(part.strip() for part in then[:MOST_STEPS])))
    return Hint("This is looked for in one picture.", "Look for one after the other, in a video", asked.url())


def _negation(query: Query) -> Hint | None:
    """Said of words that are meant literally; else they were taken out of the text already."""
    if not query.literal and not NEGATION.search(query.text):
        return None
    wanted, unwanted = split_negations(query.text)
    if not unwanted:
        if not NEGATION.match(query.text):
            return None
        return Hint("Words like “no” and “without” are overlooked. Say what to look for, and leave that out of it.")
    return Hint(
        "Words like “no” and “without” are overlooked.",
        f"Leave out {', '.join(f'“{words}”' for words in unwanted)} instead",
        query.but(text=wanted, without=", ".join(unwanted), literal=False).url(),
    )


def _reading(query: Query) -> Hint | None:
    if read_phrases(query.text) or not READING.search(query.text):
        return None
    return Hint("What is written in a picture is hardly read. Words in quotes find what is written about it.")


def _gist(query: Query) -> Hint | None:
    misread = [name for name, words in (("numbers", COUNTS), ("sides", SIDES)) if words.search(query.text)]
    if not misread:
        return None
    instead = " ".join(INSTEAD[name] for name in misread)
    return Hint(f"Pictures are judged by their gist: {' and '.join(misread)} are often missed. {instead}")
