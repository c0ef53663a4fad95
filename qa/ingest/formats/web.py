"""Web pages saved as files."""

from __future__ import annotations

import logging
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from qa.errors import ArticleError
from qa.ingest.formats.content import Content, Marked
from qa.ingest.formats.dates import iso_date
from qa.ingest.formats.encodings import decode
from qa.ingest.formats.html import body_text, clear_of_furniture, in_prose, parse_html
from qa.ingest.formats.notes import without_typed_calls

MAX_BYTES = 20_000_000
MAX_TAGS = 100_000
MAX_ATTRIBUTES = 1_000

_TAG = re.compile(r"<[a-zA-Z][^<>]*")
_ATTRIBUTE = re.compile(r"[^\s\"'=<>/]+(?:\s*=\s*(?:\"[^\"]*\"?|'[^']*'?|[^\s\"'>]+))?")
MAX_HEADING_CHARACTERS = 300
_HEADING_TAGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6, "summary": 7}
_APART = frozenset({"nav", "footer", "aside", "form", "button"})
_MAIN = frozenset({"article", "main"})
_LINE_BREAK = re.compile(r"\n(?!- )")
_SHORT_PAGE = 3_000
_LOST = 0.25
_XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]{0,200}\?>")
_DECLARED = re.compile(
    rb"<meta[^>]{0,200}charset=[\"']?([\w-]{3,30})|<\?xml[^>]{0,100}encoding=[\"']([\w-]{3,30})", re.I
)


def read_html(path: Path) -> Content:
    """The main content of a page, without menus, advertisements or scripts, a blank line between paragraphs.

    A short page is read whole but for its furniture; of a long one trafilatura finds the main part.
    Pages beyond the limits are refused: the parser needs quadratic time for the attributes of one tag.
    """
    data = path.read_bytes()
    if len(data) > MAX_BYTES:
        raise ArticleError(
            f"page trop grosse ({len(data) // 1_000_000} Mo), {MAX_BYTES // 1_000_000} Mo au plus"
        )
    return page_content(decode_page(data))


def decode_page(data: bytes) -> str:
    """The text of a page; the encoding it declares decides only where its bytes are no UTF-8."""
    declared = _DECLARED.search(data[:4_000])
    name = (declared[1] or declared[2]).decode("ascii", "ignore").lower() if declared else ""
    if name and not name.startswith(("utf-8", "utf8", "iso-8859-1", "windows-1252", "latin")):
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            try:
                return data.decode(name).replace("\0", "")
            except (LookupError, UnicodeDecodeError):
                pass
    return decode(data).replace("\0", "")


def text_of_html(page: str) -> str:
    """All text of a page or of a part of one, in paragraphs."""
    _refuse_what_is_too_much(page)
    tree = parse_html(_XML_DECLARATION.sub("", page))
    return "" if tree is None else without_typed_calls(body_text(tree))


def page_content(page: str) -> Content:
    """What a page says, and who, when and where, as it says it."""
    _refuse_what_is_too_much(page)
    page = _XML_DECLARATION.sub("", page)
    tree = parse_html(page)
    if tree is None:
        raise ArticleError("cette page HTML est trop abîmée pour être lue")
    whole = body_text(clear_of_furniture(parse_html(page)))
    document = _extracted(in_prose(tree))
    title = (document.title or "") if document else ""
    headings = tuple(_headings(page))
    text = _LINE_BREAK.sub("\n\n", _with_headings(document.text or "", headings)) if document else ""
    if len(whole) <= _SHORT_PAGE or len(text) < _LOST * len(whole):
        text = whole or text
    if not text.strip():
        raise ArticleError("aucun texte principal trouvé dans cette page")
    text = text.removeprefix(f"{title}\n") if title else text
    source, date, author = (
        (document.url or "", iso_date(document.date), document.author) if document else ("", None, None)
    )
    marked = tuple(heading.mark for heading in headings)
    return Content(without_typed_calls(text.strip()), title, source, date, author, marked)


def _refuse_what_is_too_much(page: str) -> None:
    for count, tag in enumerate(_TAG.finditer(page)):
        long = len(tag[0]) > MAX_ATTRIBUTES
        if count >= MAX_TAGS or (long and sum(1 for _ in _ATTRIBUTE.finditer(tag[0])) > MAX_ATTRIBUTES):
            raise ArticleError("page trop compliquée, enregistrez-en seulement le texte")


def _extracted(tree: Any) -> Any:
    """What trafilatura finds in a page, None where it finds nothing."""
    import trafilatura

    for name in ("trafilatura", "htmldate"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        document = trafilatura.bare_extraction(
            tree,
            favor_recall=True,
            include_comments=False,
            with_metadata=True,
            date_extraction_params={"original_date": True, "extensive_search": False},
        )
    except Exception as error:  # the parsers below let errors of many kinds through
        raise ArticleError("cette page HTML est trop abîmée pour être lue") from error
    return None if isinstance(document, dict) else document


class _Placed(NamedTuple):
    """A heading of the page, and the text that follows it."""

    mark: Marked
    after: str


def _headings(page: str) -> Iterator[_Placed]:
    """The headings h1 to h6 of the page, and the questions of its `summary`, outside menus."""
    from trafilatura import load_html

    root = load_html(page)
    if root is None:
        return
    waiting: list[Marked] = []
    for element in root.iter(*_HEADING_TAGS, "p", "li", "td", "dd"):
        above = [other.tag for other in element.iterancestors()]
        if not _APART.isdisjoint(above) or ("header" in above and _MAIN.isdisjoint(above)):
            continue
        text = " ".join(element.text_content().split())
        if text and element.tag in _HEADING_TAGS:
            if len(text) <= MAX_HEADING_CHARACTERS:
                waiting.append(Marked(_HEADING_TAGS[element.tag], text))
        elif text:
            yield from (_Placed(mark, text) for mark in waiting)
            waiting = []
    yield from (_Placed(mark, "") for mark in waiting)


def _with_headings(text: str, headings: Sequence[_Placed]) -> str:
    """The extracted text, with the headings put back that its extraction lost, where the text below them is."""
    lines = text.split("\n")
    places: dict[str, list[int]] = defaultdict(list)
    for number, line in enumerate(lines):
        places[_start(line)].append(number)
    lost: dict[int, list[str]] = defaultdict(list)
    reached = 0
    for mark, after in headings:
        here = places.get(_start(mark.text), [])
        if (at := bisect_left(here, reached)) < len(here):
            reached = here[at]
            continue
        below = places.get(_start(after), []) if after else []
        if (at := bisect_left(below, reached)) < len(below):
            reached = below[at]
            lost[reached].append(mark.text)
    return "\n".join(line for number, own in enumerate(lines) for line in (*lost.get(number, ()), own))


def _start(line: str) -> str:
    return "".join(filter(str.isalnum, line[:200]))[:60]
