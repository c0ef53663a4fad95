"""Slides (.pptx): a part a slide, with its tables, diagrams and notes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from qa.errors import ArticleError
from qa.ingest.formats.content import Content, Marked
from qa.ingest.formats.notes import raised, without_typed_calls
from qa.ingest.formats.office.formulas import MATH, formula
from qa.ingest.formats.office.package import Element, Package, opened
from qa.ingest.formats.rows import table_text

MAX_SLIDES = 5_000

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_FURNITURE = frozenset(("sldNum", "dt", "ftr", "hdr", "sldImg"))
_TITLES = frozenset(("title", "ctrTitle"))


def read_pptx(path: Path) -> Content:
    """The text of slides, title first, then what is on them, then their notes."""
    with opened(path, "un diaporama") as package:
        main = next((p for kind, p in package.relations_of("").values() if kind == "officeDocument"), "")
        main = main if main in package.names else "ppt/presentation.xml"
        root = package.xml_of(main)
        if root is None:
            raise ArticleError("ce n’est pas un diaporama PowerPoint (.pptx) valide")
        relations = package.relations_of(main)
        slides = [relations.get(slide.get(f"{_R}id") or "", ("", ""))[1] for slide in root.iter(f"{_P}sldId")]
        if len(slides) > MAX_SLIDES:
            raise ArticleError(f"diaporama trop long ({len(slides)} diapositives)")
        headings: list[Marked] = []
        parts = [part for name in slides for part in _slide(package, name, headings)]
        title, date, author = package.properties()
        title = (
            ""
            if title.lower().startswith(("présentation powerpoint", "powerpoint", "diapositive"))
            else title
        )
        return Content(
            without_typed_calls("\n\n".join(filter(None, parts))), title, "", date, author, tuple(headings)
        )


def _slide(package: Package, name: str, headings: list[Marked]) -> Iterator[str]:
    root = package.xml_of(name)
    if root is None:
        return
    titles: list[str] = []
    body: list[str] = []
    _shapes(root, titles, body)
    title = " ".join(" ".join(titles).split())
    if title:
        headings.append(Marked(1, title))
    yield title
    yield from body
    for kind, path in package.relations_of(name).values():
        if kind == "diagramData":
            data = package.xml_of(path)
            for point in [] if data is None else data.iter(f"{_DIAGRAM}t"):
                yield from _paragraphs(point)
    for kind, path in package.relations_of(name).values():
        if kind == "notesSlide":
            notes = package.xml_of(path)
            said: list[str] = []
            if notes is not None:
                _shapes(notes, said, said)
            yield from said


def _shapes(root: Element, titles: list[str], body: list[str]) -> None:
    """The texts of the shapes below an element, those of titles apart."""
    for child in root:
        if child.tag == f"{_P}sp":
            place = child.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph")
            kind = "" if place is None else place.get("type") or ""
            text = child.find(f"{_P}txBody")
            if text is not None and kind not in _FURNITURE:
                (titles if kind in _TITLES else body).extend(_paragraphs(text))
        elif child.tag == f"{_A}tbl":
            body.append(_table(child))
        elif child.tag != _FALLBACK:
            _shapes(child, titles, body)


def _paragraphs(text: Element) -> Iterator[str]:
    for paragraph in text.iter(f"{_A}p"):
        said = _line(paragraph)
        if said:
            yield said


def _line(paragraph: Element) -> str:
    kept = ""
    lifted = ""
    for run in [*paragraph, None]:
        text, high = ("", False) if run is None else _run(run)
        if high:
            lifted += text
            continue
        if lifted:
            kept += raised(kept[-80:], lifted, text[:3])
            lifted = ""
        kept += text
    return kept.strip()


def _run(run: Element) -> tuple[str, bool]:
    """The text of a run, and whether it is raised."""
    if run.tag == f"{_A}br":
        return "\n", False
    if run.tag == f"{_A}fld" and (run.get("type") or "").startswith(("slidenum", "datetime")):
        return "", False
    if run.tag in (f"{_A}r", f"{_A}fld"):
        properties = run.find(f"{_A}rPr")
        baseline = "" if properties is None else properties.get("baseline") or ""
        return run.findtext(f"{_A}t") or "", baseline.rstrip("%").isdecimal() and int(
            baseline.rstrip("%")
        ) > 0
    return "".join(formula(math) for math in run.iter(f"{MATH}oMath")), False


def _table(table: Element) -> str:
    rows = [
        [" ".join(_paragraphs(cell)) for cell in row.iterchildren(f"{_A}tc")]
        for row in table.iterchildren(f"{_A}tr")
    ]
    properties = table.find(f"{_A}tblPr")
    first = properties is not None and properties.get("firstRow") in ("1", "true")
    return table_text(rows, heads=True if first and len(rows) > 1 else None)
