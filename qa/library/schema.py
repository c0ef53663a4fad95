"""The tables of a library's SQLite file, and what older files lack."""

from __future__ import annotations

FORMAT = 3
OLDEST_FORMAT = 2
TABLES = (
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
MIGRATIONS = {
    2: (
        "ALTER TABLE article ADD COLUMN headings TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE article ADD COLUMN cut INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE passage ADD COLUMN headings TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE passage ADD COLUMN digest BLOB NOT NULL DEFAULT x''",
        "CREATE INDEX article_cut ON article(cut) WHERE removed IS NULL",
        "INSERT OR IGNORE INTO meta VALUES ('cut', '0')",
    ),
}
