"""Exact match and F1 of a short answer, after SQuAD (Rajpurkar et al. 2016), with French normalisation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_ARTICLES = frozenset(["le", "la", "les", "l", "un", "une", "des", "du", "de", "d", "au", "aux", "qu"])
_WORD = re.compile(r"\w+")


def normalise(text: str) -> str:
    """Lower case, no punctuation, no French article or elision (`l' d' qu'`), single spaces."""
    return " ".join(word for word in _WORD.findall(text.lower()) if word not in _ARTICLES)


def exact_match(prediction: str, answers: Sequence[str]) -> float:
    """1.0 where the prediction equals one of the answers, once both are normalised."""
    return float(any(normalise(prediction) == normalise(answer) for answer in answers))


def f1(prediction: str, answers: Sequence[str]) -> float:
    """The best word F1 of the prediction against one of the answers, once both are normalised."""
    return max((word_f1(normalise(prediction).split(), normalise(a).split()) for a in answers), default=0.0)


def word_f1(prediction: Sequence[str], answer: Sequence[str]) -> float:
    """The F1 of two bags of normalised words; where one is empty, 1.0 if both are."""
    if not prediction or not answer:
        return float(not prediction and not answer)
    common = (Counter(prediction) & Counter(answer)).total()
    return 2 * common / (len(prediction) + len(answer))


MOST_MORE, MOST_LESS, ALIKE = 4, 2, 0.6


def accepted(prediction: str, answers: Sequence[str]) -> bool:
    """Whether a person would take it: F1 of .6, or one holds the other in whole words within a few more or fewer."""
    said = f" {normalise(prediction)} "
    for answer in answers:
        expected = f" {normalise(answer)} "
        more = len(said.split()) - len(expected.split())
        if f1(prediction, [answer]) >= ALIKE:
            return True
        if expected.strip() and expected in said and more <= MOST_MORE:
            return True
        if said.strip() and said in expected and -more <= MOST_LESS:
            return True
    return False
