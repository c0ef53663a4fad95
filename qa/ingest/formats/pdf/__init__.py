"""PDF files: printed pages back to paragraphs (PDFium)."""

from __future__ import annotations

import re
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa.errors import ArticleError
from qa.ingest.formats.content import MAX_TEXT_CHARS, Content, clean
from qa.ingest.formats.dates import iso_date

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

    from qa.ingest.formats.pdf.page import Columns
    from qa.ingest.formats.pdf.paragraphs import Page

MAX_PAGES = 10_000

_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_NO_AUTHOR = re.compile(
    r"\(?(?:anonymous|unspecified|unknown|user|utilisateur|admin(?:istrat(?:or|eur))?)\)?", re.I
)
_SCAN_LETTERS = 50
_SCAN_SHARE, _PICTURE_SHARE = 0.3, 0.05
_PASSWORD, _SECURITY = 4, 5
_ONLY_IMAGES = "ce PDF ne contient que des images, passez-le d’abord par une reconnaissance de texte"
_one_at_a_time = threading.Lock()  # PDFium keeps its state in the process


def read_pdf(path: Path) -> Content:
    """The text of a PDF without running heads, its lines joined to paragraphs, its tables a row a paragraph.

    Form values and typed notes are read in their places; pages that are only pictures are told in `notices`.
    """
    from pypdfium2 import PdfDocument, PdfiumError

    with _one_at_a_time:
        try:
            document = PdfDocument(path)
        except PdfiumError as error:
            raise ArticleError(_refusal(error)) from error
        try:
            return _content(document)
        except PdfiumError as error:
            raise ArticleError("PDF abîmé ou incomplet, ouvrez-le et enregistrez-le de nouveau") from error
        finally:
            document.close()


def _refusal(error: Exception) -> str:
    code = getattr(error, "err_code", None)
    if code == _PASSWORD or "assword" in str(error):
        return "PDF protégé par un mot de passe, enregistrez-en une copie sans protection"
    if code == _SECURITY or "ecurity" in str(error):
        return "PDF chiffré d’une manière inconnue, enregistrez-en une copie sans protection"
    return "PDF abîmé ou incomplet, ouvrez-le et enregistrez-le de nouveau"


def _content(document: PdfDocument) -> Content:
    from qa.ingest.formats.pdf.page import Columns
    from qa.ingest.formats.pdf.paragraphs import paragraphs

    if len(document) > MAX_PAGES:
        raise ArticleError(f"PDF trop long ({len(document)} pages), découpez-le")
    if not len(document):
        raise ArticleError("ce PDF n’a aucune page")
    about = document.get_metadata_dict()
    form = None
    if document.get_formtype():
        document.init_forms()
        form = document.formenv
    columns, pages, scans, letters = Columns([], []), [], [], 0
    for number in range(len(document)):
        page, scanned = _read_page(document, number, form, columns)
        pages.append(page)
        scans += [number] if scanned else []
        letters += sum(len(line.text) for line in page.lines)
        if letters > MAX_TEXT_CHARS:
            raise ArticleError(f"texte trop long, {MAX_TEXT_CHARS} caractères au plus")
    pages = _without_stamps(pages, scans)
    if scans and not any(page.lines for number, page in enumerate(pages) if number not in set(scans)):
        raise ArticleError(_ONLY_IMAGES)
    text, begins = paragraphs(pages)
    if not text:
        raise ArticleError(_ONLY_IMAGES if scans else "aucun texte trouvé dans ce PDF")
    return Content(
        text,
        about.get("Title", "").strip(),
        "",
        iso_date(about.get("CreationDate", "")),
        "" if _NO_AUTHOR.fullmatch(about.get("Author", "").strip()) else about.get("Author", ""),
        pages=begins,
        notices=_notices(len(scans), len(pages)),
    )


def _read_page(document: PdfDocument, number: int, form: Any, columns: Columns) -> tuple[Page, bool]:
    """A page, and whether it is a picture with no more text than a stamp."""
    from qa.ingest.formats.pdf.fields import read_typed, with_typed
    from qa.ingest.formats.pdf.glyphs import read_pieces
    from qa.ingest.formats.pdf.page import Line, lay_out
    from qa.ingest.formats.pdf.paragraphs import Page
    from qa.ingest.formats.pdf.rules import Drawn, read_drawn

    page = document[number]
    textpage = page.get_textpage()
    try:
        drawn = read_drawn(page.raw)
        pieces, apart, turned = read_pieces(textpage.raw, drawn.upright)
        seen = sum(len(piece.text) for piece in pieces)
        scanned = seen < _SCAN_LETTERS and drawn.pictures >= (_SCAN_SHARE if seen else _PICTURE_SHARE)
        pieces = with_typed(pieces, read_typed(page.raw, form.raw if form else None))
        for piece in pieces:
            piece.text = clean(piece.text.translate(_LIGATURES))
        pieces = [piece for piece in pieces if piece.text]
        lines = lay_out(pieces, Drawn() if turned else drawn, columns)
        if apart := clean(apart):
            lines.append(Line(apart, 0.0, 0.0, 0.0, 1.0, whole=True))
        return Page(lines, page.get_height() or 1.0), scanned
    finally:
        textpage.close()
        page.close()


def _without_stamps(pages: list[Page], scans: list[int]) -> list[Page]:
    """The pages, less what several of those that are pictures bear: the name of the scanner."""
    from qa.ingest.formats.pdf.paragraphs import Page

    stamps = Counter(text for number in scans for text in {line.text for line in pages[number].lines})
    scanned = set(scans)
    return [
        Page([line for line in page.lines if stamps[line.text] < 2], page.height)
        if number in scanned
        else page
        for number, page in enumerate(pages)
    ]


def _notices(scans: int, pages: int) -> tuple[str, ...]:
    if not scans:
        return ()
    what = (
        "pages sur {} sont des images : leur texte n’est pas lu"
        if scans > 1
        else "page sur {} est une image : son texte n’est pas lu"
    )
    return (f"{scans} {what.format(pages)}, passez le PDF par une reconnaissance de texte",)
