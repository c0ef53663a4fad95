"""Files to articles: text, Markdown, HTML, PDF, Word and JSON lines."""

from __future__ import annotations

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from qa.errors import ArticleError
from qa.formats import READERS, Content, decode, iso_date

SUFFIXES = frozenset({*READERS, ".jsonl"})
MAX_FILE_BYTES = 100_000_000
MAX_TEXT_CHARS = 20_000_000
_SLUG_LETTERS = 80
_UNKEPT = {c: None for c in range(32) if chr(c) not in "\n\t"} | {0x7F: None, 0xFEFF: None, 0x2028: "\n", 0x2029: "\n"}


@dataclass(frozen=True, slots=True)
class Article:
    """A text with where it comes from; `id` begins with the file's name, `date` is ISO or None."""

    id: str
    title: str
    text: str
    source: str
    path: str = ""
    date: str | None = None
    author: str | None = None

    @property
    def content_hash(self) -> str:
        """A hash of all a reader of the article would see."""
        seen = "\0".join((self.title, self.date or "", self.source, self.author or "", self.text))
        return hashlib.blake2b(seen.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was not read, and why, in French."""

    path: str
    reason: str


def find_files(paths: Iterable[str | Path]) -> Iterator[Path | Skipped]:
    """Every file that can be an article, folders walked in order of name; the others with the reason.

    Reported as skipped: hidden files, links out of the folder given, unreadable, empty and too large
    files, and unknown types. A path that does not exist is reported too.
    """
    seen: set[Path] = set()
    for given in map(Path, paths):
        root = given.absolute()
        if root.is_dir():
            for item in _walk(root, root.resolve()):
                if isinstance(item, Skipped) or item not in seen:
                    yield item
                if isinstance(item, Path):
                    seen.add(item)
        elif not root.exists():
            yield Skipped(str(root), "ce fichier ou ce dossier n’existe pas")
        elif root not in seen:
            seen.add(root)
            yield _looked_at(root)


def _walk(folder: Path, root: Path) -> Iterator[Path | Skipped]:
    try:
        entries = sorted(os.scandir(folder), key=lambda e: e.name)
    except OSError:
        yield Skipped(str(folder), "dossier illisible : vérifiez vos droits d’accès")
        return
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith("."):
            yield Skipped(str(path), "fichier ou dossier caché")
        elif entry.is_symlink() and not path.resolve().is_relative_to(root):
            yield Skipped(str(path), "lien vers un endroit hors du dossier")
        elif entry.is_dir():
            if not entry.is_symlink():
                yield from _walk(path, root)
        else:
            yield _looked_at(path)


def _looked_at(path: Path) -> Path | Skipped:
    if path.suffix.lower() not in SUFFIXES:
        return Skipped(str(path), f"type de fichier non pris en charge ({', '.join(sorted(SUFFIXES))} le sont)")
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError:
        return Skipped(str(path), "fichier illisible : vérifiez vos droits d’accès")
    if size == 0:
        return Skipped(str(path), "fichier vide")
    if size > MAX_FILE_BYTES:
        return Skipped(str(path), f"fichier trop gros ({size // 1_000_000} Mo) : {MAX_FILE_BYTES // 1_000_000} Mo au plus")
    return path


def read_file(path: Path) -> list[Article]:
    """The article of a file, or the articles of a JSON-lines file; raises ArticleError, in one French line."""
    path = path.absolute()
    found = _looked_at(path)
    if isinstance(found, Skipped):
        raise ArticleError(f"{path} : {found.reason}.")
    try:
        if path.suffix.lower() == ".jsonl":
            return list(_records(path))
        content = READERS[path.suffix.lower()](path)
    except OSError as error:
        raise ArticleError(f"{path} : lecture impossible ({error.strerror or 'erreur du disque'}).") from error
    article = _article(content, path.stem, str(path), path)
    if not article.text:
        raise ArticleError(f"{path} : aucun texte trouvé dans ce fichier.")
    return [article]


def read_text(
    text: str,
    *,
    title: str = "",
    source: str = "",
    date: str | None = None,
    author: str | None = None,
    id: str | None = None,
) -> Article:
    """An article from a text in memory; without a title, its first short line is one."""
    content = Content(text, title, source, date, author)
    cleaned = clean(text)
    name = id or slug(title or cleaned[:40]) or "texte"
    return _article(content, name, source or name, None, exact_id=id)


def _article(content: Content, stem: str, fallback: str, path: Path | None, *, exact_id: str | None = None) -> Article:
    text = clean(content.text)
    if len(text) > MAX_TEXT_CHARS:
        raise ArticleError(f"{fallback} : texte trop long ({len(text)} caractères), {MAX_TEXT_CHARS} au plus.")
    source = clean(content.source) or fallback
    place = str(path) if path else source
    mark = hashlib.blake2b(f"{place}\0{stem}".encode(), digest_size=4).hexdigest()
    title = " ".join(clean(content.title).split()) or first_short_line(text) or stem
    return Article(
        id=exact_id or f"{slug(stem) or 'article'}-{mark}",
        title=title[:300],
        text=text,
        source=source,
        path=str(path) if path else "",
        date=iso_date(content.date),
        author=" ".join(clean(content.author or "").split()) or None,
    )


def _records(path: Path) -> Iterator[Article]:
    for number, line in enumerate(decode(path.read_bytes()).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ArticleError(f"{path}, ligne {number} : ce n’est pas du JSON valide.") from error
        if not isinstance(record, dict) or not isinstance(record.get("text"), str) or not record["text"].strip():
            raise ArticleError(f"{path}, ligne {number} : il faut un objet JSON avec un champ « text » non vide.")
        title, source, date, author = (
            str(record[k]) if record.get(k) is not None else "" for k in ("title", "source", "date", "author")
        )
        content = Content(record["text"], title, source, date, author)
        stem = str(record.get("id") or f"{path.stem}-{number}")
        yield _article(content, stem, f"{path}#{number}", path)


def clean(text: str) -> str:
    """NFC text with plain line ends, without control characters or space at its ends; the rest is kept as it is."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_UNKEPT)
    text = text.encode("utf-8", "ignore").decode("utf-8")
    return unicodedata.normalize("NFC", text).strip()


def slug(name: str) -> str:
    """ASCII letters, digits, `-` and `_` of a name, so that an id can stand in a file name and an address."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]+", "-", plain).strip("-")[:_SLUG_LETTERS]


def first_short_line(text: str) -> str:
    """The first line where it can be a title: at most 150 characters, and more text below."""
    line, _, rest = text.partition("\n")
    line = line.strip().lstrip("#").strip()
    return line if 0 < len(line) <= 150 and rest.strip() and not line.endswith((".", ";", ",")) else ""
