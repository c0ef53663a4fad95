"""One reader a file type: a path to what the file says. A reader raises ArticleError with the reason alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qa.ingest.formats.archives import read_epub, read_zip
from qa.ingest.formats.content import MAX_TEXT_CHARS, Content, Marked, clean, read_text_file
from qa.ingest.formats.dates import iso_date
from qa.ingest.formats.encodings import decode
from qa.ingest.formats.json import read_json
from qa.ingest.formats.mail import read_eml, read_mbox, read_mht
from qa.ingest.formats.markdown import read_md
from qa.ingest.formats.notes import without_typed_calls
from qa.ingest.formats.office.oldword import read_doc
from qa.ingest.formats.office.opendocument import read_odp, read_ods, read_odt
from qa.ingest.formats.office.slides import read_pptx
from qa.ingest.formats.office.word import read_docx
from qa.ingest.formats.pdf import read_pdf
from qa.ingest.formats.rtf import read_rtf
from qa.ingest.formats.tables import read_csv, read_xlsx
from qa.ingest.formats.web import read_html

__all__ = ["MAX_TEXT_CHARS", "READERS", "Content", "Marked", "clean", "decode", "iso_date", "read_text_file"]


def _read_txt(path: Path) -> Content:
    return Content(without_typed_calls(read_text_file(path)))


_DOCUMENTS: dict[str, Callable[[Path], Content | list[Content]]] = {
    **dict.fromkeys((".txt", ".text"), _read_txt),
    **dict.fromkeys((".md", ".markdown"), read_md),
    **dict.fromkeys((".html", ".htm", ".xhtml"), read_html),
    **dict.fromkeys((".mht", ".mhtml"), read_mht),
    ".pdf": read_pdf,
    **dict.fromkeys((".docx", ".docm", ".dotx", ".dotm"), read_docx),
    ".doc": read_doc,
    ".rtf": read_rtf,
    **dict.fromkeys((".odt", ".ott"), read_odt),
    **dict.fromkeys((".ods", ".ots"), read_ods),
    **dict.fromkeys((".odp", ".otp"), read_odp),
    **dict.fromkeys((".xlsx", ".xlsm"), read_xlsx),
    **dict.fromkeys((".pptx", ".pptm", ".ppsx"), read_pptx),
    **dict.fromkeys((".csv", ".tsv"), read_csv),
    ".json": read_json,
    ".epub": read_epub,
    ".eml": read_eml,
    ".mbox": read_mbox,
}


def _read_zip(path: Path) -> list[Content]:
    return read_zip(path, _DOCUMENTS)


READERS: dict[str, Callable[[Path], Content | list[Content]]] = {**_DOCUMENTS, ".zip": _read_zip}
