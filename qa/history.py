"""Conversations, opinions and preferences of the people who ask, in SQLite."""

from __future__ import annotations

import json
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from embeddings.text import fold
from qa.answer import Answer
from qa.errors import SourcierError

_WORDS_SEARCHED = 20
_CHARACTERS_SEARCHED = 1000
_TITLE_CHARACTERS = 300
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE IF NOT EXISTS conversation (
            id TEXT PRIMARY KEY, user TEXT NOT NULL, title TEXT NOT NULL, created TEXT NOT NULL,
            updated TEXT NOT NULL, article_ids TEXT
        )""",
        "CREATE INDEX IF NOT EXISTS conversation_user ON conversation(user, updated)",
        """CREATE TABLE IF NOT EXISTS message (
            number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL,
            conversation_id TEXT NOT NULL REFERENCES conversation(id) ON DELETE CASCADE, question TEXT NOT NULL,
            answer TEXT NOT NULL, created TEXT NOT NULL, good INTEGER, comment TEXT NOT NULL DEFAULT ''
        )""",
        "CREATE INDEX IF NOT EXISTS message_conversation ON message(conversation_id, number)",
        "CREATE TABLE IF NOT EXISTS settings (user TEXT PRIMARY KEY, value TEXT NOT NULL)",
    ),
    (
        "ALTER TABLE message ADD COLUMN searched TEXT NOT NULL DEFAULT ''",
        """UPDATE message SET searched = coalesce(
            CASE WHEN json_valid(answer) THEN json_extract(answer, '$.question') END, question)""",
        "ALTER TABLE settings RENAME TO preferences",
    ),
)
"""What brings a file from each version (`PRAGMA user_version`) to the next; a file of before versions is at 0, and
may already hold what the first makes."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation in a list; `article_ids` are the articles it asks, None for all. Times are ISO, in UTC."""

    id: str
    title: str
    created: str
    updated: str
    article_ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A question as it was typed and as it was searched, and its answer, None where what is saved is no answer.

    `good` is the thumb given, None where there is none.
    """

    id: str
    question: str
    searched: str
    answer: Answer | None
    created: str
    good: bool | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Feedback:
    """A thumb given to an answer."""

    question: str
    answer: Answer
    good: bool
    comment: str
    created: str


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a user prefers; thresholds are probabilities, None for those of the shipped model."""

    top_k: int = 5
    detailed: bool = True
    short_threshold: float | None = None
    abstain_threshold: float | None = None
    theme: str = "auto"


class History:
    """One SQLite file, safe to use from several threads; every call names the user whose data it is."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
            self._db.text_factory = lambda text: text.decode("utf-8", "replace")
            self._db.create_function("fold", 1, fold, deterministic=True)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._db.execute("PRAGMA secure_delete = ON")
            self._migrate(path)
        except (OSError, sqlite3.Error) as error:
            raise SourcierError(
                f"L’historique {path} ne peut pas être ouvert ({error})\u00a0: restaurez-le, ou écartez ce fichier."
            ) from error

    def _migrate(self, path: Path) -> None:
        with self._transaction() as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version > len(MIGRATIONS):
                raise SourcierError(
                    f"L’historique {path} a été écrit par une version plus récente de Sourcier\u00a0: "
                    "mettez Sourcier à jour, ou écartez ce fichier."
                )
            for statements in MIGRATIONS[version:]:
                for statement in statements:
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    @classmethod
    def open(cls, path: Path) -> History:
        """The history kept in a file, which is made where there is none, for its owner's eyes only.

        Raises SourcierError where it cannot be written, or is damaged.
        """
        return cls(path)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def conversations(self, user: str) -> list[Conversation]:
        """A user's conversations, the last used first."""
        return self._conversations("user = ?", user)

    def conversation(self, conversation_id: str, user: str) -> Conversation:
        """One of a user's conversations; raises SourcierError where they have none of that id."""
        found = self._conversations("user = ? AND id = ?", user, conversation_id)
        if not found:
            raise SourcierError("Cette conversation n’existe pas, ou plus : choisissez-en une autre.")
        return found[0]

    def create(self, user: str, title: str) -> str:
        """A new conversation's id."""
        conversation_id, now = uuid.uuid4().hex, _now()
        with self._transaction() as db:
            db.execute(
                "INSERT INTO conversation VALUES (?, ?, ?, ?, ?, NULL)",
                (conversation_id, user, title, now, now),
            )
        return conversation_id

    def set_articles(self, conversation_id: str, user: str, article_ids: tuple[str, ...] | None) -> None:
        """Choose the articles a conversation asks, None for all."""
        self._change(
            conversation_id, user, "article_ids", None if article_ids is None else json.dumps(article_ids)
        )

    def rename(self, conversation_id: str, user: str, title: str) -> None:
        """Give a conversation another title."""
        self._change(conversation_id, user, "title", title[:_TITLE_CHARACTERS])

    def delete(self, conversation_id: str, user: str) -> None:
        """Remove a conversation and all its messages."""
        self.conversation(conversation_id, user)
        with self._transaction() as db:
            db.execute("DELETE FROM conversation WHERE id = ? AND user = ?", (conversation_id, user))

    def messages(self, conversation_id: str, user: str) -> list[Message]:
        """A conversation's messages, oldest first."""
        self.conversation(conversation_id, user)
        query = "SELECT id, question, searched, answer, created, good, comment FROM message WHERE conversation_id = ? ORDER BY number"
        return [_message(row) for row in self._rows(query, conversation_id)]

    def append(self, conversation_id: str, user: str, question: str, answer: Answer) -> Message:
        """Add a question with its answer."""
        self.conversation(conversation_id, user)
        message = Message(uuid.uuid4().hex, question, answer.question, answer, _now())
        with self._transaction() as db:
            db.execute(
                "INSERT INTO message (id, conversation_id, question, searched, answer, created) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (
                    message.id,
                    conversation_id,
                    message.question,
                    message.searched,
                    json.dumps(answer.to_dict(), ensure_ascii=False),
                    message.created,
                ),
            )
            db.execute("UPDATE conversation SET updated = ? WHERE id = ?", (message.created, conversation_id))
        return message

    def truncate(self, conversation_id: str, user: str, message_id: str) -> None:
        """Drop a message and all after it."""
        self.conversation(conversation_id, user)
        with self._transaction() as db:
            db.execute(
                "DELETE FROM message WHERE conversation_id = ?1 AND number >= "
                "(SELECT number FROM message WHERE id = ?2 AND conversation_id = ?1)",
                (conversation_id, message_id),
            )

    def search(self, user: str, text: str) -> list[Conversation]:
        """The conversations whose title, questions or answers hold every word, whatever its accents."""
        words = fold(text[:_CHARACTERS_SEARCHED]).split()[:_WORDS_SEARCHED]
        held = """(instr(fold(title), ?) OR EXISTS (
            SELECT 1 FROM message WHERE conversation_id = conversation.id
            AND instr(fold(question || ' ' || coalesce(
                CASE WHEN json_valid(answer) THEN json_extract(answer, '$.text') END, '')), ?)))"""
        return self._conversations(
            " AND ".join(["user = ?", *(held for _ in words)]), user, *(word for word in words for _ in "12")
        )

    def rate(self, message_id: str, user: str, good: bool, comment: str = "") -> None:
        """Give a thumb, up or down, to an answer of one's own; raises SourcierError where there is none."""
        with self._transaction() as db:
            changed = db.execute(
                "UPDATE message SET good = ?, comment = ? WHERE id = ? AND conversation_id IN "
                "(SELECT id FROM conversation WHERE user = ?)",
                (int(good), comment[:2000], message_id, user),
            ).rowcount
        if not changed:
            raise SourcierError("Ce message n’existe plus : il ne peut pas être noté.")

    def feedback(self) -> list[Feedback]:
        """Every thumb given, by all users, oldest first; those given to what is no answer are left out."""
        query = "SELECT question, answer, good, comment, created FROM message WHERE good IS NOT NULL ORDER BY number"
        read = ((question, _answer(saved), *rest) for question, saved, *rest in self._rows(query))
        return [Feedback(q, answer, bool(good), c, t) for q, answer, good, c, t in read if answer is not None]

    def preferences(self, user: str) -> Preferences:
        """A user's preferences; a default for each one that is not saved, or makes no sense."""
        found = self._rows("SELECT value FROM preferences WHERE user = ?", user)
        saved = _loaded(found[0][0]) if found else None
        kept = saved if isinstance(saved, dict) else {}
        preferences = Preferences()
        for name in (field.name for field in fields(Preferences) if field.name in kept):
            with suppress(ValidationError):
                preferences = _type(Preferences).validate_python({**asdict(preferences), name: kept[name]})
        return preferences

    def save_preferences(self, user: str, preferences: Preferences) -> None:
        """Keep a user's preferences."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO preferences VALUES (?, ?)", (user, json.dumps(asdict(preferences)))
            )

    def _conversations(self, where: str, *values: str) -> list[Conversation]:
        query = f"SELECT id, title, created, updated, article_ids FROM conversation WHERE {where} ORDER BY updated DESC, rowid DESC"
        return [
            Conversation(i, title, created, updated, _article_ids(chosen))
            for i, title, created, updated, chosen in self._rows(query, *values)
        ]

    def _change(self, conversation_id: str, user: str, column: str, value: str | None) -> None:
        self.conversation(conversation_id, user)
        with self._transaction() as db:
            db.execute(
                f"UPDATE conversation SET {column} = ? WHERE id = ? AND user = ?",
                (value, conversation_id, user),
            )

    def _rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _message(row: tuple[Any, ...]) -> Message:
    message_id, question, searched, answer, created, good, comment = row
    return Message(
        message_id,
        question,
        searched,
        _answer(answer),
        created,
        None if good is None else bool(good),
        comment,
    )


def _answer(saved: str) -> Answer | None:
    """The answer saved, None where it is damaged."""
    loaded = _loaded(saved)
    if not isinstance(loaded, dict):
        return None
    try:
        return _type(Answer).validate_python(asdict(Answer.from_dict(loaded)))
    except ValueError:
        return None


def _article_ids(saved: str | None) -> tuple[str, ...] | None:
    """The articles chosen; all of them (None) where what is saved says nothing."""
    loaded = _loaded(saved) if saved is not None else None
    return tuple(map(str, loaded)) if isinstance(loaded, list) and loaded else None


def _loaded(text: str) -> Any:
    """What JSON says, None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


@cache
def _type(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
