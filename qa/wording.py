"""The French text of an answer: made here alone, from its data."""

from __future__ import annotations

from collections.abc import Sequence

from qa.answer import Answer, Citation, Topic

NOT_FOUND = "Je n’ai pas trouvé la réponse dans vos articles."
EMPTY = "La bibliothèque est vide : ajoutez-y des articles, puis posez de nouveau la question."
QUOTED = "Voici ce qu’en disent vos articles :"
ARTICLES = "Ces articles en parlent :"
TALK: dict[Topic, str] = {
    "hello": "Bonjour ! Posez-moi une question sur vos articles.",
    "thanks": "Avec plaisir ! Une autre question ?",
    "goodbye": "Au revoir, et à bientôt !",
    "help": "Je réponds à vos questions d’après vos articles, et je montre la phrase qui prouve chaque réponse : "
    "une personne, une date, un chiffre, une liste, oui ou non, pourquoi, comment…",
    "foreign": "Je ne comprends que le français : posez-moi votre question en français.",
}
SUGGESTED = "Par exemple :"
LABELS = {
    "retrieval": "Recherche des passages…",
    "reading": "Lecture des passages…",
}


def text_of(answer: Answer) -> str:
    """What a person reads: what is asserted with its markers, then each cited sentence, a paragraph each."""
    if answer.kind == "talk":
        parts = [TALK.get(answer.topic, TALK["help"])]
        if answer.suggestions:
            parts.append("\n".join([SUGGESTED, *(f"- {question}" for question in answer.suggestions)]))
        return "\n\n".join(parts)
    if answer.kind == "none":
        return NOT_FOUND if answer.passages or answer.evidence else EMPTY
    return "\n\n".join([lead_of(answer), *(quotation(citation) for citation in answer.citations)])


def lead_of(answer: Answer) -> str:
    """What comes before the quotations: the short answer, the items, « Oui » or « Non », or what announces them."""
    if answer.kind in ("yes", "no"):
        return f"{polarity(answer)} {_markers(answer.citations)}"
    if answer.kind == "list":
        return "\n".join(f"- {item.text} [{item.marker}]" for item in answer.items)
    if answer.kind == "span" and answer.short:
        return f"{answer.short} {_markers(answer.citations)}"
    return ARTICLES if answer.kind == "articles" else QUOTED


def polarity(answer: Answer) -> str:
    """« Oui » or « Non »."""
    return "Oui" if answer.kind == "yes" else "Non"


def quotation(citation: Citation) -> str:
    """A cited sentence in guillemets, with its marker."""
    return f"« {citation.sentence} » [{citation.marker}]"


def _markers(citations: Sequence[Citation]) -> str:
    return "".join(f"[{citation.marker}]" for citation in citations)
