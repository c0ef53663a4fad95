"""An SQLite file for many threads and processes: a connection a thread, errors in one French line."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakSet

from qa.errors import LibraryError

CHUNK = 500


class _Connection(sqlite3.Connection):
    """Can be held weakly, which its C parent cannot: a thread's connection is closed when the thread ends."""


class Database:
    """The file at `path`, in WAL mode; every method raises LibraryError where it cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._opened: WeakSet[_Connection] = WeakSet()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for connection in list(self._opened):
                connection.close()
        self._local = threading.local()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block, or nothing of it; it is on disk when the block ends."""
        with self._reported():
            db = self._connection()
            try:
                db.execute("BEGIN IMMEDIATE")
                yield
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def run(self, statement: str, *arguments: object) -> None:
        """Carry out a statement."""
        with self._reported():
            self._connection().execute(statement, arguments)

    def run_many(self, statement: str, arguments: Sequence[tuple[object, ...]]) -> None:
        """Carry out a statement with each of the arguments."""
        with self._reported():
            self._connection().executemany(statement, arguments)

    def all(self, query: str, *arguments: object) -> Iterator[Any]:
        """Every row that a query finds."""
        with self._reported():
            yield from self._connection().execute(query, arguments)

    def one(self, query: str, *arguments: object) -> Any:
        """The first row that a query finds, None where it finds nothing."""
        with self._reported():
            return self._connection().execute(query, arguments).fetchone()

    def among(self, query: str, keys: Sequence[int] | Sequence[str]) -> Iterator[Any]:
        """Every row that a query with `IN ({})` finds for the keys, some hundred of them at a time."""
        for at in range(0, len(keys), CHUNK):
            part = keys[at : at + CHUNK]
            yield from self.all(query.format(",".join("?" * len(part))), *part)

    def _connection(self) -> _Connection:
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
                f"La bibliothèque {folder} ne peut être ni lue ni écrite ({error}) : "
                "vérifiez les droits et la place libre."
            ) from error
        except sqlite3.DatabaseError as error:
            raise LibraryError(
                f"La bibliothèque {folder} est abîmée ({error}) : "
                "restaurez une sauvegarde, ou indexez dans un dossier neuf."
            ) from error
