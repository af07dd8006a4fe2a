"""Whether a query is in English, as far as its letters and its small words tell.

A dozen words are too few for a language detector: those made for it are right about whole sentences only. What
is needed here is less, and a miss costs nothing but a hint.
"""

from __future__ import annotations

import re
import unicodedata

WORD = re.compile(r"[^\W\d_]+")
# Small words of German, Dutch, French, Spanish, Italian, Portuguese, Swedish and Danish that are none of English, nor
# of names that the English say too ("los", "del", "des").
SMALL = frozenset(
    [
        "ein",
        "eine",
        "einen",
        "einem",
        "einer",
        "und",
        "mit",
        "auf",
        "das",
        "dem",
        "ohne",
        "nicht",
        "unter",
        "zwischen",
        "beim",
        "een",
        "het",
        "zonder",
        "naast",
        "onder",
        "tussen",
        "bij",
        "une",
        "avec",
        "dans",
        "aux",
        "sous",
        "devant",
        "et",
        "una",
        "entre",
        "sobre",
        "senza",
        "nella",
        "della",
        "degli",
        "uma",
        "ett",
        "och",
        "utan",
        "på",
        "vid",
        "mellan",
        "og",
        "uden",
        "ved",
    ]
)
ENGLISH = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "with",
        "without",
        "in",
        "on",
        "at",
        "and",
        "or",
        "under",
        "over",
        "between",
        "near",
        "by",
        "from",
        "to",
        "is",
        "are",
    ]
)


def is_foreign(text: str) -> bool:
    """Sure that this is not English: letters of another script, or more small words of others than of English."""
    words = WORD.findall(unicodedata.normalize("NFC", text).lower())
    if any(not unicodedata.name(letter, "LATIN").startswith("LATIN") for word in words for letter in word):
        return True
    others = sum(word in SMALL for word in words)
    return others > sum(word in ENGLISH for word in words) and len(words) > 1
