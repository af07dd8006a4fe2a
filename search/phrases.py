"""Words that are written about an asset: in its title, file name, tags, caption, place and camera.

Words match from their beginning and without accents, in any order; "words in quotes" stand as they are, and
must. Postgres looks them up: https://www.postgresql.org/docs/current/textsearch-controls.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet

from archive.models import Asset
from archive.models.words import CONFIGURATION
from search.neighbours import WITHIN_MS, read_list

QUOTED = re.compile(r'"([^"]*)"')
WORD = re.compile(r"[^\W_]+")
# Such words stand in every second caption and say nothing.
LITTLE = {
    *("a", "an", "and", "at", "by", "for", "from", "in", "is", "of", "on", "or", "the", "to", "with"),
    *("das", "de", "der", "die", "el", "het", "la", "le", "les", "los", "und"),
}
MOST_WORDS = 12
PLURAL = 4  # letters from which a final s may be one

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


def find_sayings(among: QuerySet[Asset], text: str, most: int, unwanted: Sequence[str] = ()) -> list[Saying]:
    """Up to `most` of `among` that say all the words of `text` and nothing `unwanted`, those first that say them
    where it counts. Raises `TooSlow`, as finding neighbours does.

    An asset whose file name is the whole text comes before all others.
    """
    words = read_words(text)
    if not words:
        return []
    asked, whole = _query(words, _prefix), _query(words, _whole)
    found = among.filter(words__said=asked)
    for without in filter(None, map(read_words, unwanted)):
        found = found.exclude(words__said=_query(without, _whole))
    ranked = found.annotate(
        closeness=SearchRank(F("words__said"), asked, normalization=1),
        whole=ExpressionWrapper(Q(words__said=whole), output_field=BooleanField()),
    ).order_by("-whole", "-closeness", "-pk")
    name = text.strip().strip('"')
    # Where no name can be meant, nothing is looked up: most questions have no dot in them.
    first = (
        [Saying(pk, exactly=True) for (pk,) in read_list(_named(among, name)[:most], WITHIN_MS)] if "." in name else []
    )
    rows = read_list(ranked.values_list("pk", "whole")[:most], WITHIN_MS)
    known = {saying.asset_id for saying in first}
    return [*first, *(Saying(pk, whole=is_whole) for pk, is_whole in rows if pk not in known)]


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
    without = [f"!({' & '.join(map(_whole, words))})" for words in map(read_words, unwanted) if words]
    return " & ".join([*map(_whole, words), *without])


def _named(among: QuerySet[Asset], name: str) -> QuerySet[Asset, int]:
    """Those of exactly this file name. Its words are indexed, its upper case is not."""
    likely = must_say(among, " ".join(WORD.findall(name)))
    return likely.order_by().filter(filename__iexact=name).values_list("pk", flat=True)


def _query(words: Sequence[str], how: Callable[[str], str]) -> SearchQuery:
    """Only letters and digits come here, so nothing can be meant as an operator."""
    return SearchQuery(" & ".join(map(how, words)), config=CONFIGURATION, search_type="raw")


def _prefix(word: str) -> str:
    """ "boats" also finds "boat"."""
    return f"({word}:* | {word[:-1]}:*)" if _is_plural(word) else f"{word}:*"


def _whole(word: str) -> str:
    """One boat or many of them."""
    return f"({word} | {word[:-1]})" if _is_plural(word) else f"({word} | {word}s)"


def _is_plural(word: str) -> bool:
    return len(word) >= PLURAL and word[-1] in "sS" and word[-2] not in "sS"
