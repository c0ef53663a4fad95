"""Tables of data: .csv, .tsv and the sheets of .xlsx."""

from __future__ import annotations

import csv
import datetime
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from qa.errors import ArticleError
from qa.ingest.formats.content import Content, read_text_file
from qa.ingest.formats.office.package import opened
from qa.ingest.formats.rows import names_columns, table_text

MAX_ROWS = 200_000
MAX_CELLS = 2_000_000
MAX_COLUMNS = 500

_LONGEST_CELL = 1_000_000
_DECIMALS = re.compile(r"[.](0+)")
_QUOTED_TEXT = re.compile(r'"[^"]{0,100}"|\[[^\]]{0,100}\]|\\.')
_CURRENCY = re.compile(r"[€$£]")
_NBSP = "\u00a0"


def read_csv(path: Path) -> Content:
    """A table, a row a paragraph, each cell behind the head of its column."""
    text = read_text_file(path)
    lines = text.split("\n", 50)[:50]
    delimiter = _delimiter(lines)
    csv.field_size_limit(_LONGEST_CELL)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(text.splitlines(keepends=True), delimiter=delimiter):
            rows.append(row[:MAX_COLUMNS])
            if len(rows) > MAX_ROWS:
                raise ArticleError(f"tableau trop long, {MAX_ROWS} lignes au plus")
    except csv.Error as error:
        raise ArticleError("ce n’est pas un tableau (.csv) valide") from error
    return Content(rows_text(rows))


def _delimiter(lines: Sequence[str]) -> str:
    """The sign that parts most lines in the same number of cells."""
    best, most = ",", 0.0
    for sign in (";", "\t", ",", "|"):
        counts = Counter(line.count(sign) for line in lines if line.strip())
        counts.pop(0, None)
        if counts:
            number, times = counts.most_common(1)[0]
            if times * min(number, 3) > most:
                best, most = sign, times * min(number, 3)
    return best


def rows_text(rows: Iterable[Sequence[str]]) -> str:
    """The rows of a sheet: an empty one ends a table, lines of one cell before a table are its title."""
    parts: list[str] = []
    block: list[list[str]] = []
    for row in [*rows, []]:
        cells = [cell.strip() for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            block.append(cells)
        elif block:
            parts += _block(block)
            block = []
    return "\n\n".join(filter(None, parts))


def _block(rows: list[list[str]]) -> Iterator[str]:
    """A table with what is written above it; empty columns at the left go."""
    widest = max(map(len, rows))
    first = min((next(at for at, cell in enumerate(row) if cell) for row in rows), default=0)
    rows = [row[first:] for row in rows]
    at = 0
    while at < len(rows) and sum(map(bool, rows[at])) < 2 <= widest - first:
        yield " ".join(filter(None, rows[at]))
        at += 1
    table = rows[at:]
    if table:
        yield table_text(table, heads=True if len(table) > 1 and names_columns(table[0]) else None)


def read_xlsx(path: Path) -> Content:
    """The visible sheets of a workbook, each under its name; numbers and dates as a French reader writes them."""
    with opened(path, "un classeur Excel") as package:
        title, date, author = package.properties()
    from openpyxl import load_workbook

    parts: list[str] = []
    hidden: list[str] = []
    try:
        book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            left = MAX_CELLS
            for sheet in book.worksheets:
                if sheet.sheet_state != "visible":
                    hidden.append(sheet.title)
                    continue
                sheet.reset_dimensions()
                rows, left = _values(sheet, left)
                text = rows_text(rows)
                if text:
                    parts.append(f"{sheet.title}\n\n{text}" if len(book.worksheets) > 1 else text)
        finally:
            book.close()
    except ArticleError:
        raise
    except Exception as error:  # openpyxl lets errors of many kinds through
        raise ArticleError("ce n’est pas un classeur Excel (.xlsx) valide") from error
    notices = (f"feuilles masquées non lues : {', '.join(hidden)}",) if hidden else ()
    return Content("\n\n".join(parts), title, "", date, author, notices=notices)


def _values(sheet: Any, left: int) -> tuple[list[list[str]], int]:
    """The rows of a sheet as texts, and how many cells may still be read."""
    rows: list[list[str]] = []
    for row in sheet.iter_rows(max_col=MAX_COLUMNS):
        left -= len(row)
        if len(rows) >= MAX_ROWS or left < 0:
            raise ArticleError(f"classeur trop grand, {MAX_ROWS} lignes et {MAX_CELLS} cellules au plus")
        rows.append([_shown(cell.value, getattr(cell, "number_format", None) or "") for cell in row])
    while rows and not any(rows[-1]):
        rows.pop()
    return rows, left


def _shown(value: Any, form: str) -> str:
    """A value as the sheet shows it, in French."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "vrai" if value else "faux"
    if isinstance(value, datetime.datetime):
        day = f"{value:%d/%m/%Y}"
        return day if (value.hour, value.minute) == (0, 0) else f"{day} {value:%H:%M}"
    if isinstance(value, datetime.date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, datetime.time):
        return f"{value:%H:%M}"
    if isinstance(value, int | float):
        return _number(float(value), form)
    return str(value)


def _number(value: float, form: str) -> str:
    quoted = " ".join(_QUOTED_TEXT.findall(form))
    bare = _QUOTED_TEXT.sub("", form.split(";")[0])
    percent = "%" in bare
    value = value * 100 if percent else value
    decimals = _DECIMALS.search(bare)
    if decimals:
        text = f"{value:,.{min(len(decimals[1]), 10)}f}"
    elif bare.strip() in ("", "General", "@"):
        text = f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:,.10f}".rstrip("0")
    else:
        text = f"{value:,.0f}" if "0" in bare or "#" in bare else f"{value:,.10f}".rstrip("0").rstrip(".")
    grouped = "," in bare or "# ##0" in bare or "#\u00a0##0" in bare
    text = text.replace(",", _NBSP if grouped else "").replace(".", ",")
    currency = _CURRENCY.search(bare) or _CURRENCY.search(quoted)
    if currency:
        return f"{text}{_NBSP}{currency[0]}"
    return f"{text}{_NBSP}%" if percent else text
