"""Word documents (.docx, .docm, .dotx): what Word shows, in order, with its notes, heads, numbers and formulas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from qa.errors import ArticleError
from qa.ingest.formats.content import Content, Marked, readable
from qa.ingest.formats.notes import raised, without_typed_calls
from qa.ingest.formats.office.formulas import MATH, SYMBOLS, formula
from qa.ingest.formats.office.package import Element, Package, is_on, opened
from qa.ingest.formats.office.styles import Lists, Looks, Styles, W, looks_of_run, outline_level
from qa.ingest.formats.rows import table_text

_COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_RELATED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_SIGNS = {f"{W}tab": "\t", f"{W}ptab": "\t", f"{W}br": "\n", f"{W}cr": "\n", f"{W}noBreakHyphen": "-"}
_LEFT_OUT = frozenset(
    {
        f"{W}del",
        f"{W}moveFrom",
        f"{W}pPr",
        f"{W}rPr",
        f"{W}sdtPr",
        f"{W}instrText",
        f"{W}delText",
        f"{W}tblPr",
    }
    | {f"{W}trPr", f"{W}tcPr", f"{W}sectPr", f"{W}rubyPr", f"{W}rt", f"{_COMPATIBILITY}Fallback"}
)
_PAGE_NUMBER = re.compile(r"(?:[–—-]\s*)?(?:page|p\.)?\s*\d*\s*(?:(?:/|sur|de)\s*\d*)?\s*(?:[–—-])?", re.I)
_EQUALS = re.compile(r"\s*(?<![<>=:!])=(?!=)\s*")
_NOTES = ("footnotes", "endnotes")
_MOST_PARTS = 200
_BOLD_LEVEL = 7
MAX_HEADING_CHARACTERS = 200


def read_docx(path: Path) -> Content:
    """The text of a Word document; title, date and author from its core properties."""
    with opened(path, "un document Word") as package:
        return _Document(package).content()


class _Document:
    """A Word document under reading: its styles, its lists, the notes called so far."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._main = _main_part(package)
        self._relations = package.relations_of(self._main)
        self._styles = Styles(package.xml_of(self._target("styles") or "word/styles.xml"))
        self._lists = Lists.of(package.xml_of(self._target("numbering") or "word/numbering.xml"))
        self._looks: dict[str, Looks] = {}
        self._notes: dict[tuple[str, str], Element] = {}
        self._called: list[str] = []
        self._depth = 0
        self._headings: list[Marked] = []
        for kind in _NOTES:
            root = package.xml_of(self._target(kind))
            for note in [] if root is None else root:
                self._notes[kind, note.get(f"{W}id") or ""] = note

    def content(self) -> Content:
        root = self._package.xml_of(self._main)
        body = None if root is None else root.find(f"{W}body")
        if body is None:
            raise ArticleError("ce n’est pas un document Word (.docx) valide")
        parts = [*self._blocks(body), *self._heads(root)]
        title, date, author = self._package.properties()
        return Content(
            without_typed_calls("\n\n".join(filter(None, parts))),
            title,
            "",
            date,
            author,
            tuple(self._headings),
        )

    def _target(self, kind: str) -> str:
        return next((path for found, path in self._relations.values() if found == kind), "")

    def _heads(self, root: Element) -> list[str]:
        """The text of heads and feet, each once, less page numbers."""
        said: list[str] = []
        for tag in (f"{W}headerReference", f"{W}footerReference"):
            for reference in list(root.iter(tag))[:_MOST_PARTS]:
                _, path = self._relations.get(reference.get(f"{_RELATED}id") or "", ("", ""))
                part = self._package.xml_of(path)
                lines = [] if part is None else "\n\n".join(self._blocks(part)).split("\n")
                for line in (line.strip() for line in lines):
                    if line and line not in said and not _PAGE_NUMBER.fullmatch(line):
                        said.append(line)
        return said

    def _blocks(self, parent: Element) -> Iterator[str]:
        """The paragraphs and tables below an element, in order, each with the notes it calls."""
        for child in parent:
            tag = child.tag
            if tag == f"{W}p":
                yield from self._paragraph(child)
            elif tag == f"{W}tbl":
                yield self._table(child)
                yield from self._taken_notes()
            elif tag == f"{W}altChunk":
                yield self._chunk(child)
            elif tag not in _LEFT_OUT and not _is_placeholder(child):
                yield from self._blocks(child)

    def _paragraph(self, paragraph: Element) -> Iterator[str]:
        properties = paragraph.find(f"{W}pPr")
        style = _value(properties, "pStyle")
        boxes: list[Element] = []
        text = self._runs(paragraph, self._looks_of(style), boxes).strip()
        if text or boxes:
            label = self._lists.label(properties, style, self._looks_of(style))
            shown = f"{label} {text}" if label and text else text
            self._mark(paragraph, style, shown)
            yield shown
        yield from self._taken_notes()
        for box in boxes:
            yield from self._blocks(box)

    def _mark(self, paragraph: Element, style: str, text: str) -> None:
        """Keep a heading of the body: by its own or its style's level, or a line in bold."""
        line = " ".join(text.split())
        if not line or len(line) > MAX_HEADING_CHARACTERS or paragraph.getparent().tag != f"{W}body":
            return
        own = outline_level(paragraph)
        level = (self._looks_of(style).level or 0) if own is None else own
        if not level and not line.endswith((".", ";", ",")) and _all_bold(paragraph):
            level = _BOLD_LEVEL
        if level:
            self._headings.append(Marked(level, line))

    def _taken_notes(self) -> list[str]:
        taken, self._called = self._called, []
        return taken

    def _looks_of(self, style: str) -> Looks:
        if style not in self._looks:
            self._looks[style] = self._styles.looks(style)
        return self._looks[style]

    def _runs(self, parent: Element, looks: Looks, boxes: list[Element]) -> str:
        """The text of the runs below an element; calls of notes that were typed are left out."""
        kept = ""
        lifted = ""
        for is_raised, piece in [*self._pieces(parent, looks, boxes), (False, "")]:
            if is_raised:
                lifted += piece
                continue
            if lifted:
                kept += raised(kept[-80:], lifted, piece[:3])
                lifted = ""
            kept += piece
        return kept

    def _pieces(self, parent: Element, looks: Looks, boxes: list[Element]) -> Iterator[tuple[bool, str]]:
        for child in parent:
            tag = child.tag
            if tag == f"{W}r":
                yield from self._run(child, looks, boxes)
            elif tag in (f"{MATH}oMath", f"{MATH}oMathPara"):
                yield False, _EQUALS.sub(" = ", formula(child))
            elif tag == f"{W}txbxContent":
                boxes.append(child)
            elif tag not in _LEFT_OUT and not _is_placeholder(child):
                yield from self._pieces(child, looks, boxes)

    def _run(self, run: Element, paragraph: Looks, boxes: list[Element]) -> Iterator[tuple[bool, str]]:
        properties = run.find(f"{W}rPr")
        own = looks_of_run(properties)
        styled = self._looks_of(_value(properties, "rStyle"))
        hidden = next((looks.hidden for looks in (own, styled, paragraph) if looks.hidden is not None), False)
        if hidden:
            return
        is_raised = bool(next((looks.raised for looks in (own, styled) if looks.raised is not None), False))
        for child in run:
            tag = child.tag
            if tag == f"{W}t":
                yield is_raised, child.text or ""
            elif tag in _SIGNS:
                yield False, _SIGNS[tag]
            elif tag == f"{W}sym":
                code = child.get(f"{W}char") or ""
                yield is_raised, SYMBOLS.get(code.upper().removeprefix("F0"), "")
            elif tag in (f"{W}footnoteReference", f"{W}endnoteReference"):
                self._call(tag.removeprefix(W).removesuffix("Reference"), child.get(f"{W}id") or "")
            elif tag == f"{W}txbxContent":
                boxes.append(child)
            elif tag not in _LEFT_OUT:
                yield from self._pieces(child, paragraph, boxes)

    def _call(self, kind: str, number: str) -> None:
        note = self._notes.pop((f"{kind}s", number), None)
        if note is not None and self._depth < 3:
            self._depth += 1
            self._called += [" ".join(filter(None, self._blocks(note)))]
            self._depth -= 1

    def _table(self, table: Element) -> str:
        """Its rows; what a cell over several rows says at the left is said again in each of them."""
        rows: list[list[str]] = []
        heads: bool | None = None
        label = ""
        for row in _rows_of(table):
            if row.find(f"{W}trPr/{W}del") is not None:
                continue
            cells: list[str] = []
            for cell in _cells_of(row):
                properties = cell.find(f"{W}tcPr")
                text = " ".join(part for part in self._blocks(cell) if part).strip()
                merged = None if properties is None else properties.find(f"{W}vMerge")
                if merged is not None and not cells:
                    label = text if merged.get(f"{W}val") == "restart" else label
                    text = text or label
                span = _value(properties, "gridSpan")
                cells += [
                    text,
                    *[""] * (min(int(span), 100) - 1 if span.isdecimal() and len(span) < 4 else 0),
                ]
            if not rows and row.find(f"{W}trPr/{W}tblHeader") is not None and len(cells) > 1:
                heads = True
            rows.append(cells)
        return table_text(rows, heads=heads)

    def _chunk(self, chunk: Element) -> str:
        """The text of a part of another format that Word shows in its place."""
        from qa.ingest.formats.web import text_of_html

        _, path = self._relations.get(chunk.get(f"{_RELATED}id") or "", ("", ""))
        data = self._package.bytes_of(path)
        if not data:
            return ""
        if path.lower().endswith((".mht", ".mhtml")):
            from qa.ingest.formats.mail import html_of_archive

            data = html_of_archive(data)
        elif path.lower().endswith(".rtf") or data[:5] == b"{\\rtf":
            from qa.ingest.formats.rtf import text_of_rtf

            return text_of_rtf(data)
        elif path.lower().endswith((".docx", ".docm")) or data[:2] == b"PK":
            return _inner(data)
        elif b"<" not in data[:1_000]:
            return readable(data)
        return text_of_html(readable(data))


def _inner(data: bytes) -> str:
    """The text of a Word document in a Word document, but not of one in that."""
    import io
    import zipfile

    try:
        package = Package(zipfile.ZipFile(io.BytesIO(data)))
        root = package.xml_of(_main_part(package))
    except (zipfile.BadZipFile, ArticleError):
        return ""
    if root is None:
        return ""
    for chunk in list(root.iter(f"{W}altChunk")):
        chunk.getparent().remove(chunk)
    body = root.find(f"{W}body")
    return "" if body is None else "\n\n".join(_Document(package)._blocks(body))


def _main_part(package: Package) -> str:
    """The name of the main part, wherever it is."""
    for kind, path in package.relations_of("").values():
        if kind == "officeDocument" and path in package.names:
            return path
    types = package.xml_of("[Content_Types].xml")
    for override in [] if types is None else types:
        name = (override.get("PartName") or "").lstrip("/")
        if (override.get("ContentType") or "").endswith(
            ("document.main+xml", "template.main+xml")
        ) and name in package.names:
            return name
    if "word/document.xml" in package.names:
        return "word/document.xml"
    raise ArticleError("ce n’est pas un document Word, mais une autre archive renommée en .docx")


def _rows_of(parent: Element) -> Iterator[Element]:
    for child in parent:
        if child.tag == f"{W}tr":
            yield child
        elif child.tag not in _LEFT_OUT:
            yield from _rows_of(child)


def _cells_of(parent: Element) -> Iterator[Element]:
    for child in parent:
        if child.tag == f"{W}tc":
            yield child
        elif child.tag not in _LEFT_OUT:
            yield from _cells_of(child)


def _is_placeholder(element: Element) -> bool:
    return element.tag == f"{W}sdt" and element.find(f"{W}sdtPr/{W}showingPlcHdr") is not None


def _value(properties: Element | None, tag: str) -> str:
    found = None if properties is None else properties.find(f"{W}{tag}")
    return "" if found is None else found.get(f"{W}val") or ""


def _all_bold(paragraph: Element) -> bool:
    runs = [
        run for run in paragraph.iter(f"{W}r") if "".join(t.text or "" for t in run.iter(f"{W}t")).strip()
    ]
    marks = [run.find(f"{W}rPr/{W}b") for run in runs]
    return bool(runs) and all(mark is not None and is_on(mark, mark.get(f"{W}val")) for mark in marks)
