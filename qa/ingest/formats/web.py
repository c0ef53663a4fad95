"""Web pages saved as files."""

from __future__ import annotations

import logging
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from qa.errors import ArticleError
from qa.ingest.formats.content import Content, Marked, decode
from qa.ingest.formats.dates import iso_date

MAX_BYTES = 20_000_000
MAX_TAGS = 100_000
MAX_ATTRIBUTES = 1_000

_TAG = re.compile(r"<[a-zA-Z][^<>]*")
MAX_HEADING_CHARACTERS = 300
_HEADING_TAGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6, "summary": 7}
_APART = frozenset({"nav", "footer", "aside", "form", "button"})
_MAIN = frozenset({"article", "main"})
_LINE_BREAK = re.compile(r"\n(?!- )")


def read_html(path: Path) -> Content:
    """The main content of a page, without menus, advertisements or scripts, a blank line between paragraphs.

    Pages beyond the limits are refused: the parser needs quadratic time for the attributes of one tag and
    for the cells of one row.
    """
    data = path.read_bytes()
    if len(data) > MAX_BYTES:
        raise ArticleError(
            f"page trop grosse ({len(data) // 1_000_000} Mo), {MAX_BYTES // 1_000_000} Mo au plus"
        )
    page = decode(data).replace("\0", "")
    for count, tag in enumerate(_TAG.finditer(page)):
        attributes = max(tag[0].count("="), len(tag[0].split())) if len(tag[0]) > MAX_ATTRIBUTES else 0
        if count >= MAX_TAGS or attributes > MAX_ATTRIBUTES:
            raise ArticleError("page trop compliquée, enregistrez-en seulement le texte")

    import trafilatura

    for name in ("trafilatura", "htmldate"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        document = trafilatura.bare_extraction(
            page,
            favor_recall=True,
            include_comments=False,
            with_metadata=True,
            date_extraction_params={"original_date": True, "extensive_search": False},
        )
    except Exception as error:  # the parsers below let errors of many kinds through
        raise ArticleError("cette page HTML est trop abîmée pour être lue") from error
    if document is None or isinstance(document, dict) or not (document.text or "").strip():
        raise ArticleError("aucun texte principal trouvé dans cette page")
    title = document.title or ""
    headings = tuple(_headings(page))
    text = _with_headings(document.text or "", headings).removeprefix(f"{title}\n")
    return Content(
        _LINE_BREAK.sub("\n\n", text), title, document.url or "", iso_date(document.date), document.author,
        tuple(heading.mark for heading in headings),
    )  # fmt: skip


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
