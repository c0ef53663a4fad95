"""Words that an index does not have, as the words that it has: what was mistyped, run together or not elided."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from embeddings.text import STOP_WORDS, fold

ONE_MISTAKE, TWO_MISTAKES = 4, 8
WEIGHTS = (1.0, 0.6, 0.4)

_COMMON = {
    "ca",
    "apres",
    "avant",
    "etre",
    "avoir",
    "meme",
    "tres",
    "deja",
    "tout",
    "tous",
    "faire",
    "fait",
    "quoi",
    "etait",
    "etaient",
    "sera",
}
_ELIDED = ("qu", "l", "d", "j", "s", "c", "n", "m", "t")
_SHORTEST_PART = 3
_SHORTEST_TERM = 4


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is asked of an index: whether it has a term, those that begin with some letters with their counts.

    `term` gives the term of a word, "" where it has none.
    """

    has: Callable[[str], bool]
    beginning: Callable[[str], Iterable[tuple[str, int]]]
    term: Callable[[str], str]


def meant(word: str, vocabulary: Vocabulary) -> list[tuple[str, float]]:
    """The terms, with their weights, that an unknown word may stand for; none where nothing is near."""
    plain = fold(word)
    if not word.isalpha() or len(plain) < ONE_MISTAKE or plain in _COMMON or plain[:6] in STOP_WORDS:
        return []
    bare = _without_elision(word)
    if bare and (term := vocabulary.term(bare)) and vocabulary.has(term):
        return [(term, WEIGHTS[0])]
    for part in filter(None, (word, bare)):
        if found := _nearest(part, vocabulary):
            return [found]
    return _parts(word, vocabulary)


def _without_elision(word: str) -> str:
    for start in _ELIDED:
        rest = word.removeprefix(start)
        if rest != word and len(rest) >= _SHORTEST_PART and fold(rest)[0] in "aeiouyh":
            return rest
    return ""


def _parts(word: str, vocabulary: Vocabulary) -> list[tuple[str, float]]:
    """The two words of the index that were run together."""
    for at in range(2, len(word) - _SHORTEST_PART + 1):
        terms = [vocabulary.term(part) for part in (word[:at], word[at:])]
        begins = fold(word[:at]) in STOP_WORDS or (
            at >= _SHORTEST_PART and terms[0] and vocabulary.has(terms[0])
        )
        if begins and terms[1] and vocabulary.has(terms[1]):
            return [(term, WEIGHTS[1]) for term in terms if term and vocabulary.has(term)]
    return []


def _nearest(word: str, vocabulary: Vocabulary) -> tuple[str, float] | None:
    """The term at the least distance, of several the most frequent; the first letter is taken as right."""
    term = vocabulary.term(word)
    if len(term) < _SHORTEST_TERM:
        return None
    most = 2 if len(word) >= TWO_MISTAKES and len(term) > 5 else 1
    best: tuple[int, int, str] | None = None
    for other, count in vocabulary.beginning(term[0]):
        if abs(len(other) - len(term)) <= most and len(other) >= _SHORTEST_TERM:
            apart = distance(term, other, most)
            if apart <= most and (best is None or (apart, -count, other) < best):
                best = apart, -count, other
    return (best[2], WEIGHTS[best[0]]) if best else None


def distance(one: str, other: str, most: int) -> int:
    """Letters changed, left out, added, or exchanged with their neighbour; `most` + 1 where there are more."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        earlier, before, row = before, row, [i]
        for j, against in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
