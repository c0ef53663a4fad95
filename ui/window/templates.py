"""HTML from the templates of `ui/templates`: every text put into one is data, cleaned and escaped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from qa import wording
from qa.answer import RetrievedPassage
from ui.window.text import clean, lines, unbroken

SHOWN_PLACES = 5


def render(name: str, **values: Any) -> str:
    """The template of that name with these values."""
    return _templates.get_template(name).render(**values).strip()


def _printable(value: Any) -> Any:
    """What is put into a template: HTML of its own making as it is, all else without what a screen would obey."""
    if isinstance(value, Markup):
        return value
    return "" if value is None else clean(str(value))


def _decimal(value: float) -> str:
    return f"{value:.3f}".replace(".", ",")


def _percent(probability: float) -> int:
    return round(100 * min(max(probability, 0.0), 1.0))


def _places(passages: Iterable[RetrievedPassage]) -> list[str]:
    """Where passages stand, each place once, those of the best passages first."""
    return list(dict.fromkeys(wording.place_of(p.title, p.headings) for p in passages))[:SHOWN_PLACES]


_templates = Environment(
    loader=PackageLoader("ui", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=_printable,
)
_templates.globals["wording"] = wording
_templates.filters |= {
    "decimal": _decimal,
    "french_date": wording.french_date,
    "lines": lambda text: Markup(lines(text)),
    "percent": _percent,
    "places": _places,
    "unbroken": unbroken,
}
