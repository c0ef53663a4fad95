"""Conversations, opinions and settings of the people who ask, in SQLite."""

from __future__ import annotations

import json
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embeddings.text import fold
from qa.answer import Answer, Citation, Evidence, RetrievedPassage
from qa.errors import SourcierError

_WORDS_SEARCHED = 20
_CHARACTERS_SEARCHED = 1000
_TITLE_CHARACTERS = 300
_SCHEMA = """
CREATE TABLE IF NOT EXISTS conversation (
    id TEXT PRIMARY KEY, user TEXT NOT NULL, title TEXT NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL,
    article_ids TEXT
);
CREATE INDEX IF NOT EXISTS conversation_user ON conversation(user, updated);
CREATE TABLE IF NOT EXISTS message (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL,
    conversation_id TEXT NOT NULL REFERENCES conversation(id) ON DELETE CASCADE,
    question TEXT NOT NULL, answer TEXT NOT NULL, created TEXT NOT NULL, good INTEGER, comment TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS message_conversation ON message(conversation_id, number);
CREATE TABLE IF NOT EXISTS settings (user TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


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
    """A question as it was typed, and its answer; `good` is the thumb given, None where there is none."""

    id: str
    question: str
    answer: Answer
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
class Settings:
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
            self._db.create_function("fold", 1, fold, deterministic=True)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._db.execute("PRAGMA secure_delete = ON")
            self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise SourcierError(
                f"L’historique {path} ne peut pas être ouvert ({error})\u00a0: restaurez-le, ou écartez ce fichier."
            ) from error

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
        query = "SELECT id, question, answer, created, good, comment FROM message WHERE conversation_id = ? ORDER BY number"
        return [_message(row) for row in self._rows(query, conversation_id)]

    def append(self, conversation_id: str, user: str, question: str, answer: Answer) -> Message:
        """Add a question with its answer."""
        self.conversation(conversation_id, user)
        message = Message(uuid.uuid4().hex, question, answer, _now())
        with self._transaction() as db:
            db.execute(
                "INSERT INTO message (id, conversation_id, question, answer, created) VALUES (?, ?, ?, ?, ?)",
                (
                    message.id,
                    conversation_id,
                    question,
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
            AND instr(fold(question || ' ' || json_extract(answer, '$.text')), ?)))"""
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
        """Every thumb given, by all users, oldest first."""
        query = "SELECT question, answer, good, comment, created FROM message WHERE good IS NOT NULL ORDER BY number"
        return [Feedback(q, _answer(json.loads(a)), bool(g), c, t) for q, a, g, c, t in self._rows(query)]

    def settings(self, user: str) -> Settings:
        """A user's settings, the defaults where they have none."""
        found = self._rows("SELECT value FROM settings WHERE user = ?", user)
        kept = json.loads(found[0][0]) if found else {}
        return Settings(**{field.name: kept[field.name] for field in fields(Settings) if field.name in kept})

    def save_settings(self, user: str, settings: Settings) -> None:
        """Keep a user's settings."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (user, json.dumps(asdict(settings))))

    def export_json(self, conversation_id: str, user: str) -> str:
        """A conversation with its answers, citations and passages, as JSON."""
        conversation = self.conversation(conversation_id, user)
        messages = [
            {
                "question": m.question,
                "created": m.created,
                "good": m.good,
                "comment": m.comment,
                "answer": m.answer.to_dict(),
            }
            for m in self.messages(conversation_id, user)
        ]
        return json.dumps({**asdict(conversation), "messages": messages}, ensure_ascii=False, indent=2)

    def export_markdown(self, conversation_id: str, user: str) -> str:
        """A conversation with its answers and sources, as Markdown."""
        parts = [f"# {_escaped(self.conversation(conversation_id, user).title)}"]
        for message in self.messages(conversation_id, user):
            answer = message.answer
            parts.append(f"## {_escaped(message.question)}")
            parts.append(_escaped(answer.short) if answer.short else _escaped(answer.text.split("\n", 1)[0]))
            for c in answer.citations:
                about = " · ".join(_escaped(part) for part in (c.title, c.date, c.source) if part)
                parts.append(f"> « {_escaped(c.sentence)} » [{c.marker}]\n>\n> {about}")
        return "\n\n".join(parts) + "\n"

    def _conversations(self, where: str, *values: str) -> list[Conversation]:
        query = f"SELECT id, title, created, updated, article_ids FROM conversation WHERE {where} ORDER BY updated DESC, rowid DESC"
        return [
            Conversation(
                i, title, created, updated, tuple(json.loads(chosen)) if chosen is not None else None
            )
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
    message_id, question, answer, created, good, comment = row
    return Message(
        message_id,
        question,
        _answer(json.loads(answer)),
        created,
        None if good is None else bool(good),
        comment,
    )


def _answer(saved: dict[str, Any]) -> Answer:
    return Answer(
        **{
            **saved,
            "citations": tuple(Citation(**c) for c in saved["citations"]),
            "passages": tuple(RetrievedPassage(**p) for p in saved["passages"]),
            "evidence": tuple(Evidence(**e) for e in saved["evidence"]),
        }
    )


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+-!|~" else c for c in " ".join(text.split()))
