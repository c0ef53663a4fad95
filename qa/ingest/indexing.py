"""One run of indexing: files and articles, read, encoded and stored batch by batch, so that little is lost."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from embeddings.errors import cause_of
from qa.errors import ArticleError
from qa.ingest.articles import Article, Skipped, read_file, reason_of
from qa.ingest.passages import Passage, header_of, split_passages, with_header
from qa.ingest.structure import headings_of
from qa.library.storage import Storage

BATCH_PASSAGES = 256
BATCH_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """Where indexing stands: files looked at, of how many (0 where there are none), passages encoded so far."""

    files: int
    files_total: int
    passages: int


@dataclass(frozen=True, slots=True)
class Withheld:
    """A path that is missing, or whose every known file is, so that nothing was removed; how many articles stay."""

    path: str
    missing: bool
    articles: int


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What indexing did: ids of articles, files skipped, passages stored, seconds, paths not pruned.

    `notices` say what was not read of files that were.
    """

    added: tuple[str, ...]
    updated: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    passages: int
    seconds: float
    withheld: tuple[Withheld, ...] = ()
    notices: tuple[Skipped, ...] = ()


Progress = Callable[[IndexProgress], None]


class Encode(Protocol):
    """Texts to vectors (n, dimension), float32; `progress` is told how many texts are done."""

    def __call__(self, texts: list[str], *, progress: Callable[[int], None]) -> np.ndarray: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class _ReadFile:
    """A file whose articles are all waiting, or stored."""

    path: str
    hash: str
    ids: frozenset[str]


class Indexing:
    """Stores what is new or changed; a batch is one transaction, and an article is never cut in two.

    A file's hash is stored with the last of its articles: an interrupted file is read again, and only
    what is missing of it is encoded.
    """

    def __init__(
        self,
        storage: Storage,
        encode: Encode,
        *,
        batch_passages: int = BATCH_PASSAGES,
        progress: Progress | None = None,
    ) -> None:
        self._storage, self._encode, self._batch_passages = storage, encode, batch_passages
        self._progress = progress or (lambda _: None)
        self._waiting: dict[str, tuple[Article, list[Passage]]] = {}
        self._read: list[_ReadFile] = []
        self._anew: dict[str, str | None] = {}
        self._files = self._files_total = self._passages = self._waiting_passages = 0
        self._began = self._stored_at = time.monotonic()
        self._added: list[str] = []
        self._updated: list[str] = []
        self._unchanged: list[str] = []
        self._removed: list[str] = []
        self._skipped: list[Skipped] = []
        self._withheld: list[Withheld] = []
        self._notices: list[Skipped] = []

    def add_files(self, found: Iterable[Path | Skipped]) -> None:
        """Read each file that has changed, and store its articles."""
        listed = list(found)
        self._skipped += [item for item in listed if isinstance(item, Skipped)]
        files = [item for item in listed if isinstance(item, Path)]
        self._files_total = len(files)
        known = self._storage.file_hashes()
        for path in files:
            try:
                self._add_file(path, known)
            except UnicodeEncodeError:
                self._skipped.append(Skipped(str(path), "son nom n’est pas en UTF-8 : renommez-le"))
            except ArticleError as error:
                self._skipped.append(Skipped(str(path), reason_of(error, path)))
            except OSError as error:
                self._skipped.append(Skipped(str(path), f"fichier illisible ({cause_of(error)})"))
            self._files += 1
            self._tell(0)
        self._store()

    def add_articles(self, articles: Iterable[Article]) -> None:
        """Store articles held in memory."""
        for article in articles:
            self._take(article)
        self._store()

    def cut_anew(self) -> None:
        """Cut the articles that were cut otherwise: those of a file that is still the same are read from it again.

        An interrupted run goes on where it was; each article keeps the day it came.
        """
        files = self._storage.file_hashes()
        articles: dict[str, Article] = {}
        path = ""
        for id_ in self._storage.cut_otherwise():
            stored = self._storage.article(id_)
            if stored is None:
                continue
            if stored.path != path:
                path = stored.path
                articles = _read_again(path, files.get(path)) if path else {}
            article = articles.pop(stored.id, None) or replace(
                stored, headings=stored.headings or headings_of(stored.text)
            )
            self._anew[id_] = self._storage.added(id_)
            self._wait_for(article)
        self._store()
        if not self._storage.cut_otherwise():
            with self._storage.transaction():
                self._storage.all_are_cut()

    def prune(self, roots: Sequence[Path]) -> None:
        """Remove the articles of files that are no longer there, below the roots.

        A root below which no known file is left is withheld: its disk may be away.
        """
        known = [path for path in self._storage.paths() if _below(path, roots)]
        vanished = [path for path in known if _vanished(path)]
        lost: list[Path] = []
        for root in dict.fromkeys(roots):
            inside = [path for path in known if _below(path, [root])]
            # Looked at again: the disk may have gone while its files were looked at.
            if inside and all(map(_vanished, inside)):
                lost.append(root)
                count = sum(len(self._storage.ids_of_path(path)) for path in inside)
                self._withheld.append(Withheld(str(root), _vanished(str(root)), count))
        gone = [path for path in vanished if not _below(path, lost)]
        if gone:
            with self._storage.change() as revision:
                for path in gone:
                    self._forget(self._storage.ids_of_path(path), revision)

    def report(self) -> IndexReport:
        """What was done so far."""
        return IndexReport(
            tuple(self._added), tuple(self._updated), tuple(self._unchanged), tuple(self._removed),
            tuple(self._skipped), self._passages, time.monotonic() - self._began, tuple(self._withheld),
            tuple(self._notices),
        )  # fmt: skip

    def _add_file(self, path: Path, known: dict[str, str]) -> None:
        name = str(path)
        name.encode()
        digest = _hash_of(path)
        if known.get(name) == digest:
            self._unchanged += self._storage.ids_of_path(name)
            return
        articles = read_file(path)
        self._notices += [Skipped(name, notice) for article in articles for notice in article.notices]
        for article in articles:
            self._take(article)
        self._read.append(_ReadFile(name, digest, frozenset(article.id for article in articles)))

    def _take(self, article: Article) -> None:
        if article.id in self._waiting:
            self._store()
        known = self._storage.hash_of(article.id)
        if known == article.content_hash:
            self._unchanged.append(article.id)
            return
        (self._added if known is None else self._updated).append(article.id)
        self._wait_for(article)

    def _wait_for(self, article: Article) -> None:
        """Cut an article, and encode and store what is waiting once there is enough."""
        passages = split_passages(article)
        self._waiting[article.id] = article, passages
        self._waiting_passages += len(passages)
        late = time.monotonic() - self._stored_at > BATCH_SECONDS
        if late or self._waiting_passages >= self._batch_passages:
            self._store()

    def _store(self) -> None:
        """Encode what is waiting and store it."""
        texts = [
            with_header(header_of(article.title, passage.headings, article.date), passage.text)
            for article, passages in self._waiting.values()
            for passage in passages
        ]
        vectors = self._encode(texts, progress=self._tell) if texts else np.empty((0, 0), np.float32)
        if self._waiting or self._read:
            with self._storage.change() as revision:
                at = 0
                for article, passages in self._waiting.values():
                    own = vectors[at : at + len(passages)]
                    self._storage.put(article, passages, own, revision, added=self._anew.get(article.id))
                    at += len(passages)
                for file in self._read:
                    self._forget(sorted(set(self._storage.ids_of_path(file.path)) - file.ids), revision)
                    self._storage.put_file(file.path, file.hash)
        self._waiting, self._read, self._waiting_passages, self._anew = {}, [], 0, {}
        self._passages += len(texts)
        self._stored_at = time.monotonic()
        self._tell(0)

    def _forget(self, ids: Sequence[str], revision: int) -> None:
        self._storage.remove(ids, revision)
        self._removed += ids

    def _tell(self, encoded: int) -> None:
        self._progress(IndexProgress(self._files, self._files_total, self._passages + encoded))


def _hash_of(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _read_again(path: str, known: str | None) -> dict[str, Article]:
    """The articles of a file by their ids, none where it is gone, or no longer the one that was read."""
    try:
        if known is None or _hash_of(Path(path)) != known:
            return {}
        return {article.id: article for article in read_file(Path(path))}
    except (ArticleError, OSError):
        return {}


def _below(path: str, roots: Sequence[Path]) -> bool:
    return any(Path(path).is_relative_to(root) for root in roots)


def _vanished(path: str) -> bool:
    """Whether the file is known not to be there: one that may not be looked at counts as there."""
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
