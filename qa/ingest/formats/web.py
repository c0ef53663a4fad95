"""Web pages saved as files."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from qa.errors import ArticleError
from qa.ingest.formats.content import Content
from qa.ingest.formats.dates import iso_date
from qa.ingest.formats.encodings import decode

MAX_BYTES = 20_000_000
MAX_TAGS = 100_000
MAX_ATTRIBUTES = 1_000

_TAG = re.compile(r"<[a-zA-Z][^<>]*")
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
    text = (document.text or "").removeprefix(f"{title}\n")
    return Content(
        _LINE_BREAK.sub("\n\n", text), title, document.url or "", iso_date(document.date), document.author
    )
