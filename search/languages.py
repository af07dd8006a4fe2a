"""Whether a query is in English, as far as its letters and its small words tell.

A dozen words are too few for a language detector: those made for it are right about whole sentences only. What
is needed here is less, and a miss costs nothing but a hint.
"""

from __future__ import annotations

import re
import unicodedata

# Small words of German, Dutch, French, Spanish, Italian, Portuguese, Swedish and Danish that are none of English, nor
# of names that the English say too ("los", "del", "des").
SMALL = re.compile(
    r"\b(?:eine?|eine[mnr]|und|mit|auf|das|dem|ohne|nicht|unter|zwischen|beim|een|het|zonder|naast|onder|tussen|bij"
    r"|une|avec|dans|aux|sous|devant|et|una|entre|sobre|senza|nell?a|della|degli|uma|ett|och|utan|på|vid|mellan|og|uden"
    r"|ved)\b"
)
ENGLISH = re.compile(
    r"\b(?:an?|the|of|with|without|in|on|at|and|or|under|over|between|near|by|from|to|is|are)\b",
)


def is_foreign(text: str) -> bool:
    """Sure that this is not English: letters of another script, or more small words of others than of English."""
    plain = unicodedata.normalize("NFC", text).lower()
    if any(letter.isalpha() and not unicodedata.name(letter, "LATIN").startswith("LATIN") for letter in plain):
        return True
    return len(plain.split()) > 1 and len(SMALL.findall(plain)) > len(ENGLISH.findall(plain))
