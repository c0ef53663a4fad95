"""Tables as text: a row a paragraph, each cell behind the head of its column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_LONGEST_HEAD = 80
_SPACES = re.compile(r"[^\S\u00a0\u202f]+")
_YEAR = re.compile(r"(?:19|20)\d\d")


def table_text(rows: Iterable[Sequence[str]], *, heads: bool | None = None) -> str:
    """The rows, a blank line between them; `heads` tells whether the first has the columns' heads, None guesses."""
    filled = [[_SPACES.sub(" ", cell).strip() for cell in row] for row in rows]
    filled = [row for row in filled if any(row)]
    if heads is None:
        heads = has_heads(filled)
    if not heads or len(filled) < 2:
        return "\n\n".join(" | ".join(filter(None, row)) for row in filled)
    names = [name.rstrip(" :") for name in filled[0]]
    return "\n\n".join(row_text(names, row) for row in filled[1:])


def row_text(names: Sequence[str], row: Sequence[str]) -> str:
    """The cells of a row that say something, each behind its head."""
    padded = [*names, *[""] * (len(row) - len(names))]
    cells = [f"{name} : {cell}" if name else cell for name, cell in zip(padded, row, strict=False) if cell]
    return " | ".join(cells)


def names_columns(row: Sequence[str]) -> bool:
    """Whether a row may be one of heads: short words or years, no other figure, none empty but the first."""
    return len(row) > 1 and all(row[1:]) and all(len(c) <= _LONGEST_HEAD and _names(c) for c in row)


def _names(cell: str) -> bool:
    return not cell[:1].isdigit() or bool(_YEAR.fullmatch(cell))


def has_heads(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row can be one of heads, and a column below it has figures where its head has none."""
    if len(rows) < 2 or not names_columns(rows[0]) or max(map(len, rows)) > len(rows[0]):
        return False
    below = rows[1:]
    for at, head in enumerate(rows[0]):
        cells = [row[at] for row in below if at < len(row) and row[at]]
        figures = sum(any(map(str.isdigit, cell)) for cell in cells)
        if cells and figures > len(cells) / 2 and (not any(map(str.isdigit, head)) or _YEAR.fullmatch(head)):
            return True
    return False
