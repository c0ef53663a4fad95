"""French sentences as character offsets: rules for abbreviations, initials, quotes, numbers, lines and lists."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_WORDS = 120

_BLANK_LINE = re.compile(r"\n[ \t\u00a0]*\n\s*")
_END = re.compile(r"(?:[.!?…]+[»”\"’')\]]*(?:[ \u00a0\u202f]»)?)(?=\s)|(?<=[a-zà-ÿ0-9»)])\.(?=[A-ZÀ-Ý][a-zà-ÿ'’])")
_STARTS = re.compile(r"\s*[«“\"'(\[–—-]*[\s\u00a0\u202f]*[A-ZÀ-ÝŒ0-9@#]")
_LIST_ITEM = re.compile(r"[ \t]*(?:[-–—•*·▪]|\d{1,2}[.)]|[a-z]\))[ \t]")
_LAST_WORD = re.compile(r"[\w°.'’-]+$")
_ABBREVIATIONS = frozenset(
    "m mm mme mmes mlle mlles me mes dr drs pr prof st ste mgr sr jr cf etc art al av apr bd boul chap éd ed env ex fig "
    "hab ibid id inc ltd max min n nb no nos op p pp ph paragr réf rééd s sq suiv supp t tel tél trad univ vol vs "
    "janv févr avr juil sept oct nov déc".split()
)
_ENDS_SENTENCE_TOO = frozenset(("etc", "inc", "ltd", "hab", "al", "suiv"))
_SHORT_LINE = 70


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of every sentence, in order, trimmed, never empty, never across a blank line.

    A sentence of more than 120 words is cut at a semicolon, a comma, or a space.
    """
    found: list[tuple[int, int]] = []
    for start, end in _blocks(text):
        for a, b in _pieces(text, start, end):
            while a < b and text[a].isspace():
                a += 1
            while b > a and text[b - 1].isspace():
                b -= 1
            if a < b:
                found.extend(_bounded(text, a, b))
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
    breaks = {m.end() for m in _END.finditer(text, start, end) if _ends_sentence(text, start, m, end)}
    line = text.find("\n", start, end)
    while line != -1:
        if _ends_line(text, start, line, end):
            breaks.add(line)
        line = text.find("\n", line + 1, end)
    for at in sorted(breaks):
        yield start, at
        start = at
    yield start, end


def _ends_sentence(text: str, start: int, match: re.Match[str], end: int) -> bool:
    mark, at = match[0], match.end()
    if at < end and not _STARTS.match(text, at):
        return False
    if not mark.startswith(".") or mark.startswith(".."):
        return not (mark[0] in "!?…" and text[at : at + 3].lstrip()[:1] in ("»", "”"))
    word = _LAST_WORD.search(text, max(start, match.start() - 24), match.start())
    last = word[0] if word else ""
    lower = last.lower().rsplit("'", 1)[-1].rsplit("’", 1)[-1]
    if lower in _ENDS_SENTENCE_TOO:
        return not text[at : at + 2].strip().isdigit()
    if lower in _ABBREVIATIONS:
        return False
    if re.fullmatch(r"(?:[A-ZÀ-Ý]\.-?)*[A-ZÀ-Ý]|[A-Z]h", last):
        return bool(re.fullmatch(r"(?:[A-Z]\.-?)+[A-Z]", last)) and last not in ("J.-C", "J.C") or last == "C"
    return True


def _ends_line(text: str, start: int, at: int, end: int) -> bool:
    """Whether a line break ends a sentence: before a list item, or after a short line such as a title."""
    if _LIST_ITEM.match(text, at + 1, end):
        return True
    line = text[max(start, text.rfind("\n", start, at) + 1) : at].rstrip()
    if line.endswith((".", "!", "?", "…", ":", "»")):
        return True
    return len(line) < _SHORT_LINE and bool(_STARTS.match(text, at + 1, end))


def _bounded(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentence itself, or pieces of at most 120 words of one that is too long."""
    words = list(re.finditer(r"\S+", text[start:end]))
    first = 0
    while len(words) - first > MAX_WORDS:
        cut = first + MAX_WORDS
        for mark in (";", ","):
            marked = [i for i in range(first + MAX_WORDS // 2, cut) if words[i][0].endswith(mark)]
            if marked:
                cut = marked[-1] + 1
                break
        yield start + words[first].start(), start + words[cut - 1].end()
        first = cut
    yield start + words[first].start(), end
