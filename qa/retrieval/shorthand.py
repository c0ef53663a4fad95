"""Questions typed as in text messages, with their words spelled out, so that they are found as others are."""

from __future__ import annotations

import re

_PLAIN = {
    "ki": "qui", "kki": "qui", "cki": "c'est qui", "koi": "quoi", "kwa": "quoi", "koa": "quoi", "kel": "quel",
    "kelle": "quelle", "kels": "quels", "kelles": "quelles", "ke": "que", "kil": "qu'il", "kils": "qu'ils",
    "keske": "qu'est-ce que", "kesk": "qu'est-ce que", "kesski": "qu'est-ce qui", "keski": "qu'est-ce qui",
    "eske": "est-ce que", "esk": "est-ce que", "esske": "est-ce que", "estceque": "est-ce que", "escequ": "est-ce que",
    "pk": "pourquoi", "pkoi": "pourquoi", "pkoa": "pourquoi", "prkoi": "pourquoi",
    "pourkoi": "pourquoi", "qd": "quand", "kan": "quand", "kand": "quand", "cmb": "combien", "cmbien": "combien",
    "kombien": "combien", "cmt": "comment", "komen": "comment", "coment": "comment", "comen": "comment",
    "ds": "dans", "tt": "tout", "tte": "toute", "ttes": "toutes", "bcp": "beaucoup",
    "pdt": "pendant", "tjs": "toujours", "tjrs": "toujours", "jms": "jamais", "mtn": "maintenant",
    "ajd": "aujourd'hui", "auj": "aujourd'hui", "qq": "quelque", "qqn": "quelqu'un", "qqch": "quelque chose",
    "qlq": "quelque", "rdv": "rendez-vous", "slt": "salut", "stp": "s'il te plaît", "svp": "s'il vous plaît",
    "jsuis": "je suis", "chui": "je suis", "jsais": "je sais", "jai": "j'ai", "ya": "il y a", "yavait": "il y avait",
    "cest": "c'est", "cetait": "c'était", "cété": "c'était", "sapelle": "s'appelle", "sappelle": "s'appelle",
    "quil": "qu'il", "quils": "qu'ils", "quon": "qu'on", "parske": "parce que", "pcq": "parce que",
    "askip": "à ce qu'il paraît", "ns": "nous", "msg": "message",
}  # fmt: skip
# Words, or letters that stand for something else, elsewhere: only in a question that is typed so throughout.
_DOUBTFUL = {
    "cb": "combien", "c": "c'est", "g": "j'ai", "t": "tu es", "o": "au", "sa": "ça", "d": "des", "l": "elle",
    "vs": "vous", "tel": "tel", "nb": "nombre", "ts": "tous", "pr": "pour", "pq": "pourquoi",
}  # fmt: skip
_WORD = re.compile(r"(?<![\w'’.-])[^\W\d_]+(?![\w'’.-])")
_FIRST = frozenset(["cb", "c", "g", "t"])


def spelled_out(question: str) -> str:
    """The question with its shorthand spelled out (« c koi » → « c'est quoi »); any other as it is."""
    if not _is_message(question):
        return question
    return _WORD.sub(lambda match: _long(match[0]), question)


def _is_message(question: str) -> bool:
    """Whether it is typed as a message: a word of it is shorthand and nothing else, or it begins so, without capitals."""
    words = [word for word in _WORD.findall(question) if word[1:].islower() or len(word) == 1]
    if any(word.lower() in _PLAIN for word in words):
        return True
    first = _WORD.match(question.strip())
    return first is not None and question[1:] == question[1:].lower() and first[0].lower() in _FIRST


def _long(word: str) -> str:
    """A word in capitals is an acronym."""
    if len(word) > 1 and not word[1:].islower():
        return word
    return _DOUBTFUL.get(word.lower()) or _PLAIN.get(word.lower()) or word
