"""Files of every kind to articles."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from os.path import realpath
from pathlib import Path

from embeddings.errors import cause_of
from embeddings.text import content_stems
from qa.errors import ArticleError
from qa.ingest.formats import MAX_TEXT_CHARS, READERS, Content, clean, decode, iso_date
from qa.ingest.structure import Heading, headings_of, text_of

SUFFIXES = frozenset({*READERS, ".jsonl"})
MAX_FILE_BYTES = 100_000_000

_LONGEST_TITLE = 300
_TITLE_LETTERS = 150
_TITLE_LINES = 3
_SLUG_LETTERS = 80
_FIRST_PAGE = 3_000
_TITLED_BY_PROGRAMS = frozenset(
    {".pdf", ".docx", ".docm", ".dotx", ".doc", ".odt", ".rtf", ".pptx", ".odp", ".xlsx"}
)
_NO_TITLE = re.compile(
    r"(?:diapositive|diapo|slide|document|mise en page|classeur|feuille|page|chapitre|sans titre|sans nom|untitled"
    r"|nouveau document|new document|présentation|presentation)[\s\-_]*\(?\d*\)?"
    r"|(?:microsoft )?(?:word|powerpoint|excel|office)\b.*|(?:word|excel|pdf) document|document (?:microsoft )?(?:word|pdf)"
    r"|pr[ée]sentation powerpoint|powerpoint presentation|titre|title|introduction|sommaire|pdf|scan\w*[\s\-_]*\d*"
    r"|.*\.(?:docx?|odt|rtf|pptx?|xlsx?|indd|qxd|tex|pdf|txt|html?)\b.*",
    re.I,
)
_LABEL = re.compile(r"(?:objet|sujet|subject|titre|title)\s?:\s*", re.I)
_PAGE = re.compile(r"(?:page|p\.)\s?\d+|\d+\s?/\s?\d+", re.I)


@dataclass(frozen=True, slots=True)
class Article:
    """A text with where it comes from; `id` begins with the file's name, `date` is ISO or None.

    `headings` are in order of the text, and none reaches into another; `notices` say what of the file was not read.
    """

    id: str
    title: str
    text: str
    source: str
    path: str = ""
    date: str | None = None
    author: str | None = None
    headings: tuple[Heading, ...] = ()
    notices: tuple[str, ...] = field(default=(), compare=False)

    @property
    def content_hash(self) -> str:
        """A hash of all a reader of the article would see."""
        marks = [f"{h.start}-{h.end}-{h.level}" for h in self.headings]
        seen = "\0".join((self.title, self.date or "", self.source, self.author or "", self.text, *marks))
        return hashlib.blake2b(seen.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was not read, and why, in French."""

    path: str
    reason: str


def find_files(paths: Iterable[str | Path]) -> Iterator[Path | Skipped]:
    """Every file that can be an article, once, folders walked in order of name; the others with the reason.

    Reported as skipped: hidden, unreadable, empty and too large files, links in a folder, unknown types, what is
    no file, names that are not UTF-8, paths that do not exist. A file or link given by its own path is read
    even if hidden.
    """
    seen: set[Path] = set()
    for given in paths:
        root = Path(realpath(given))
        for path, reason in _walk(root):
            if path not in seen:
                seen.add(path)
                yield Skipped(_shown(path), reason) if reason else path


def _walk(root: Path) -> Iterator[tuple[Path, str]]:
    """Each file below, or the root itself, with the reason why it cannot be read, or ""."""
    waiting = [root]
    while waiting:
        path = waiting.pop()
        try:
            reason = _barred(path, root) if path != root else ""
            if not reason and path.is_dir():
                waiting += sorted(path.iterdir(), key=lambda child: child.name, reverse=True)
            else:
                yield path, reason or _unreadable(path)
        except OSError:
            yield path, "illisible : vérifiez vos droits d’accès"


def _barred(path: Path, root: Path) -> str:
    """Why a walk does not even look at the path, or ""."""
    if path.name.startswith("."):
        return "fichier ou dossier caché"
    if not path.is_symlink():
        return ""
    if Path(realpath(path)).is_relative_to(root):
        return "lien vers un autre endroit du même dossier"
    return "lien vers un endroit hors du dossier"


def _unreadable(path: Path) -> str:
    """Why a file cannot be an article, or ""; opens it, which needs the right to."""
    if _shown(path) != str(path):
        return "nom qui n’est pas en UTF-8 : renommez le fichier"
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            return "ce n’est pas un fichier ordinaire"
        if path.suffix.lower() not in SUFFIXES:
            return f"type de fichier non pris en charge (sont lus : {', '.join(sorted(SUFFIXES))})"
        path.open("rb").close()
    except (FileNotFoundError, NotADirectoryError):
        return "ce fichier ou ce dossier n’existe pas"
    except OSError:
        return "illisible : vérifiez vos droits d’accès"
    if about.st_size == 0:
        return "fichier vide"
    if about.st_size > MAX_FILE_BYTES:
        return (
            f"fichier trop gros ({about.st_size // 1_000_000} Mo), {MAX_FILE_BYTES // 1_000_000} Mo au plus"
        )
    return ""


def _shown(path: Path) -> str:
    """The path as it can be printed and stored."""
    return os.fsencode(path).decode("utf-8", "replace")


def read_file(path: Path) -> list[Article]:
    """The article of a file, or those of a JSON-lines file; raises ArticleError, whose message begins with the path."""
    path = Path(realpath(path))
    if reason := _unreadable(path):
        raise ArticleError(f"{_shown(path)} : {reason}.")
    try:
        if path.suffix.lower() == ".jsonl":
            return list(_records(path))
        found = READERS[path.suffix.lower()](path)
        if isinstance(found, list):
            return list(_collected(found, path))
        return [_from_file(_with_own_title(found, path), path)]
    except ArticleError as error:
        raise ArticleError(f"{path} : {error}.") from error
    except OSError as error:
        raise ArticleError(f"{path} : lecture impossible ({cause_of(error)}).") from error


def reason_of(error: ArticleError, path: Path) -> str:
    """Why `read_file` refused the file, without its path and the full stop."""
    return str(error).removeprefix(f"{realpath(path)} : ").rstrip(".")


def read_text(
    text: str,
    *,
    title: str = "",
    source: str = "",
    date: str | None = None,
    author: str | None = None,
    id: str | None = None,
) -> Article:
    """An article from a text in memory; without a title, its first short line is one.

    One of the same source and title is the same article; without a source, one of the same text.
    """
    name = id or slug(title or clean(text[:200])[:40]) or "texte"
    content = Content(text, title, source or name, date, author)
    return _article(content, name, id=id or _id(name, source or text))


def _from_file(content: Content, path: Path) -> Article:
    return _article(content, path.stem, id=_id(path.stem, str(path)), source=str(path), path=str(path))


def _collected(contents: list[Content], path: Path) -> Iterator[Article]:
    """The articles of a file that holds several, less those without text; each has its name in the file."""
    for content in contents:
        if clean(content.text):
            stem = f"{path.stem}-{content.name}"
            source = f"{path}#{content.name}"
            yield _article(content, content.name, id=_id(stem, str(path)), source=source, path=str(path))


def _with_own_title(content: Content, path: Path) -> Content:
    """The content without a title that a program left, or that only repeats the file's name.

    Programs leave old titles in PDF and Word files: one of them must share a word with the first page. The title of
    Markdown was written by hand.
    """
    if path.suffix.lower() == ".md":
        return content
    title = _one_line(content.title)
    left = bool(_NO_TITLE.fullmatch(title)) or slug(title).lower() == slug(path.stem).lower()
    if not left and path.suffix.lower() in _TITLED_BY_PROGRAMS:
        first_page = set(content_stems(content.text[:_FIRST_PAGE]))
        left = first_page.isdisjoint(content_stems(title)) and bool(_first_short_line(clean(content.text)))
    return replace(content, title="") if left else content


def _records(path: Path) -> Iterator[Article]:
    """The articles of a JSON-lines file; only "\\n" ends a line, for a JSON text may hold other line ends."""
    lines_of_ids: dict[str, int] = {}
    for number, line in enumerate(decode(path.read_bytes()).split("\n"), start=1):
        if not line.strip("\0 \t\r"):
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ArticleError(f"ligne {number}, ce n’est pas du JSON valide") from error
        if not isinstance(record, dict) or not isinstance(record.get("text"), str):
            raise ArticleError(f"ligne {number}, il faut un objet JSON avec un champ « text »")
        about = {key: str(value) for key, value in record.items() if isinstance(value, str | int | float)}
        stem = about.get("id") or f"{path.stem}-{number}"
        if stem in lines_of_ids:
            raise ArticleError(
                f"ligne {number}, l’identifiant « {stem} » est déjà celui de la ligne {lines_of_ids[stem]}"
            )
        lines_of_ids[stem] = number
        title, source, date, author = (about.get(key, "") for key in ("title", "source", "date", "author"))
        content = Content(record["text"], title, source, date, author)
        try:
            yield _article(content, stem, id=_id(stem, str(path)), source=f"{path}#{number}", path=str(path))
        except ArticleError as error:
            raise ArticleError(f"ligne {number}, {error}") from error


def _article(content: Content, stem: str, *, id: str, source: str = "", path: str = "") -> Article:
    """The article of a content; the keywords stand in for what it does not say."""
    text = clean(content.text)
    if path and not text:
        raise ArticleError("aucun texte trouvé")
    if len(text) > MAX_TEXT_CHARS:
        raise ArticleError(f"texte trop long ({len(text)} caractères), {MAX_TEXT_CHARS} au plus")
    headings = headings_of(text, content.headings)
    return Article(
        id=id,
        title=_one_line(content.title)[:_LONGEST_TITLE] or _title_of(text, content, headings) or stem,
        text=text,
        source=_one_line(content.source) or source,
        path=path,
        date=iso_date(content.date),
        author=_one_line(content.author or "") or None,
        headings=headings,
        notices=content.notices,
    )


def _title_of(text: str, content: Content, headings: Sequence[Heading]) -> str:
    """The title that a text gives itself: a heading of the first level above it, or its first line, or a heading."""
    top = [heading for heading in headings if heading.level == 1] if content.headings else []
    if top and top[0].start < _FIRST_PAGE:
        return text_of(text, top[0])[:_LONGEST_TITLE]
    return _first_short_line(text) or (text_of(text, headings[0])[:_LONGEST_TITLE] if headings else "")


def _id(stem: str, place: str) -> str:
    mark = hashlib.blake2b(f"{place}\0{stem}".encode(), digest_size=4).hexdigest()
    return f"{slug(stem) or 'article'}-{mark}"


def slug(name: str) -> str:
    """ASCII letters, digits, `-` and `_` of a name, so that an id can stand in a file name and an address."""
    plain = unicodedata.normalize("NFKD", name[:1000]).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]+", "-", plain).strip("-")[:_SLUG_LETTERS]


def _one_line(text: str) -> str:
    return " ".join(clean(text[:2_000]).split())


def _first_short_line(text: str) -> str:
    """The first of the opening lines that can be a title: short, no sentence, and with more text below."""
    lines = [line.strip() for line in text[:20_000].split("\n")]
    opening = [number for number, line in enumerate(lines) if line]
    for number in opening[:-1][:_TITLE_LINES]:
        line = _LABEL.sub("", lines[number].lstrip("#").strip(), count=1)
        goes_on = lines[number + 1][:1].islower()
        if (
            len(line) <= _TITLE_LETTERS
            and any(map(str.isalpha, line))
            and not line.endswith((".", ";", ",", "…"))
            and not goes_on
            and not _PAGE.fullmatch(line)
        ):
            return line
    return ""
