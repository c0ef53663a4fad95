"""Dates as files write them, in ISO form."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

_MONTHS = {
    **{"jan": 1, "fev": 2, "feb": 2, "mar": 3, "avr": 4, "apr": 4, "mai": 5, "may": 5, "juin": 6, "jun": 6},
    **{"juil": 7, "jul": 7, "aou": 8, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12},
}
_FORMS = (
    re.compile(
        r"^(?:d:)?(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?!\d(?!\d))"
    ),  # 20231122, D:20231122101500
    re.compile(r"^(?:d:)?(?P<year>\d{4})(?:[-/.](?P<month>\d\d?)(?:[-/.](?P<day>\d\d?))?)?(?!\d)"),
    re.compile(r"^(?P<day>\d\d?)[-/.](?P<month>\d\d?)[-/.](?P<year>\d{4})(?!\d)"),
    re.compile(r"(?<!\d)(?P<day>\d\d?)(?:er)?\s+(?P<name>[a-z]+)\.?,?\s+(?P<year>\d{4})(?!\d)"),
    re.compile(r"(?P<name>[a-z]+)\.?\s+(?P<day>\d\d?)(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})(?!\d)"),
    re.compile(r"(?P<name>[a-z]+)\.?\s+(?P<year>\d{4})(?!\d)"),
)


def iso_date(value: object) -> str | None:
    """`YYYY-MM-DD`, `YYYY-MM` or `YYYY`, as exact as the value is: a date, or a text in French, English or figures.

    A day comes before its month in figures (`22/11/2023`). None where there is no date, or an impossible one.
    """
    if isinstance(value, date):
        return value.isoformat()[:10]
    text = unicodedata.normalize("NFKD", str(value or "")[:200]).encode("ascii", "ignore").decode()
    text = text.lower().strip()
    for form in _FORMS:
        if (match := form.search(text)) and (found := _checked(match.groupdict())):
            return found
    return None


def _checked(parts: dict[str, str | None]) -> str | None:
    year, month, day = (int(parts.get(part) or 0) for part in ("year", "month", "day"))
    if name := parts.get("name"):
        month = next((number for stem, number in _MONTHS.items() if name.startswith(stem)), 0)
        if not month:
            return None
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        return None
    if not 1000 <= year <= 2200:
        return None
    return "-".join([f"{year:04d}", *([f"{month:02d}"] if month else []), *([f"{day:02d}"] if day else [])])
