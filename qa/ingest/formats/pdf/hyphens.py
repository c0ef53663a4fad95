"""Words cut at the end of a line: whether their hyphen goes or stays."""

from __future__ import annotations

import re
from collections.abc import Set

_SOFT = "\u00ad"
_CUT = re.compile(r"[^\W_][-\u00ad]\Z")
_LAST = re.compile(r"\S+\Z")
_FIRST = re.compile(r"\S+")
_LETTERS = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*")
_ADDRESS_BEFORE = re.compile(r"@|://|www\.|\w\.\w+[/-]", re.I)
_ADDRESS_AFTER = re.compile(
    r"[\w.+-]*@[\w-]+\.|[\w-]+\.(?:fr|com|org|net|eu|gouv|be|ch|ca|info|html?|php|pdf)\b", re.I
)
_TAIL_KEEPS = re.compile(
    r"(?:ils?|on|je|tu|elles?|ce|ci|là|lui|moi|toi|nous|vous|leur|mêmes?|dire|être|née?s?|d['’]\w+)\b(?!-)"
    r"|(?:t|de|du|la|le|les|en|à|au|aux|sur|sous|et|lès|ès|sans)-",
    re.I,
)
_LINKS = frozenset(
    ("en", "à", "de", "du", "des", "la", "le", "les", "sur", "sous", "t", "et", "aux", "au", "d", "l")
)
_ALWAYS = frozenset(
    [
        "vice",
        "ex",
        "demi",
        "semi",
        "rendez",
        "après",
        "avant",
        "arrière",
        "vingt",
        "trente",
        "quarante",
        "cinquante",
        "soixante",
        "septante",
        "octante",
        "nonante",
        "quatre",
        "dix",
        "hors",
        "quasi",
        "sapeur",
        "sapeurs",
        "procès",
        "chef",
        "chefs",
        "centre",
        "nord",
        "sud",
        "ouest",
        "saint",
        "sainte",
        "tiers",
        "rez",
        "grand",
        "grands",
        "plein",
        "prêt",
        "rond",
        "timbre",
        "wagon",
        "chou",
        "café",
        "micro-ondes",
        "beau",
        "beaux",
        "belle",
        "petit",
        "petits",
        "petite",
        "savoir",
        "faire",
        "laissez",
        "cessez",
        "compte",
        "haut",
        "moyen",
        "premier",
        "court",
        "pot",
        "porc",
        "chauffe",
        "gratte",
        "tire",
        "lance",
        "brise",
        "casse",
        "coupe",
        "essuie",
        "pèse",
        "presse",
        "ouvre",
        "aide",
        "auto-école",
        "assurance",
        "station",
        "ville",
        "cité",
        "mot",
        "pique",
        "lave",
        "cerf",
        "arc",
        "eau-de",
        "mont",
        "aller",
        "franco",
        "anglo",
        "italo",
        "germano",
        "gallo",
        "austro",
        "sino",
        "euro",
    ]
)
_UNLESS = {
    "sous": r"cri|trai|trac|tien|ten",
    "porte": r"feuille|manteau",
    "passe": r"ports?\b|relle",
    "non": r"chal|ant|obst",
    "contre": r"d|faç|ven|vent|fai|band|balan|part|carr|maît|point|sign|sens|poids",
    "garde": r"rie",
    "pied": r"estal",
    "sans": r"crit",
    "lieu": r"tenan",
    "nouveau": r"té",
    "libre": r"ment",
    "franc": r"h|e",
    "maître": r"ss",
}
_ONLY = {
    "mi": r"temps|journée|chemin|saison|parcours|hauteur|clos|course|janv|févr|mars|avril|mai\b|juin|juil|août|sept|octo"
    r"|nov|déc|mandat|année|voix|pente|cuisse|lourd",
    "au": r"de(?:ssus|ssous|là|vant|dans|hors)",
    "là": r"de|haut|bas",
    "ci": r"de|contre|joint|après|inclus|git",
    "par": r"de(?:ssus|ssous|là|vant|vers)|ci|là",
    "peut": r"être",
    "main": r"d['’]|forte",
    "bien": r"être|fond|aim|pens|port",
    "plus": r"value|que",
    "moins": r"value|disant",
    "long": r"courrier|métrage",
    "bas": r"relief|côté|fond|ventre",
    "quelque": r"un",
    "quelques": r"un",
    "presqu": r"île",
    "entre": r"deux|temps|soi",
    "coffre": r"fort",
    "mots": r"cl|crois",
    "sage": r"femme",
    "sages": r"femme",
    "tout": r"petit|puiss|à",
    "week": r"end",
    "cent": r"un|deux",
    "un": r"tiers",
    "deux": r"roues|points|pièces|chevaux|ponts|sèvres",
    "trois": r"quarts|mâts|pièces",
    "bon": r"encontre",
    "moyen": r"âge|orient",
    "radio": r"cass",
    "poids": r"lourd",
}


def joined(line: str, after: str, words: Set[str]) -> str | None:
    """The line less the hyphen that cuts its last word, or as it is where the hyphen stays; None where none ends it.

    `words` are those of the whole document, in small letters: what it writes elsewhere decides first.
    """
    if not _CUT.search(line):
        return None
    first, second = _LAST.search(line), _FIRST.match(after)
    if not first or not second:
        return None
    head, tail = first[0][:-1], second[0]
    if line.endswith(_SOFT):
        return line[:-1]
    if _ADDRESS_BEFORE.search(head) or _ADDRESS_AFTER.match(tail):
        return line
    if head[-1].isdigit() or tail[0].isdigit():
        return line if tail[0].isalnum() and (head[-1].isdigit() or not head.islower()) else None
    if not tail[0].isalpha():
        return None
    return line if _keeps(head, tail, words) else line[:-1]


def words_of(text: str) -> frozenset[str]:
    """The words of a text in small letters, compounds whole."""
    return frozenset(word.lower() for word in _LETTERS.findall(text))


def _keeps(head: str, tail: str, words: Set[str]) -> bool:
    before, after = _LETTERS.findall(head), _LETTERS.match(tail)
    if not before or not after:
        return True
    part, rest = before[-1].lower(), after[0].lower()
    stem = re.split(r"['’]", part)[-1]
    for whole in {part, stem}:
        if f"{whole}-{rest}" in words:
            return True
        if f"{whole}{rest}" in words:
            return False
    shouted = head.isupper() and len(head) > 1 and after[0].isupper()
    if tail[0].isupper() and not shouted:
        return True
    if _TAIL_KEEPS.match(tail) and not (shouted and len(after[0]) < 3):
        return True
    last = stem.rsplit("-", 1)[-1]
    if last in _ALWAYS or stem in _ALWAYS:
        return True
    if last in _UNLESS:
        return not re.match(_UNLESS[last], rest)
    if last in _ONLY:
        return bool(re.match(_ONLY[last], rest))
    return "-" in stem and last in _LINKS
