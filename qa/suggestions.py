"""Questions to begin with: drawn from what the articles name, kept where the assistant itself answers them surely."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qa.answer import Answer
    from qa.ingest.articles import Article

ARTICLES_LOOKED_AT = 40
CHARACTERS_LOOKED_AT = 8000
TRIED = 16
SURE = 0.6

_NAME = r"[A-ZÉÈÀÂÎÔÇ][a-zéèêëàâîïôöûüç]+(?:[- ][A-ZÉÈÀÂÎÔÇ][a-zéèêëàâîïôöûüç]+){1,2}"
_PERSON = re.compile(
    rf"(?<![.!?»] )(?<!^)\b({_NAME}), (?:le |la |l[’']|l'|un |une )?(?:nouveau |nouvelle |ancien |ancienne )?"
    r"(?:(?:co)?fondat|présiden|direct|minist|chef|cher|mair|secrétaire|responsable|adjoint|avocat|patron|entraîn)"
)
_ACRONYM = re.compile(r"\b[a-zéèêàçôî]{3,} \(([A-Z]{2,6})\)")
_DAY = re.compile(
    r"\b((?:1er|[1-9]|[12]\d|3[01]) (?:janvier|février|mars|avril|mai|juin|juillet|août|septembre|"
    r"octobre|novembre|décembre) (?:19|20)\d\d)\b"
)


def candidates(articles: Iterable[Article]) -> list[str]:
    """Questions on who, what and when the articles name, of each kind in turn, the most written about first."""
    people: Counter[str] = Counter()
    acronyms: Counter[str] = Counter()
    days: Counter[str] = Counter()
    titles: list[str] = []
    for article in articles:
        head = article.text[:CHARACTERS_LOOKED_AT]
        people.update(_PERSON.findall(head))
        acronyms.update(_ACRONYM.findall(head))
        days.update(_DAY.findall(head))
        if 0 < len(article.title) <= 70:
            titles.append(article.title)
    kinds: list[Iterator[str]] = [
        (f"Qui est {name}\u00a0?" for name, _ in people.most_common()),
        (f"Que s’est-il passé le {day}\u00a0?" for day, _ in days.most_common()),
        (f"Résume «\u00a0{title}\u00a0»" for title in titles),
        (f"Que signifie {name}\u00a0?" for name, _ in acronyms.most_common()),
    ]
    questions: list[str] = []
    while kinds and len(questions) < TRIED:
        kind = kinds.pop(0)
        if (question := next(kind, None)) is not None:
            questions.append(question)
            kinds.append(kind)
    return questions


def is_sure(answer: Answer) -> bool:
    """Whether an answer is good enough for its question to be suggested: likely, and about what the question names."""
    if not answer.answerable or answer.confidence < SURE or not answer.citations:
        return False
    named = re.findall(r"[A-ZÉ]\w+|\d+", answer.question.split(" ", 1)[-1])
    shown = " ".join(f"{c.title} {c.sentence}" for c in answer.citations)
    return all(name in shown for name in named)
