"""The French text of an answer: made here alone, from its data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from qa.answer import Answer, Citation, Topic

Certainty = Literal["sure", "probable", "doubtful"]

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
NEAREST = "Les phrases les plus proches\u00a0:"
UNREADABLE = "Réponse illisible."
UNTITLED = "Sans titre"
CERTAINTIES: dict[Certainty, str] = {
    "sure": "Réponse sûre",
    "probable": "Réponse probable\u00a0: relisez la phrase citée",
    "doubtful": "À vérifier",
}
SURE, PROBABLE = 0.85, 0.6
_CHARACTERS_READ = 4000
_MARKERS = re.compile(r"(?: ?\[\d{1,3}\])+$")
_QUOTATION = re.compile(r"« (.+?) » \[\d", re.DOTALL)
LABELS = {
    "retrieval": "Recherche des passages…",
    "reading": "Lecture des passages…",
}


def text_of(answer: Answer) -> str:
    """What a person reads: what is asserted with its markers, then each cited sentence, a paragraph each."""
    if answer.kind == "talk":
        parts = [remark_of(answer)]
        if answer.suggestions:
            parts.append("\n".join([SUGGESTED, *(f"- {question}" for question in answer.suggestions)]))
        return "\n\n".join(parts)
    if answer.kind == "none":
        return remark_of(answer)
    return "\n\n".join([lead_of(answer), *(quotation(citation) for citation in answer.citations)])


def remark_of(answer: Answer) -> str:
    """What is said where the articles are not quoted: a word of a "talk", or that nothing was found."""
    if answer.kind == "talk":
        return TALK.get(answer.topic, TALK["help"])
    return NOT_FOUND if answer.passages or answer.evidence else EMPTY


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


def said_of(answer: Answer) -> str:
    """What an answer asserts, without markers: what a follow-up question may take up."""
    if answer.kind in ("none", "talk"):
        return ""
    if answer.kind == "list":
        return ", ".join(item.text for item in answer.items)
    return answer.short or (answer.citations[0].sentence if answer.citations else "")


def said_in(text: str) -> str:
    """What a text that `text_of` made asserts: for clients that send back nothing but texts."""
    lead, _, rest = text[:_CHARACTERS_READ].strip().partition("\n\n")
    said = ", ".join(_MARKERS.sub("", line).removeprefix("- ").strip() for line in lead.splitlines())
    if said in ("Oui", "Non", QUOTED, ARTICLES):
        sentence = _QUOTATION.match(rest)
        return sentence[1] if sentence else ""
    return "" if said in (NOT_FOUND, EMPTY, *TALK.values()) else said


def certainty_of(answer: Answer) -> Certainty | None:
    """How sure an answer is; None where it asserts nothing, and only quotes or talks."""
    asserts = answer.kind in ("span", "list", "yes", "no") or (answer.kind == "sentences" and answer.short)
    if not asserts:
        return None
    return (
        "sure" if answer.confidence >= SURE else "probable" if answer.confidence >= PROBABLE else "doubtful"
    )


def exact_words(citation: Citation, short: str | None = None) -> tuple[str, str, str]:
    """The cited sentence in three: what comes before the words that answer, these words, what comes after.

    They are where the citation says, else where `short` is in the sentence; else the last two parts are empty.
    """
    sentence = citation.sentence
    if citation.answer_start is not None and citation.answer_end is not None:
        start, end = citation.answer_start - citation.start, citation.answer_end - citation.start
    else:
        start = sentence.find(short) if short else -1
        end = start + len(short or "")
    if not 0 <= start < end <= len(sentence):
        return sentence, "", ""
    return sentence[:start], sentence[start:end], sentence[end:]


def place_of(title: str, headings: Sequence[str] = (), page: int | None = None) -> str:
    """Where something stands in an article: « Titre › Partie, p. 2 »."""
    above = [heading for heading in headings if heading and heading != title]
    place = " › ".join([title or UNTITLED, *above])
    return place if page is None else f"{place}, p.\u00a0{page}"


def source_of(citation: Citation) -> str:
    """Where a cited sentence comes from: its place, the article's date, its source."""
    place = place_of(citation.title, citation.headings, citation.page)
    return " · ".join(filter(None, (place, french_date(citation.date), source_name(citation.source))))


def text_with_sources(answer: Answer) -> str:
    """The answer's text, then what its markers stand for, a line each."""
    lines = [f"[{citation.marker}] {source_of(citation)}" for citation in answer.citations]
    return "\n\n".join([answer.text, "\n".join(["Sources\u00a0:", *lines])] if lines else [answer.text])


_PATH = re.compile(r"[/~]|\\\\|[a-z]:[/\\]|file:", re.I)


def source_name(source: str) -> str:
    """A source as others may see it: of a path on this computer, the file's name alone."""
    return re.split(r"[/\\]", source.rstrip("/\\"))[-1] if _PATH.match(source) else source


_MONTHS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
           "novembre", "décembre")  # fmt: skip


def french_date(date: str | None) -> str:
    """An ISO date (or year, or year and month) in words: "2023-11-17" gives "17 novembre 2023"."""
    match = re.match(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", date or "")
    if not match:
        return ""
    year, month, day = match.groups()
    if not month or not 1 <= int(month) <= 12:
        return year
    words = f"{_MONTHS[int(month) - 1]} {year}"
    return f"{'1er' if day == '01' else int(day)} {words}" if day else words
