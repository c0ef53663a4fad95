"""Mails (.eml, .mbox) and pages saved as mails (.mht)."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import parseaddr, parsedate_to_datetime
from mailbox import mbox
from pathlib import Path

from qa.errors import ArticleError
from qa.ingest.formats.content import Content, clean
from qa.ingest.formats.encodings import decode
from qa.ingest.formats.notes import without_typed_calls
from qa.ingest.formats.web import decode_page, page_content, text_of_html

MAX_MAILS = 20_000
MAX_MAIL_BYTES = 30_000_000

_MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
_QUOTED = re.compile(r"[ \t]{0,3}(?:>[ \t]?)+")
_WROTE = re.compile(r"(?:le|on)\b.{5,200}\b(?:a écrit|wrote)\s*:\s*|.{0,200}\ba écrit\s*:\s*", re.I)
_ORIGINAL = re.compile(
    r"[-_ ]{3,}\s*(?:message d.origine|message original|original message|message transféré|forwarded message)\b.{0,60}",
    re.I,
)
_WORDS = re.compile(r"\w+")
_MOST_ATTACHMENTS = 50


def read_eml(path: Path) -> Content:
    """A mail: who, to whom, when, about what, and its text, with what it quotes once."""
    data = path.read_bytes()
    if len(data) > 2 * MAX_MAIL_BYTES:
        raise ArticleError(
            f"courriel trop gros ({len(data) // 1_000_000} Mo), {2 * MAX_MAIL_BYTES // 1_000_000} Mo au plus"
        )
    return _content(_parsed(data), set(), "")


def read_mbox(path: Path) -> list[Content]:
    """The mails of a mailbox; what a mail quotes of an earlier one is left out."""
    if not path.read_bytes()[:5] == b"From ":
        raise ArticleError("ce n’est pas une boîte de courriels (mbox) valide")
    said: set[str] = set()
    contents: list[Content] = []
    box = mbox(path, create=False)
    try:
        for number, key in enumerate(box.iterkeys(), start=1):
            if number > MAX_MAILS:
                raise ArticleError(f"plus de {MAX_MAILS} courriels, découpez la boîte")
            data = box.get_bytes(key)
            if len(data) <= 2 * MAX_MAIL_BYTES:
                contents.append(_content(_parsed(data), said, str(number)))
    finally:
        box.close()
    return contents


def read_mht(path: Path) -> Content:
    """A page saved with its pictures in one file."""
    page = html_of_archive(path.read_bytes())
    if not page:
        raise ArticleError("aucune page trouvée dans cette archive web")
    return page_content(decode_page(page))


def html_of_archive(data: bytes) -> bytes:
    """The page of an archive of one, in UTF-8; nothing where it has none."""
    for part in _parsed(data).walk():
        if part.get_content_type() in ("text/html", "application/xhtml+xml"):
            return decode_page(_bytes(part)).encode()
    return b""


def _parsed(data: bytes) -> EmailMessage:
    return message_from_bytes(data, policy=policy.default)


def _content(mail: EmailMessage, said: set[str], name: str) -> Content:
    subject, sender, to, copy = (_header(mail, key) for key in ("Subject", "From", "To", "Cc"))
    text, attached = _body(mail)
    if not (subject or sender or text):
        raise ArticleError("ce n’est pas un courriel valide")
    iso, shown = _date(_header(mail, "Date"))
    head = (("De", sender), ("À", to), ("Copie à", copy), ("Date", shown), ("Objet", subject))
    lines = [f"{label} : {value}" for label, value in head if value]
    lines += [f"Pièce jointe : {file}" for file in attached]
    body = _quoted_once(clean(text), said)
    real_name, address = parseaddr(sender)
    notices = (f"pièces jointes non lues : {', '.join(attached)}",) if attached else ()
    return Content(
        without_typed_calls("\n\n".join(["\n".join(lines), body])), subject, "", iso, real_name or address or None,
        notices=notices, name=name,
    )  # fmt: skip


def _header(mail: Message, key: str) -> str:
    """A header in one line, whatever is wrong with it."""
    try:
        value = mail.get(key)
    except Exception:  # the parser of headers lets errors of many kinds through
        return ""
    return " ".join(str(value or "").encode("utf-8", "replace").decode().split())[:2_000]


def _date(header: str) -> tuple[str | None, str]:
    """A date in ISO form, and as a French text says it."""
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None, header
    day = "1er" if date.day == 1 else str(date.day)
    return date.date().isoformat(), f"{day} {_MONTHS[date.month - 1]} {date.year} à {date:%H:%M}"


def _body(mail: EmailMessage) -> tuple[str, list[str]]:
    """The text of a mail, and the names of what is attached."""
    plain: list[str] = []
    pages: list[str] = []
    attached: list[str] = []
    for part in mail.walk():
        kind = part.get_content_type()
        file = part.get_filename() or ""
        if part.is_multipart():
            continue
        if file or part.get_content_disposition() == "attachment":
            if len(attached) < _MOST_ATTACHMENTS and file and not part.get("Content-ID"):
                attached.append(" ".join(file.split())[:200])
        elif kind == "text/plain":
            plain.append(_text(part))
        elif kind == "text/html" and len(_bytes(part)) <= MAX_MAIL_BYTES:
            pages.append(text_of_html(decode_page(_bytes(part))))
    text = "\n\n".join(filter(str.strip, plain))
    return text if text.strip() else "\n\n".join(filter(None, pages)), attached


def _bytes(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _text(part: Message) -> str:
    """The text of a part in the encoding it declares, unless its bytes are none of it."""
    data = _bytes(part)
    declared = part.get_content_charset() or ""
    if declared.lower().replace("_", "-") not in ("", "us-ascii", "utf-8", "iso-8859-1"):
        try:
            return data.decode(declared)
        except (LookupError, UnicodeDecodeError):
            pass
    return decode(data)


def _quoted_once(text: str, said: set[str]) -> str:
    """A text whose quoted lines lose their marks, and go where they were said before; `said` is added to."""
    kept: list[str] = []
    own: set[str] = set()
    quoting = False
    intro: list[str] = []
    for line in text.split("\n"):
        if _ORIGINAL.fullmatch(line.strip()):
            quoting = True
            continue
        mark = _QUOTED.match(line)
        plain = line[mark.end() :] if mark else line
        key = " ".join(_WORDS.findall(plain.lower()))
        if (mark or quoting) and key and (key in said or (len(key) > 10 and key in own)):
            intro = []
            continue
        if _WROTE.fullmatch(plain.strip()):
            intro = [plain.strip()]
            continue
        if key and intro:
            kept += intro
            intro = []
        own.add(key)
        kept.append(plain)
    said |= own
    return "\n".join(kept).strip()
