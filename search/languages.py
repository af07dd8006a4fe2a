"""Whether a query is in English, and else in what, as far as its letters and its small words tell.

A dozen words are too few for a language detector: those made for it are right about whole sentences only. What
is needed here is less, and a miss costs nothing but a hint.
"""

from __future__ import annotations

import re
import unicodedata

# Small words that are none of English, nor of names that the English say too ("los", "del", "des").
SMALL = {
    "German": "ein eine einem einen einer und mit auf das dem ohne nicht unter zwischen beim",
    "Dutch": "een het zonder naast onder tussen bij",
    "French": "une avec dans aux sous devant et entre",
    "Spanish": "una entre sobre",
    "Italian": "una senza nella della degli",
    "Portuguese": "uma entre sobre",
    "Swedish": "ett och utan på vid mellan",
    "Danish": "og uden ved på",
}
WORDS = {language: frozenset(words.split()) for language, words in SMALL.items()}
OF_ENGLISH = "a an the of with without in on at and or under over between near by from to is are"
ENGLISH = frozenset(OF_ENGLISH.split())
# By the first word of the name that Unicode gives to a letter. Many languages are written in the last three.
SCRIPTS = {
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
    "CJK": "Chinese or Japanese",
    "GREEK": "Greek",
    "HEBREW": "Hebrew",
    "THAI": "Thai",
    "CYRILLIC": "a language in Cyrillic letters",
    "ARABIC": "a language in Arabic letters",
    "DEVANAGARI": "a language in Devanagari letters",
}


# Signs and wide forms that stand among the letters of English too.
AT_HOME = {"LATIN", "FULLWIDTH", "FEMININE", "MASCULINE", "MICRO"}


def is_foreign(text: str) -> bool:
    """Sure that this is not English: letters of another script, or more small words of others than of English."""
    words = _words(text)
    if _scripts(words):
        return True
    foreign = frozenset().union(*WORDS.values())
    return len(words) > 1 and sum(word in foreign for word in words) > sum(word in ENGLISH for word in words)


def guess_language(text: str) -> str:
    """What a text that `is_foreign` is written in, as one says it; empty where two languages are as likely."""
    words = _words(text)
    scripts = _scripts(words)
    if scripts:
        return next((name for script, name in SCRIPTS.items() if script in scripts), "")
    counts = {language: sum(word in small for word in words) for language, small in WORDS.items()}
    best = [language for language, count in counts.items() if count and count == max(counts.values())]
    return best[0] if len(best) == 1 else ""


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", unicodedata.normalize("NFC", text).lower())


def _scripts(words: list[str]) -> set[str]:
    """Those of all letters, but for Latin."""
    letters = {letter for word in words for letter in word if letter.isalpha()}
    return {unicodedata.name(letter, "LATIN").split()[0] for letter in letters} - AT_HOME
