"""PDF files: printed pages back to paragraphs."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from qa.errors import ArticleError
from qa.ingest.formats.content import Content
from qa.ingest.formats.dates import iso_date

MAX_PAGES = 10_000

_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_KEEPS_HYPHEN = re.compile(
    r"(?:il|ils|on|je|tu|ce|ci|là|lui|moi|toi|nous|vous|leur|mêmes?|dire|être)\b", re.I
)  # "a-t-|il", "c'est-à-|dire": a line broken at a hyphen that belongs to the word
_SENTENCE_END = (".", "!", "?", "…", "»", ":")
_FULL_LINE = 0.6


def read_pdf(path: Path) -> Content:
    """The text of a PDF without running heads, its lines joined to paragraphs, its hyphenated words made whole."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise ArticleError("PDF protégé par un mot de passe, enregistrez-en une copie sans protection")
        if len(reader.pages) > MAX_PAGES:
            raise ArticleError(f"PDF trop long ({len(reader.pages)} pages), découpez-le")
        pages = [page.extract_text() or "" for page in reader.pages]
        about: Mapping[str, object] = reader.metadata or {}
        title, author = str(about.get("/Title") or ""), str(about.get("/Author") or "")
        date = iso_date(about.get("/CreationDate"))
    except (ArticleError, OSError):
        raise
    except DependencyError as error:
        raise ArticleError("PDF chiffré, enregistrez-en une copie sans protection") from error
    except Exception as error:  # a damaged file makes pypdf raise almost anything
        raise ArticleError("PDF abîmé ou incomplet, ouvrez-le et enregistrez-le de nouveau") from error
    if not any(page.strip() for page in pages):
        raise ArticleError(
            "ce PDF ne contient que des images, passez-le d’abord par une reconnaissance de texte"
        )
    lines = [line for page in _without_running_heads(pages) for line in page]
    return Content(join_lines(lines), title, "", date, author)


def _without_running_heads(pages: Sequence[str]) -> list[list[str]]:
    """The lines of each page, less a first or last line that most pages share but for its number."""
    split = [[line.strip() for line in page.strip().split("\n")] for page in pages]
    edges = Counter(edge for lines in split for edge in {_numberless(lines[0]), _numberless(lines[-1])})
    running = {edge for edge, count in edges.items() if count >= 3 and count > len(pages) / 2}
    for lines in split:
        for at in (0, -1):
            if lines and _numberless(lines[at]) in running:
                lines.pop(at)
    return split


def _numberless(line: str) -> str:
    return re.sub(r"\d+", "#", line)


def join_lines(lines: Sequence[str]) -> str:
    """Printed lines to paragraphs: a line goes on in the next unless it is short and ends a sentence or a title."""
    lengths = sorted((len(line) for line in lines if line), reverse=True)
    width = lengths[len(lengths) // 4] if lengths else 0
    joined: list[str] = []
    for line, after in pairwise([*lines, ""]):
        line = line.translate(_LIGATURES)
        if line.endswith(("-", "\u00ad")) and line[-2:-1].isalpha() and after[:1].islower():
            joined.append(line if _hyphenated(line, after) else line[:-1])
        elif not line or (len(line) < _FULL_LINE * width and _ends_paragraph(line, after)):
            joined.append(f"{line}\n\n")
        else:
            joined.append(f"{line} ")
    return "".join(joined)


def _hyphenated(line: str, after: str) -> bool:
    """Whether the hyphen at the end of the line belongs to the word."""
    return line.endswith("-") and bool(_KEEPS_HYPHEN.match(after) or "-" in line.rsplit(maxsplit=1)[-1][:-1])


def _ends_paragraph(line: str, after: str) -> bool:
    return line.endswith(_SENTENCE_END) or not after[:1].islower()
