"""Word documents (.docx)."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from qa.errors import ArticleError
from qa.ingest.formats.content import Content
from qa.ingest.formats.dates import iso_date

if TYPE_CHECKING:
    from docx.oxml.xmlchemy import BaseOxmlElement as Element

MAX_UNPACKED_BYTES = 300_000_000
MAX_XML_BYTES = 50_000_000

_OLD_WORD_OR_LOCKED = bytes.fromhex("d0cf11e0a1b11ae1")
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_CHARACTERS = {f"{_WORD}tab": "\t", f"{_WORD}br": "\n", f"{_WORD}cr": "\n", f"{_WORD}noBreakHyphen": "-"}


def read_docx(path: Path) -> Content:
    """The paragraphs and tables of a Word document, in order, and its core properties (python-docx)."""
    _refuse_what_is_no_document(path)
    import docx

    try:
        document = docx.Document(str(path))
        body, about = document.element.body, document.core_properties
        for copy in list(body.iter(_FALLBACK)):
            copy.getparent().remove(copy)
        text = "\n\n".join(_block(block) for block in body.iterchildren())
        return Content(text, about.title or "", "", iso_date(about.created), about.author)
    except Exception as error:  # python-docx lets the errors of zipfile, lxml and its own parts through
        raise ArticleError("ce n’est pas un document Word (.docx) valide") from error


def _refuse_what_is_no_document(path: Path) -> None:
    with path.open("rb") as opened:
        if opened.read(8) == _OLD_WORD_OR_LOCKED:
            raise ArticleError(
                "document protégé ou d’un ancien Word, enregistrez-le en .docx sans mot de passe"
            )
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ArticleError("ce n’est pas un document Word (.docx) valide") from error
    if "word/document.xml" not in {part.filename for part in parts}:
        raise ArticleError("ce n’est pas un document Word, mais une autre archive renommée en .docx")
    xml = sum(part.file_size for part in parts if part.filename.endswith((".xml", ".rels")))
    if xml > MAX_XML_BYTES or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise ArticleError("document trop gros une fois décompressé, refusé par prudence")


def _block(block: Element) -> str:
    """A paragraph, or a table, a row a line. Cells are read as they stand: none is repeated to fill a span."""
    if block.tag != f"{_WORD}tbl":
        return "\n\n".join(_paragraph(p) for p in block.iter(f"{_WORD}p"))
    rows = (
        [_cell(cell) for cell in row.iterchildren(f"{_WORD}tc")] for row in block.iterchildren(f"{_WORD}tr")
    )
    return "\n".join(" | ".join(filter(None, row)) for row in rows)


def _cell(cell: Element) -> str:
    return " ".join(_paragraph(p) for p in cell.iter(f"{_WORD}p")).strip()


def _paragraph(paragraph: Element) -> str:
    """Its text: that of inserted changes, links and fields too, which python-docx leaves out.

    A text box anchored in it has paragraphs of its own.
    """
    kept = []
    for node in paragraph.iter(f"{_WORD}t", *_CHARACTERS):
        if next(node.iterancestors(f"{_WORD}p")) is not paragraph:
            continue
        parent = node.getparent()
        if node.tag == f"{_WORD}t":
            kept.append(node.text or "")
        elif parent is not None and parent.tag == f"{_WORD}r":
            kept.append(_CHARACTERS[str(node.tag)])
    return "".join(kept)
