"""The truth of a library, in SQLite: articles, passages with their sentences and vectors, files, revisions.

What is replaced or removed is kept, marked, until both indexes have caught up, so that whoever searches
them meanwhile still finds the passages they name.
"""

from __future__ import annotations

import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np

from qa.articles import Article
from qa.errors import LibraryError
from qa.passages import Passage, Span

FORMAT = 2
CHUNK = 500
_SCHEMA = """
CREATE TABLE article (
    key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, title TEXT NOT NULL, source TEXT NOT NULL,
    path TEXT NOT NULL, date TEXT, author TEXT, hash TEXT NOT NULL, added TEXT NOT NULL,
    characters INTEGER NOT NULL, removed INTEGER, text TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX article_id ON article(id) WHERE removed IS NULL;
CREATE INDEX article_path ON article(path) WHERE removed IS NULL;
CREATE INDEX article_removed ON article(removed) WHERE removed IS NOT NULL;
CREATE TABLE passage (
    row INTEGER PRIMARY KEY AUTOINCREMENT, article INTEGER NOT NULL REFERENCES article(key) ON DELETE CASCADE,
    number INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, sentences BLOB NOT NULL,
    vector BLOB NOT NULL, revision INTEGER NOT NULL
) STRICT;
CREATE INDEX passage_article ON passage(article);
CREATE INDEX passage_revision ON passage(revision);
CREATE TABLE staged (
    row INTEGER PRIMARY KEY REFERENCES passage(row) ON DELETE CASCADE, fingerprint TEXT NOT NULL, vector BLOB NOT NULL
) STRICT;
CREATE TABLE file (path TEXT PRIMARY KEY, hash TEXT NOT NULL) STRICT;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class ArticleInfo:
    """What a list of articles shows; `added` is an ISO date and time, in UTC."""

    id: str
    title: str
    source: str
    path: str
    date: str | None
    author: str | None
    added: str
    passages: int
    characters: int


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage with its row, and what is known of its article."""

    row: int
    passage: Passage
    title: str
    source: str
    date: str | None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the vectors were made with, and where they are indexed; `id` is the library's own."""

    embedding: str
    dimension: int
    fingerprint: str
    store: str
    id: str


class _Connection(sqlite3.Connection):
    """Can be held weakly, which the C class cannot: a thread's connection closes with the thread."""


class Storage:
    """One SQLite file in WAL mode; every thread has its own connection, every change is one transaction.

    Vectors are stored in 16-bit floats, which halves the disk and moves a cosine by less than 0.001.
    Every method raises LibraryError where the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._opened: WeakSet[_Connection] = WeakSet()
        self._lock = threading.Lock()

    def create(self, manifest: Manifest) -> None:
        """Make the tables, at revision 0."""
        values = {
            "format": FORMAT, "embedding": manifest.embedding, "dimension": manifest.dimension,
            "fingerprint": manifest.fingerprint, "store": manifest.store, "id": manifest.id,
            "revision": 0, "floor": 0,
        }  # fmt: skip
        with self.transaction() as db:
            for statement in _SCHEMA.split(";\n"):
                db.execute(statement)
            db.executemany("INSERT INTO meta VALUES (?, ?)", [(k, str(v)) for k, v in values.items()])

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for connection in list(self._opened):
                connection.close()
        self._local = threading.local()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of the block, or nothing of it."""
        with self._reported():
            db = self._db()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def change(self) -> Iterator[int]:
        """A transaction that makes a new revision; gives its number."""
        with self.transaction() as db:
            db.execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")
            yield self.revision()

    def format(self) -> int:
        """The number of the file's format, 0 where its tables are not there yet."""
        if not self._one("SELECT 1 FROM sqlite_master WHERE name = 'meta'"):
            return 0
        return self._number("format")

    def manifest(self) -> Manifest:
        """What the vectors were made with, as of now."""
        meta = dict(self._all("SELECT key, value FROM meta"))
        return Manifest(
            meta["embedding"], int(meta["dimension"]), meta["fingerprint"], meta["store"], meta["id"]
        )

    def revision(self) -> int:
        """The number of the last change."""
        return self._number("revision")

    def floor(self) -> int:
        """The revision below which removals are forgotten: an index older than that must be made anew."""
        return self._number("floor")

    def counts(self) -> tuple[int, int, int]:
        """Articles, passages, and sentences, those shared by two passages counted twice."""
        (articles,) = self._one("SELECT count(*) FROM article WHERE removed IS NULL")
        passages, sentences = self._one(
            "SELECT count(*), coalesce(sum(length(sentences)) / 8, 0) FROM passage "
            "JOIN article ON key = article WHERE removed IS NULL"
        )
        return articles, passages, sentences

    def put(self, article: Article, passages: Sequence[Passage], vectors: np.ndarray, revision: int) -> None:
        """Add an article, or replace it, with its passages and their vectors (n, dimension); in a change."""
        db = self._db()
        self._mark_removed(article.id, revision)
        added = datetime.now(UTC).isoformat(timespec="seconds")
        (key,) = self._one(
            "INSERT INTO article (id, title, source, path, date, author, hash, added, characters, text) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING key",
            article.id, article.title, article.source, article.path, article.date, article.author,
            article.content_hash, added, len(article.text), article.text,
        )  # fmt: skip
        db.executemany(
            'INSERT INTO passage (article, number, start, "end", sentences, vector, revision) '
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (key, p.index, p.start, p.end, _pack(p.sentences), _halved(vector), revision)
                for p, vector in zip(passages, vectors, strict=True)
            ],
        )

    def remove(self, article_ids: Sequence[str], revision: int) -> int:
        """Remove articles, and forget the hashes of their files; gives how many there were; in a change."""
        removed = 0
        for article_id in article_ids:
            if path := self._mark_removed(article_id, revision):
                removed += 1
                self._db().execute("DELETE FROM file WHERE path = ?", path)
        return removed

    def purge(self) -> None:
        """Forget for good what was removed; for when both indexes have caught up."""
        if self._one("SELECT 1 FROM article WHERE removed IS NOT NULL LIMIT 1"):
            with self.transaction() as db:
                db.execute("DELETE FROM article WHERE removed IS NOT NULL")
                self._set("floor", self.revision())

    def file_hashes(self) -> dict[str, str]:
        """Every file read, by its path, with its hash."""
        return dict(self._all("SELECT path, hash FROM file"))

    def put_file(self, path: str, digest: str) -> None:
        """Remember a file as read; in a transaction."""
        self._db().execute("INSERT OR REPLACE INTO file VALUES (?, ?)", (path, digest))

    def ids_of_path(self, path: str) -> list[str]:
        """The articles read from a file."""
        return [id_ for (id_,) in self._all("SELECT id FROM article WHERE path = ? AND removed IS NULL", path)]

    def hash_of(self, article_id: str) -> str | None:
        """The hash of an article's content, None where there is no such article."""
        found = self._one("SELECT hash FROM article WHERE id = ? AND removed IS NULL", article_id)
        return found[0] if found else None

    def articles(self) -> list[ArticleInfo]:
        """Every article."""
        return [
            ArticleInfo(*row)
            for row in self._all(
                "SELECT id, title, source, path, date, author, added, "
                "(SELECT count(*) FROM passage WHERE article = key), characters "
                "FROM article WHERE removed IS NULL"
            )
        ]

    def article(self, article_id: str) -> Article | None:
        """An article with its text."""
        found = self._one(
            "SELECT id, title, text, source, path, date, author FROM article WHERE id = ? AND removed IS NULL",
            article_id,
        )
        return Article(*found) if found else None

    def passages(self, rows: Sequence[int]) -> list[StoredPassage]:
        """The passages of these rows that are still there, in order of row."""
        found = list(
            self._chunked(
                'SELECT row, article, number, start, "end", sentences FROM passage WHERE row IN ({})', rows
            )
        )
        keys = sorted({article for _, article, *_ in found})
        query = "SELECT key, id, title, source, date, text FROM article WHERE key IN ({})"
        articles = {key: rest for key, *rest in self._chunked(query, keys)}
        passages = []
        for row, key, number, start, end, sentences in sorted(found):
            if key in articles:
                id_, title, source, date, text = articles[key]
                passage = Passage(id_, number, start, end, text[start:end], _unpack(sentences))
                passages.append(StoredPassage(row, passage, title, source, date))
        return passages

    def texts(self, rows: np.ndarray) -> Iterator[str]:
        """The texts of these rows' passages, which must be in order of row."""
        for at in range(0, len(rows), CHUNK):
            yield from (s.passage.text for s in self.passages(rows[at : at + CHUNK].tolist()))

    def vectors(self, rows: np.ndarray, dimension: int) -> np.ndarray:
        """Vectors (n, dimension), float32, of these rows, in their order; zeros for a row that is gone."""
        vectors = np.zeros((len(rows), dimension), np.float32)
        for at in range(0, len(rows), CHUNK):
            part = rows[at : at + CHUNK].tolist()
            found = dict(self._chunked("SELECT row, vector FROM passage WHERE row IN ({})", part))
            for place, row in enumerate(part, start=at):
                if row in found:
                    vectors[place] = np.frombuffer(found[row], np.float16)
        return vectors

    def rows(self) -> np.ndarray:
        """The rows of all passages, sorted, int64."""
        return self._rows("removed IS NULL")

    def rows_of(self, article_ids: Sequence[str]) -> np.ndarray:
        """The rows of these articles' passages, sorted, int64."""
        query = (
            "SELECT row FROM passage JOIN article ON key = article WHERE removed IS NULL AND id IN ({})"
        )
        return np.sort(np.array([row for (row,) in self._chunked(query, article_ids)], np.int64))

    def added_since(self, revision: int) -> np.ndarray:
        """Rows made after a revision that are still there, sorted, int64."""
        return self._rows("passage.revision > ? AND removed IS NULL", revision)

    def removed_since(self, revision: int) -> np.ndarray:
        """Rows removed after a revision, sorted, int64."""
        return self._rows("removed > ?", revision)

    def unstaged(self, fingerprint: str) -> np.ndarray:
        """Rows without a vector of that encoder among those set aside, sorted, int64."""
        return self._rows("removed IS NULL AND row NOT IN (SELECT row FROM staged WHERE fingerprint = ?)", fingerprint)

    def stage(self, rows: Sequence[int], vectors: np.ndarray, fingerprint: str) -> None:
        """Set another encoder's vectors of passages aside; in a transaction."""
        self._db().executemany(
            "INSERT OR REPLACE INTO staged VALUES (?, ?, ?)",
            [(row, fingerprint, _halved(vector)) for row, vector in zip(rows, vectors, strict=True)],
        )

    def adopt_staged(self, embedding: str, dimension: int, fingerprint: str) -> None:
        """Put the vectors set aside, which must be there for all, in the place of the others; in a change."""
        db = self._db()
        db.execute("UPDATE passage SET vector = staged.vector FROM staged WHERE staged.row = passage.row")
        db.execute("DELETE FROM staged")
        for key, value in (("embedding", embedding), ("dimension", dimension), ("fingerprint", fingerprint)):
            self._set(key, value)

    def integrity(self) -> list[str]:
        """What SQLite itself finds wrong."""
        damage = [line for (line,) in self._all("PRAGMA integrity_check") if line != "ok"]
        return damage + [f"{table} {row}" for table, row, *_ in self._all("PRAGMA foreign_key_check")]

    def contents(self) -> Iterator[tuple[Article, str, list[tuple[int, int, bytes, bytes]]]]:
        """Each article with the hash it had, and its passages' start, end, sentences and vector, as stored."""
        query = "SELECT key, id, title, text, source, path, date, author, hash FROM article WHERE removed IS NULL"
        for key, *fields, digest in self._all(query):
            passages = 'SELECT start, "end", sentences, vector FROM passage WHERE article = ? ORDER BY number'
            yield Article(*fields), digest, list(self._all(passages, key))

    def _mark_removed(self, article_id: str, revision: int) -> tuple[str] | None:
        """Gives the path of the article, None where there is none of that id."""
        return self._one(
            "UPDATE article SET removed = ? WHERE id = ? AND removed IS NULL RETURNING path", revision, article_id
        )  # type: ignore[no-any-return]

    def _rows(self, condition: str, *arguments: object) -> np.ndarray:
        query = f"SELECT row FROM passage JOIN article ON key = article WHERE {condition} ORDER BY row"
        return np.fromiter((row for (row,) in self._all(query, *arguments)), np.int64)

    def _number(self, key: str) -> int:
        return int(self._one("SELECT value FROM meta WHERE key = ?", key)[0])

    def _set(self, key: str, value: object) -> None:
        self._db().execute("UPDATE meta SET value = ? WHERE key = ?", (str(value), key))

    def _one(self, query: str, *arguments: object) -> Any:
        return next(self._all(query, *arguments), None)

    def _all(self, query: str, *arguments: object) -> Iterator[Any]:
        with self._reported():
            yield from self._db().execute(query, arguments)

    def _chunked(self, query: str, keys: Sequence[int] | Sequence[str]) -> Iterator[Any]:
        for at in range(0, len(keys), CHUNK):
            part = keys[at : at + CHUNK]
            yield from self._all(query.format(",".join("?" * len(part))), *part)

    def _db(self) -> sqlite3.Connection:
        """This thread's connection."""
        connection: _Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False, timeout=30, factory=_Connection
            )
            for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                connection.execute(f"PRAGMA {setting}")
            self._local.connection = connection
            with self._lock:
                self._opened.add(connection)
        return connection

    @contextmanager
    def _reported(self) -> Iterator[None]:
        folder = self._path.parent
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise
        except sqlite3.OperationalError as error:
            raise LibraryError(
                f"La bibliothèque {folder} ne peut être ni lue ni écrite ({error}) : vérifiez les droits et la place libre."
            ) from error
        except sqlite3.DatabaseError as error:
            raise LibraryError(
                f"La bibliothèque {folder} est abîmée ({error}) : restaurez une sauvegarde, ou indexez dans un dossier neuf."
            ) from error


def new_id() -> str:
    """An id for a new library."""
    return uuid.uuid4().hex


def _halved(vector: np.ndarray) -> bytes:
    return vector.astype(np.float16).tobytes()


def _pack(sentences: Sequence[Span]) -> bytes:
    return np.array([(s.start, s.end) for s in sentences], "<i4").tobytes()


def _unpack(data: bytes) -> tuple[Span, ...]:
    return tuple(Span(start, end) for start, end in np.frombuffer(data, "<i4").reshape(-1, 2).tolist())
