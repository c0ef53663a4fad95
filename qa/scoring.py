"""What an answer is worth: exact match and F1 after SQuAD (Rajpurkar et al. 2016), with French normalisation,
whether a text holds it, and how far confidences are from the truth."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np

_ARTICLES = frozenset(["le", "la", "les", "l", "un", "une", "des", "du", "de", "d", "au", "aux", "qu"])
BINS = 10
MOST_MORE, MOST_LESS, ALIKE = 4, 2, 0.6
_WORD = re.compile(r"\w+")
_AMOUNT_OR_WORD = re.compile(r"[\w%€]+")
_MARKUP = re.compile(r"[*_`|]+")
_SPACES = str.maketrans({"’": "'", "\u00a0": " ", "\u202f": " "})
_COMMON = frozenset(["le", "la", "les", "l", "un", "une", "des", "du", "de", "d", "à", "au", "aux", "en"])


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


def holds(text: str, answers: Sequence[str]) -> bool:
    """Whether one of the answers stands in the text as whole words, once both are normalised."""
    padded = f" {normalise(text)} "
    return any(f" {bare} " in padded if (bare := normalise(a)) else a in text for a in answers)


def calibration_error(rows: np.ndarray) -> np.ndarray:
    """Of columns confidence and right, shape (…, n, 2): expected calibration error over ten equal bins
    (Guo et al. 2017), shape (…)."""
    confidence, right = rows[..., 0], rows[..., 1]
    which = bins_of(confidence)
    gaps = [np.abs(((right - confidence) * (which == b)).sum(-1)) for b in range(BINS)]
    return np.asarray(np.sum(gaps, axis=0) / rows.shape[-2])


def bins_of(confidence: np.ndarray) -> np.ndarray:
    """The equal-width bin, 0 to 9, of each confidence from 0 to 1."""
    return np.minimum((confidence * BINS).astype(int), BINS - 1)


def accepted(short: str, answers: Sequence[str]) -> bool:
    """Whether a person would take it: it has most words of an answer, or one of the two holds the other, little longer."""
    given = words(short)
    for answer in answers:
        wanted = words(answer)
        if given and wanted and word_f1(given, wanted) >= ALIKE:
            return True
        if wanted and _inside(wanted, given) and len(given) - len(wanted) <= MOST_MORE:
            return True
        if given and _inside(given, wanted) and len(wanted) - len(given) <= MOST_LESS:
            return True
    return False


def _inside(part: Sequence[str], whole: Sequence[str]) -> bool:
    return f" {' '.join(part)} " in f" {' '.join(whole)} "


def plain(text: str) -> str:
    """Lower case, NFC, plain apostrophes and single spaces, no Markdown."""
    bare = _MARKUP.sub("", unicodedata.normalize("NFC", text).translate(_SPACES))
    return " ".join(bare.split()).lower()


def words(text: str) -> list[str]:
    """The words, percentages and amounts of a text, but articles and common prepositions."""
    return [word for word in _AMOUNT_OR_WORD.findall(plain(text)) if word not in _COMMON]
