"""The first screen: what this is, what the library holds, what one could ask."""

from __future__ import annotations

from collections.abc import Sequence

from qa.wording import french_date
from ui.window.templates import render
from ui.window.text import count


def library_summary(articles: int, first: str | None, last: str | None) -> str:
    """What the library holds, in one French line: how many articles, from when to when."""
    if not articles:
        return "La bibliothèque est vide. Ajoutez vos articles dans l’onglet «\u00a0Articles\u00a0»."
    held = f"La bibliothèque contient {count(articles, 'article')}"
    period = " – ".join(dict.fromkeys(filter(None, (french_date(first), french_date(last)))))
    return f"{held} ({period})." if period else f"{held}."


def render_welcome(summary: str, questions: Sequence[str], *, offer_samples: bool = False) -> str:
    """The first screen; `questions` are those it suggests."""
    return render("welcome.html", summary=summary, questions=questions, offer_samples=offer_samples)


def render_waiting(line: str) -> str:
    """The first screen while something is being done."""
    return render("waiting.html", line=line)
