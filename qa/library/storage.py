"""The truth of a library, in SQLite: articles, passages with their sentences and vectors, files, revisions.

What is replaced or removed is kept, marked, until both indexes have caught up, so that whoever searches
them meanwhile still finds the passages they name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from embeddings.indexes.lexical import Fields
from qa.ingest.articles import Article
from qa.ingest.passages import CUT, Passage, Span, header_of, with_header
from qa.ingest.structure import Heading
from qa.library.database import CHUNK, Database

FORMAT = 3
OLDEST_FORMAT = 2
_TABLES = (
    """CREATE TABLE article (
        key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, title TEXT NOT NULL, source TEXT NOT NULL,
        path TEXT NOT NULL, date TEXT, author TEXT, hash TEXT NOT NULL, added TEXT NOT NULL,
        characters INTEGER NOT NULL, removed INTEGER, text TEXT NOT NULL,
        headings TEXT NOT NULL DEFAULT '[]', cut INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    "CREATE UNIQUE INDEX article_id ON article(id) WHERE removed IS NULL",
    "CREATE INDEX article_path ON article(path) WHERE removed IS NULL",
    "CREATE INDEX article_removed ON article(removed) WHERE removed IS NOT NULL",
    """CREATE TABLE passage (
        row INTEGER PRIMARY KEY AUTOINCREMENT, article INTEGER NOT NULL REFERENCES article(key) ON DELETE CASCADE,
        number INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL, sentences BLOB NOT NULL,
        vector BLOB NOT NULL, revision INTEGER NOT NULL,
        headings TEXT NOT NULL DEFAULT '[]', digest BLOB NOT NULL DEFAULT x''
    ) STRICT""",
    "CREATE INDEX article_cut ON article(cut) WHERE removed IS NULL",
    "CREATE INDEX passage_article ON passage(article)",
    "CREATE INDEX passage_revision ON passage(revision)",
    """CREATE TABLE staged (
        row INTEGER PRIMARY KEY REFERENCES passage(row) ON DELETE CASCADE,
        fingerprint TEXT NOT NULL, vector BLOB NOT NULL
    ) STRICT""",
    "CREATE TABLE file (path TEXT PRIMARY KEY, hash TEXT NOT NULL) STRICT",
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
)
# What an older file lacks, format by format.
_MIGRATIONS = {
    2: (
        "ALTER TABLE article ADD COLUMN headings TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE article ADD COLUMN cut INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE passage ADD COLUMN headings TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE passage ADD COLUMN digest BLOB NOT NULL DEFAULT x''",
        "CREATE INDEX article_cut ON article(cut) WHERE removed IS NULL",
        "INSERT OR IGNORE INTO meta VALUES ('cut', '0')",
    ),
}
_SHORT_WORDS = 30


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

    @property
    def headings(self) -> tuple[str, ...]:
        """Those above it, the outermost first, without one that is the title."""
        return self.passage.headings

    @property
    def header(self) -> str:
        """Its context on one line: « Titre › Partie · 2024-03-14 »."""
        return header_of(self.title, self.passage.headings, self.date)


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """An article with the hash it had when stored, and its passages: (start, end, sentences, vector) as stored."""

    article: Article
    hash: str
    passages: list[tuple[int, int, bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the vectors were made with, and where they are indexed; `id` is the library's own."""

    embedding: str
    dimension: int
    fingerprint: str
    store: str
    id: str


class Storage:
    """What is kept of a library; a `change` is one transaction and a new revision.

    Vectors are stored as 16-bit floats, which halves the disk and moves a cosine by less than 0.001.
    """

    def __init__(self, path: Path) -> None:
        self._db = Database(path)

    def create(self, manifest: Manifest) -> None:
        """Make the tables, at revision 0."""
        meta = {
            "format": FORMAT, "embedding": manifest.embedding, "dimension": manifest.dimension,
            "fingerprint": manifest.fingerprint, "store": manifest.store, "id": manifest.id,
            "revision": 0, "floor": 0, "cut": CUT,
        }  # fmt: skip
        with self._db.transaction():
            for statement in _TABLES:
                self._db.run(statement)
            self._db.run_many("INSERT INTO meta VALUES (?, ?)", [(k, str(v)) for k, v in meta.items()])

    def close(self) -> None:
        """Close the file, for every thread."""
        self._db.close()

    def transaction(self) -> AbstractContextManager[None]:
        """All of the block, or nothing of it, without a new revision."""
        return self._db.transaction()

    @contextmanager
    def change(self) -> Iterator[int]:
        """All of the block, or nothing of it, as a new revision; gives its number."""
        with self._db.transaction():
            self._db.run("UPDATE meta SET value = value + 1 WHERE key = 'revision'")
            yield self.revision()

    def format(self) -> int:
        """The number of the file's format, 0 where its tables are not there yet."""
        there = self._db.one("SELECT 1 FROM sqlite_master WHERE name = 'meta'")
        return self._number("format") if there else 0

    def cut(self) -> int:
        """The version of the way that all its articles are cut."""
        return self._number("cut")

    def migrate(self) -> None:
        """Give an older file what it lacks, its content untouched."""
        with self._db.transaction():
            while (found := self.format()) in _MIGRATIONS:
                for statement in _MIGRATIONS[found]:
                    self._db.run(statement)
                self._set("format", found + 1)

    def cut_otherwise(self) -> list[str]:
        """The articles that are not cut in the way of now."""
        return [
            id_ for (id_,) in self._db.all("SELECT id FROM article WHERE cut != ? AND removed IS NULL", CUT)
        ]

    def all_are_cut(self) -> None:
        """Note that every article is cut in the way of now; in a transaction."""
        self._set("cut", CUT)

    def manifest(self) -> Manifest:
        """What the vectors were made with, as of now."""
        meta = dict(self._db.all("SELECT key, value FROM meta"))
        return Manifest(
            meta["embedding"], int(meta["dimension"]), meta["fingerprint"], meta["store"], meta["id"]
        )

    def revision(self) -> int:
        """The number of the last change."""
        return self._number("revision")

    def floor(self) -> int:
        """The revision before which removals are forgotten: an index older than that must be made anew."""
        return self._number("floor")

    def counts(self) -> tuple[int, int, int]:
        """Articles, passages, and sentences, those shared by two passages counted twice."""
        (articles,) = self._db.one("SELECT count(*) FROM article WHERE removed IS NULL")
        passages, sentences = self._db.one(
            "SELECT count(*), coalesce(sum(length(sentences)) / 8, 0) "
            "FROM passage JOIN article ON key = article WHERE removed IS NULL"
        )
        return articles, passages, sentences

    def put(
        self,
        article: Article,
        passages: Sequence[Passage],
        vectors: np.ndarray,
        revision: int,
        *,
        added: str | None = None,
    ) -> None:
        """Add an article, or replace it, with its passages and their vectors (n, dimension); in a change.

        `added` is when it came, left out now.
        """
        self._mark_removed(article.id, revision)
        headings = json.dumps([(h.start, h.end, h.level) for h in article.headings])
        (key,) = self._db.one(
            "INSERT INTO article (id, title, source, path, date, author, hash, added, characters, text, headings, cut) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING key",
            article.id, article.title, article.source, article.path, article.date, article.author,
            article.content_hash, added or datetime.now(UTC).isoformat(timespec="seconds"),
            len(article.text), article.text, headings, CUT,
        )  # fmt: skip
        self._db.run_many(
            'INSERT INTO passage (article, number, start, "end", sentences, vector, revision, headings, digest) '
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    key, p.index, p.start, p.end, _pack(p.sentences), _halved(vector), revision,
                    json.dumps(p.headings, ensure_ascii=False), _digest(p, article.title),
                )
                for p, vector in zip(passages, vectors, strict=True)
            ],
        )  # fmt: skip

    def remove(self, article_ids: Sequence[str], revision: int) -> int:
        """Remove articles, and forget the hashes of their files; gives how many there were; in a change."""
        removed = 0
        for article_id in article_ids:
            if path := self._mark_removed(article_id, revision):
                removed += 1
                self._db.run("DELETE FROM file WHERE path = ?", *path)
        return removed

    def purge(self) -> None:
        """Forget for good what was removed; for when both indexes have caught up."""
        if self._db.one("SELECT 1 FROM article WHERE removed IS NOT NULL"):
            with self._db.transaction():
                self._db.run("DELETE FROM article WHERE removed IS NOT NULL")
                self._set("floor", self.revision())

    def file_hashes(self) -> dict[str, str]:
        """Every file read, by its path, with its hash."""
        return dict(self._db.all("SELECT path, hash FROM file"))

    def put_file(self, path: str, digest: str) -> None:
        """Remember a file as read; in a transaction."""
        self._db.run("INSERT OR REPLACE INTO file VALUES (?, ?)", path, digest)

    def paths(self) -> list[str]:
        """The files that articles were read from."""
        found = self._db.all("SELECT DISTINCT path FROM article WHERE path != '' AND removed IS NULL")
        return [path for (path,) in found]

    def ids_of_path(self, path: str) -> list[str]:
        """The articles read from a file."""
        found = self._db.all("SELECT id FROM article WHERE path = ? AND removed IS NULL", path)
        return [id_ for (id_,) in found]

    def hash_of(self, article_id: str) -> str | None:
        """The hash of an article's content, None where there is no such article."""
        found = self._db.one("SELECT hash FROM article WHERE id = ? AND removed IS NULL", article_id)
        return found[0] if found else None

    def articles(self) -> list[ArticleInfo]:
        """Every article."""
        found = self._db.all(
            "SELECT id, title, source, path, date, author, added, "
            "(SELECT count(*) FROM passage WHERE article = key), characters FROM article WHERE removed IS NULL"
        )
        return [ArticleInfo(*row) for row in found]

    def article(self, article_id: str) -> Article | None:
        """An article with its text."""
        found = self._db.one(f"SELECT {_ARTICLE} FROM article WHERE id = ? AND removed IS NULL", article_id)
        return _article(*found) if found else None

    def added(self, article_id: str) -> str | None:
        """When an article came."""
        found = self._db.one("SELECT added FROM article WHERE id = ? AND removed IS NULL", article_id)
        return found[0] if found else None

    def passages(self, rows: Sequence[int]) -> list[StoredPassage]:
        """The passages of these rows that are still there, in order of row."""
        query = (
            'SELECT row, article, number, start, "end", sentences, headings FROM passage WHERE row IN ({})'
        )
        found = sorted(self._db.among(query, rows))
        query = "SELECT key, id, title, source, date, text FROM article WHERE key IN ({})"
        keys = sorted({article for _, article, *_ in found})
        articles = {key: rest for key, *rest in self._db.among(query, keys)}
        passages = []
        for row, key, number, start, end, sentences, headings in found:
            if key in articles:
                id_, title, source, date, text = articles[key]
                passage = Passage(
                    id_, number, start, end, text[start:end], unpack(sentences), tuple(json.loads(headings))
                )
                passages.append(StoredPassage(row, passage, title, source, date))
        return passages

    def texts(self, rows: np.ndarray) -> Iterator[str]:
        """The texts that are encoded of these rows' passages, which must be there, and in order."""
        return (with_header(stored.header, stored.passage.text) for stored in self._stored(rows))

    def fields(self, rows: np.ndarray) -> Iterator[Fields]:
        """What is searched by words of these rows' passages, which must be there, and in order."""
        return (
            Fields(stored.passage.text, stored.title, "\n".join(stored.headings))
            for stored in self._stored(rows)
        )

    def digests(self, rows: Sequence[int]) -> dict[int, bytes]:
        """Of each row that is still there, what it has in common with the passages that say the same."""
        return dict(self._db.among("SELECT row, digest FROM passage WHERE row IN ({})", rows))

    def _stored(self, rows: np.ndarray) -> Iterator[StoredPassage]:
        for at in range(0, len(rows), CHUNK):
            yield from self.passages(rows[at : at + CHUNK].tolist())

    def vectors(self, rows: np.ndarray, dimension: int) -> np.ndarray:
        """Vectors (n, dimension), float32, of these rows, in their order; zeros for one that is gone or damaged."""
        vectors = np.zeros((len(rows), dimension), np.float32)
        for at in range(0, len(rows), CHUNK):
            part = rows[at : at + CHUNK].tolist()
            found = dict(self._db.among("SELECT row, vector FROM passage WHERE row IN ({})", part))
            for place, row in enumerate(part, start=at):
                if len(found.get(row, b"")) == 2 * dimension:
                    vectors[place] = np.frombuffer(found[row], np.float16)
        return vectors

    def rows(self) -> np.ndarray:
        """The rows of all passages, int64, in order."""
        return self._rows("removed IS NULL")

    def rows_of(self, article_ids: Sequence[str]) -> np.ndarray:
        """The rows of these articles' passages, int64, in order."""
        query = "SELECT row FROM passage JOIN article ON key = article WHERE removed IS NULL AND id IN ({})"
        return np.array(sorted(row for (row,) in self._db.among(query, article_ids)), np.int64)

    def added_since(self, revision: int) -> np.ndarray:
        """Rows made after a revision that are still there, int64, in order."""
        return self._rows("passage.revision > ? AND removed IS NULL", revision)

    def removed_since(self, revision: int) -> np.ndarray:
        """Rows removed after a revision, int64, in order."""
        return self._rows("removed > ?", revision)

    def unstaged(self, fingerprint: str) -> np.ndarray:
        """Rows of which no vector of that encoder is set aside, int64, in order."""
        staged = "SELECT row FROM staged WHERE fingerprint = ?"
        return self._rows(f"removed IS NULL AND row NOT IN ({staged})", fingerprint)

    def stage(self, rows: Sequence[int], vectors: np.ndarray, fingerprint: str) -> None:
        """Set vectors of another encoder aside; in a transaction."""
        self._db.run_many(
            "INSERT OR REPLACE INTO staged VALUES (?, ?, ?)",
            [(row, fingerprint, _halved(vector)) for row, vector in zip(rows, vectors, strict=True)],
        )

    def adopt_staged(self, embedding: str, dimension: int, fingerprint: str) -> None:
        """Put the vectors set aside, one for each passage, in the place of the others; in a change."""
        self._db.run("UPDATE passage SET vector = staged.vector FROM staged WHERE staged.row = passage.row")
        self._db.run("DELETE FROM staged")
        for key, value in (("embedding", embedding), ("dimension", dimension), ("fingerprint", fingerprint)):
            self._set(key, value)

    def damage(self) -> list[str]:
        """What SQLite itself finds wrong with the file."""
        found = [line for (line,) in self._db.all("PRAGMA integrity_check") if line != "ok"]
        return found + [f"{table} {row}" for table, row, *_ in self._db.all("PRAGMA foreign_key_check")]

    def contents(self) -> Iterator[StoredArticle]:
        """Everything stored, an article at a time."""
        articles = f"SELECT key, hash, {_ARTICLE} FROM article WHERE removed IS NULL"
        passages = 'SELECT start, "end", sentences, vector FROM passage WHERE article = ? ORDER BY number'
        for key, digest, *fields in self._db.all(articles):
            yield StoredArticle(_article(*fields), digest, list(self._db.all(passages, key)))

    def _mark_removed(self, article_id: str, revision: int) -> tuple[str] | None:
        """Gives the path of the article, None where there is none of that id."""
        statement = "UPDATE article SET removed = ? WHERE id = ? AND removed IS NULL RETURNING path"
        found: tuple[str] | None = self._db.one(statement, revision, article_id)
        return found

    def _rows(self, condition: str, *arguments: object) -> np.ndarray:
        query = f"SELECT row FROM passage JOIN article ON key = article WHERE {condition} ORDER BY row"
        return np.fromiter((row for (row,) in self._db.all(query, *arguments)), np.int64)

    def _number(self, key: str) -> int:
        return int(self._db.one("SELECT value FROM meta WHERE key = ?", key)[0])

    def _set(self, key: str, value: object) -> None:
        self._db.run("UPDATE meta SET value = ? WHERE key = ?", str(value), key)


_ARTICLE = "id, title, text, source, path, date, author, headings"


def _article(
    id: str,
    title: str,
    text: str,
    source: str,
    path: str,
    date: str | None,
    author: str | None,
    headings: str,
) -> Article:
    marks = tuple(Heading(*mark) for mark in json.loads(headings))
    return Article(id, title, text, source, path, date, author, marks)


def _digest(passage: Passage, title: str) -> bytes:
    """Alike for passages that say the same: of one text and, where it is short, of one title and headings too."""
    said = [" ".join(passage.text.split())]
    if len(passage.text.split()) < _SHORT_WORDS:
        said += [title, *passage.headings]
    return hashlib.blake2b("\0".join(said).encode(), digest_size=8).digest()


def unpack(sentences: bytes) -> tuple[Span, ...]:
    """The sentences of a passage, as stored."""
    return tuple(Span(start, end) for start, end in np.frombuffer(sentences, "<i4").reshape(-1, 2).tolist())


def _pack(sentences: Sequence[Span]) -> bytes:
    return np.array([(s.start, s.end) for s in sentences], "<i4").tobytes()


def _halved(vector: np.ndarray) -> bytes:
    return vector.astype(np.float16).tobytes()
