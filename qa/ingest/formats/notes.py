"""Calls of notes: raised figures that would become part of the number or the name before them."""

from __future__ import annotations

import re

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_LIFTED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_TYPED = re.compile(r"(?<=[\w»”\"’')\].!?,;%€…])[⁰¹²³⁴-⁹]+(?:[,;⁻ ]{0,2}[⁰¹²³⁴-⁹]+){0,5}")
_CALL = re.compile(
    r"[\[(]?\s*\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\s*[\])]?"
    r"|\[\s*(?:[a-z]{1,2}|[ivx]+|notes? \w{1,4}|n \d+|réf[^\]]{0,40}|à vérifier[^\]]{0,20})\s*\]",
    re.I,
)
_UNIT = re.compile(
    r"(?:^|[\s\d/(\u00a0\u202f·.])(?:[kcdm]?m|da?m|hm|µm|nm|[kM]?pc|ft|s|h|A|CO|O|N|NO|SO|CH|NH)\Z"
)
_VARIABLE = re.compile(r"(?:^|[^\w'’])[A-Za-zα-ω]\Z")
_POWER = re.compile(r"(?:^|[^\d\s\u00a0\u202f,.]|[×x*·=+(]\s?)\s?10\Z|(?:^|[a-zà-ÿ]\s)10\Z")
_FORMULA = re.compile(r"[×=+*/^(-]\s?\d{1,3}\Z|\([^()\s]{0,30}[+×/=-][^()]{0,30}\)\Z")
_SMALL = re.compile(r"(?:^|[^\d\s\u00a0\u202f,.]\s?)\d{1,2}\Z")
_EQUALS = re.compile(r"\s?[=+×]")


def raised(before: str, figures: str, after: str = "") -> str:
    """What stands for raised signs after `before`: nothing for the call of a note, else the signs.

    Units (km2), chemical formulas, ordinals (XXe) and what is no figure are kept, powers of ten are lifted.
    """
    before = before[-60:]
    plain = figures.strip()
    if not _CALL.fullmatch(plain) or not before.strip():
        return figures
    if before[-1].isspace():
        if after[:1].isalpha():  # the isotope of « le ¹⁴C »
            return figures
        before = before.rstrip()
    if plain in ("2", "3", "-1", "-2") and _UNIT.search(before):
        return figures
    if plain.isdecimal():
        if _VARIABLE.search(before) or _POWER.search(before):
            return figures.translate(_LIFTED)
        if _FORMULA.search(before) or _EQUALS.match(after):
            return figures.translate(_LIFTED)
    return ""


def without_typed_calls(text: str) -> str:
    """A text less the calls typed as superscript letters: « 1 312² habitants » but « 6 m² », « 10² », « x² »."""

    def kept(match: re.Match[str]) -> str:
        before = text[max(0, match.start() - 60) : match.start()]
        figures = match[0].translate(_RAISED)
        if _SMALL.search(before) and figures in ("2", "3"):
            return match[0]
        stays = raised(before, figures, text[match.end() : match.end() + 2])
        return match[0] if stays else ""

    return _TYPED.sub(kept, text)
