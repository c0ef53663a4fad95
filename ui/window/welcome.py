"""The first screen: what this is, what the library holds, example questions drawn from its articles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from ui.window.text import count, escape

LOOKED_AT = 40_000

_NAME = r"[A-ZÉÈÀÂÎÔÇ][a-zéèêëàâîïôöûüç]+(?:[- ][A-ZÉÈÀÂÎÔÇ][a-zéèêëàâîïôöûüç]+){1,2}"
_PERSON = re.compile(
    rf"(?<![.!?»] )(?<!^)\b({_NAME}), (?:le|la|l’|l'|un|une|(?:co)?fondat|présiden|direct|minist|chef|cher)"
)
_ACRONYM = re.compile(r"[a-zéèêàçôî]{3,} \(([A-Z]{2,6})\)")
_DAY = re.compile(
    r"\b((?:1er|[1-9]|[12]\d|3[01]) (?:janvier|février|mars|avril|mai|juin|juillet|août|septembre|"
    r"octobre|novembre|décembre) (?:19|20)\d\d)\b"
)


def example_questions(articles: Iterable[tuple[str, str]], number: int = 4) -> list[str]:
    """Questions on what the articles say, of several kinds, the most written about first; on their subjects where
    these are too few.

    `articles` are titles and texts; the beginnings of the texts are enough.
    """
    people: Counter[str] = Counter()
    acronyms: Counter[str] = Counter()
    days: Counter[str] = Counter()
    titles: list[str] = []
    for title, text in articles:
        head = text[:LOOKED_AT]
        people.update(_PERSON.findall(head))
        acronyms.update(_ACRONYM.findall(head))
        days.update(_DAY.findall(head))
        if title.strip():
            titles.append(" ".join(title.split()))
    kinds: list[Iterator[str]] = [
        (f"Qui est {name}\u00a0?" for name, _ in people.most_common()),
        (f"Que s’est-il passé le {day}\u00a0?" for day, _ in days.most_common()),
        (f"Que signifie {name}\u00a0?" for name, _ in acronyms.most_common()),
    ]
    questions: list[str] = []
    while kinds and len(questions) < number:
        kind = kinds.pop(0)
        question = next(kind, None)
        if question is not None:
            questions.append(question)
            kinds.append(kind)
    topics = [f"De quoi parle «\u00a0{title}\u00a0»\u00a0?" for title in titles if len(title) <= 70]
    return [*questions, *topics[: number - len(questions)]]


def library_summary(articles: int, first: str | None, last: str | None) -> str:
    """What the library holds, in one French line: how many articles, from when to when."""
    if not articles:
        return "La bibliothèque est vide. Ajoutez vos articles dans l’onglet «\u00a0Articles\u00a0»."
    held = f"La bibliothèque contient {count(articles, 'article')}"
    period = " – ".join(dict.fromkeys(filter(None, (french_date(first), french_date(last)))))
    return f"{held} ({period})." if period else f"{held}."


def render_welcome(summary: str, questions: Iterable[str], *, offer_samples: bool = False) -> str:
    """The first screen: what this is in two lines, what is in the library, what one could ask."""
    offer = (
        '<p><button type="button" class="action primary" data-event="samples">'
        "Ajouter les articles d’exemple</button></p>"
        if offer_samples
        else ""
    )
    buttons = "".join(
        f'<li><button type="button" class="example" data-event="example" data-question="{escape(question)}">'
        f"{escape(question)}</button></li>"
        for question in questions
    )
    examples = f'<h3>Par exemple</h3><ul class="examples">{buttons}</ul>' if buttons else ""
    return (
        '<div class="welcome"><h2>Posez une question à vos articles</h2>'
        "<p>Sourcier cherche la réponse dans vos articles et montre la phrase qui la prouve. "
        "S’ils ne disent rien, il le dit. Rien ne quitte la machine où il tourne.</p>"
        f'<p class="summary">{escape(summary)}</p>{offer}{examples}</div>'
    )


def render_waiting(line: str) -> str:
    """The first screen while something is being done."""
    return f'<div class="welcome"><p class="step" role="status">{escape(line)}</p></div>'
