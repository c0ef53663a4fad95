"""What a file says, and its text cleaned."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from qa.errors import ArticleError
from qa.ingest.formats.encodings import decode

MAX_TEXT_CHARS = 20_000_000

_SAMPLE = 200_000
_BINARY_SHARE = 0.02
_BINARY = re.compile("[\x01-\x08\x0e-\x1b\ufffd]")
_UNSEEN = [
    *range(0x20),
    *range(0x7F, 0xA0),
    0xAD,
    0x200B,
    0x200E,
    0x200F,
    *range(0x202A, 0x202F),
    0x2060,
    0xFEFF,
]
_CLEANED = {
    **dict.fromkeys(_UNSEEN),
    **dict.fromkeys([0x0B, 0x0C, 0x85, 0x2028, 0x2029], "\n"),
    **{ord(kept): kept for kept in "\n\t"},
}
_ENDLESS_MARKS = re.compile(r"([^\w\s\x00-\x7f]{100})[^\w\s\x00-\x7f]+")


class Marked(NamedTuple):
    """A heading as its file marks it: its level, from 1, and its text."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Content:
    """What a file says, as it says it; "" or None where it does not.

    `headings` are lines of the text, in order; `pages` are the places in a clean text where each page of a PDF begins; `notices` say, in French, what of the file
    is not in the text; `name` tells apart the contents of a file that has several.
    """

    text: str
    title: str = ""
    source: str = ""
    date: str | None = None
    author: str | None = None
    headings: tuple[Marked, ...] = ()
    pages: tuple[int, ...] = ()
    notices: tuple[str, ...] = ()
    name: str = ""


def clean(text: str) -> str:
    """NFC text with plain line ends, without what cannot be seen nor space at its ends; the rest is kept as it is.

    A run of over a hundred accents or symbols is cut: normalising it would take quadratic time.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_CLEANED)
    text = _ENDLESS_MARKS.sub(r"\1", text.encode("utf-8", "ignore").decode("utf-8"))
    return unicodedata.normalize("NFC", text).strip()


def read_text_file(path: Path) -> str:
    """The text of a file; raises ArticleError where its bytes are no text."""
    return readable(path.read_bytes())


def readable(data: bytes) -> str:
    """The text that bytes stand for; raises ArticleError where they stand for none."""
    text = decode(data)
    sample = text[:_SAMPLE]
    if len(_BINARY.findall(sample)) > _BINARY_SHARE * len(sample):
        raise ArticleError("ce fichier ne contient pas de texte lisible, vérifiez son type")
    return text
