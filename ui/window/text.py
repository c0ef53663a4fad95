"""Text made safe for the screen: everything that comes from an article or a user goes through here."""

from __future__ import annotations

import re
from datetime import datetime
from html import escape as _escape
from urllib.parse import urlsplit

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")


def clean(text: str) -> str:
    """The text without terminal codes, control characters and overrides of the writing direction."""
    return _CONTROL.sub("", _ANSI.sub("", text))


def escape(text: object) -> str:
    """The text as HTML data, fit for an element's content and for a quoted attribute."""
    return _escape(clean(str(text)), quote=True)


def unbroken(text: str) -> str:
    """The text with the spaces that French puts before ? ! : ; » and after « made no-break ones."""
    return re.sub(r"(?<=«) | (?=[?!:;»])", "\u00a0", text)


def lines(text: str) -> str:
    """The text as HTML data, its line breaks kept."""
    return escape(text).replace("\n", "<br>")


def web_link(source: str) -> str | None:
    """The source if it is a plain http(s) address, else None: no other scheme becomes a link."""
    try:
        parts = urlsplit(source.strip())
    except ValueError:
        return None
    return source.strip() if parts.scheme.lower() in {"http", "https"} and parts.netloc else None


def short_date(date: str | None) -> str:
    """An ISO date in figures: "2023-11-17" gives "17/11/2023"; "" where there is none."""
    return "/".join(reversed((date or "")[:10].split("-")))


def local_day(moment: str) -> str:
    """The day of an ISO time, where this computer is: "2023-11-17T23:30:00+00:00" may be the 18th.

    "" for what is no time.
    """
    try:
        return datetime.fromisoformat(moment).astimezone().date().isoformat()
    except (ValueError, OverflowError):
        return ""


def count(number: int, singular: str, plural: str | None = None) -> str:
    """A number and its noun, agreed as French does: "0 article", "2 articles"; thousands are spaced."""
    noun = singular if abs(number) < 2 else plural or f"{singular}s"
    return f"{number:,}".replace(",", "\u202f") + f"\u00a0{noun}"
