"""The text that bytes stand for, even where one file mixes encodings."""

from __future__ import annotations

import re

_LEGACY = ("cp1252", "iso8859_15", "mac_roman", "cp850")
_SAMPLE = 200_000
_LETTERS = frozenset("éèàêçùâîôûëïüœæÿñ")
_CAPITALS = frozenset("ÉÈÀÊÇÙÂÎÔÛËÏÜŒÆ")
_MARKS = frozenset("«»’‘“”…–—€°§\u00a0\u202f²³ºª·•½£©®")
_FRENCH = _LETTERS | _CAPITALS | _MARKS
_MULTIBYTE = re.compile(rb"\xc3[\x80-\xbf]|\xc2[\xa0-\xbf]|\xc5[\x92\x93]|\xe2\x80[\x80-\xbf]|\xe2\x82\xac")
_VALID = re.compile(
    rb"[\x00-\x7f]+|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}"
    rb"|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
_TWICE = re.compile(r"Ã[^\x00-\x7f]|Ã(?= )|Â[\u0080-\u00bf]|â€[^\x00-\x7f]|â‚¬|Å[“’\u0090-\u009f]")
_BYTES = {
    **{bytes([byte]).decode("latin-1"): byte for byte in range(128, 256)},
    **{bytes([byte]).decode("cp1252", "ignore"): byte for byte in range(128, 160)},
    " ": 0xA0,  # the no-break space at the end of "à", made plain by an editor
}


def decode(data: bytes) -> str:
    """Bytes to text: UTF-8, UTF-16, or an encoding French is written in; lines of another one are read by it.

    Text that was encoded twice is decoded twice.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    if wide := _unmarked_utf16(data[:_SAMPLE]):
        return data.decode(wide, "replace")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = _mixed(data)
    return _TWICE.sub(_undone, text)


def _unmarked_utf16(sample: bytes) -> str:
    """UTF-16 without its mark: nearly every second byte is zero."""
    half = len(sample) // 2
    if half < 2:
        return ""
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if sample[first::2].count(0) > 0.7 * half and sample[1 - first :: 2].count(0) < 0.1 * half:
            return name
    return ""


def _mixed(data: bytes) -> str:
    """Line by line: UTF-8 where it is valid, else UTF-8 with foreign bytes, else the other encoding of the file."""
    lines: list[bytes | str] = []
    foreign: list[bytes] = []
    for line in data.split(b"\n"):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            if _MULTIBYTE.search(line):
                lines.append(_byte_by_byte(line))
            else:
                lines.append(line)
                foreign.append(line)
    sample = b"\n".join(foreign)[:_SAMPLE]
    best = max(_LEGACY, key=lambda name: _likeness(sample.decode(name, "replace")))
    return "\n".join(line if isinstance(line, str) else line.decode(best, "replace") for line in lines)


def _byte_by_byte(line: bytes) -> str:
    """UTF-8 whose invalid bytes are read as Windows-1252."""
    kept, at = [], 0
    while at < len(line):
        if valid := _VALID.match(line, at):
            kept.append(valid[0].decode("utf-8"))
            at = valid.end()
        else:
            kept.append(line[at : at + 1].decode("cp1252", "replace"))
            at += 1
    return "".join(kept)


def _likeness(text: str) -> float:
    """How French the letters beyond ASCII are."""
    score = 0.0
    for before, letter, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if letter.isascii():
            continue
        if letter in _LETTERS:
            score += 1 if before.isalpha() or after.isalpha() or letter == "à" else -0.5
        elif letter in _CAPITALS:
            score += -1 if before.islower() else 0.7
        elif letter in _MARKS:
            score += -1 if before.isalpha() and after.isalpha() and letter not in "’‘" else 0.5
        else:
            score -= 2
    return score


def _undone(match: re.Match[str]) -> str:
    """One letter that was encoded twice, or what stands there where it was not."""
    found = match[0]
    try:
        letter = bytes(_BYTES[sign] for sign in (found if len(found) > 1 else f"{found} ")).decode("utf-8")
    except (KeyError, UnicodeDecodeError):
        return found
    return letter if letter in _FRENCH else found
