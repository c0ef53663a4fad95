"""The headings of a text: those that its file marks, those that are plain from the text, the heads of its mails."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from qa.ingest.formats.content import Marked

MAX_CHARACTERS = 300
QUESTION_LEVEL = 7

_PLAIN_CHARACTERS, _PLAIN_WORDS = 90, 14
_ALONE_CHARACTERS, _ALONE_WORDS = 60, 9
_FOLLOWING_CHARACTERS = 40
_BROKEN_CHARACTERS, _WIDE_CHARACTERS = 30, 55
_QUESTIONS_OF_AN_INTERVIEW = 3

_RULE = re.compile(r"([-=_*~#—–])\1{2,}")
_MAIL_FIELDS = re.compile(
    r"(?P<sender>de|from|expéditeur)|(?P<subject>objet|sujet|subject)|"
    r"(?:à|to|cc|cci|copie|date|envoyé(?: le)?|sent|destinataires?)",
    re.I,
)
_FIELD = re.compile(r"[>\s]*([^\W\d]{1,13}(?: le)?)\s?:(?=\s|$)")
_QUESTION = re.compile(r"(?:Q|Question)(?:\s?(?:n\s?°\s?)?\d{1,3})?\s?[.:)–—-]\s?\S")
_NUMBERED = re.compile(
    r"(?P<name>Articles?|Chapitre|Partie|Section|Titre|Annexe|Étape|Leçon|Fiche)\s+(?:\d{1,3}(?:\.\d{1,2})*|[IVXLC]+|[A-Z]|1er)"
    r"(?:\s?[.:–—-]|\s|$)|(?P<number>\d{1,2}(?:\.\d{1,2}){0,3}|[IVX]+(?=[.)]|\s?[–—-]))[.)]?\s?[–—-]?\s+(?=[«\"A-ZÀ-ÖØ-ÞŒ])"
)
_POST = re.compile(r"(?:-{2,}|={2,}|\*{2,}|~{2,}|#{1,6})\s?(?=\w)")
_NO_HEADING = re.compile(r"[-–—•*·▪>|»]|\d{1,2}[.)]\s+[a-zà-öø-ÿ]|[Pp]age\b|p\.\s?\d")
_STATES = re.compile(r"[:;|@\t€%=]|https?//")
_UNFINISHED = (".", ";", ",", "…", ":", "!")


@dataclass(frozen=True, slots=True)
class Heading:
    """Offsets, in an article's text, of a heading's own line, or of the lines at the head of a mail; level from 1."""

    start: int
    end: int
    level: int


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str
    blank_before: bool
    blank_after: bool


def headings_of(text: str, marked: Sequence[Marked] = ()) -> tuple[Heading, ...]:
    """The headings of a text, in order, none across another.

    Those that its file marked, where it marked some, else those that are plain from the text; the heads of mails and
    the questions of interviews in any case.
    """
    lines = list(_lines(text))
    found = list(_mails(lines))
    found += _questions(lines)
    found += list(_located(lines, marked)) or _plain(lines)
    kept: list[Heading] = []
    for heading in sorted(found, key=lambda heading: (heading.start, heading.level)):
        if not kept or heading.start >= kept[-1].end:
            kept.append(heading)
    return tuple(kept) if any(not _inside(line, kept) for line in lines) else ()


def text_of(text: str, heading: Heading) -> str:
    """What a heading says, on one line, without the marks around it."""
    lines = (line.strip() for line in text[heading.start : heading.end].split("\n"))
    shown = " · ".join(_POST.sub("", line).strip("#=~ \t") for line in lines if line)
    return " ".join(shown.split())


def is_mail_head(text: str, heading: Heading) -> bool:
    """Whether it is the head of a mail, which says who wrote to whom, and when."""
    return _field(text[heading.start : heading.end].split("\n", 1)[0]) != ""


def _lines(text: str) -> Iterator[_Line]:
    """The lines that hold something, without the space at their ends."""
    at, raw = 0, []
    for line in text.split("\n"):
        stripped = line.strip()
        start = at + len(line) - len(line.lstrip()) if stripped else at
        raw.append((start, stripped))
        at += len(line) + 1
    for number, (start, line) in enumerate(raw):
        if line:
            before = number == 0 or not raw[number - 1][1]
            after = number + 1 == len(raw) or not raw[number + 1][1]
            yield _Line(start, start + len(line), line, before, after)


def _inside(line: _Line, headings: Sequence[Heading]) -> bool:
    at = bisect_left(headings, line.start, key=lambda heading: heading.end)
    return at < len(headings) and headings[at].start <= line.start < headings[at].end


def _located(lines: Sequence[_Line], marked: Sequence[Marked]) -> Iterator[Heading]:
    """The marked headings where they stand, one after the other; one that is nowhere is left out."""
    places = defaultdict(list)
    for number, line in enumerate(lines):
        places[_bare(line.text)].append(number)
    reached = 0
    for mark in marked:
        numbers = places.get(_bare(mark.text), [])
        at = bisect_left(numbers, reached)
        if at < len(numbers) and len(lines[numbers[at]].text) <= MAX_CHARACTERS:
            line = lines[numbers[at]]
            reached = numbers[at] + 1
            yield Heading(line.start, line.end, max(1, mark.level))


def _bare(line: str) -> str:
    return "".join(filter(str.isalnum, line)).casefold()


def _field(line: str) -> str:
    """The name of the mail field that a line gives, or ""."""
    match = _FIELD.match(line)
    return match[1].lower() if match and _MAIL_FIELDS.fullmatch(match[1]) else ""


def _mails(lines: Sequence[_Line]) -> Iterator[Heading]:
    """The fields at the head of each mail: two of them at least, in rows, the sender or the subject among them."""
    rows: list[_Line] = []
    for line in [*lines, _Line(0, 0, "", True, True)]:
        if _field(line.text) and (not rows or not line.blank_before):
            rows.append(line)
            continue
        names = [_MAIL_FIELDS.fullmatch(_field(row.text)) for row in rows]
        if len(rows) > 1 and any(name and name.lastgroup for name in names):
            yield Heading(rows[0].start, rows[-1].end, 2)
        rows = [line] if _field(line.text) else []


def _questions(lines: Sequence[_Line]) -> list[Heading]:
    """The lines « Q : … », and, where there are several, the paragraphs that only ask, with something below."""
    asked, alone = [], []
    for line, after in pairwise(lines):
        if len(line.text) > MAX_CHARACTERS:
            continue
        heading = Heading(line.start, line.end, QUESTION_LEVEL)
        if _QUESTION.match(line.text):
            asked.append(heading)
        elif line.blank_before and line.text.rstrip("» ").endswith("?"):
            own = line.blank_after and not after.text.endswith("?")
            if own and not line.text.startswith(("-", "–", "—", ">")):
                alone.append(heading)
    return asked + (alone if len(alone) >= _QUESTIONS_OF_AN_INTERVIEW else [])


def _plain(lines: Sequence[_Line]) -> list[Heading]:
    """What can only be a heading: underlined, numbered, in capitals, or short and alone above a paragraph."""
    found = []
    for number, (line, after) in enumerate(pairwise(lines)):
        level = _underlined(line, after)
        if not level and not _RULE.fullmatch(line.text):
            below = next(
                (other for other in lines[number + 1 : number + 3] if not _RULE.fullmatch(other.text)), after
            )
            level = _plain_level(line, below, first=number == 0)
        if level:
            found.append(Heading(line.start, line.end, level))
    return found


def _underlined(line: _Line, after: _Line) -> int:
    rule = not line.blank_after and _RULE.fullmatch(after.text)
    short = len(line.text) <= _PLAIN_CHARACTERS and line.text[:1].isalnum()
    if not rule or not short or "|" in line.text or not line.blank_before:
        return 0
    return 1 if rule[1] == "=" else 2


def _plain_level(line: _Line, after: _Line, *, first: bool) -> int:
    text = line.text
    if len(text) > _PLAIN_CHARACTERS or len(text.split()) > _PLAIN_WORDS or sum(map(str.isalpha, text)) < 4:
        return 0
    if post := _POST.match(text):
        return post[0].strip().count("#") or 3
    if text.endswith(_UNFINISHED) or _NO_HEADING.match(text) or "\t" in text or "|" in text:
        return 0
    numbered = _NUMBERED.match(text)
    if numbered and line.blank_before:
        if numbered["name"]:
            return 2
        if line.blank_after or text.isupper():
            return 2 + numbered["number"].count(".")
    opens = text[0].isupper() or text[0].isdigit() or text[0] in '«"“'
    if not line.blank_before:
        return 0
    if text.endswith("?"):
        return 2 if numbered and text.isupper() else 0
    if not line.blank_after and not text.isupper():
        broken = (
            len(text) <= _BROKEN_CHARACTERS
            and len(after.text) >= _WIDE_CHARACTERS
            and after.text[:1].isupper()
        )
        return 4 if broken and opens and not first and not _STATES.search(text) else 0
    if text.isupper():
        return 1 if first else 2
    short = len(text) <= _ALONE_CHARACTERS and len(text.split()) <= _ALONE_WORDS
    opens = text[0].isupper() or text[0].isdigit() or text[0] in '«"“'
    if not (short and opens) or (_STATES.search(text) and not first):
        return 0
    goes_on = len(after.text) >= _FOLLOWING_CHARACTERS and not after.text.startswith(">")
    return (1 if first else 3) if goes_on or first else 0
