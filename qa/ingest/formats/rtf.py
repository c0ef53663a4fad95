"""Rich text (.rtf)."""

from __future__ import annotations

import re
from pathlib import Path

from qa.errors import ArticleError
from qa.ingest.formats.content import Content
from qa.ingest.formats.dates import iso_date
from qa.ingest.formats.notes import raised, without_typed_calls

MAX_BYTES = 30_000_000

_RAISED = re.compile(r"\{(?:\\[a-z]+-?\d*[ ]?){0,20}?\\super(?:\\[a-z]+-?\d*[ ]?){0,20}?\s?([^{}\\]{1,30})\}")
_PICTURE = re.compile(r"(?<=[\s}])[0-9a-fA-F\s]{400,}")
_HIDDEN = re.compile(r"\{(?:\\[a-z]+-?\d*[ ]?){0,20}?\\v(?![a-z0-9])(?:[^{}\\]|\\[^{}]){0,5000}\}")
_FIELD = re.compile(r"\{\\(title|author)\s+([^{}]{0,500})\}")
_CREATED = re.compile(r"\{\\creatim\\yr(\d{4})\\mo(\d\d?)\\dy(\d\d?)")
_PARAGRAPHS = re.compile(r"\n\s*\n|\n")
_ROW = re.compile(r"\|$")


def read_rtf(path: Path) -> Content:
    """The text of a rich text document; title, author and date as its head says."""
    data = path.read_bytes()
    if len(data) > MAX_BYTES:
        raise ArticleError(
            f"document trop gros ({len(data) // 1_000_000} Mo), {MAX_BYTES // 1_000_000} Mo au plus"
        )
    if not data.lstrip()[:5].lower().startswith(b"{\\rtf"):
        raise ArticleError("ce n’est pas un document RTF valide")
    head = data[:20_000].decode("latin-1")
    fields = {
        name: text_of_rtf(b"{\\rtf1\\ansi " + value.encode("latin-1") + b"}")
        for name, value in _FIELD.findall(head)
    }
    created = _CREATED.search(head)
    date = iso_date("-".join([created[1], created[2].zfill(2), created[3].zfill(2)])) if created else None
    return Content(text_of_rtf(data), fields.get("title", ""), "", date, fields.get("author"))


def text_of_rtf(data: bytes) -> str:
    """The text of rich text, in paragraphs, less the calls of notes."""
    from striprtf.striprtf import rtf_to_text

    source = _PICTURE.sub("", data.decode("latin-1"))
    source = _HIDDEN.sub("", source)

    def lowered(match: re.Match[str]) -> str:
        before = re.sub(r"[{}]|\\[a-z]+-?\d*[ ]?", "", source[max(0, match.start() - 80) : match.start()])
        return raised(before, match[1], source[match.end() : match.end() + 3])

    source = _RAISED.sub(lowered, source)
    try:
        text = rtf_to_text(source, encoding="cp1252", errors="ignore")
    except Exception as error:  # the parser lets errors of many kinds through
        raise ArticleError("ce n’est pas un document RTF valide") from error
    lines = (line.strip() for line in text.replace("\xa0|", "|").split("\n"))
    return without_typed_calls("\n\n".join(_row(line) for line in lines if line.strip("| ")))


def _row(line: str) -> str:
    """A row of a table as the other formats write it."""
    if not line.endswith("|"):
        return line
    return " | ".join(cell.strip() for cell in line.split("|") if cell.strip())
