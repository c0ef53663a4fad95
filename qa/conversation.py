"""Follow-up questions made whole: « Et Microsoft ? », « Pourquoi ? », « Quand a-t-il été nommé ? »."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.retrieval.question import MAX_QUESTION_CHARACTERS

_NAME = re.compile(r"[A-ZÀ-Ý][\w'’-]*(?:\s+(?:(?:de|du|des|la|le|d['’])\s*)?[A-ZÀ-Ý][\w'’-]*)*")
_AND = re.compile(r"^(?:et|mais)\s+(?:pour\s+|chez\s+|à\s+|de\s+|en\s+)?(?P<topic>.+?)\s*\?*$", re.I)
_ALONE = re.compile(
    r"^(?:et\s+)?(?P<word>pourquoi|quand|où|comment|combien|depuis quand|pour combien)\s*\?*$", re.I
)
_WORD = re.compile(
    r"^(?:pourquoi|quand|où|comment|combien|qui|que|quoi|qu['’]|quel|quelle|quels|quelles)\b", re.I
)
_INVERTED = re.compile(
    r"(?:\b(?:ne|se|le|la|les|lui|leur|y|en)\s+|\b[nsl]['’])*\b\w+-(?:t-)?(?:il|elle|ils|elles)\b", re.I
)
_PRONOUN = re.compile(r"\b(?:il|elle|ils|elles|lui|celui-ci|celle-ci)\b", re.I)
_IMPERSONAL = re.compile(
    r"\b(?:y (?:a|aura)-t-il|y avait-il|il y (?:a|avait|aura)|s['’]agit-il|il s['’]agit|faut-il|il faut|il faudra|"
    r"s['’]est-il (?:passé|produit)|se (?:passe|passera|produit)-t-il|existe-t-il|suffit-il|pleut-il|"
    r"en reste-t-il|reste-t-il (?:de|des|du|un|une)|est-il (?:vrai|possible|nécessaire|prévu|question|arrivé que))\b",
    re.I,
)
_DETERMINED = re.compile(
    r"(?<!-)\b(?:le|la|les|un|une|des|ce|cet|cette|ces|chaque|aucun|aucune)\s+\w|\bl['’]\w", re.I
)
_WHICH = re.compile(r"\bquel(?:le)?s?\s+(?!(?:est|sont|était|étaient|fut|furent|sera|seront)\b)\w", re.I)
_POSSESSIVE = re.compile(r"\b(?:son|sa|ses|leur|leurs)\s+(?P<noun>[\w-]+)", re.I)
_THAT = re.compile(r"qu['’]$")
_MARKER = re.compile(r"\s*\[\d+\]")
_NO_NAME = re.compile(r"(?:oui|non)$|[-•«]", re.I)


def complete(question: str, history: Sequence[tuple[str, str]]) -> str:
    """The question with what it leaves unsaid taken from the last exchange; itself where it is whole.

    `history` holds (question, what was answered) pairs, oldest first: the short answer, or a text that begins
    with it. A past question longer than one can be is
    not looked at, and a completed one that becomes longer than that is left as it was asked.
    """
    if not history or len(history[-1][0]) > MAX_QUESTION_CHARACTERS:
        return question
    whole = _completed(question, *history[-1])
    return whole if len(whole) <= MAX_QUESTION_CHARACTERS else question


def _completed(question: str, previous: str, answer: str) -> str:
    stem = previous.strip().rstrip("?").strip()
    short = _short(answer)
    text = question.strip()
    if alone := _ALONE.match(text):
        return _ask_again(alone["word"].capitalize(), stem, short)
    if (follow := _AND.match(text)) and not _WORD.match(follow["topic"]):
        return _change_topic(stem, follow["topic"])
    subject = _antecedent(stem, short)
    if subject and not _IMPERSONAL.search(text):
        return _name_subject(text, subject)
    return question


def _short(answer: str) -> str:
    """The short answer that a text begins with; "" where it begins otherwise: a sentence, a list, « Oui »."""
    line = _MARKER.sub("", answer[:MAX_QUESTION_CHARACTERS].split("\n", 1)[0]).strip()
    short = 0 < len(line) <= 60 and not line.endswith((".", ":", "!", "?", "…"))
    return line if short and not _NO_NAME.match(line) else ""


def _ask_again(word: str, stem: str, short: str) -> str:
    """« Pourquoi ? » after « Qui a été nommé ? » (« X ») : « Pourquoi X a été nommé ? »."""
    if short and (asked := re.match(r"^qui\s+(?P<rest>.+)$", stem, re.I)):
        return f"{word} {short} {asked['rest']} ?"
    rest = _WORD.sub("", stem).strip()
    rest = re.sub(r"^est-ce qu(?:e\s+|['’])", "", rest)
    return f"{word} {rest} ?"


def _change_topic(stem: str, topic: str) -> str:
    """« Et Microsoft ? »: the previous question, its last name replaced by the new topic."""
    names = _names(stem)
    if not names:
        return f"{stem} {topic} ?"
    last = names[-1]
    return f"{stem[: last.start()]}{topic}{stem[last.end() :]} ?"


def _antecedent(stem: str, short: str) -> str:
    """Whom "il" or "elle" means: the person just answered, else the first name of the last question."""
    if _NAME.fullmatch(short):
        return short
    names = _names(stem)
    return names[0][0] if names else ""


def _names(text: str) -> list[re.Match[str]]:
    """Capitalised names, the first word of the text left aside."""
    return list(_NAME.finditer(text, text.find(" ") + 1)) if " " in text else []


def _name_subject(text: str, subject: str) -> str:
    """Put the name in front of an inverted verb, in place of a pronoun, or behind a possessed noun.

    A name or a noun that stands before these is their subject already.
    """
    names = _names(text)
    if inverted := _INVERTED.search(text):
        before, rest = text[: inverted.start()], text[inverted.start() :]
        if _DETERMINED.search(before) or (names and names[0].start() < inverted.start()):
            return text
        return f"{before}{subject} {rest if before else rest[0].lower() + rest[1:]}"
    if names:
        return text
    said = _PRONOUN.search(text) or _POSSESSIVE.search(text)
    if said is None or _DETERMINED.search(text[: said.start()]) or _WHICH.search(text[: said.start()]):
        return text
    before, rest = text[: said.start()], text[said.end() :]
    elided = subject[0] in "AEIOUYÉÈÊÀÂÎÔHaeiouyéèêàâîôh"
    if said.re is _PRONOUN:
        return (before if elided else _THAT.sub("que ", before)) + subject + rest
    word, noun = said[0].lower(), said["noun"]
    article = "les " if word.startswith(("ses", "leurs")) else "la " if word.startswith("sa ") else "le "
    if article != "les " and noun[0] in "aeiouyéèêàâîôœ":
        article = "l'"
    link = "d'" if elided else "de "
    return f"{before}{article}{noun} {link}{subject}{rest}"
