"""Words as the rankers compare them: lower case, no accents, cut to their first six letters."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

QUESTION_WORDS = frozenset(
    [
        "qui",
        "que",
        "quoi",
        "quel",
        "quelle",
        "quels",
        "quelles",
        "combie",
        "commen",
        "pourqu",
        "quand",
        "est",
        "ce",
        "ou",
    ]
)
STOP_WORDS = QUESTION_WORDS | frozenset(
    [
        "le",
        "la",
        "les",
        "un",
        "une",
        "des",
        "du",
        "de",
        "au",
        "aux",
        "en",
        "dans",
        "par",
        "pour",
        "sur",
        "et",
        "son",
        "sa",
        "ses",
        "se",
        "il",
        "elle",
        "ils",
        "elles",
        "on",
        "ne",
        "pas",
        "plus",
        "avec",
        "ont",
        "sont",
        "ete",
        "etait",
        "fut",
        "dont",
        "cet",
        "cette",
        "ces",
        "leur",
        "leurs",
        "mais",
        "comme",
        "sous",
        "entre",
        "vers",
        "chez",
    ]
)
STEM_LETTERS = 6
_WORD = re.compile(r"[a-z0-9]{2,}")
_ACCENTS = re.compile(r"[\u0300-\u036f]+")


def fold(text: str) -> str:
    """Lower case without accents; the result need not have the text's length."""
    return _ACCENTS.sub("", unicodedata.normalize("NFD", text.lower()))


@lru_cache(maxsize=4096)
def stems(text: str) -> tuple[str, ...]:
    """Crude stems, in order: the first six letters of each word of two letters or more."""
    return tuple(word[:STEM_LETTERS] for word in _WORD.findall(fold(text)))


def content_stems(text: str) -> list[str]:
    """The stems that are neither stop words nor question words."""
    return [stem for stem in stems(text) if stem not in STOP_WORDS]
