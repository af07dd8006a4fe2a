"""What models of this family misread in a query, said before anybody wonders.

CLIP-like models take "no cars" for "cars", and miss numbers and sides: a known weakness of training
on whole captions. Only plain English words are looked for; a hint too few costs nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from search.query import Query

NEGATION = re.compile(
    r"^(?P<wanted>.*?)[\s,]*(?:\b(?:without|with no|no|not|except|but not)\s+|(?:^|\s)-)(?P<unwanted>\S.*)$",
    re.IGNORECASE,
)
COUNTS = re.compile(r"\b(?:\d+|two|three|four|five|six|seven|eight|nine|ten|several|exactly)\b", re.IGNORECASE)
SIDES = re.compile(
    r"\b(?:left|right)(?: side)? of\b|\bon the (?:left|right)\b|\bin front of\b"
    r"|\b(?:above|below|under|behind|beneath)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Hint:
    """One sentence, and where there is one, a query that does better."""

    sentence: str
    label: str = ""
    url: str = ""


def find_hint(query: Query) -> Hint | None:
    if not query.without and (negated := NEGATION.match(query.text)):
        wanted, unwanted = negated["wanted"].strip(" ,"), negated["unwanted"].strip(" ,")
        label = f"Search “{wanted}” and leave out “{unwanted}”" if wanted else f"Leave out “{unwanted}”"
        return Hint(
            "Words like “no” and “without” are overlooked.",
            label,
            query.but(text=wanted, without=unwanted).url(),
        )
    misread = [name for name, words in (("numbers", COUNTS), ("sides", SIDES)) if words.search(query.text)]
    if misread:
        return Hint(f"Pictures are judged by their gist: {' and '.join(misread)} are often missed.")
    return None
