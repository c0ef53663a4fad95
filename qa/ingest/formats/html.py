"""The body of a page to paragraphs: tables by row, terms with their definitions, calls of notes left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from qa.ingest.formats.notes import raised
from qa.ingest.formats.rows import table_text

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
_UNSEEN = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "math-ml",
        "head",
        "title",
        "meta",
        "link",
        "iframe",
        "object",
        "embed",
        "canvas",
        "audio",
        "video",
        "map",
        "button",
        "select",
        "datalist",
        "input",
        "textarea",
        "progress",
        "meter",
    ]
)
_FURNITURE = frozenset(("nav", "footer", "aside"))
_ROLES = frozenset(("navigation", "banner", "contentinfo", "complementary", "search", "menu", "menubar"))
_NAMED = re.compile(
    r"(?:^|[\s_-])(?:nav(?:bar|igation)?|menus?|breadcrumbs?|fil-d-?ariane|cookies?|footer|sidebar|social|share|partage"
    r"|skip-?links?|pagination|newsletter)(?:$|[\s_-])",
    re.I,
)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_SPACES = re.compile(r"[^\S\u00a0\u202f]+")
_MOST_SPAN = 50
_MOST_CELLS = 200_000
_LAYOUT = frozenset(("table", "h1", "h2", "h3", "article", "section", "main", "form"))
_LINKS = 0.8

Element = Any  # of lxml, which has no types of its own


def parse_html(page: str) -> Element | None:
    """The tree of a page, None where there is nothing to make one of."""
    from lxml import etree, html

    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        return html.document_fromstring(page.encode("utf-8", "ignore"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):
        return None


def clear_of_furniture(tree: Element) -> Element:
    """The main element of a page, or its body, less menus, heads, feet and what is hidden; the tree is changed."""
    mains = [found for found in tree.iter("main") if not _is_hidden(found)] or [
        found
        for found in tree.iter("div")
        if found.get("role") == "main" or found.get("id") in ("main", "content", "contenu")
    ][:1]
    root = mains[0] if len(mains) == 1 else tree
    for element in [found for found in root.iter() if isinstance(found.tag, str)]:
        if element is not root and element.getparent() is not None and _is_furniture(element):
            element.drop_tree()
    return root


def _is_furniture(element: Element) -> bool:
    tag = element.tag
    if tag in _FURNITURE or element.get("role") in _ROLES or _is_hidden(element):
        return True
    if tag == "header":
        return element.find(".//h1") is None and not any(
            up.tag in ("article", "main") for up in element.iterancestors()
        )
    if tag in ("div", "ul", "ol", "section", "p", "span"):
        named = f"{element.get('class') or ''} {element.get('id') or ''}"
        if len(named) < 400 and _NAMED.search(named):
            return element.find(".//h1") is None and element.find(".//article") is None
        return tag in ("ul", "ol") and _is_menu(element)
    return False


def _is_menu(element: Element) -> bool:
    """A list of three and more short links and nothing else, outside prose."""
    items = [child for child in element if child.tag == "li"]
    if len(items) < 3 or any(up.tag in ("article", "td", "dd") for up in element.iterancestors()):
        return False
    text = " ".join(element.text_content().split())
    linked = sum(len(" ".join(link.text_content().split())) for link in element.iter("a") if link.get("href"))
    return linked >= _LINKS * max(len(text) - len(items), 1) and len(text) < 30 * len(items)


def _is_hidden(element: Element) -> bool:
    return element.get("hidden") is not None or bool(_HIDDEN.search((element.get("style") or "")[:300]))


def in_prose(tree: Element) -> Element:
    """The tree with its tables of data and lists of terms as paragraphs, and without the calls of notes."""
    from lxml import etree

    _lower(tree)
    for element in [found for found in tree.iter("table", "dl") if found.getparent() is not None]:
        if element.tag == "table" and _is_layout(element):
            continue
        text = _table(element) if element.tag == "table" else _terms(element)
        box = etree.Element("div")
        for line in text.split("\n\n"):
            etree.SubElement(box, "p").text = line
        box.tail = element.tail
        element.getparent().replace(element, box)
    return tree


def body_text(root: Element) -> str:
    """The text of a tree in paragraphs, the items of a list a line each."""
    _lower(root)
    blocks: list[str] = []
    line: list[str] = []

    def close(mark: str = "\n\n") -> None:
        text = _tidy("".join(line))
        line.clear()
        if text:
            blocks.append(f"{mark}{text}")

    def walk(element: Element, item: bool) -> None:
        tag = element.tag if isinstance(element.tag, str) else ""
        if tag in _UNSEEN or not tag:
            return
        if tag == "br":
            line.append("\n")
            return
        if tag == "pre":
            close()
            blocks.append(f"\n\n{element.text_content().strip()}")
            return
        if (tag == "table" and not _is_layout(element)) or tag == "dl":
            close()
            text = _table(element) if tag == "table" else _terms(element)
            if text:
                blocks.append(f"\n\n{text}")
            return
        block = tag in _BLOCKS
        if block:
            close("\n" if item else "\n\n")
        if tag == "li":
            line.append("- ")
        if element.text:
            line.append(_SPACES.sub(" ", element.text))
        for child in element:
            walk(child, item or tag == "li")
            if child.tail:
                line.append(_SPACES.sub(" ", child.tail))
        if block:
            close(_mark(tag, blocks))

    walk(root, False)
    close()
    return "".join(blocks).strip()


def _mark(tag: str, blocks: list[str]) -> str:
    """What stands before a paragraph: an item follows the one before it on the next line."""
    return "\n" if tag == "li" and blocks and blocks[-1].lstrip("\n").startswith("- ") else "\n\n"


def _tidy(text: str) -> str:
    lines = [" ".join(filter(None, line.split(" "))) for line in text.strip().split("\n")]
    tidy = "\n".join(line.strip() for line in lines).strip()
    return "" if tidy == "-" else tidy


def _lower(root: Element) -> None:
    """Put raised figures on the line, or leave them out where they call a note."""
    for element in [found for found in root.iter("sup") if found.getparent() is not None]:
        text = element.text_content()
        before, after = _before(element), (element.tail or "")[:3]
        for child in list(element):
            element.remove(child)
        element.text = raised(before, text, after)


def _before(element: Element) -> str:
    """The text of the same line just before an element."""
    previous = element.getprevious()
    if previous is not None:
        tail = previous.tail or ""
        return tail[-60:] if len(tail) > 2 or previous.tag == "br" else (previous.text_content() + tail)[-60:]
    parent = element.getparent()
    text = parent.text or ""
    if (
        not text
        and isinstance(parent.tag, str)
        and parent.tag not in _BLOCKS
        and parent.getparent() is not None
    ):
        return _before(parent)
    return text[-60:]


def _is_layout(table: Element) -> bool:
    """Whether a table only places parts of the page."""
    if any(found is not table for found in table.iter(*_LAYOUT)) or table.get("role") == "presentation":
        return True
    rows = list(table.iter("tr"))
    return len(rows) == 1 and len(list(rows[0].iter("td", "th"))) <= 2 and len(table.text_content()) > 300


def _table(table: Element) -> str:
    rows: list[list[str]] = []
    spanned: dict[int, tuple[str, int]] = {}
    heads: bool | None = None
    count = 0
    caption = "".join(_cell(found) for found in table.iter("caption"))
    for row in table.iter("tr"):
        cells: list[str] = []
        kinds: list[str] = []

        later: dict[int, tuple[str, int]] = {}
        for cell in row.iterchildren("td", "th"):
            _fill(cells, spanned)
            text = _cell(cell)
            wide, tall = _span(cell, "colspan"), _span(cell, "rowspan")
            for at in range(wide):
                if tall > 1:
                    later[len(cells)] = (text if at == 0 else "", tall - 1)
                cells.append(text if at == 0 else "")
            kinds.append(cell.tag)
        _fill(cells, spanned)
        spanned.update(later)
        count += len(cells)
        if count > _MOST_CELLS:
            break
        in_head = row.getparent() is not None and row.getparent().tag == "thead"
        if not rows and len(cells) > 1 and (in_head or all(kind == "th" for kind in kinds)):
            heads = True
        elif len(kinds) == 2 and kinds == ["th", "td"]:
            cells = [
                f"{cells[0].rstrip(' :')} : {cells[1]}" if all(cells[:2]) else "".join(cells),
                *cells[2:],
            ]
        rows.append(cells)
    text = table_text(rows, heads=heads)
    return f"{caption}\n\n{text}" if caption else text


def _fill(cells: list[str], spanned: dict[int, tuple[str, int]]) -> None:
    """Say again in this row what cells of rows above reach down to it, as far as the next free place."""
    while (above := spanned.pop(len(cells), None)) is not None:
        text, left = above
        if left > 1:
            spanned[len(cells)] = (text, left - 1)
        cells.append(text)


def _span(cell: Element, name: str) -> int:
    value = (cell.get(name) or "1").strip()
    return min(max(int(value), 1), _MOST_SPAN) if value.isdecimal() and len(value) < 6 else 1


def _cell(cell: Element) -> str:
    """A cell in one line, its paragraphs and items apart by commas."""
    parts: list[str] = []
    line: list[str] = []

    def close() -> None:
        text = _tidy("".join(line)).replace("\n", " ")
        line.clear()
        if text:
            parts.append(text)

    def walk(element: Element) -> None:
        if not isinstance(element.tag, str) or element.tag in _UNSEEN:
            return
        apart = element.tag in _BLOCKS or element.tag == "br"
        if apart:
            close()
        line.append(_SPACES.sub(" ", element.text or ""))
        for child in element:
            walk(child)
            line.append(_SPACES.sub(" ", child.tail or ""))
        if apart:
            close()

    walk(cell)
    close()
    return "".join(
        f"{', ' if at and parts[at - 1][-1] not in ',;:.!?' else ' ' if at else ''}{part}"
        for at, part in enumerate(parts)
    )


def _terms(terms: Element) -> str:
    """Each term of a list with its definitions."""
    return "\n\n".join(
        f"{', '.join(names)} : {', '.join(said)}" if names and said else ", ".join(names + said)
        for names, said in _groups(terms)
    )


def _groups(terms: Element) -> Iterator[tuple[list[str], list[str]]]:
    names: list[str] = []
    said: list[str] = []
    for child in terms.iter("dt", "dd"):
        if next((up for up in child.iterancestors("dl")), None) is not terms:
            continue
        if child.tag == "dt":
            if said:
                yield names, said
                names, said = [], []
            names.append(_cell(child).rstrip(" :"))
        else:
            said.append(_cell(child))
    if names or said:
        yield names, said
