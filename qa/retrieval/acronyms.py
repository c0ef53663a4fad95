"""Acronyms and their long forms, where a text gives both: « Banque publique d'investissement (BPI) »."""

from __future__ import annotations

import re
from collections.abc import Iterable

from embeddings.text import fold

_LETTERS = r"[A-ZÀ-ÖØ-Þ]{2,7}"
_LONG_FIRST = re.compile(rf"((?:[^\W\d_][\w'’-]*\s+){{1,9}}[^\W\d_][\w'’-]*)\s*\(({_LETTERS})\)")
_SHORT_FIRST = re.compile(rf"(?<!\w)({_LETTERS})\s*\(([^\W\d_][^()\n]{{4,90}})\)")
_WORD = re.compile(r"[^\W\d_]+")
_SMALL = frozenset(
    ["de", "du", "des", "d", "la", "le", "les", "l", "et", "en", "a", "au", "aux", "pour", "sur", "par"]
)


def added_forms(question: str, texts: Iterable[str]) -> str:
    """The long forms of the question's acronyms, and the acronyms of its long forms, that the texts give."""
    asked = _WORD.findall(question)
    folded = {fold(word) for word in asked}
    added: dict[str, None] = {}
    for text in texts:
        for short, long in long_forms(text):
            words = {fold(word) for word in _WORD.findall(long)} - _SMALL
            if short in asked and not words <= folded:
                added[long] = None
            elif words <= folded and short not in asked:
                added[short] = None
    return " ".join(added)


def long_forms(text: str) -> list[tuple[str, str]]:
    """Each acronym of a text with its long form, whose initials it has."""
    found = []
    for match in _LONG_FIRST.finditer(text):
        words = list(_WORD.finditer(match[1]))
        for number in range(len(words) - 1, -1, -1):
            if _abbreviates(match[2], [word[0] for word in words[number:]]):
                found.append((match[2], match[1][words[number].start() :]))
                break
    for match in _SHORT_FIRST.finditer(text):
        if _abbreviates(match[1], _WORD.findall(match[2])):
            found.append((match[1], match[2].strip()))
    return found


def _abbreviates(short: str, words: list[str]) -> bool:
    """Whether the letters are the initials of the words, of all or without the small ones, or but for one of these."""
    letters = fold(short)
    initials = "".join(fold(word)[:1] for word in words)
    large = "".join(fold(word)[:1] for word in words if fold(word) not in _SMALL)
    if len(large) < 2 or large[0] != letters[0]:
        return False
    shorter = {large[:at] + large[at + 1 :] for at in range(len(large))} if len(letters) > 2 else set()
    return letters in {initials, large, *shorter}
