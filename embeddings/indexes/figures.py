"""Numbers and dates in one form, so that « 1 200 », « 1.200 » and « 1200 » are one word, and so are days."""

from __future__ import annotations

import re
import unicodedata

_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
_PLAIN_MONTHS = [unicodedata.normalize("NFD", name).encode("ascii", "ignore").decode() for name in _MONTHS]
_NAMES = "|".join([*_MONTHS, *_PLAIN_MONTHS])
_GROUPED = re.compile(r"(?<![\d.,/])(?<!\d )\d{1,3}(?:([ .])\d{3})(?:\1\d{3}){0,4}(?![\d]| \d)(?![.,]\d{3})")
_DAY = re.compile(
    rf"(?<![\d/.-])(?:(?P<day>\d\d?)(?:er)?\s(?P<name>{_NAMES})\s(?P<year>\d{{4}})"
    r"|(?P<d>\d\d?)(?P<mark>[/.-])(?P<m>\d\d?)(?P=mark)(?P<y>\d{4})"
    r"|(?P<iso_y>\d{4})-(?P<iso_m>\d\d)-(?P<iso_d>\d\d))(?![\d/-]|\.\d)",
    re.I,
)


def uniform(text: str) -> str:
    """The text, its thousands without a mark, its days as « 3 mars 2024 20240303 »."""
    return _DAY.sub(_day, _GROUPED.sub(lambda match: re.sub(r"[ .]", "", match[0]), text))


def _day(match: re.Match[str]) -> str:
    year = match["year"] or match["y"] or match["iso_y"]
    day = int(match["day"] or match["d"] or match["iso_d"])
    if name := match["name"]:
        plain = unicodedata.normalize("NFD", name.lower()).encode("ascii", "ignore").decode()
        month = _PLAIN_MONTHS.index(plain) + 1
    else:
        month = int(match["m"] or match["iso_m"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    return f"{day} {_MONTHS[month - 1]} {year} {year}{month:02d}{day:02d}"
