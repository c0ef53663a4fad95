"""One reader a file type: a path to what the file says. A reader raises ArticleError with the reason alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qa.ingest.formats.content import MAX_TEXT_CHARS, Content, clean, read_text_file
from qa.ingest.formats.dates import iso_date
from qa.ingest.formats.encodings import decode
from qa.ingest.formats.markdown import read_md
from qa.ingest.formats.pdf import read_pdf
from qa.ingest.formats.web import read_html
from qa.ingest.formats.word import read_docx

__all__ = ["MAX_TEXT_CHARS", "READERS", "Content", "clean", "decode", "iso_date", "read_text_file"]


def _read_txt(path: Path) -> Content:
    return Content(read_text_file(path))


READERS: dict[str, Callable[[Path], Content]] = {
    ".txt": _read_txt,
    ".md": read_md,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
}
