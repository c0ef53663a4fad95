"""Follow-up questions: which ones leave something unsaid, and what the exchange before them adds."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.reading.encoding import with_history

FEW_WORDS = 3
_OPENING = re.compile(r"^(?:et|mais|ou bien|alors|sinon|du coup|puis|aussi)\b", re.I)
_IMPERSONAL = re.compile(
    r"\b(?:y (?:a|aura|avait|aurait)-t-il|il y (?:a|avait|aura|aurait)|s['’]agit-il|il s['’]agit|faut-il|il (?:faut|faudra)|"
    r"faudra-t-il|s['’]est-il (?:passé|produit)|se (?:passe|passera|produit)-t-il|existe-t-il|suffit-il|pleut-il|"
    r"reste-t-il|est-il (?:vrai|possible|nécessaire|prévu|question|arrivé|interdit|permis|obligatoire)|en est-il)\b",
    re.I,
)
_INVERTED = re.compile(r"\b\w+-(?:t-)?(?:il|elle|ils|elles)\b", re.I)
_REFERENCE = re.compile(
    r"\b(?:il|elle|ils|elles|lui|leur|leurs|eux|son|sa|ses|ça|cela|celui-(?:ci|là)|celle-(?:ci|là)|ceux-(?:ci|là)|"
    r"ce dernier|cette dernière|ces derniers|lequel|laquelle|lesquels|lesquelles|là-bas|là-dedans|dedans|y)\b",
    re.I,
)
_SUBJECT = re.compile(
    r"(?<!-)\b(?:le|la|les|un|une|des|ce|cet|cette|ces|chaque|aucun|aucune|du|au|aux)\s+\w|\b[ld]['’]\w|"
    r"\bquel(?:le)?s?\s+(?!(?:est|sont|était|étaient|fut|furent|sera|seront)\b)\w",
    re.I,
)
_NAMED = re.compile(r"(?<=[\s'’])[A-ZÀ-Ý][\w-]+")


def follows(question: str) -> bool:
    """Whether the question leaves unsaid what it is about: « Et lui ? », « Pourquoi ? », « Quand a-t-il été élu ? ».

    A pronoun whose noun or name stands before it in the question itself (« Le maire a-t-il… ») leaves nothing unsaid.
    """
    if _OPENING.search(question) or len(question.split()) <= FEW_WORDS:
        return True
    text = _IMPERSONAL.sub(" ", question)
    reference = _INVERTED.search(text) or _REFERENCE.search(text)
    if reference is None:
        return False
    before = text[: reference.start()]
    return not (_NAMED.search(before) or _SUBJECT.search(before))


def searched(question: str, history: Sequence[tuple[str, str]]) -> str:
    """What is searched for a follow-up: the exchange it follows, and the question itself."""
    return with_history(question, history)
