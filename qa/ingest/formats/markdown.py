"""Markdown: its front matter read, its marks taken off."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

from qa.ingest.formats.content import Content, Marked, read_text_file
from qa.ingest.formats.dates import iso_date
from qa.ingest.formats.notes import raised, without_typed_calls
from qa.ingest.formats.rows import table_text

_FRONT_MATTER = re.compile(r"\s*(---|\+\+\+)[ \t]*\n(.{0,20000}?)\n(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
_UNENDED = re.compile(
    r"\s*---[ \t]*\n((?:[ \t]*[\w-]{1,40}[ \t]*:[^\n]{0,500}\n|[ \t]+-[^\n]{0,500}\n){1,40})\s*\n"
)
_FIELD = re.compile(r"^([\w-]+)[ \t]*[:=](.*)$", re.M)
_HEADING = re.compile(r"\s*(?:#[ \t]+([^\n]*)|([^\n]{1,200})\n=+[ \t]*(?:\n|\Z))\n?")
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

_FENCE = re.compile(r"^[ \t]*(?:```|~~~).*$", re.M)
_UNDER_HEAD = re.compile(r"[ \t]*\|?(?:[ \t]*:?-+:?[ \t]*\|)*[ \t]*:?-+:?[ \t]*\|?[ \t]*")
_PIPE = re.compile(r"(?<!\\)\|")
_ESCAPED_PIPE = re.compile(r"\\\|")
_CODE = re.compile(r"(?<!`)(`{1,3})(?!`)([^`\n]{1,2000})\1(?!`)")
_PLACE = re.compile("\ue000(\\d+)\ue001")
_TAGS = (
    r"/?(?:a|abbr|address|article|b|big|blockquote|br|center|cite|code|dd|del|details|dfn|div|dl|dt|em|figcaption|figure|"
    r"font|footer|h[1-6]|header|hr|i|iframe|img|input|ins|kbd|li|main|mark|nav|ol|p|picture|pre|q|s|samp|section|small|"
    r"source|span|strike|strong|sub|sup|summary|table|tbody|td|tfoot|th|thead|time|tr|tt|u|ul|var|video)"
)
_SUP = re.compile(r"<sup(?:\s[^<>]{0,200})?>([^<>]{0,40})</sup>", re.I)
_WIKI = re.compile(r"\[\[([^\[\]|\n]{1,300})(?:\|([^\[\]\n]{1,300}))?\]\]")

# Every repetition is bounded: a hostile file must not take quadratic time.
_TAKEN_OFF = (
    (re.compile(r"%%[^%\n]{0,5000}%%"), ""),
    (
        re.compile(r"^[ \t]{0,3}\[\^([^\]\n]{1,50})\]:[ \t]*", re.M),
        "",
    ),  # the text of a note stays, its call goes
    (re.compile(r"\[\^[^\]\n]{1,50}\]"), ""),
    (re.compile(r"^[ \t]{0,3}\[[^\]\n]{1,200}\]:[ \t]+\S{1,2000}[^\n]{0,300}$", re.M), ""),
    (re.compile(r"^[ \t]{0,3}(?:-{3,}|\*{3,}|_{3,}|(?:[*_-][ \t]+){2,20}[*_-])[ \t]*$", re.M), ""),
    (re.compile(r"^(?=[^\n]{0,300}\w)([^\n]{1,300})\n[ \t]{0,3}(?:={3,}|-{3,})[ \t]*$", re.M), r"\1\n"),
    (re.compile(r"^[ \t]{0,3}={3,}[ \t]*$", re.M), ""),
    (re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+([^\n]*?)(?:[ \t]+#+)?[ \t]*$", re.M), r"\1"),
    (re.compile(r"^[ \t]{0,3}(?:>[ \t]?){1,5}\[![\w-]{1,30}\][+-]?[ \t]*", re.M), ""),
    (re.compile(r"^[ \t]{0,3}(?:>[ \t]?){1,5}", re.M), ""),
    (re.compile(r"^([ \t]{0,20}(?:[-*+]|\d{1,9}[.)]))[ \t]+\[[ xX]\][ \t]+", re.M), r"\1 "),
    (re.compile(r"!\[\[[^\[\]\n]{1,300}\]\]"), ""),
    (re.compile(r"(?<=[ \t\n])\^[\w-]{1,40}[ \t]*$", re.M), ""),
    (re.compile(r"(?:(?:^|(?<=\s))#[^\W\d][\w/-]{0,60}[ \t]*){1,20}$", re.M), ""),  # tags alone or at the end
    (re.compile(r"(?:^|(?<=\s))#(?=[^\W\d][\w/-]{0,60}(?=\s))"), ""),
    (
        re.compile(
            r"!?\[([^\]\[\n]{0,500})\]"
            r"\((?:[^()\s]|\([^()\s]{0,200}\)){0,2000}(?:[ \t]+\"[^\"\n]{0,500}\")?\)"
        ),
        r"\1",
    ),
    (re.compile(r"\[([^\]\[\n]{1,500})\]\[[^\]\[\n]{0,200}\]"), r"\1"),
    (re.compile(r"<(https?://[^\s<>]{1,2000}|[\w.+-]{1,100}@[\w.-]{1,200})>"), r"\1"),
    (re.compile(r"<br[ \t]*/?>[ \t]*", re.I), "\n"),
    (re.compile(rf"<{_TAGS}(?:\s[^<>]{{0,2000}})?/?>", re.I), ""),
    (re.compile(r"==(?=\S)([^=\n]{1,500})(?<=\S)=="), r"\1"),
    (re.compile(r"~~(?=\S)[^~\n]{1,500}(?<=\S)~~"), ""),  # struck out
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
    (re.compile(r"\\([\\`*_{}\[\]()#+.!>~|=^-])"), r"\1"),
)


def read_md(path: Path) -> Content:
    """The prose of a Markdown file; title, date, source and author from its front matter or first heading."""
    return markdown_content(read_text_file(path))


def markdown_content(text: str) -> Content:
    """What a Markdown text says."""
    text = text.replace("\r\n", "\n").replace("\ue000", "").replace("\ue001", "")
    fields, text = _front_matter(text)
    title = _field(fields, _TITLES)
    heading = _HEADING.match(text)
    named = _plain(heading[1] or heading[2] or "").strip("# \t\n") if heading else ""
    if heading and title in ("", named):
        title, text = named, text[heading.end() :]
    date, author = iso_date(_field(fields, _DATES)), _field(fields, _AUTHORS)
    marked = tuple(_headings(text))
    return Content(without_typed_calls(_plain(text)), title, _field(fields, _SOURCES), date, author, marked)


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
    """Its fields, and the text after it: YAML, TOML, or lines of fields, where there is no end to it too."""
    match = _FRONT_MATTER.match(text)
    if match:
        loaded = _toml(match[2]) if match[1] == "+++" else _yaml(match[2])
    elif match := _UNENDED.match(text):
        loaded = _fields_by_line(match[1])
    if not match or not loaded:
        return {}, text
    return {key.lower(): value for key, value in loaded.items() if isinstance(key, str)}, text[match.end() :]


def _yaml(text: str) -> dict[str, object]:
    """A colon in a title breaks YAML: then each line is a field by itself."""
    import yaml

    try:
        loaded = yaml.load(text, Loader=yaml.BaseLoader)  # every scalar a text, no object made
    except (yaml.YAMLError, ValueError, RecursionError):
        return _fields_by_line(text)
    return loaded if isinstance(loaded, dict) else {}


def _toml(text: str) -> dict[str, object]:
    import tomllib

    try:
        loaded: dict[str, object] = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        return _fields_by_line(text)
    plain: dict[str, object] = {
        key: value if isinstance(value, list | dict) else str(value) for key, value in loaded.items()
    }
    return plain or {"title": ""}


def _fields_by_line(text: str) -> dict[str, object]:
    return {key: value.strip("\"' \t") for key, value in _FIELD.findall(text)}


def _field(fields: dict[str, object], names: tuple[str, ...]) -> str:
    """The first of the fields that is a text, or a list of texts."""
    for value in (fields.get(name) for name in names):
        texts = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]
        if any(texts):
            return ", ".join(filter(None, texts))
    return ""


def _plain(text: str) -> str:
    """The text without marks; code is kept as it stands."""
    codes: list[str] = []

    def put_aside(match: re.Match[str]) -> str:
        codes.append(match[2])
        return f"\ue000{len(codes) - 1}\ue001"

    parts = _FENCE.split(_without_comments(text))
    for at in range(1, len(parts), 2):
        codes.append(parts[at].strip("\n"))
        parts[at] = f"\n\ue000{len(codes) - 1}\ue001\n"
    text = _CODE.sub(put_aside, "".join(parts))
    text = _tables(text)
    text = _SUP.sub(
        lambda m: raised(text[max(0, m.start() - 60) : m.start()], m[1], text[m.end() : m.end() + 3]), text
    )
    for mark, kept in _TAKEN_OFF:
        text = mark.sub(kept, text)
    text = _WIKI.sub(_wiki_name, text)
    text = html.unescape(text)
    return _PLACE.sub(lambda found: codes[int(found[1])] if int(found[1]) < len(codes) else "", text)


def _without_comments(text: str) -> str:
    first, *others = text.split("<!--")
    for part in others:
        _, ended, after = part.partition("-->")
        first += after if ended else f"<!--{part}"
    return first


def _wiki_name(match: re.Match[str]) -> str:
    """What a wiki link shows: its alias, or the name of its page without folder."""
    if match[2]:
        return match[2].strip()
    page, _, part = match[1].partition("#")
    return part.lstrip("^# ") if not page else page.rsplit("/", 1)[-1].strip()


def _tables(text: str) -> str:
    """Tables with a line under their head to rows behind the heads of their columns."""
    lines = text.split("\n")
    kept: list[str] = []
    at = 0
    while at < len(lines):
        under = lines[at + 1] if at + 1 < len(lines) else ""
        if (
            "|" in lines[at]
            and "-" in under
            and "|" in under
            and len(under) < 2_000
            and _UNDER_HEAD.fullmatch(under)
        ):
            rows = [lines[at]]
            at += 2
            while at < len(lines) and "|" in lines[at]:
                rows.append(lines[at])
                at += 1
            kept += ["", table_text([_cells(row) for row in rows], heads=True), ""]
        else:
            kept.append(lines[at])
            at += 1
    return "\n".join(kept)


def _cells(row: str) -> list[str]:
    row = row.strip().removeprefix("|")
    row = row[:-1] if row.endswith("|") and not row.endswith("\\|") else row
    row = _WIKI.sub(lambda m: m[0].replace("\\|", "|").replace("|", "\ue002"), row)
    return [
        _ESCAPED_PIPE.sub("|", cell).replace("\ue002", "|").replace("<br>", ", ").strip()
        for cell in _PIPE.split(row)
    ]
