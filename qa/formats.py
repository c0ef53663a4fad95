"""One reader a file type: a path to its text, title, source, date and author."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from qa.errors import ArticleError

MAX_UNPACKED_BYTES = 300_000_000
MAX_HTML_BYTES = 20_000_000
_MONTHS = (
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    "january february march april may june july august september october november december".split(),
)


@dataclass(frozen=True, slots=True)
class Content:
    """What a file says, as it says it; "" or None where it does not."""

    text: str
    title: str = ""
    source: str = ""
    date: str | None = None
    author: str | None = None


def decode(data: bytes) -> str:
    """Bytes to text: UTF-8 (UTF-16 with its mark), else the encoding charset-normalizer finds."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(data[:200_000]).best()
        return data.decode(best.encoding if best else "cp1252", "replace")


def iso_date(value: object) -> str | None:
    """An ISO date (`YYYY-MM-DD`, `YYYY-MM` or `YYYY`) found at the start of a value, or None."""
    if isinstance(value, (date, datetime)):
        return value.strftime("%Y-%m-%d")
    text = str(value or "").strip()
    if match := re.match(r"D:(\d{4})(\d{2})?(\d{2})?", text) or re.match(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?!\d)", text):
        year, month, day = match.groups()
        return _checked(int(year), int(month or 1), int(day or 1), "-".join(p for p in match.groups() if p))
    if match := re.match(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})", text):
        day, month, year = map(int, match.groups())
        return _checked(year, month, day, f"{year:04d}-{month:02d}-{day:02d}")
    if match := re.search(r"(\d{1,2})(?:er)?\s+([^\W\d]+)\.?\s+(\d{4})", text):
        for names in _MONTHS:
            for number, name in enumerate(names, start=1):
                if name.startswith(match[2].lower()[:4]):
                    year, day = int(match[3]), int(match[1])
                    return _checked(year, number, day, f"{year:04d}-{number:02d}-{day:02d}")
    return None


def _checked(year: int, month: int, day: int, iso: str) -> str | None:
    try:
        date(year, month, day)
    except ValueError:
        return None
    return iso if 1000 <= year <= 2200 else None


def read_txt(path: Path) -> Content:
    """Plain text."""
    return Content(decode(path.read_bytes()))


def read_md(path: Path) -> Content:
    """Markdown, its front matter (title, date, source, author) read, its marks of emphasis and links taken off."""
    import yaml

    text = decode(path.read_bytes()).replace("\r\n", "\n")
    fields: dict[str, object] = {}
    if match := re.match(r"---\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)", text, re.S):
        try:
            loaded = yaml.safe_load(match[1])
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise ArticleError(f"{path} : l’en-tête entre « --- » n’est pas du YAML valide.") from error
        if isinstance(loaded, dict):
            fields = {str(key).lower(): value for key, value in loaded.items()}
            text = text[match.end() :]

    def field(name: str) -> str:
        return "" if fields.get(name) is None else str(fields[name])

    heading = re.search(r"\A\s*#\s+(.+?)\s*#*\s*\n", text)
    title = field("title") or (heading[1] if heading else "")
    if heading and heading[1] == title:
        text = text[heading.end() :]
    return Content(_plain_markdown(text), title, field("source"), iso_date(fields.get("date")), field("author"))


def _plain_markdown(text: str) -> str:
    text = re.sub(r"!\[([^\]]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)", r"\1", text)
    text = re.sub(r"\[([^\]]+)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)", r"\1", text)
    text = re.sub(r"^[ \t]{0,3}#{1,6}[ \t]+", "", text, flags=re.M)
    text = re.sub(r"^[ \t]{0,3}>[ \t]?", "", text, flags=re.M)
    text = re.sub(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", r"\2", text)
    text = re.sub(r"(?<![\w*])\*(?=[^\s*])([^*\n]+?)(?<=\S)\*(?![\w*])", r"\1", text)
    return re.sub(r"(?<!\w)_(?=[^\s_])([^_\n]+?)(?<=\S)_(?!\w)", r"\1", text)


def read_html(path: Path) -> Content:
    """The main content of a web page, without menus, advertisements or scripts (trafilatura)."""
    data = path.read_bytes()
    if len(data) > MAX_HTML_BYTES:
        raise ArticleError(f"{path} : page trop grosse ({len(data) // 1_000_000} Mo), {MAX_HTML_BYTES // 1_000_000} Mo au plus.")
    page = decode(data)
    import trafilatura

    try:
        document = trafilatura.bare_extraction(page, favor_recall=True, include_comments=False, with_metadata=True)
    except (RecursionError, ValueError, TypeError, AttributeError) as error:
        raise ArticleError(f"{path} : cette page HTML est trop abîmée pour être lue.") from error
    if document is None or not (document.text or "").strip():
        raise ArticleError(f"{path} : aucun texte principal trouvé dans cette page.")
    return Content(document.text, document.title or "", document.url or "", document.date, document.author)


def read_pdf(path: Path) -> Content:
    """The text of a PDF, its lines joined to paragraphs and its hyphenated words made whole (pypdf)."""
    import logging

    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise ArticleError(f"{path} : PDF protégé par un mot de passe, enregistrez-en une copie sans protection.")
        pages = [page.extract_text() or "" for page in reader.pages]
        about = reader.metadata
    except ArticleError:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError) as error:
        raise ArticleError(f"{path} : PDF abîmé ou incomplet, ouvrez-le et enregistrez-le de nouveau.") from error
    if not any(page.strip() for page in pages):
        raise ArticleError(f"{path} : ce PDF ne contient que des images, passez-le d’abord par une reconnaissance de texte.")
    title = str(about.title or "") if about else ""
    author = str(about.author or "") if about else ""
    made = about.get("/CreationDate") if about else None
    return Content(join_lines("\n".join(pages)), title, "", iso_date(made), author)


def join_lines(text: str) -> str:
    """Printed lines to paragraphs: a line goes on in the next unless it ends a sentence or is short."""
    lines = [line.strip() for line in text.replace("\u00ad", "-").split("\n")]
    usual = sorted((len(line) for line in lines if line), reverse=True)
    width = usual[len(usual) // 4] if usual else 0
    joined = ""
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if not line:
            joined = joined.rstrip() + "\n\n"
        elif line.endswith("-") and after[:1].islower() and line[-2:-1].isalpha():
            joined += line[:-1]
        elif len(line) < 0.6 * width and (line.endswith((".", "!", "?", "»", ":")) or after[:1].isupper()):
            joined += line + "\n\n"
        else:
            joined += line + " "
    return joined


def read_docx(path: Path) -> Content:
    """The paragraphs and tables of a Word document, in order (python-docx)."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(item.file_size for item in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise ArticleError(f"{path} : document trop gros une fois décompressé, refusé par prudence.")
    except (zipfile.BadZipFile, OSError) as error:
        raise ArticleError(f"{path} : ce n’est pas un document Word (.docx) valide.") from error
    import docx
    from docx.table import Table

    try:
        document = docx.Document(str(path))
        parts = []
        for block in document.iter_inner_content():
            if isinstance(block, Table):
                rows = (" | ".join(dict.fromkeys(cell.text.strip() for cell in row.cells)) for row in block.rows)
                parts.append("\n".join(rows))
            else:
                parts.append(block.text)
        about = document.core_properties
        return Content("\n\n".join(parts), about.title or "", "", iso_date(about.created), about.author)
    except Exception as error:  # python-docx lets the errors of zipfile, lxml and its own parts through
        raise ArticleError(f"{path} : ce n’est pas un document Word (.docx) valide.") from error


READERS: dict[str, Callable[[Path], Content]] = {
    ".txt": read_txt,
    ".md": read_md,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
}
