"""Formulas of Word in one line, and the signs of its Symbol font."""

from __future__ import annotations

from qa.ingest.formats.office.package import Element

MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"

_LIFTED = str.maketrans("0123456789+-n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ")
_LIFTABLE = frozenset("0123456789+-n")
_WORDLESS = frozenset(
    {"rPr", "fPr", "radPr", "sSupPr", "sSubPr", "sSubSupPr", "naryPr", "dPr", "ctrlPr", "mPr", "accPr"}
)

# Adobe's Symbol, by the last two figures of its private place.
SYMBOLS = {
    **{f"{code:02X}": chr(code) for code in range(0x20, 0x7F)},
    **dict(zip((f"{code:02X}" for code in range(0x41, 0x5B)), "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ", strict=True)),
    **dict(zip((f"{code:02X}" for code in range(0x61, 0x7B)), "αβχδεφγηιϕκλμνοπθρστυϖωξψζ", strict=True)),
    "22": "∀", "24": "∃", "27": "∋", "2A": "∗", "2D": "−", "40": "≅", "5C": "∴", "5E": "⊥", "7E": "∼",
    "A0": "€", "A2": "′", "A3": "≤", "A4": "⁄", "A5": "∞", "A8": "☑", "AB": "↔", "AC": "←", "AD": "↑", "AE": "→",
    "AF": "↓", "B0": "°", "B1": "±", "B2": "″", "B3": "≥", "B4": "×", "B5": "∝", "B6": "∂", "B7": "•", "B8": "÷",
    "B9": "≠", "BA": "≡", "BB": "≈", "BC": "…", "C6": "∅", "C7": "∩", "C8": "∪", "CE": "∈", "CF": "∉", "D0": "∠",
    "D1": "∇", "D2": "®", "D3": "©", "D4": "™", "D5": "∏", "D6": "√", "D7": "⋅", "D8": "¬", "DB": "⇔", "DE": "⇒",
    "E5": "∑", "F2": "∫", "FC": "✓", "FE": "☑", "6F": "ο",
}  # fmt: skip


def formula(root: Element) -> str:
    """A formula in one line: fractions as a/b, roots as √(a), powers raised."""
    name = root.tag.rsplit("}", 1)[-1]
    if name == "t":
        return root.text or ""
    if name in _WORDLESS:
        return ""

    def part(tag: str) -> str:
        found = root.find(f"{MATH}{tag}")
        return "" if found is None else _children(found)

    if name == "f":
        return f"{_grouped(part('num'))}/{_grouped(part('den'))}"
    if name == "sSup":
        return f"{_grouped(part('e'))}{_power(part('sup'))}"
    if name == "sSub":
        return f"{part('e')}_{_grouped(part('sub'))}"
    if name == "sSubSup":
        return f"{part('e')}_{_grouped(part('sub'))}{_power(part('sup'))}"
    if name == "rad":
        degree = part("deg")
        root_sign = {"": "√", "2": "√", "3": "∛", "4": "∜"}.get(degree, f"{degree}√")
        return f"{root_sign}{_grouped(part('e'))}"
    if name == "d":
        sides = root.find(f"{MATH}dPr")
        opens, closes = (_side(sides, tag, usual) for tag, usual in (("begChr", "("), ("endChr", ")")))
        inner = " ; ".join(_children(e) for e in root.findall(f"{MATH}e"))
        return f"{opens}{inner}{closes}"
    if name == "nary":
        sign = _side(root.find(f"{MATH}naryPr"), "chr", "∫")
        lower, upper = part("sub"), part("sup")
        return f"{sign}{f'_{_grouped(lower)}' if lower else ''}{_power(upper) if upper else ''} {part('e')}"
    if name == "m":
        rows = (", ".join(_children(e) for e in row.findall(f"{MATH}e")) for row in root.findall(f"{MATH}mr"))
        return " ; ".join(rows)
    return _children(root)


def _children(root: Element) -> str:
    return "".join(formula(child) for child in root)


def _grouped(text: str) -> str:
    simple = len(text) < 2 or text.replace(",", "").replace(".", "").isalnum()
    return text if simple else f"({text})"


def _power(text: str) -> str:
    return text.translate(_LIFTED) if text and _LIFTABLE.issuperset(text) else f"^{_grouped(text)}"


def _side(properties: Element | None, tag: str, usual: str) -> str:
    found = None if properties is None else properties.find(f"{MATH}{tag}")
    return usual if found is None else found.get(f"{MATH}val") or ""
