"""French sentences as character offsets: rules for abbreviations, initials, quotes, numbers, lines and lists."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_WORDS = 120
MAX_CHARACTERS = 2_000

_WRAP_WIDTHS = range(50, 131)

_BLANK_LINE = re.compile(r"\n[^\S\n]*+\n\s*+")
_BOUNDARY = re.compile(
    r"\n|(?<![.!?…])[.!?…]++(?:[ \u00a0\u202f]?[»”]|[\"'’)\]]|\[\d{1,3}\])*+[.!?…]*+"  # "fin. »", "fin.[2]"
)
_OPENING = re.compile(r"(?:\s|[«“\"'‘(\[–—-])*+")
_CONTINUES = frozenset(",;:.!?…)]»”%")
_GLUED = re.compile(r"[«“]|(?!(?:Com|Fr|Org|Net|Js)\b)[A-ZÀ-ÖØ-ÞŒ](?:[a-zà-öø-ÿœ'’]|\s)")
_ADDRESS = re.compile(r"(?:://|www\.|@)\S*\Z")
_LIST_ITEM = re.compile(r"[^\S\n]*+(?:[-–—•*·▪]|\d{1,2}[.)]|[a-z]\))\s")
_NEXT_WORD = re.compile(r"\s*+(\S*)")
_ALPHANUMERIC = re.compile(r"[^\W_]")

_LAST_WORD = re.compile(r"(?:[^\W_]|[.'’-])+\Z")
_HEADING_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,2})*|[IVXLC]+|[A-Z]")
_INITIALS = re.compile(r"(?:[A-ZÀ-Ý]\.-?)*(?:[A-ZÀ-Ý]|[CPT]h)")
_TITLES = {"M", "MM", "Mme", "Mmes", "Mlle", "Mlles", "Me", "Mes", "Dr", "Drs", "Pr", "Mgr"}
_BEFORE_A_NUMBER = {
    *("art", "chap", "col", "fig", "max", "min", "n", "no", "nos", "op", "p", "pp", "t", "tél", "vol"),
}
_ABBREVIATIONS = {
    *("al", "apr", "av", "bd", "boul", "cf", "ed", "éd", "env", "ex", "hab", "ibid", "id", "jr", "nb", "ph"),
    *("prof", "réf", "sq", "sr", "st", "ste", "trad", "univ", "vs"),
    *("janv", "févr", "avr", "juil", "sept", "oct", "nov", "déc"),
}
_NUMBER = re.compile(r"[\d+]|[IVXLC]+\b(?!['’])|[A-Z]\.")
_SENTENCE_OPENER = re.compile(
    r"(?:[LDCSJNM]|Qu|Lorsqu|Puisqu)['’][a-zà-öø-ÿœ]|"
    r"(?:Les?|La|Une?|Des?|Du|En|Aux?|Cet|Cette|Ces?|Son|Sa|Ses|Leurs?|Ils?|Elles?|On|Je|Tu|Nous|Vous|Mais|Et|Ou|Or|"
    r"Donc|Car|Dans|Par|Pour|Sur|Sous|Sans|Avec|Selon|Après|Avant|Depuis|Pendant|Lors|Lorsque|Quand|Si|Que|Qui|Plus|"
    r"Plusieurs|Ainsi|Puis|Alors|Aussi|Cependant|Toutefois|Pourtant|Chaque|Tout|Tous|Toutes?|Certaine?s|Deux|Trois|À|"
    r"Chez|Entre|Vers|Voici|Voilà|Comme|Malgré|Face|Grâce|Pourquoi|Comment|Combien|Où|Quels?|Quelles?)"
    r"\s+[a-zà-öø-ÿœ«\d?]"
)
_CUTS = (re.compile(r"(?<=;)(?=\s)"), re.compile(r"(?<=,)(?=\s)"), re.compile(r"(?=\s)"))


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of every sentence, in order, trimmed, never empty, never across a blank line.

    None has more than 120 words or 2,000 characters: a longer one is cut at a semicolon, a comma or a space.
    """
    found: list[tuple[int, int]] = []
    for block in _blocks(text):
        for piece in _pieces(text, *block):
            found.extend(_bounded(text, *_trimmed(text, *piece)))
    return found


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Offsets of what stands between blank lines."""
    start = 0
    for blank in _BLANK_LINE.finditer(text):
        yield start, blank.start()
        start = blank.end()
    yield start, len(text)


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Offsets of the sentences of one block, not yet trimmed."""
    line_start, width = start, 0
    words_from = _first_word(text, start, end)
    for match in _BOUNDARY.finditer(text, start, end):
        ended = False
        if match[0] == "\n":
            width = width or max(map(len, text[start:end].split("\n")))
            ended = _ends_line(text, line_start, match.start(), end, width)
            line_start = match.end()
        elif words_from < match.start() and match.end() < end:
            ended = _ends_sentence(text, words_from, match, end)
        if ended:
            yield start, match.end()
            start = match.end()
            if words_from < start:
                words_from = _first_word(text, start, end)
    yield start, end


def _first_word(text: str, start: int, end: int) -> int:
    """Where the first letter or digit stands, else `end`."""
    found = _ALPHANUMERIC.search(text, start, end)
    return found.start() if found else end


def _ends_line(text: str, start: int, at: int, end: int, width: int) -> bool:
    """Whether the line break at `at` was meant, and does not only wrap a paragraph `width` characters wide.

    It was if the next line is a list item, or if the next word would have had its place at the end of this line.
    """
    if _LIST_ITEM.match(text, at, end):
        return True
    next_word = _NEXT_WORD.match(text, at, end)
    needed = at - start + 1 + (len(next_word[1]) if next_word else 0)
    if width >= _WRAP_WIDTHS.start and at - start < _WRAP_WIDTHS.stop and needed > width:
        return False
    return text[start:at].rstrip()[-1:] in (":", ";") or _may_start(text, at, end)


def _ends_sentence(text: str, start: int, match: re.Match[str], end: int) -> bool:
    """Whether the full stop or other mark at `match` ends the sentence whose words begin at `start`."""
    before, after = match.span()
    if text[after].isspace():
        goes_on = not _may_start(text, after, end)
    else:
        in_address = _ADDRESS.search(text, max(start, before - 200), before)
        goes_on = bool(in_address) or not _GLUED.match(text, after, end)
    return not goes_on and (match[0] != "." or not _abbreviates(text, start, before, end))


def _after_opening(text: str, at: int, end: int) -> int:
    """Past the spaces, quotes, brackets and dashes a sentence may open with."""
    opening = _OPENING.match(text, at, end)
    return opening.end() if opening else at


def _may_start(text: str, at: int, end: int) -> bool:
    """Whether a sentence may start after `at`: at anything but a small letter or a mark that goes on."""
    at = _after_opening(text, at, end)
    return at < end and not text[at].islower() and text[at] not in _CONTINUES


def _abbreviates(text: str, start: int, at: int, end: int) -> bool:
    """Whether the full stop at `at` belongs to an abbreviation, to initials or to the number of a heading."""
    word = _LAST_WORD.search(text, max(start, at - 24), at)
    if not word:
        return False
    if word.start() == start and _HEADING_NUMBER.fullmatch(word[0]):
        return True
    last = re.split("['’]", word[0])[-1]
    if last in _TITLES:
        return True
    follows = _after_opening(text, at + 1, end)
    if last.lower() in _BEFORE_A_NUMBER:
        return bool(_NUMBER.match(text, follows))
    if _INITIALS.fullmatch(last) or last.lower() in _ABBREVIATIONS:
        return not _SENTENCE_OPENER.match(text, follows)
    return False


def _bounded(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentence itself, or the pieces of one that is too long."""
    while end - start > MAX_WORDS:
        window = text[start : min(end, start + MAX_CHARACTERS)]
        words = window.split(maxsplit=MAX_WORDS)
        limit = start + len(window) - (len(words[-1]) if len(words) > MAX_WORDS else 0)
        if limit == end:
            break
        cut = next(filter(None, (_last(mark, text, (start + limit) // 2, limit) for mark in _CUTS)), limit)
        yield _trimmed(text, start, cut)
        start, end = _trimmed(text, cut, end)
    if start < end:
        yield start, end


def _last(mark: re.Pattern[str], text: str, start: int, end: int) -> int:
    """Where the mark stands last, or 0."""
    return max((m.start() for m in mark.finditer(text, start, end)), default=0)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
