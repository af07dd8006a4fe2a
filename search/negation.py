"""Words that say what should not be there: `-word`, "without ...", "no ...".

Models of this family take "no cars" for "cars", so the words are taken out of the text and become terms to
leave out. Only plain English words are looked for; whoever means them literally says so with one click.
"""

from __future__ import annotations

import re

MINUS = re.compile(r"(?:(?<=\s)|^)-(?=[\w\x00])(\S+)")
SPOKEN = re.compile(r"[\s,]*\b(?:without(?: any)?|with no|but no|but not|except(?: for)?|no|not)\s+", re.IGNORECASE)
QUOTED = re.compile(r'"[^"]*"')
APART = ", "


def split_negations(text: str) -> tuple[str, tuple[str, ...]]:
    """What is wanted, and what is not. A text that would want nothing at all stays as it is."""
    quotes: list[str] = []

    def hide(found: re.Match[str]) -> str:
        quotes.append(found[0])
        return f"\x00{len(quotes) - 1}\x00"

    def show(part: str) -> str:
        return re.sub("\x00(\\d+)\x00", lambda found: quotes[int(found[1])], part)

    hidden = QUOTED.sub(hide, text)
    unwanted = [_plain(show(word)) for word in MINUS.findall(hidden)]
    wanted, *spoken = SPOKEN.split(MINUS.sub(" ", hidden))
    unwanted += [_plain(show(part)) for part in spoken]
    wanted = " ".join(show(wanted).strip(" ,").split())
    unwanted = [part for part in unwanted if re.search(r"\w", part)]
    if not unwanted or not re.search(r"\w", wanted):
        return text, ()
    return wanted, tuple(unwanted)


def _plain(part: str) -> str:
    """What is left out is left out by its looks: quotes mean nothing there."""
    return part.replace('"', " ").strip(" ,.;")


def split_list(text: str) -> tuple[str, ...]:
    """A list as people write it: "people, cars"."""
    return tuple(part for part in (" ".join(piece.split()) for piece in text.split(",")) if part)


def join_list(parts: tuple[str, ...]) -> str:
    return APART.join(parts)
