"""The truth of a library, in SQLite: articles, passages with their sentences and vectors, files, revisions."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from qa.articles import Article
from qa.passages import Passage, Span

FORMAT = 1
CHUNK = 500
_SCHEMA = """
CREATE TABLE article (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, source TEXT NOT NULL, path TEXT NOT NULL, date TEXT, author TEXT,
    text TEXT NOT NULL, hash TEXT NOT NULL, added TEXT NOT NULL
) STRICT;
CREATE TABLE passage (
    row INTEGER PRIMARY KEY AUTOINCREMENT, article_id TEXT NOT NULL REFERENCES article(id) ON DELETE CASCADE,
    number INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, sentences BLOB NOT NULL,
    vector BLOB NOT NULL, revision INTEGER NOT NULL
) STRICT;
CREATE INDEX passage_article ON passage(article_id);
CREATE INDEX passage_revision ON passage(revision);
CREATE TABLE removed (row INTEGER PRIMARY KEY, revision INTEGER NOT NULL) STRICT;
CREATE TABLE file (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TRIGGER passage_removed AFTER DELETE ON passage BEGIN
    INSERT OR REPLACE INTO removed VALUES (old.row, (SELECT value FROM meta WHERE key = 'revision') + 0);
END;
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
class StoredFile:
    """A file as it was when last read: bytes, modification time in nanoseconds, hash."""

    size: int
    modified: int
    hash: str


class Storage:
    """One SQLite file in WAL mode; every thread has its own connection, every change is one transaction."""

    damage = sqlite3.DatabaseError

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    @property
    def db(self) -> sqlite3.Connection:
        """This thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA recursive_triggers = ON")
            self._local.connection = connection
            with self._lock:
                self._opened.append(connection)
        return connection

    def create(self, meta: dict[str, str]) -> None:
        """Make the tables, at revision 0."""
        with self.transaction() as db:
            for statement in _statements(_SCHEMA):
                db.execute(statement)
            db.executemany("INSERT INTO meta VALUES (?, ?)", [*meta.items(), ("revision", "0")])

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
        self._local = threading.local()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of the block, or nothing of it."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    @contextmanager
    def change(self) -> Iterator[int]:
        """A transaction that makes a new revision; gives its number."""
        with self.transaction() as db:
            db.execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")
            yield self.revision()

    def meta(self) -> dict[str, str]:
        """Format, encoder, dimension, fingerprint, store and revision."""
        return dict(self.db.execute("SELECT key, value FROM meta"))

    def meta_or_empty(self) -> dict[str, str]:
        """The same, nothing where the tables are not there yet."""
        return self.meta() if self.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone() else {}

    def set_meta(self, **values: str) -> None:
        """Change some of it; in a transaction."""
        self.db.executemany("UPDATE meta SET value = ? WHERE key = ?", [(v, k) for k, v in values.items()])

    def counts(self) -> tuple[int, int, int]:
        """Articles, passages, and sentences, those shared by two passages counted twice."""
        query = "SELECT (SELECT count(*) FROM article), count(*), coalesce(sum(length(sentences)) / 8, 0) FROM passage"
        articles, passages, sentences = self.db.execute(query).fetchone()
        return articles, passages, sentences

    def vector_sizes(self, rows: Sequence[int]) -> Iterator[tuple[int]]:
        """The bytes of each of these rows' vectors."""
        yield from self._in_chunks("SELECT length(vector) FROM passage WHERE row IN ({})", rows)

    def revision(self) -> int:
        """The number of the last change."""
        (value,) = self.db.execute("SELECT value FROM meta WHERE key = 'revision'").fetchone()
        return int(value)

    def put(self, article: Article, passages: Sequence[Passage], vectors: np.ndarray, revision: int) -> None:
        """Add an article, or replace it, with its passages and their vectors (n, dimension); in a change."""
        self.db.execute("DELETE FROM article WHERE id = ?", (article.id,))
        self.db.execute(
            "INSERT INTO article VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (article.id, article.title, article.source, article.path, article.date, article.author, article.text,
             article.content_hash, datetime.now(UTC).isoformat(timespec="seconds")),
        )  # fmt: skip
        self.db.executemany(
            'INSERT INTO passage (article_id, number, start, "end", sentences, vector, revision) VALUES (?, ?, ?, ?, ?, ?, ?)',
            [
                (article.id, p.index, p.start, p.end, _pack(p.sentences), vector.astype(np.float16).tobytes(), revision)
                for p, vector in zip(passages, vectors, strict=True)
            ],
        )

    def delete(self, article_ids: Sequence[str]) -> int:
        """Remove articles, and forget their files; gives how many there were; in a change."""
        removed = 0
        for article_id in article_ids:
            found = self.db.execute("DELETE FROM article WHERE id = ? RETURNING path", (article_id,)).fetchone()
            if found:
                removed += 1
                self.db.execute("DELETE FROM file WHERE path = ?", found)
        return removed

    def set_vectors(self, rows: Sequence[int], vectors: np.ndarray, revision: int) -> None:
        """Replace the vectors of passages; in a change."""
        self.db.executemany(
            "UPDATE passage SET vector = ?, revision = ? WHERE row = ?",
            [(v.astype(np.float16).tobytes(), revision, row) for row, v in zip(rows, vectors, strict=True)],
        )

    def files(self) -> dict[str, StoredFile]:
        """Every file read, by its path."""
        return {path: StoredFile(*rest) for path, *rest in self.db.execute("SELECT path, size, modified, hash FROM file")}

    def put_file(self, path: str, file: StoredFile) -> None:
        """Remember a file as read; in a transaction."""
        self.db.execute("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?)", (path, file.size, file.modified, file.hash))

    def ids_of_path(self, path: str) -> dict[str, str]:
        """The articles read from a file, with their hashes."""
        return dict(self.db.execute("SELECT id, hash FROM article WHERE path = ?", (path,)))

    def hash_of(self, article_id: str) -> str | None:
        """The hash of an article's content, None where there is no such article."""
        found = self.db.execute("SELECT hash FROM article WHERE id = ?", (article_id,)).fetchone()
        return found[0] if found else None

    def articles(self) -> list[ArticleInfo]:
        """Every article, in order of title."""
        query = """
            SELECT a.id, title, source, path, date, author, added, count(p.row), length(text)
            FROM article a LEFT JOIN passage p ON p.article_id = a.id GROUP BY a.id ORDER BY title, a.id
        """
        return [ArticleInfo(*row) for row in self.db.execute(query)]

    def article(self, article_id: str) -> Article | None:
        """An article with its text."""
        query = "SELECT id, title, text, source, path, date, author FROM article WHERE id = ?"
        found = self.db.execute(query, (article_id,)).fetchone()
        return Article(*found) if found else None

    def passages(self, rows: Sequence[int]) -> list[StoredPassage]:
        """The passages of these rows that are still there, in order of row."""
        query = """
            SELECT p.row, p.article_id, p.number, p.start, p."end", substr(a.text, p.start + 1, p."end" - p.start),
                   p.sentences, a.title, a.source, a.date
            FROM passage p JOIN article a ON a.id = p.article_id WHERE p.row IN ({})
        """
        return [
            StoredPassage(row, Passage(article_id, number, start, end, text, _unpack(sentences)), title, source, date)
            for found in self._in_chunks(query, rows)
            for row, article_id, number, start, end, text, sentences, title, source, date in [found]
        ]

    def texts(self, rows: np.ndarray) -> Iterator[str]:
        """The texts of these rows' passages, which must be in order of row."""
        for at in range(0, len(rows), CHUNK):
            yield from (s.passage.text for s in self.passages(rows[at : at + CHUNK].tolist()))

    def vectors(self, rows: Sequence[int], dimension: int) -> np.ndarray:
        """Vectors (n, dimension), float32, of these rows, in their order; zeros for a row that is gone."""
        found = dict(self._in_chunks("SELECT row, vector FROM passage WHERE row IN ({})", rows))
        empty = bytes(2 * dimension)
        joined = b"".join(found.get(int(row), empty) for row in rows)
        return np.frombuffer(joined, np.float16).reshape(len(rows), dimension).astype(np.float32)

    def rows_of(self, article_ids: Sequence[str]) -> np.ndarray:
        """The rows of these articles' passages, sorted, int64."""
        rows = self._in_chunks("SELECT row FROM passage WHERE article_id IN ({})", article_ids)
        return np.sort(np.array([row for (row,) in rows], np.int64))

    def rows(self) -> np.ndarray:
        """The rows of all passages, sorted, int64."""
        return np.array([row for (row,) in self.db.execute("SELECT row FROM passage ORDER BY row")], np.int64)

    def added_since(self, revision: int) -> np.ndarray:
        """Rows made or changed after a revision."""
        query = "SELECT row FROM passage WHERE revision > ? ORDER BY row"
        return np.array([row for (row,) in self.db.execute(query, (revision,))], np.int64)

    def removed_since(self, revision: int) -> np.ndarray:
        """Rows removed after a revision."""
        query = "SELECT row FROM removed WHERE revision > ? ORDER BY row"
        return np.array([row for (row,) in self.db.execute(query, (revision,))], np.int64)

    def _in_chunks(self, query: str, keys: Sequence[int] | Sequence[str]) -> Iterator[tuple]:  # type: ignore[type-arg]
        plain = [key.item() if isinstance(key, np.generic) else key for key in keys]
        for at in range(0, len(plain), CHUNK):
            part = plain[at : at + CHUNK]
            yield from self.db.execute(query.format(",".join("?" * len(part))), part)


def _statements(script: str) -> list[str]:
    statements, current = [], ""
    for line in script.splitlines():
        current += line + "\n"
        if sqlite3.complete_statement(current):
            statements.append(current)
            current = ""
    return statements


def _pack(sentences: Sequence[Span]) -> bytes:
    return np.array([(s.start, s.end) for s in sentences], "<i4").tobytes()


def _unpack(data: bytes) -> tuple[Span, ...]:
    return tuple(Span(start, end) for start, end in np.frombuffer(data, "<i4").reshape(-1, 2).tolist())
