"""The two indexes derived from a library's truth: made from it, brought up to date with it."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from embeddings.errors import EmbeddingsError, cause_of
from embeddings.indexes.lexical import LexicalIndex, TantivyIndex
from embeddings.indexes.vectors import FaissIndex, VectorIndex
from qa.errors import LibraryError
from qa.library.storage import Manifest, Storage

MILVUS = "milvus:"
WRITER_WAITS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Opened:
    """Both indexes, as last opened or written, and what the library was when they were opened."""

    manifest: Manifest
    lexical: LexicalIndex
    vectors: VectorIndex

    def are_at(self, revision: int) -> bool:
        """Whether they reflect that revision of the truth."""
        return self.lexical.revision == self.vectors.revision == revision


@contextmanager
def writing(folder: Path, *, wait: float = WRITER_WAITS_SECONDS) -> Iterator[None]:
    """The right to change a library, which one thread of one process has at a time, for seconds at most waited."""
    try:
        with FileLock(folder / ".lock", timeout=wait):
            yield
    except Timeout as error:
        raise LibraryError(
            f"Une autre commande modifie déjà la bibliothèque {folder} : "
            "attendez qu’elle ait fini, puis recommencez."
        ) from error
    except OSError as error:
        raise LibraryError(
            f"La bibliothèque {folder} ne peut pas être modifiée ({cause_of(error)}) : vérifiez les droits."
        ) from error


class Indexes:
    """Opens the indexes of a library's folder, and keeps them in step with its storage.

    Those who search get the old state while a writer is at work, and the new one once it has finished.
    """

    def __init__(self, folder: Path, storage: Storage) -> None:
        self._folder, self._storage = folder, storage
        self._lock = threading.RLock()
        self._opened: Opened | None = None
        self._stamps: tuple[object, ...] = ()

    def current(self) -> Opened:
        """The indexes to search; what lags behind is brought up to date, unless a writer is doing it."""
        with self._lock, reported():
            revision = self._storage.revision()
            if self._opened is None or not self._opened.are_at(revision):
                self._refresh(revision)
            assert self._opened is not None
            return self._opened

    def catch_up(self) -> None:
        """Bring both indexes to the truth's revision, damaged ones from nothing; only while `writing`."""
        with reported():
            try:
                opened = self.open()
                self._bring_up(opened.vectors, self._vectors)
                self._bring_up(opened.lexical, self._storage.fields)
            except EmbeddingsError:
                opened = self._made_anew()
            self._finish(opened)

    def rebuild(self) -> None:
        """Make both indexes anew from the truth alone; only while `writing`."""
        with reported():
            self._finish(self._made_anew())

    def open(self) -> Opened:
        """The indexes as they are on disk; raises EmbeddingsError where one is damaged."""
        with self._lock:
            stamps = self._stamps_on_disk()
            if self._opened is None or stamps != self._stamps:
                manifest = self._storage.manifest()
                self._opened = self._both(manifest)
                self._stamps = stamps
            return self._opened

    def discard(self, manifest: Manifest) -> None:
        """Delete the vectors that another encoder made."""
        if manifest.store.startswith(MILVUS):
            self._open_vectors(manifest, create=True)
        else:
            shutil.rmtree(self._vector_folder(manifest), ignore_errors=True)

    def _refresh(self, revision: int) -> None:
        before = self._opened
        try:
            if self.open().are_at(revision):
                return
        except EmbeddingsError:
            self._opened = None
        try:
            with writing(self._folder, wait=0):
                self.catch_up()
        except LibraryError:
            if before is not None and before.manifest == self._storage.manifest():
                self._opened = before
            if self._opened is None:
                raise

    def _made_anew(self) -> Opened:
        manifest = self._storage.manifest()
        opened = self._both(manifest, create=True)
        revision, rows = self._storage.revision(), self._storage.rows()
        opened.vectors.replace(rows, self._vectors(rows), revision)
        opened.lexical.replace(rows.tolist(), self._storage.fields(rows), revision)
        return opened

    def _bring_up(self, index: VectorIndex | LexicalIndex, contents: Callable[[np.ndarray], Any]) -> None:
        storage, since, revision = self._storage, index.revision, self._storage.revision()
        if since == revision:
            return
        if storage.floor() <= since <= revision:
            rows = storage.added_since(since)
            index.update(storage.removed_since(since), rows, contents(rows), revision)
        else:
            rows = storage.rows()
            index.replace(rows, contents(rows), revision)

    def _finish(self, opened: Opened) -> None:
        self._storage.purge()
        with self._lock:
            self._opened, self._stamps = opened, self._stamps_on_disk()

    def _vectors(self, rows: np.ndarray) -> np.ndarray:
        return self._storage.vectors(rows, self._storage.manifest().dimension)

    def _both(self, manifest: Manifest, *, create: bool = False) -> Opened:
        lexical = self._open_lexical(manifest, create=create)
        return Opened(manifest, lexical, self._open_vectors(manifest, create=create))

    def _open_lexical(self, manifest: Manifest, *, create: bool = False) -> LexicalIndex:
        if manifest.store.startswith(MILVUS):
            from embeddings.indexes.milvus import MilvusLexicalIndex

            make = MilvusLexicalIndex.create if create else MilvusLexicalIndex.open
            return make(manifest.store.removeprefix(MILVUS), f"sourcier_{self._place(manifest.id)}")
        return (TantivyIndex.create if create else TantivyIndex.open)(self._folder / "words")

    def _open_vectors(self, manifest: Manifest, *, create: bool = False) -> VectorIndex:
        if manifest.store.startswith(MILVUS):
            from embeddings.indexes.milvus import MilvusIndex

            name = f"sourcier_{self._place(manifest.id, manifest.fingerprint)}"
            make = MilvusIndex.create if create else MilvusIndex.open
            return make(manifest.store.removeprefix(MILVUS), name, manifest.dimension)
        folder = self._vector_folder(manifest)
        return (FaissIndex.create if create else FaissIndex.open)(folder, manifest.dimension)

    def _vector_folder(self, manifest: Manifest) -> Path:
        """One for each encoder, so that its vectors are never taken for another's."""
        return self._folder / "vectors" / _digest(manifest.fingerprint)

    def _place(self, *parts: str) -> str:
        """Names a collection on a Milvus server, unlike that of a copy of the library, or of one elsewhere."""
        return _digest(str(self._folder.resolve()), *parts)

    def _stamps_on_disk(self) -> tuple[object, ...]:
        """What differs once an index has been written; for those on a server, always."""
        manifest = self._storage.manifest()
        if manifest.store.startswith(MILVUS):
            return (object(),)
        files = (self._vector_folder(manifest) / "vectors.faiss", self._folder / "words" / "meta.json")
        return (manifest, *(_stamp(path) for path in files))


@contextmanager
def reported() -> Iterator[None]:
    """Turns what goes wrong with models, indexes and their files into a LibraryError."""
    try:
        yield
    except EmbeddingsError as error:
        raise LibraryError(str(error)) from error
    except OSError as error:
        raise LibraryError(
            f"{error.filename or 'Disque'} : {cause_of(error)}. Vérifiez les droits et la place libre."
        ) from error


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        about = path.stat()
    except FileNotFoundError:
        return None
    return about.st_mtime_ns, about.st_ino


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
