"""Word documents (.docx)."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from qa.errors import ArticleError
from qa.ingest.formats.content import Content, Marked
from qa.ingest.formats.dates import iso_date

if TYPE_CHECKING:
    from docx.oxml.xmlchemy import BaseOxmlElement as Element

MAX_UNPACKED_BYTES = 300_000_000
MAX_XML_BYTES = 50_000_000

_OLD_WORD_OR_LOCKED = bytes.fromhex("d0cf11e0a1b11ae1")
MAX_HEADING_CHARACTERS = 200
_BOLD_LEVEL = 7
_OFF = ("0", "false", "off")
_HEADING_STYLE = re.compile(
    r"(?:title|titre|heading|überschrift|título|titolo|intertitre)(?:\s?([1-9]))?(?:\s?car)?", re.I
)
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
        headings = tuple(_headings(body, document.styles.element))
        return Content(text, about.title or "", "", iso_date(about.created), about.author, headings)
    except Exception as error:  # python-docx lets the errors of zipfile, lxml and its own parts through
        raise ArticleError("ce n’est pas un document Word (.docx) valide") from error


def _headings(body: Element, styles: Element) -> Iterator[Marked]:
    """Its headings: by their own or their style's level in the outline, or by the style's name; and lines in bold."""
    levels = _levels(styles)
    for paragraph in body.iterchildren(f"{_WORD}p"):
        text = " ".join(_paragraph(paragraph).split())
        if not text or len(text) > MAX_HEADING_CHARACTERS:
            continue
        style = paragraph.find(f"{_WORD}pPr/{_WORD}pStyle")
        own = _outline_level(paragraph)
        level = own or (levels.get(style.get(f"{_WORD}val", ""), 0) if style is not None else 0)
        if not level and not text.endswith((".", ";", ",")) and _all_bold(paragraph):
            level = _BOLD_LEVEL
        if level:
            yield Marked(level, text)


def _levels(styles: Element) -> dict[str, int]:
    """The level of each style of headings, by its id; a style without one has that of the style it is based on."""
    levels: dict[str, int] = {}
    based: dict[str, str] = {}
    for style in styles.iterchildren(f"{_WORD}style"):
        id_, name, base = (
            style.get(f"{_WORD}styleId", ""),
            style.find(f"{_WORD}name"),
            style.find(f"{_WORD}basedOn"),
        )
        named = _HEADING_STYLE.fullmatch(name.get(f"{_WORD}val", "") if name is not None else "")
        level = _outline_level(style) or ((int(named[1] or 1)) if named else 0)
        if level:
            levels[id_] = level
        elif base is not None:
            based[id_] = base.get(f"{_WORD}val", "")
    for id_ in based:
        root, steps = id_, 0
        while root in based and steps < 20:
            root, steps = based[root], steps + 1
        if root in levels:
            levels[id_] = levels[root]
    return levels


def _outline_level(element: Element) -> int:
    """From 1; 0 for that of a body text."""
    found = element.find(f"{_WORD}pPr/{_WORD}outlineLvl")
    value = found.get(f"{_WORD}val", "9") if found is not None else "9"
    return int(value) + 1 if value.isdigit() and int(value) < 9 else 0


def _all_bold(paragraph: Element) -> bool:
    runs = [
        run
        for run in paragraph.iter(f"{_WORD}r")
        if "".join(t.text or "" for t in run.iter(f"{_WORD}t")).strip()
    ]
    marks = [run.find(f"{_WORD}rPr/{_WORD}b") for run in runs]
    return bool(runs) and all(mark is not None and mark.get(f"{_WORD}val", "1") not in _OFF for mark in marks)


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
