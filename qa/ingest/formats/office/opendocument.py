"""OpenDocument: texts (.odt), sheets (.ods) and slides (.odp)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from qa.errors import ArticleError
from qa.ingest.formats.content import Content, Marked
from qa.ingest.formats.dates import iso_date
from qa.ingest.formats.notes import raised, without_typed_calls
from qa.ingest.formats.office.package import Element, Package, opened
from qa.ingest.formats.rows import table_text
from qa.ingest.formats.tables import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, rows_text

_OFFICE, _TEXT, _TABLE, _STYLE, _DRAW, _META, _FO, _PRESENTATION = (
    f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}"
    for name in ("office", "text", "table", "style", "drawing", "meta", "xsl-fo-compatible", "presentation")
)
_DUBLIN = "{http://purl.org/dc/elements/1.1/}"
_LEFT_OUT = frozenset(
    {f"{_TEXT}tracked-changes", f"{_OFFICE}annotation", f"{_OFFICE}annotation-end", f"{_TEXT}note-citation"}
    | {f"{_TEXT}ruby-text", f"{_OFFICE}forms", f"{_TEXT}sequence-decls", f"{_OFFICE}event-listeners"}
    | {f"{_TEXT}page-number", f"{_TEXT}page-count", f"{_TEXT}hidden-text", f"{_TEXT}table-of-content-source"}
)
_MOST_SPACES = 100


@dataclass(slots=True)
class _List:
    """A list under way: how each level is numbered, and how far it is."""

    style: str
    counts: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Styles:
    """Names of styles that raise or hide, the text before and after the numbers of lists, heads and feet."""

    raised: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    numbers: dict[tuple[str, int], tuple[str, str, str, int, int]] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)


def read_odt(path: Path) -> Content:
    """The paragraphs, tables and notes of a text, in order, its heads and feet once."""
    with opened(path, "un document OpenDocument") as package:
        root = _body(package, "text")
        styles_root = package.xml_of("styles.xml")
        reader = _Reader(_styles(package.xml_of("content.xml"), styles_root))
        parts = list(reader.blocks(root))
        for head in [] if styles_root is None else styles_root.iter(f"{_STYLE}header", f"{_STYLE}footer"):
            parts += [
                text
                for text in reader.blocks(head)
                if text and text not in parts and any(map(str.isalpha, text))
            ]
        return _content(package, "\n\n".join(filter(None, parts)), tuple(reader.headings))


def read_odp(path: Path) -> Content:
    """The slides, a part each, with their notes."""
    with opened(path, "un diaporama OpenDocument") as package:
        root = _body(package, "presentation")
        reader = _Reader(_styles(package.xml_of("content.xml"), package.xml_of("styles.xml")))
        parts = [part for page in root.iter(f"{_DRAW}page") for part in reader.blocks(page)]
        return _content(package, "\n\n".join(filter(None, parts)))


def read_ods(path: Path) -> Content:
    """The sheets, each under its name, a row a paragraph."""
    with opened(path, "un classeur OpenDocument") as package:
        root = _body(package, "spreadsheet")
        reader = _Reader(_styles(package.xml_of("content.xml"), None))
        sheets = list(root.iterchildren(f"{_TABLE}table"))
        parts: list[str] = []
        left = MAX_CELLS
        for sheet in sheets:
            rows, left = reader.sheet(sheet, left)
            text = rows_text(rows)
            if text:
                parts.append(f"{sheet.get(f'{_TABLE}name') or ''}\n\n{text}" if len(sheets) > 1 else text)
        return _content(package, "\n\n".join(parts))


def _body(package: Package, kind: str) -> Element:
    root = package.xml_of("content.xml")
    body = None if root is None else next(root.iter(f"{_OFFICE}{kind}"), None)
    if body is None:
        if b"encryption-data" in package.bytes_of("META-INF/manifest.xml"):
            raise ArticleError(
                "document protégé par un mot de passe, enregistrez-en une copie sans protection"
            )
        raise ArticleError("ce n’est pas un document OpenDocument valide")
    return body


def _content(package: Package, text: str, headings: tuple[Marked, ...] = ()) -> Content:
    meta = package.xml_of("meta.xml")

    def said(*tags: str) -> str:
        texts = ((meta.findtext(f".//{tag}") or "").strip() for tag in tags) if meta is not None else ()
        return next(filter(None, texts), "")

    date = iso_date(said(f"{_META}creation-date", f"{_DUBLIN}date"))
    author = said(f"{_META}initial-creator", f"{_DUBLIN}creator")
    return Content(without_typed_calls(text), said(f"{_DUBLIN}title"), "", date, author, headings)


def _styles(*roots: Element | None) -> _Styles:
    styles = _Styles()
    for root in roots:
        if root is None:
            continue
        for style in root.iter(f"{_STYLE}style"):
            name = style.get(f"{_STYLE}name") or ""
            if style.get(f"{_STYLE}list-style-name"):
                styles.lists[name] = style.get(f"{_STYLE}list-style-name")
            for looks in style.iterchildren(f"{_STYLE}text-properties"):
                place = (looks.get(f"{_STYLE}text-position") or "").split()
                if place and (place[0] == "super" or (place[0].rstrip("%").isdecimal() and place[0] != "0%")):
                    styles.raised.add(name)
                if looks.get(f"{_TEXT}display") == "none":
                    styles.hidden.add(name)
        for shape in root.iter(f"{_TEXT}list-style", f"{_TEXT}outline-style"):
            name = shape.get(f"{_STYLE}name") or ""
            for level in shape:
                at = level.get(f"{_TEXT}level") or "1"
                if not at.isdecimal() or len(at) > 2:
                    continue
                form = level.get(f"{_STYLE}num-format") or ""
                if level.tag.endswith("-bullet"):
                    form = "bullet"
                start, shown = (
                    level.get(f"{_TEXT}{key}") or "1" for key in ("start-value", "display-levels")
                )
                styles.numbers[name, int(at)] = (
                    level.get(f"{_STYLE}num-prefix") or "",
                    form,
                    level.get(f"{_STYLE}num-suffix") or "",
                    int(start) if start.isdecimal() and len(start) < 7 else 1,
                    int(shown) if shown.isdecimal() and len(shown) < 3 else 1,
                )
    return styles


class _Reader:
    """The text of a document under reading, with its notes and lists."""

    def __init__(self, styles: _Styles) -> None:
        self._styles = styles
        self._notes: list[Element] = []
        self._counts: dict[str, dict[int, int]] = {}
        self.headings: list[Marked] = []

    def blocks(self, parent: Element, listed: tuple[str, int] | None = None) -> Iterator[str]:
        """The paragraphs and tables below an element; `listed` is the list they are items of, and its level."""
        for child in parent:
            tag = child.tag
            if tag in (f"{_TEXT}p", f"{_TEXT}h"):
                yield from self._paragraph(child, listed)
                listed = None
            elif tag == f"{_TEXT}list":
                yield from self._list(child, listed)
            elif tag == f"{_TABLE}table":
                rows, _ = self.sheet(child, MAX_CELLS)
                heads = child.find(f"{_TABLE}table-header-rows") is not None
                yield table_text(rows, heads=True if heads and len(rows) > 1 else None)
                yield from self._taken_notes()
            elif tag == f"{_TEXT}section" and child.get(f"{_TEXT}display") == "none":
                continue
            elif tag not in _LEFT_OUT:
                yield from self.blocks(child)

    def _list(self, items: Element, above: tuple[str, int] | None) -> Iterator[str]:
        style = items.get(f"{_TEXT}style-name") or (above[0] if above else "")
        level = above[1] + 1 if above else 1
        counts = self._counts.setdefault(style, {})
        if items.get(f"{_TEXT}continue-numbering") != "true" and not items.get(f"{_TEXT}continue-list"):
            counts.pop(level, None)
        for item in items.iterchildren(f"{_TEXT}list-item", f"{_TEXT}list-header"):
            first = True
            for child in item:
                if child.tag == f"{_TEXT}list":
                    yield from self._list(child, (style, level))
                else:
                    numbered = first and item.tag == f"{_TEXT}list-item"
                    yield from self._alone(child, (style, level) if numbered else None)
                    first = False

    def _alone(self, child: Element, listed: tuple[str, int] | None) -> Iterator[str]:
        if child.tag in (f"{_TEXT}p", f"{_TEXT}h"):
            yield from self._paragraph(child, listed)
        elif child.tag not in _LEFT_OUT:
            yield from self.blocks(child)

    def _paragraph(self, paragraph: Element, listed: tuple[str, int] | None) -> Iterator[str]:
        if paragraph.get(f"{_TEXT}style-name") in self._styles.hidden:
            return
        boxes: list[Element] = []
        text = self._line(paragraph, boxes).strip()
        if paragraph.tag == f"{_TEXT}h" and listed is None:
            level = paragraph.get(f"{_TEXT}outline-level") or "1"
            listed = ("Outline", int(level)) if level.isdecimal() and len(level) < 3 else None
        label = self._label(*listed) if listed and text else ""
        shown = f"{label} {text}" if label else text
        if paragraph.tag == f"{_TEXT}h" and shown and "\n" not in shown:
            level = paragraph.get(f"{_TEXT}outline-level") or "1"
            self.headings.append(Marked(int(level) if level in "123456789" else 1, shown))
        yield shown
        yield from self._taken_notes()
        for box in boxes:
            yield from self.blocks(box)

    def _label(self, style: str, level: int) -> str:
        """The number or mark a list shows before its next item."""
        shape = self._styles.numbers.get((style, level))
        if shape is None:
            return "–" if style and style != "Outline" else ""
        prefix, form, suffix, start, shown = shape
        if form == "bullet":
            return "–"
        counts = self._counts.setdefault(style, {})
        counts[level] = counts.get(level, start - 1) + 1
        for deeper in [at for at in counts if at > level]:
            del counts[deeper]
        if not form:
            return f"{prefix}{suffix}".strip()
        numbers = []
        for at in range(max(1, level - shown + 1), level + 1):
            other = self._styles.numbers.get((style, at), shape)
            numbers.append(_written(counts.get(at, other[3]), other[1]))
        return f"{prefix}{'.'.join(filter(None, numbers))}{suffix}".strip()

    def _taken_notes(self) -> Iterator[str]:
        taken, self._notes = self._notes, []
        for note in taken:
            text = " ".join(filter(None, self.blocks(note)))
            if text:
                yield text

    def _line(self, parent: Element, boxes: list[Element]) -> str:
        kept = ""
        lifted = ""
        for high, text in [*self._pieces(parent, boxes, False), (False, "")]:
            if high:
                lifted += text
                continue
            if lifted:
                kept += raised(kept[-80:], lifted, text[:3])
                lifted = ""
            kept += text
        return kept

    def _pieces(self, parent: Element, boxes: list[Element], high: bool) -> Iterator[tuple[bool, str]]:
        if parent.text:
            yield high, _plain(parent.text)
        for child in parent:
            tag = child.tag
            style = child.get(f"{_TEXT}style-name") or ""
            if tag == f"{_TEXT}note":
                self._notes += child.iterchildren(f"{_TEXT}note-body")
            elif tag == f"{_TEXT}s":
                count = child.get(f"{_TEXT}c") or "1"
                yield (
                    high,
                    " " * (min(int(count), _MOST_SPACES) if count.isdecimal() and len(count) < 6 else 1),
                )
            elif tag == f"{_TEXT}tab":
                yield False, "\t"
            elif tag == f"{_TEXT}line-break":
                yield False, "\n"
            elif tag == f"{_DRAW}frame" or tag.startswith(_DRAW):
                boxes.append(child)
            elif tag not in _LEFT_OUT and style not in self._styles.hidden:
                yield from self._pieces(child, boxes, high or style in self._styles.raised)
            if child.tail:
                yield high, _plain(child.tail)

    def sheet(self, sheet: Element, left: int) -> tuple[list[list[str]], int]:
        """The rows of a table, and how many cells may still be read; those that are repeated empty are one."""
        rows: list[list[str]] = []
        covered: dict[int, str] = {}
        for row in _rows(sheet):
            cells: list[str] = []
            for cell in row.iterchildren(f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
                text = " ".join(filter(None, self.blocks(cell)))
                times = (
                    _times(cell, "number-columns-repeated")
                    if text
                    else min(_times(cell, "number-columns-repeated"), 50)
                )
                if cell.tag.endswith("covered-table-cell"):
                    text = text or (covered.get(len(cells), "") if len(cells) == 0 else "")
                elif len(cells) == 0:
                    covered[0] = text
                cells += [text] * min(times, MAX_COLUMNS - len(cells))
            times = _times(row, "number-rows-repeated") if any(cells) else 1
            left -= len(cells) * times
            if left < 0 or len(rows) + times > MAX_ROWS:
                raise ArticleError(f"tableau trop grand, {MAX_ROWS} lignes et {MAX_CELLS} cellules au plus")
            rows += [cells] * times
        return rows, left


def _rows(parent: Element) -> Iterator[Element]:
    for child in parent:
        if child.tag == f"{_TABLE}table-row":
            yield child
        elif child.tag in (f"{_TABLE}table-header-rows", f"{_TABLE}table-row-group", f"{_TABLE}table-rows"):
            yield from _rows(child)


def _times(element: Element, name: str) -> int:
    value = element.get(f"{_TABLE}{name}") or "1"
    return max(int(value), 1) if value.isdecimal() and len(value) < 9 else 1


def _plain(text: str) -> str:
    """Text of an XML file: a line end in it is a space."""
    return text.replace("\n", " ").replace("\t", " ")


def _written(number: int, form: str) -> str:
    from qa.ingest.formats.office.styles import written

    forms = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
    return written(number, forms[form]) if form in forms else ""
