"""Markdown: its front matter read, its marks taken off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from qa.ingest.formats.content import Content, Marked, read_text_file
from qa.ingest.formats.dates import iso_date

_FRONT_MATTER = re.compile(r"\s*---[ \t]*\n(.{0,20000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
_HEADING = re.compile(r"\s*#[ \t]+([^\n]*)\n?")
_FENCED = re.compile(r"^[ \t]*(```|~~~).{0,20000}?(?:^[ \t]*\1|\Z)", re.M | re.S)
_MARKED = re.compile(
    r"^[ \t]{0,3}(?:(?P<marks>#{1,6})[ \t]+(?P<text>[^\n]{1,300})"
    r"|(?P<under>[^\s>|\-*#][^\n]{0,300})\n[ \t]{0,3}(?P<rule>={3,}|-{3,})[ \t]*$"
    r"|(?P<bold>\*\*|__)(?P<strong>[^*_\n]{1,200})(?P=bold)[ \t]*$(?=\n\s*\S))",
    re.M,
)
_BOLD_LEVEL = 7
_TITLES, _SOURCES = ("title", "titre"), ("source", "url")
_DATES, _AUTHORS = ("date",), ("author", "auteur", "authors", "auteurs")

# Every repetition is bounded: a hostile file must not take quadratic time.
_TAKEN_OFF = (
    (re.compile(r"<!--.{0,5000}?-->", re.S), ""),
    (re.compile(r"^[ \t]*(?:```|~~~).*$", re.M), ""),
    (re.compile(r"^(?=[^\n]*-)(?=[^\n]*\|)[ \t:|-]++$", re.M), ""),  # the line under a table's head
    (re.compile(r"^[ \t]{0,3}(?:-{3,}|\*{3,}|_{3,})[ \t]*$", re.M), ""),
    (re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+", re.M), ""),
    (re.compile(r"^[ \t]{0,3}>[ \t]?", re.M), ""),
    (
        re.compile(
            r"!?\[([^\]\[\n]{0,500})\]"
            r"\((?:[^()\s]|\([^()\s]{0,200}\)){0,2000}(?:[ \t]+\"[^\"\n]{0,500}\")?\)"
        ),
        r"\1",
    ),
    (re.compile(r"<(https?://[^\s<>]{1,2000})>"), r"\1"),
    *[
        (
            re.compile(
                r"(?<![\w*\\])(\*{1,3})(?=[^\s*])((?:[^*\n]|\n(?!\n)){1,1000}?)(?<=[^\s*])\1(?![\w*])"
            ),
            r"\2",
        )
    ]
    * 2,
    *[(re.compile(r"(?<![\w\\])(_{1,3})(?=[^\s_])((?:[^_\n]|\n(?!\n)){1,1000}?)(?<=[^\s_])\1(?!\w)"), r"\2")]
    * 2,
    (re.compile(r"\\([\\`*_{}\[\]()#+.!>~|-])"), r"\1"),
)


def read_md(path: Path) -> Content:
    """The prose of a Markdown file; title, date, source and author from its front matter or first heading."""
    text = read_text_file(path).replace("\r\n", "\n")
    fields, text = _front_matter(text)
    title = _field(fields, _TITLES)
    heading = _HEADING.match(text)
    named = _plain(heading[1]).strip("# \t") if heading else ""
    if heading and title in ("", named):
        title, text = named, text[heading.end() :]
    date, author = iso_date(_field(fields, _DATES)), _field(fields, _AUTHORS)
    return Content(_plain(text), title, _field(fields, _SOURCES), date, author, tuple(_headings(text)))


def _headings(text: str) -> Iterator[Marked]:
    """Its headings: after "#", above a rule, and what stands alone in bold."""
    for match in _MARKED.finditer(_FENCED.sub("", text)):
        if match["marks"]:
            yield Marked(len(match["marks"]), _plain(match["text"]).rstrip("# \t"))
        elif match["under"]:
            yield Marked(1 if match["rule"][0] == "=" else 2, _plain(match["under"]))
        elif not match["strong"].rstrip().endswith((".", ";", ",")):
            yield Marked(_BOLD_LEVEL, _plain(match["strong"]))


def _front_matter(text: str) -> tuple[dict[str, object], str]:
    """Its fields, and the text after it. A colon in a title breaks YAML: then each line is a field by itself."""
    import yaml

    match = _FRONT_MATTER.match(text)
    if not match:
        return {}, text
    try:
        loaded = yaml.load(match[1], Loader=yaml.BaseLoader)  # every scalar a text, no object made
    except (yaml.YAMLError, ValueError, RecursionError):
        loaded = {
            key: value.strip("\"' \t") for key, value in re.findall(r"^(\w+)[ \t]*:(.*)$", match[1], re.M)
        }
    if not loaded or not isinstance(loaded, dict):
        return {}, text
    return {key.lower(): value for key, value in loaded.items() if isinstance(key, str)}, text[match.end() :]


def _field(fields: dict[str, object], names: tuple[str, ...]) -> str:
    """The first of the fields that is a text, or a list of texts."""
    for value in (fields.get(name) for name in names):
        texts = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]
        if any(texts):
            return ", ".join(filter(None, texts))
    return ""


def _plain(text: str) -> str:
    for mark, kept in _TAKEN_OFF:
        text = mark.sub(kept, text)
    return text
