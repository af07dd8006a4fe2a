"""Words that are written about an asset: in its title, file name, tags, caption, place and camera.

Words match from their beginning and without accents, in any order; "words in quotes" stand as they are, and
must. Postgres looks them up: https://www.postgresql.org/docs/current/textsearch-controls.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.db.models import QuerySet

from archive.models import Asset
from archive.models.words import CONFIGURATION
from search.neighbours import WITHIN_MS, Candidates, compile_candidates, read_rows

QUOTED = re.compile(r'"([^"]*)"')
WORD = re.compile(r"[^\W_]+")
# Such words stand in every second caption and say nothing.
LITTLE = {
    *("a", "an", "and", "at", "by", "for", "from", "in", "is", "of", "on", "or", "the", "to", "with"),
    *("das", "de", "der", "die", "el", "het", "la", "le", "les", "los", "und"),
}
MOST_WORDS = 12
PLURAL = 4  # letters from which a final s may be one

# Of the words for ordering only those that are wanted: `ts_rank` knows no "not".
SAID = """
SELECT w.asset_id, w.said @@ to_tsquery(%(configuration)s::regconfig, %(whole)s) AS whole FROM archive_words w
WHERE w.said @@ to_tsquery(%(configuration)s::regconfig, %(asked)s) AND w.asset_id IN ({candidates})
ORDER BY whole DESC, ts_rank(w.said, to_tsquery(%(configuration)s::regconfig, %(wanted)s), 1) DESC, w.asset_id DESC
LIMIT %(most)s
"""
# Those of exactly this file name. Its words are indexed, its upper case is not.
NAMED = """
SELECT w.asset_id FROM archive_words w JOIN archive_asset a ON a.id = w.asset_id
WHERE w.said @@ phraseto_tsquery(%(configuration)s::regconfig, %(phrase)s) AND upper(a.filename) = upper(%(name)s)
  AND w.asset_id IN ({candidates})
LIMIT %(most)s
"""
# Parsed once each, and not again for every asset.
SAID_BY_MANY = """
WITH asked AS MATERIALIZED (
    SELECT n, to_tsquery(%(configuration)s::regconfig, query) AS query, upper(name) AS name
    FROM unnest(%(numbers)s::int[], %(queries)s::text[], %(names)s::text[]) AS given(n, query, name)
),
new AS MATERIALIZED (
    SELECT w.asset_id, w.said, upper(a.filename) AS filename
    FROM archive_words w JOIN archive_asset a ON a.id = w.asset_id WHERE w.asset_id = ANY(%(assets)s)
)
SELECT asked.n, new.asset_id FROM asked JOIN new
ON new.said @@ asked.query OR (asked.name <> '' AND new.filename = asked.name)
"""


@dataclass(frozen=True)
class Saying:
    """An asset that says what was asked for. `whole`: in whole words, not in beginnings of them; `exactly`: its
    file name is the whole question."""

    asset_id: int
    exactly: bool = False
    whole: bool = True


def read_phrases(text: str) -> tuple[str, ...]:
    """What stands in quotes, as plain words."""
    phrases = (" ".join(WORD.findall(phrase)) for phrase in QUOTED.findall(text))
    return tuple(phrase for phrase in phrases if phrase)


def read_words(text: str) -> tuple[str, ...]:
    """The words of a text that are worth looking up, whether quoted or not."""
    found = [word for word in WORD.findall(text) if word.lower() not in LITTLE]
    return tuple(dict.fromkeys(found))[:MOST_WORDS]


def unquoted(text: str) -> str:
    """As the model reads it: quotes mean nothing to it."""
    return " ".join(text.replace('"', " ").split())


def must_say(among: QuerySet[Asset], phrase: str) -> QuerySet[Asset]:
    return among.filter(words__said=SearchQuery(phrase, config=CONFIGURATION, search_type="phrase"))


def find_sayings(among: Candidates, text: str, most: int, unwanted: Sequence[str] = ()) -> list[Saying]:
    """Up to `most` of `among` that say all the words of `text` and nothing `unwanted`, those first that say them
    where it counts. Raises `TooSlow`, as finding neighbours does.

    An asset whose file name is the whole text comes before all others.
    """
    words, chosen = read_words(text), compile_candidates(among)
    if not words or not chosen.sql:
        return []
    values = {**chosen.params, "configuration": CONFIGURATION, "most": most}
    name = text.strip().strip('"')
    named: list[tuple[Any, ...]] = []
    # Where no name can be meant, nothing is looked up: most questions have no dot in them.
    if "." in name:
        asked = {"phrase": " ".join(WORD.findall(name)), "name": name}
        named = read_rows(NAMED.format(candidates=chosen.sql), {**values, **asked}, WITHIN_MS)
    wanted = " & ".join(map(_prefix, words))
    asked = {
        "wanted": wanted,
        "asked": " & ".join([wanted, *_without(unwanted)]),
        "whole": " & ".join(map(_whole, words)),
    }
    rows = read_rows(SAID.format(candidates=chosen.sql), {**values, **asked}, WITHIN_MS)
    known = {pk for (pk,) in named}
    return [
        *(Saying(pk, exactly=True) for (pk,) in named),
        *(Saying(pk, whole=is_whole) for pk, is_whole in rows if pk not in known),
    ]


def find_sayings_of_many(assets: Sequence[int], asked: Sequence[tuple[str, Sequence[str]]]) -> list[set[int]]:
    """For each text, with what it must not say, those of `assets` that say it in whole words: one statement for all.

    As `find_sayings` has it, but without permission, which is asked about the few that are left.
    """
    found: list[set[int]] = [set() for _ in asked]
    read = [(n, read_words(text), unwanted, text.strip().strip('"')) for n, (text, unwanted) in enumerate(asked)]
    rows = [
        (n, _said_without(words, unwanted), name if "." in name else "") for n, words, unwanted, name in read if words
    ]
    if not rows or not assets:
        return found
    numbers, queries, names = map(list, zip(*rows, strict=True))
    with connection.cursor() as cursor:
        values = {"numbers": numbers, "queries": queries, "names": names, "assets": list(assets)}
        cursor.execute(SAID_BY_MANY, {**values, "configuration": CONFIGURATION})
        for n, asset in cursor.fetchall():
            found[n].add(asset)
    return found


def _said_without(words: Sequence[str], unwanted: Sequence[str]) -> str:
    """Only letters and digits come here, so nothing can be meant as an operator."""
    return " & ".join([*map(_whole, words), *_without(unwanted)])


def _without(unwanted: Sequence[str]) -> list[str]:
    return [f"!({' & '.join(map(_whole, words))})" for words in map(read_words, unwanted) if words]


def _prefix(word: str) -> str:
    """ "boats" also finds "boat"."""
    return f"({word}:* | {word[:-1]}:*)" if _is_plural(word) else f"{word}:*"


def _whole(word: str) -> str:
    """One boat or many of them."""
    return f"({word} | {word[:-1]})" if _is_plural(word) else f"({word} | {word}s)"


def _is_plural(word: str) -> bool:
    return len(word) >= PLURAL and word[-1] in "sS" and word[-2] not in "sS"
