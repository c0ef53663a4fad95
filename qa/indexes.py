"""The two indexes derived from a library's truth: made from it, brought up to date with it, never ahead of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embeddings.errors import EmbeddingsError
from embeddings.lexical_index import LexicalIndex, TantivyIndex
from embeddings.vector_index import FaissIndex, VectorIndex

if TYPE_CHECKING:
    from qa.storage import Storage


@dataclass(frozen=True, slots=True)
class Opened:
    """Both indexes, as they are on disk."""

    lexical: LexicalIndex
    vectors: VectorIndex


class Indexes:
    """Opens the indexes of a library's folder, and keeps them in step with its storage."""

    def __init__(self, folder: Path, storage: Storage, dimension: int, store: str) -> None:
        self._folder, self._storage, self._dimension, self._store = folder, storage, dimension, store
        self._lock = threading.RLock()
        self._opened: Opened | None = None
        self._stamps: tuple[int, ...] = ()

    def current(self) -> Opened:
        """The indexes to search: reopened when a writer has finished since."""
        with self._lock:
            stamps = self._stamps_on_disk()
            if self._opened is None or stamps != self._stamps:
                self._opened, self._stamps = self._open(), stamps
                if not self._opened.lexical.revision == self._opened.vectors.revision == self._storage.revision():
                    self._try_to_catch_up()
            return self._opened

    def catch_up(self) -> None:
        """Bring both indexes to the truth's revision; only while writing is allowed."""
        with self._lock:
            try:
                opened = self._open()
            except EmbeddingsError:
                self.rebuild()
                return
            revision = self._storage.revision()
            for index in (opened.vectors, opened.lexical):
                if index.revision > revision:
                    self.rebuild()
                    return
            if opened.vectors.revision < revision:
                rows, removed = self._changes(opened.vectors.revision)
                self._add_vectors(opened.vectors, removed, rows, revision)
            if opened.lexical.revision < revision:
                rows, removed = self._changes(opened.lexical.revision)
                opened.lexical.update(removed.tolist(), rows.tolist(), self._storage.texts(rows), revision)
            self._opened, self._stamps = opened, self._stamps_on_disk()

    def rebuild(self) -> None:
        """Make both indexes anew from the truth alone."""
        with self._lock:
            revision, rows = self._storage.revision(), self._storage.rows()
            vectors = self._open_vectors(create=True)
            vectors.replace(rows, self._storage.vectors(rows.tolist(), self._dimension), revision)
            lexical = TantivyIndex.create(self._folder / "words")
            lexical.replace(rows.tolist(), self._storage.texts(rows), revision)
            self._opened, self._stamps = Opened(lexical, vectors), self._stamps_on_disk()

    def _try_to_catch_up(self) -> None:
        """Catch up unless another process is writing: then its old state is searched until it has finished."""
        from filelock import FileLock, Timeout

        try:
            with FileLock(self._folder / ".lock", timeout=0):
                self.catch_up()
        except (Timeout, OSError):
            return

    def _changes(self, since: int) -> tuple[np.ndarray, np.ndarray]:
        return self._storage.added_since(since), self._storage.removed_since(since)

    def _add_vectors(self, index: VectorIndex, removed: np.ndarray, rows: np.ndarray, revision: int) -> None:
        index.update(removed, rows, self._storage.vectors(rows.tolist(), self._dimension), revision)

    def _open(self) -> Opened:
        return Opened(TantivyIndex.open(self._folder / "words"), self._open_vectors())

    def _open_vectors(self, *, create: bool = False) -> VectorIndex:
        if self._store.startswith("milvus:"):
            from embeddings.milvus_index import MilvusIndex

            return MilvusIndex.open(self._store.removeprefix("milvus:"), self._collection, self._dimension)
        make = FaissIndex.create if create else FaissIndex.open
        return make(self._folder / "vectors", self._dimension)

    @property
    def _collection(self) -> str:
        """The name of the library's collection on a Milvus server: letters, digits and `_`."""
        import hashlib

        return f"sourcier_{hashlib.blake2b(str(self._folder.resolve()).encode(), digest_size=8).hexdigest()}"

    def _stamps_on_disk(self) -> tuple[int, ...]:
        """When each index was last written, in nanoseconds; 0 where it is not there."""
        stamps = (self._folder / "vectors" / "vectors.faiss", self._folder / "words" / "meta.json")
        return tuple(path.stat().st_mtime_ns if path.is_file() else 0 for path in stamps)
