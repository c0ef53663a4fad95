"""What a file says, and the text its bytes stand for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from qa.errors import ArticleError

_SAMPLE = 200_000
_FRENCH_ENCODINGS = ["cp1252", "iso8859_15", "mac_roman", "cp850", "utf_16_le", "utf_16_be"]
_BINARY_SHARE = 0.02
_BINARY = re.compile("[\x01-\x08\x0e-\x1b\ufffd]")


class Marked(NamedTuple):
    """A heading as its file marks it: its level, from 1, and its text."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Content:
    """What a file says, as it says it; "" or None where it does not. `headings` are lines of the text, in order."""

    text: str
    title: str = ""
    source: str = ""
    date: str | None = None
    author: str | None = None
    headings: tuple[Marked, ...] = ()


def read_text_file(path: Path) -> str:
    """The text of a file; raises ArticleError where its bytes are no text."""
    text = decode(path.read_bytes())
    sample = text[:_SAMPLE]
    if len(_BINARY.findall(sample)) > _BINARY_SHARE * len(sample):
        raise ArticleError("ce fichier ne contient pas de texte lisible, vérifiez son type")
    return text


def decode(data: bytes) -> str:
    """Bytes to text: UTF-8, even slightly damaged, UTF-16 with its mark, else what charset-normalizer finds.

    It chooses among the encodings French is written in: on short texts, it takes the others for them too often.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("utf-8-sig", "replace")
    damaged = text.count("\ufffd")
    if sum(not c.isascii() for c in text[:_SAMPLE]) > 10 * damaged:
        return text

    from charset_normalizer import from_bytes

    best = from_bytes(data[:_SAMPLE], cp_isolation=_FRENCH_ENCODINGS).best()
    text = data.decode(best.encoding if best else "cp1252", "replace")
    if re.search("[a-z]½[a-z]", text):  # "c½ur": œ of ISO 8859-15 read as Windows-1252
        text = data.decode("iso8859_15", "replace")
    return text
