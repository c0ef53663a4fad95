"""Files sent by a browser: the limits they must keep, and where they are kept."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from qa.errors import ArticleError, LibraryError
from qa.ingest.articles import SUFFIXES, read_file, reason_of

if TYPE_CHECKING:
    from qa.library.library import Library

MAX_FILES = 20
MAX_FILE_BYTES = 20_000_000
_LONGEST_NAME = 1000


def limits_in_words() -> str:
    """The limits, told before anything is sent."""
    kinds = ", ".join(sorted(suffix.removeprefix(".") for suffix in SUFFIXES))
    size = f"{MAX_FILE_BYTES // 1_000_000}\u00a0Mo"
    return f"{MAX_FILES} fichiers au plus à la fois, de {size} au plus\u00a0: {kinds}."


def clean_name(name: str) -> str:
    """The file's name without folders, hidden dots and odd characters; "article" where nothing is left."""
    # Longer than a file's name can be, it is cut: accents are put together in quadratic time.
    base = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1][-_LONGEST_NAME:])
    stem, dot, suffix = base.rpartition(".")
    if not dot:
        stem, suffix = base, ""
    stem = re.sub(r"[^\w -]+", "-", stem).strip(" -_")[:100]
    suffix = re.sub(r"\W", "", suffix)[:10].lower()
    return f"{stem or 'article'}.{suffix}" if suffix else stem or "article"


def keep_upload(library: Path, name: str, sent: Path, *, beside: Collection[Path] = ()) -> Path:
    """Copies a sent file into the library's folder, under its cleaned name, and gives its place there.

    A file of the same name replaces the former one, so that sending an article again updates it, unless
    that one is among those `beside`, kept from the same batch. Raises ArticleError, whose message is the
    bare reason, where the kind, the size, the name or the content is not accepted; nothing is kept then.
    """
    kept = library / "uploads" / clean_name(name)
    if kept.suffix.lower() not in SUFFIXES:
        kinds = ", ".join(sorted(SUFFIXES))
        raise ArticleError(f"type de fichier non accepté\u00a0; choisissez parmi {kinds}")
    if sent.stat().st_size > MAX_FILE_BYTES:
        limit = MAX_FILE_BYTES // 1_000_000
        raise ArticleError(f"fichier trop gros\u00a0; {limit}\u00a0Mo au plus")
    if kept in beside:
        raise ArticleError("un autre fichier de cet envoi porte déjà ce nom\u00a0; renommez l’un des deux")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".", dir=kept.parent) as folder:
        arriving = Path(folder, kept.name)
        shutil.copyfile(sent, arriving)
        _check_content(arriving)
        arriving.replace(kept)
    return kept


def _check_content(path: Path) -> None:
    """Raises ArticleError, with the bare reason, where the file holds no article."""
    try:
        articles = read_file(path)
    except ArticleError as error:
        raise ArticleError(reason_of(error, path)) from error
    if not articles:
        raise ArticleError("aucun texte trouvé")


def remove_article(library: Library, article_id: str) -> bool:
    """Removes an article, and the copy kept of its file once no article comes from it; gives whether there was one."""
    try:
        path = Path(library.article(article_id).path)
    except LibraryError:
        return False
    removed = library.remove([article_id]) > 0
    ours = path.parent == library.path.absolute() / "uploads"
    if ours and not any(info.path == str(path) for info in library.articles()):
        path.unlink(missing_ok=True)
    return removed
