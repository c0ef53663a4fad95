"""What Word's styles and lists say of a paragraph: hidden, raised, numbered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from qa.ingest.formats.office.package import Element, is_on

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"

_LEVEL = re.compile(r"%([1-9])")
_HEADING_STYLE = re.compile(
    r"(?:title|titre|heading|überschrift|título|titolo|intertitre)(?:\s?([1-9]))?(?:\s?car)?", re.I
)
_BASED_ON_AT_MOST = 20
_ROMAN = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"),
          (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Looks:
    """What a style says; None where it says nothing. `level` is that of a heading, from 1, and 0 that of body text."""

    hidden: bool | None = None
    raised: bool | None = None
    list: tuple[str, int] | None = None
    level: int | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """A level of a list: the form of its numbers, its text with %1 for them, where it starts."""

    form: str
    text: str
    start: int


def looks_of_run(properties: Element | None) -> Looks:
    """What the properties of a run say by themselves."""
    if properties is None:
        return Looks()
    vanish = properties.find(f"{W}vanish")
    align = properties.find(f"{W}vertAlign")
    hidden = None if vanish is None else is_on(vanish, vanish.get(f"{W}val"))
    return Looks(hidden, None if align is None else align.get(f"{W}val") == "superscript")


class Styles:
    """The styles of a document, each with what it inherits."""

    def __init__(self, root: Element | None) -> None:
        self._own: dict[str, tuple[Looks, str]] = {}
        self._levels: dict[str, int] = {}
        for style in [] if root is None else root.iter(f"{W}style"):
            looks = looks_of_run(style.find(f"{W}rPr"))
            listed = style.find(f"{W}pPr/{W}numPr")
            base = style.find(f"{W}basedOn")
            self._own[style.get(f"{W}styleId") or ""] = (
                Looks(looks.hidden, looks.raised, _list_of(listed), _level_of(style)),
                "" if base is None else base.get(f"{W}val") or "",
            )

    def looks(self, name: str) -> Looks:
        """What a style says, itself or by those it is based on."""
        hidden, raised, listed, level = None, None, None, None
        for _ in range(_BASED_ON_AT_MOST):
            if name not in self._own:
                break
            own, name = self._own[name]
            hidden = own.hidden if hidden is None else hidden
            raised = own.raised if raised is None else raised
            listed = own.list if listed is None else listed
            level = own.level if level is None else level
        return Looks(hidden, raised, listed, level)


def outline_level(element: Element) -> int | None:
    """The level in the outline that a style or paragraph gives, from 1; 0 for body text, None where it gives none."""
    found = element.find(f"{W}pPr/{W}outlineLvl")
    if found is None:
        return None
    value = found.get(f"{W}val") or "9"
    return int(value) + 1 if value in "012345678" else 0


def _level_of(style: Element) -> int | None:
    """The level of a style of headings, by the outline or by its name."""
    level = outline_level(style)
    name = style.find(f"{W}name")
    named = _HEADING_STYLE.fullmatch("" if name is None else name.get(f"{W}val") or "")
    return int(named[1] or 1) if level is None and named else level


def _list_of(properties: Element | None) -> tuple[str, int] | None:
    if properties is None:
        return None
    number, level = properties.find(f"{W}numId"), properties.find(f"{W}ilvl")
    return (
        "" if number is None else number.get(f"{W}val") or "",
        0 if level is None else _number(level.get(f"{W}val")),
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.lstrip("-").isdecimal() and len(text) < 9 else 0


@dataclass(slots=True)
class Lists:
    """The numbers Word shows before its paragraphs, counted as it counts."""

    levels: dict[str, dict[int, Level]] = field(default_factory=dict)
    abstract: dict[str, str] = field(default_factory=dict)
    styled: dict[str, tuple[str, int]] = field(default_factory=dict)
    counts: dict[str, dict[int, int]] = field(default_factory=dict)
    restarted: set[str] = field(default_factory=set)
    starts: dict[str, dict[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Element | None) -> Lists:
        """The lists of a numbering part."""
        lists = cls()
        if root is None:
            return lists
        shapes = {a.get(f"{W}abstractNumId") or "": a for a in root.iter(f"{W}abstractNum")}
        for number in root.iter(f"{W}num"):
            name = number.get(f"{W}numId") or ""
            target = number.find(f"{W}abstractNumId")
            base = "" if target is None else target.get(f"{W}val") or ""
            lists.abstract[name] = base
            shape = shapes.get(base)
            lists.levels[name] = {} if shape is None else dict(_levels(shape))
            for change in number.iter(f"{W}lvlOverride"):
                level = _number(change.get(f"{W}ilvl"))
                lists.levels[name].update(_levels(change))
                start = change.find(f"{W}startOverride")
                if start is not None:
                    lists.starts.setdefault(name, {})[level] = _number(start.get(f"{W}val"))
            for shaped in [] if shape is None else shape.iter(f"{W}lvl"):
                style = shaped.find(f"{W}pStyle")
                if style is not None:
                    place = (name, _number(shaped.get(f"{W}ilvl")))
                    lists.styled.setdefault(style.get(f"{W}val") or "", place)
        return lists

    def label(self, properties: Element | None, style: str, looks: Looks) -> str:
        """What Word shows before the next paragraph of a list, "" where it shows nothing."""
        own = _list_of(None if properties is None else properties.find(f"{W}numPr"))
        name, level = own or looks.list or ("", 0)
        if not name and looks.list:
            name = looks.list[0]
        if own is None and looks.list is not None and style in self.styled and self.styled[style][0] == name:
            level = self.styled[style][1]
        shape = self.levels.get(name, {}).get(level)
        if shape is None:
            return ""
        counts = self.counts.setdefault(self.abstract[name], {})
        if name not in self.restarted:
            self.restarted.add(name)
            for at, start in self.starts.get(name, {}).items():
                counts[at] = start - 1
        counts[level] = counts.get(level, shape.start - 1) + 1
        for deeper in [at for at in counts if at > level]:
            del counts[deeper]
        if shape.form == "bullet":
            return "–"
        if shape.form == "none":
            return shape.text if "%" not in shape.text else ""

        def shown(match: re.Match[str]) -> str:
            at = int(match[1]) - 1
            other = self.levels[name].get(at, shape)
            return written(
                counts.get(at, other.start), other.form if at == level or other.form != "bullet" else ""
            )

        return _LEVEL.sub(shown, shape.text).strip()


def _levels(root: Element) -> Iterator[tuple[int, Level]]:
    for level in root.iter(f"{W}lvl"):
        form, text, start = (level.find(f"{W}{tag}") for tag in ("numFmt", "lvlText", "start"))
        yield (
            _number(level.get(f"{W}ilvl")),
            Level(
                "decimal" if form is None else form.get(f"{W}val") or "",
                "" if text is None else (text.get(f"{W}val") or "")[:200],
                1 if start is None else _number(start.get(f"{W}val")),
            ),
        )


def written(number: int, form: str) -> str:
    """A number in the form of its level."""
    if form in ("upperLetter", "lowerLetter") and 0 < number < 1000:
        letter = chr(ord("A") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letter if form == "upperLetter" else letter.lower()
    if form in ("upperRoman", "lowerRoman") and 0 < number < 4000:
        roman, left = "", number
        for value, sign in _ROMAN:
            roman += sign * (left // value)
            left %= value
        return roman if form == "upperRoman" else roman.lower()
    if form == "decimalZero":
        return f"{number:02d}"
    if form == "ordinal":
        return f"{number}er" if number == 1 else f"{number}e"
    return str(number)
