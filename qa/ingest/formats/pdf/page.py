"""The pieces of a page to its lines: rows of tables whole, cells and boxes apart from the prose around them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from qa.ingest.formats.pdf.glyphs import LEADER, Piece
from qa.ingest.formats.pdf.hyphens import joined
from qa.ingest.formats.pdf.rules import Drawn, Frame
from qa.ingest.formats.rows import has_heads, names_columns, row_text

_MOST_LINES_IN_A_CELL = 8
_ALIGNED = 0.6
_SAME_LINE = 0.35
_LINES_BETWEEN = 6  # the foot of a page and the head of the next
_WELL_APART = 0.7
_MARKER = re.compile(r"[•●▪■◦○·*‣⁃➢➤✓–—-]|\d{1,2}[.)]|\d{1,2}(?:\.\d{1,2})+\.?|[a-zA-Z][.)]|\([a-z\d]{1,2}\)")
_NO_WORDS: frozenset[str] = frozenset()

Cell = list[Piece]
Row = list[Cell]


@dataclass(frozen=True, slots=True)
class Line:
    """A printed line; `whole` where it is a paragraph by itself, as the row of a table is."""

    text: str
    left: float
    right: float
    base: float
    size: float
    whole: bool = False


@dataclass(slots=True)
class Columns:
    """The columns of the table read last, and their heads, for its part on the next page; `since` counts lines."""

    spans: list[tuple[float, float]]
    heads: list[str]
    since: int = 0


def lay_out(pieces: Sequence[Piece], drawn: Drawn, columns: Columns) -> list[Line]:
    """The lines of a page, in the order it was drawn; `columns` is read and changed."""
    lines: list[Line] = []
    framed: list[tuple[Frame, Piece]] = []
    free: list[Piece] = []

    def settle() -> None:
        nonlocal framed, free
        if framed:
            lines.extend(_framed_lines(framed, columns))
        if free:
            lines.extend(_free_lines(free, columns))
        framed, free = [], []

    frames = drawn if drawn.upright and drawn.level else Drawn()
    for piece in pieces:
        frame = frames.frame_of((piece.left + piece.right) / 2, piece.base + 0.3 * piece.size)
        if (frame is None and framed) or (frame is not None and free):
            settle()
        if frame is None:
            free.append(piece)
        else:
            framed.append((frame, piece))
    settle()
    return lines


def _framed_lines(framed: Sequence[tuple[Frame, Piece]], columns: Columns) -> list[Line]:
    """Cells between rules to rows; what stands alone in its frame is prose."""
    cells: dict[Frame, Cell] = {}
    for frame, piece in framed:
        cells.setdefault(frame, []).append(piece)
    rows: list[tuple[float, list[tuple[Frame, Cell]]]] = []
    for frame, cell in cells.items():
        row = next((found for top, found in rows if abs(top - frame.top) < 3), None)
        if row is None or any(abs(frame.left - other.left) < 1 for other, _ in row):
            rows.append((frame.top, [(frame, cell)]))
        else:
            row.append((frame, cell))
    lines: list[Line] = []
    table: list[Row] = []
    for _, found in rows:
        row_cells = [cell for _, cell in sorted(found, key=lambda pair: pair[0].left)]
        if len(row_cells) == 1:
            lines += _table_lines(table, columns)
            lines += _free_lines(row_cells[0], columns)
            table = []
        else:
            table.append(row_cells)
    return lines + _table_lines(table, columns)


def _free_lines(pieces: Sequence[Piece], columns: Columns) -> list[Line]:
    """Pieces without rules to lines: rows in a row whose cells stand in line are a table."""
    lines: list[Line] = []
    table: list[Row] = []
    for row in [*_rows(pieces), None]:
        if row is not None and len(row) > 1 and (not table or _in_line(table[-1], row)):
            table.append(row)
            continue
        if len(table) > 1 and _is_table(table):
            lines += _table_lines(table, columns)
        else:
            lines += [line for cells in table for line in _separate(cells)]
            columns.since += len(table)
        table = []
        if row is not None and len(row) > 1:
            table = [row]
        elif row is not None:
            lines += map(_line, row[0])
            columns.since += 1
    return lines


def _is_table(rows: Sequence[Row]) -> bool:
    """Whether rows in line are no prose with wide spaces: three and more, or cells that stand well apart."""
    gaps = [
        (_span(after)[0] - _span(cell)[1]) / after[0].size for row in rows for cell, after in pairwise(row)
    ]
    return min(gaps) > _WELL_APART or (
        len(rows) > 2 and 2 * sum(gap > _WELL_APART for gap in gaps) > len(gaps)
    )


def _rows(pieces: Iterable[Piece]) -> list[Row]:
    """Pieces in the order they were drawn to rows of cells: to the right of the last one, on its line or its top."""
    rows: list[Row] = []
    for piece in pieces:
        last = rows[-1][-1] if rows else []
        if (
            last
            and _beside(last[-1], piece)
            and (_MARKER.fullmatch(last[-1].text) or last[-1].text.endswith(LEADER.rstrip()))
        ):
            before = last[-1]
            last[-1] = Piece(f"{before.text} {piece.text}", before.left, piece.right, before.base, piece.size)
        elif last and _beside(last[-1], piece):
            rows[-1].append([piece])
        elif last and len(rows[-1]) > 1 and _goes_on(rows[-1], piece):
            last.append(piece)
        elif last and (above := _lines_beside(rows, piece)):
            if len(rows[-1]) == 1:
                cell = [line for row in rows[-above:] for line in row[0]]
                rows[-above:] = [[cell]]
            rows[-1].append([piece])
        else:
            rows.append([[piece]])
    return rows


def _beside(last: Piece, piece: Piece) -> bool:
    near = _SAME_LINE * min(last.size, piece.size)
    return abs(last.base - piece.base) <= near and piece.left >= last.right - near


def _goes_on(row: Row, piece: Piece) -> bool:
    """Whether the piece is one more line of the row's last cell."""
    last, before = row[-1], row[-2]
    above = last[-1]
    return (
        0.7 * piece.size < above.base - piece.base < 1.35 * max(piece.size, above.size)
        and piece.left < max(p.right for p in last)
        and piece.left > max(p.right for p in before) - 1
        and abs(piece.left - above.left) < 6 * piece.size
        and len(last) < _MOST_LINES_IN_A_CELL
    )


def _lines_beside(rows: Sequence[Row], piece: Piece) -> int:
    """How many of the last rows are the lines of the cell to the left of a piece that is drawn next, higher up."""
    last = rows[-1]
    if len(last) > 1:
        top, edge = last[0][0].base, max(p.right for cell in last for p in cell)
        level = abs(top - piece.base) <= 0.6 * piece.size
        return 1 if level and piece.left >= edge - 1 and len(last[-1]) <= _MOST_LINES_IN_A_CELL else 0
    if piece.base <= last[0][-1].base + 0.3 * piece.size:
        return 0
    count = 0
    for row in reversed(rows[-_MOST_LINES_IN_A_CELL - 1 :]):
        [cell, *others] = row
        line = cell[0]
        if others or line.right > piece.left + 1 or line.base > piece.base + _SAME_LINE * piece.size:
            break
        count += 1
    if not 0 < count <= _MOST_LINES_IN_A_CELL:
        return 0
    return count if abs(rows[-count][0][0].base - piece.base) <= 0.6 * piece.size else 0


def _in_line(above: Row, row: Row) -> bool:
    """Whether every cell after the first stands in line with one above: by its left, its right or its middle."""
    if above[0][-1].base - row[0][0].base > 4 * row[0][0].size or row[0][0].base >= above[0][0].base:
        return False
    fewer, more = sorted((above, row), key=len)
    spans = [_span(cell) for cell in more]
    near = _ALIGNED * row[0][0].size
    for cell in fewer[1:]:
        left, right = _span(cell)
        if not any(
            min(abs(left - x), abs(right - y), abs(left + right - x - y) / 2) <= near for x, y in spans[1:]
        ):
            return False
    return True


def _span(cell: Cell) -> tuple[float, float]:
    return min(p.left for p in cell), max(p.right for p in cell)


def _table_lines(table: Sequence[Row], columns: Columns) -> list[Line]:
    """The rows of a table, a line each, behind the heads of their columns."""
    if not table:
        return []
    if any(_is_box(row) for row in table):
        return [line for row in table for line in _boxes(row)]
    if columns.since > _LINES_BETWEEN:
        columns.spans, columns.heads = [], []
    columns.since = 0
    if len(table) == 1 and not columns.heads:
        return _separate(table[0])
    widest = max(table, key=len)
    spans = [_span(cell) for cell in widest]
    texts = [_in_columns(row, spans) for row in table]
    if has_heads(texts):
        columns.spans, columns.heads = spans, texts[0]
        table, texts = table[1:], texts[1:]
    elif not _same_columns(spans, columns):
        columns.spans, columns.heads = [], []
    heads = [head.rstrip(" :") for head in columns.heads]
    return [
        _row_line(row, row_text(heads, cells) if heads else " | ".join(filter(None, cells)))
        for row, cells in zip(table, texts, strict=True)
        if not (heads and cells == columns.heads)
    ]


def _same_columns(spans: Sequence[tuple[float, float]], columns: Columns) -> bool:
    return len(spans) == len(columns.spans) and all(
        left <= y + 6 and x <= right + 6 for (left, right), (x, y) in zip(spans, columns.spans, strict=True)
    )


def _in_columns(row: Row, spans: list[tuple[float, float]]) -> list[str]:
    """The texts of a row, each in the column it covers most or stands nearest to."""
    texts = [""] * len(spans)
    if len(row) == len(spans):
        return [_cell_text(cell) for cell in row]
    for cell in row:
        left, right = _span(cell)
        at = max(
            range(len(spans)),
            key=lambda at: min(right, spans[at][1]) - max(left, spans[at][0]),
        )
        texts[at] = f"{texts[at]} {_cell_text(cell)}".strip()
    return texts


def _is_box(row: Row) -> bool:
    """Whether cells side by side hold texts of their own, and are no row of a table."""
    return sum(len(_lines_of(cell)) >= 3 for cell in row) >= 2 or any(
        len(_lines_of(cell)) > _MOST_LINES_IN_A_CELL for cell in row
    )


def _lines_of(cell: Cell) -> list[Line]:
    """The lines of a cell, its pieces on one base line joined."""
    rows: list[Row] = _rows(cell)
    return [line for row in rows for line in (_separate(row) if len(row) > 1 else map(_line, row[0]))]


def _cell_text(cell: Cell) -> str:
    text = ""
    for line in _lines_of(cell):
        whole = joined(text, line.text, _NO_WORDS)
        text = f"{text} {line.text}" if whole is None else f"{whole}{line.text}"
    return text.strip()


def _boxes(row: Row) -> list[Line]:
    return [line for cell in row for line in _lines_of(cell)]


def _separate(row: Row) -> list[Line]:
    """Cells that are no table: one line where each is one, else the lines of each."""
    if any(len(cell) > 1 for cell in row):
        if names_columns([_cell_text(cell) for cell in row]) and not _is_box(row):
            return [_row_line(row, " | ".join(_cell_text(cell) for cell in row))]
        return [line for cell in row for line in map(_line, cell)]
    pieces = [cell[0] for cell in row]
    text = " ".join(piece.text for piece in pieces)
    return [Line(text, pieces[0].left, pieces[-1].right, pieces[0].base, pieces[0].size)]


def _row_line(row: Row, text: str) -> Line:
    left, right = _span([piece for cell in row for piece in cell])
    first = row[0][0]
    return Line(text, left, right, first.base, first.size, whole=True)


def _line(piece: Piece) -> Line:
    return Line(piece.text, piece.left, piece.right, piece.base, piece.size)
