"""What was typed on a page: the values of its form fields, put after their labels, and its notes."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from qa.ingest.formats.pdf.glyphs import Piece

_MOST_ANNOTATIONS = 5_000
_LONGEST_VALUE = 20_000
_HIDDEN = 1 << 1
_PASSWORD = 1 << 13


@dataclass(frozen=True, slots=True)
class Typed:
    """A value or a note with its place; `ticks` tells whether it is a box to tick."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    note: bool = False
    ticks: bool = False


def read_typed(page: Any, form: Any) -> list[Typed]:
    """The field values and typed notes of a page, in order."""
    from pypdfium2 import raw

    found: list[Typed] = []
    for at in range(min(raw.FPDFPage_GetAnnotCount(page), _MOST_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page, at)
        if not annotation:
            continue
        try:
            if typed := _typed(annotation, form):
                found.append(typed)
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
    return found


def _typed(annotation: Any, form: Any) -> Typed | None:
    from pypdfium2 import raw

    kind = raw.FPDFAnnot_GetSubtype(annotation)
    if raw.FPDFAnnot_GetFlags(annotation) & _HIDDEN:
        return None
    box = raw.FS_RECTF()
    raw.FPDFAnnot_GetRect(annotation, ctypes.byref(box))
    place = (
        min(box.left, box.right), min(box.bottom, box.top), max(box.left, box.right), max(box.bottom, box.top)
    )  # fmt: skip
    if kind == raw.FPDF_ANNOT_FREETEXT:
        text = _text(raw.FPDFAnnot_GetStringValue, annotation, b"Contents")
        return Typed(text, *place, note=True) if text else None
    if kind != raw.FPDF_ANNOT_WIDGET:
        return None
    if form is None:
        text = _text(raw.FPDFAnnot_GetStringValue, annotation, b"V")
        return Typed(text, *place) if text else None
    field = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    if field in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
        ticked = raw.FPDFAnnot_IsChecked(form, annotation)
        return Typed("[x]" if ticked else "[ ]", *place, ticks=True)
    if field == raw.FPDF_FORMFIELD_TEXTFIELD:
        if raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD:
            return None
    elif field not in (raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX):
        return None
    text = _text(raw.FPDFAnnot_GetFormFieldValue, form, annotation) or _text(
        raw.FPDFAnnot_GetStringValue, annotation, b"V"
    )
    return Typed(text, *place) if text else None


def _text(function: Any, *given: Any) -> str:
    """What a function of PDFium writes as UTF-16, in one line."""
    from pypdfium2 import raw

    size = min(function(*given, None, 0), 2 * _LONGEST_VALUE)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size + 2)
    function(*given, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), size)
    return " ".join(buffer.raw[:size].decode("utf-16-le", "ignore").replace("\0", "").split())


def with_typed(pieces: Sequence[Piece], typed: Sequence[Typed]) -> list[Piece]:
    """The pieces of a page with each value behind its label, and each note after what stands above it."""
    kept = list(pieces)
    for one in typed:
        height = min(one.top - one.bottom, 14.0) or 10.0
        middle = (one.top + one.bottom) / 2
        piece = Piece(one.text, one.left, max(one.right, one.left), middle - 0.3 * height, height)
        if one.note:
            kept.insert(_after_what_is_above(kept, one), piece)
            continue
        beside = _right_of(kept, one) if one.ticks else None
        if beside is not None:
            kept[beside] = replace(kept[beside], text=f"{one.text} {kept[beside].text}")
            continue
        label = _left_of(kept, one)
        if label is None:
            kept.insert(_after_what_is_above(kept, one), piece)
        else:
            before = kept[label]
            kept[label] = replace(
                before, text=f"{before.text} {one.text}", right=max(before.right, one.right)
            )
    return kept


def _on_line(piece: Piece, typed: Typed) -> bool:
    return typed.bottom - 3 <= piece.base + 0.3 * piece.size <= typed.top + 3


def _left_of(pieces: Sequence[Piece], typed: Typed) -> int | None:
    near = [
        (typed.left - piece.right, -at)
        for at, piece in enumerate(pieces)
        if _on_line(piece, typed)
        and piece.left < typed.left
        and piece.right <= typed.left + 0.5 * (typed.right - typed.left)
    ]
    return -min(near)[1] if near else None


def _right_of(pieces: Sequence[Piece], typed: Typed) -> int | None:
    near = [
        (piece.left - typed.right, at)
        for at, piece in enumerate(pieces)
        if _on_line(piece, typed) and -2 <= piece.left - typed.right <= 3 * max(piece.size, 8)
    ]
    return min(near)[1] if near else None


def _after_what_is_above(pieces: Sequence[Piece], typed: Typed) -> int:
    """Behind the nearest piece above, else behind all that is higher, else first."""
    above = [
        (piece.base - typed.top, at)
        for at, piece in enumerate(pieces)
        if piece.base >= typed.bottom and piece.left < typed.right and piece.right > typed.left
    ]
    if above:
        return min(above)[1] + 1
    higher = [at for at, piece in enumerate(pieces) if piece.base >= typed.bottom]
    return max(higher) + 1 if higher else 0
