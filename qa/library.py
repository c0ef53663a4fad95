"""A collection of articles on disk: SQLite is the truth, the two indexes are derived from it."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from platformdirs import user_data_path

from qa.articles import Article, Skipped, find_files, read_file
from qa.errors import ArticleError, LibraryError
from qa.indexes import Indexes
from qa.passages import Passage, split_passages
from qa.storage import FORMAT, ArticleInfo, Storage, StoredFile, StoredPassage

if TYPE_CHECKING:
    from embeddings.encoder import Encoder

__all__ = ["ArticleInfo", "IndexProgress", "IndexReport", "Library", "LibraryStats", "StoredPassage"]

BATCH_PASSAGES = 256
BATCH_SECONDS = 20.0
TRUTH = "library.sqlite"


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """Where indexing stands: files looked at, of how many (0 while unknown), passages stored so far."""

    files: int
    files_total: int
    passages: int


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What indexing did: ids of articles, files skipped, passages stored, seconds."""

    added: tuple[str, ...]
    updated: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    passages: int
    seconds: float


@dataclass(frozen=True, slots=True)
class LibraryStats:
    """Counts, bytes on disk, and what the vectors were made with."""

    articles: int
    passages: int
    sentences: int
    bytes: int
    revision: int
    embedding: str
    dimension: int
    store: str


@dataclass(slots=True)
class _Tally:
    """What an indexing run has done so far."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    files: int = 0
    files_total: int = 0
    passages: int = 0


@dataclass(frozen=True, slots=True)
class _Source:
    """A file's articles, to be stored together; `path` is "" for articles given in memory."""

    articles: list[Article]
    path: str = ""
    file: StoredFile | None = None


class Library:
    """Articles, their passages and vectors in a folder; use `open`, and `close` or a `with` block.

    Reading is safe from several threads and beside one writer, of this process or another; a second
    writer is refused. A reader sees a writer's work at its next search after the writer has finished.
    """

    def __init__(self, path: Path, storage: Storage, encoder: Encoder | None) -> None:
        self.path = path
        self._storage = storage
        self._given_encoder = encoder
        meta = storage.meta()
        self._embedding, self._dimension, self._store = meta["embedding"], int(meta["dimension"]), meta["store"]
        self._fingerprint = meta["fingerprint"]
        self._indexes = Indexes(path, storage, self._dimension, self._store)
        self._writing = threading.RLock()

    @staticmethod
    def default_path() -> Path:
        """`$SOURCIER_LIBRARY`, else a folder among the user's data."""
        named = os.environ.get("SOURCIER_LIBRARY")
        return Path(named) if named else user_data_path("sourcier") / "library"

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        embedding: str | Encoder | None = None,
        store: str | None = None,
        create: bool = False,
    ) -> Library:
        """Open the library of a folder; `create` makes it where there is none.

        Raises LibraryError where there is none, where its format is newer, or where its vectors were made
        by another embedding or put in another store than the one named.
        """
        folder = Path(path)
        encoder = _encoder(embedding)
        exists = (folder / TRUTH).is_file()
        if not exists and not create:
            raise LibraryError(f"Il n’y a pas de bibliothèque dans {folder} : créez-la avec « sourcier index DOSSIER ».")
        storage = Storage(folder / TRUTH)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not exists or "format" not in storage.meta_or_empty():
                encoder = encoder or _encoder(os.environ.get("SOURCIER_EMBEDDING") or "french-small")
                assert encoder is not None
                with _locked(folder):
                    storage.create({
                        "format": str(FORMAT), "embedding": encoder.name, "dimension": str(encoder.dimension),
                        "fingerprint": encoder.fingerprint, "store": store or "faiss",
                    })  # fmt: skip
            meta = storage.meta()
        except OSError as error:
            raise LibraryError(f"La bibliothèque {folder} ne peut pas être écrite : {error.strerror}.") from error
        except storage.damage as error:
            storage.close()
            raise LibraryError(
                f"La bibliothèque {folder} est abîmée ({error}) : restaurez une sauvegarde, ou indexez dans un dossier neuf."
            ) from error
        if int(meta["format"]) > FORMAT:
            storage.close()
            raise LibraryError(f"La bibliothèque {folder} vient d’une version plus récente de Sourcier : mettez-le à jour.")
        if encoder is not None and encoder.fingerprint != meta["fingerprint"]:
            storage.close()
            raise LibraryError(
                f"La bibliothèque {folder} a été faite avec l’embedding « {meta['embedding']} » : "
                f"pour passer à « {encoder.name} », lancez « sourcier index --embedding {encoder.name} »."
            )
        if store is not None and store != meta["store"]:
            storage.close()
            raise LibraryError(f"La bibliothèque {folder} range ses vecteurs dans « {meta['store']} », non dans « {store} ».")
        return cls(folder, storage, encoder)

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; the library cannot be used any more."""
        self._storage.close()

    @property
    def fingerprint(self) -> str:
        """That of the encoder its vectors were made with."""
        return self._fingerprint

    @property
    def revision(self) -> int:
        """The number of the last change of the truth."""
        return self._storage.revision()

    @cached_property
    def encoder(self) -> Encoder:
        """What the vectors were made with; raises LibraryError where the model's weights have changed since."""
        encoder = self._given_encoder or _encoder(self._embedding)
        assert encoder is not None
        if encoder.fingerprint != self._fingerprint:
            raise LibraryError(
                f"L’embedding « {self._embedding} » a changé depuis que la bibliothèque {self.path} a été faite : "
                f"lancez « sourcier index --embedding {self._embedding} » pour refaire ses vecteurs."
            )
        return encoder

    def add(
        self,
        paths: Iterable[str | Path],
        *,
        prune: bool = False,
        ray: str | None = None,
        progress: Callable[[IndexProgress], None] | None = None,
    ) -> IndexReport:
        """Index files and folders; what has not changed since costs a look, or a hash.

        `prune` removes the articles of files that have vanished from the paths given; `ray` is the address
        of a Ray cluster that is to encode. What is stored stays stored if the run is interrupted.
        """
        roots = [Path(p).absolute() for p in paths]
        tally = _Tally()
        found = list(find_files(roots))
        tally.skipped = [item for item in found if isinstance(item, Skipped)]
        files = [item for item in found if isinstance(item, Path)]
        tally.files_total = len(files)
        with self._writer():
            report = self._store_all(self._read_files(files, tally), tally, ray, progress)
            if prune:
                report = self._prune(roots, {str(f) for f in files}, report)
        return report

    def add_articles(
        self,
        articles: Iterable[Article],
        *,
        ray: str | None = None,
        progress: Callable[[IndexProgress], None] | None = None,
    ) -> IndexReport:
        """Index articles held in memory; one with the id of a stored one replaces it."""
        with self._writer():
            return self._store_all((_Source([a]) for a in articles), _Tally(), ray, progress)

    def remove(self, article_ids: Sequence[str]) -> int:
        """Remove articles; gives how many there were."""
        with self._writer():
            with self._storage.change():
                removed = self._storage.delete(article_ids)
            self._indexes.catch_up()
        return removed

    def reencode(self, encoder: Encoder, *, progress: Callable[[IndexProgress], None] | None = None) -> None:
        """Make all vectors anew with another encoder, from the stored texts; all of it, or nothing."""
        with self._writer(), self._storage.change() as revision:
            rows, done = self._storage.rows(), 0
            for at in range(0, len(rows), BATCH_PASSAGES):
                stored = self._storage.passages(rows[at : at + BATCH_PASSAGES].tolist())
                texts = [s.passage.text for s in stored]
                self._storage.set_vectors([s.row for s in stored], encoder.encode_passages(texts), revision)
                done += len(stored)
                if progress:
                    progress(IndexProgress(0, 0, done))
            self._storage.set_meta(embedding=encoder.name, dimension=str(encoder.dimension), fingerprint=encoder.fingerprint)
        self._embedding, self._dimension, self._fingerprint = encoder.name, encoder.dimension, encoder.fingerprint
        self._given_encoder = encoder
        self.__dict__.pop("encoder", None)
        self._indexes = Indexes(self.path, self._storage, self._dimension, self._store)
        with self._writer():
            self._indexes.rebuild()

    def articles(self) -> list[ArticleInfo]:
        """Every article, in order of title."""
        return self._storage.articles()

    def article(self, article_id: str) -> Article:
        """An article with its text; raises LibraryError where there is none."""
        found = self._storage.article(article_id)
        if found is None:
            raise LibraryError(f"Aucun article « {article_id} » dans la bibliothèque : voyez « sourcier library list ».")
        return found

    def passages(self, rows: Sequence[int]) -> list[StoredPassage]:
        """The passages of these rows that are still there."""
        return self._storage.passages(rows)

    def vectors(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """The vectors (n, dimension), float32, of these rows."""
        return self._storage.vectors(list(rows), self._dimension)

    def search_lexical(
        self, question: str, k: int, *, article_ids: Collection[str] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """BM25 scores and rows of at most `k` passages, best first."""
        return self._indexes.current().lexical.search(question, k, allowed=self._allowed(article_ids))

    def search_dense(
        self, vector: np.ndarray, k: int, *, article_ids: Collection[str] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Cosines and rows of at most `k` passages, best first."""
        scores, rows = self._indexes.current().vectors.search(vector[None], k, allowed=self._allowed(article_ids))
        return scores[0][rows[0] >= 0], rows[0][rows[0] >= 0]

    def verify(self, *, repair: bool = False) -> list[str]:
        """What is wrong, a French line each, nothing where all is sound; `repair` makes the indexes anew."""
        from qa.verification import problems_of_indexes, problems_of_truth

        problems = problems_of_truth(self._storage, self._dimension)
        derived = problems_of_indexes(self._storage, self._indexes)
        if derived and repair:
            with self._writer(catch_up=False):
                self._indexes.rebuild()
            derived = problems_of_indexes(self._storage, self._indexes)
        return problems + derived

    def stats(self) -> LibraryStats:
        """Counts and sizes."""
        articles, passages, sentences = self._storage.counts()
        size = sum(p.stat().st_size for p in self.path.rglob("*") if p.is_file())
        return LibraryStats(
            articles, passages, sentences, size, self.revision, self._embedding, self._dimension, self._store
        )

    def _allowed(self, article_ids: Collection[str] | None) -> np.ndarray | None:
        return None if article_ids is None else self._storage.rows_of(list(article_ids))

    @contextmanager
    def _writer(self, *, catch_up: bool = True) -> Iterator[None]:
        """The right to write, which one process and thread has at a time."""
        with self._writing, _locked(self.path):
            if catch_up:
                self._indexes.catch_up()
            yield

    def _read_files(self, files: Sequence[Path], tally: _Tally) -> Iterator[_Source]:
        known = self._storage.files()
        for path in files:
            tally.files += 1
            name = str(path)
            try:
                about = path.stat()
                old = known.get(name)
                if old and (old.size, old.modified) == (about.st_size, about.st_mtime_ns):
                    tally.unchanged += self._storage.ids_of_path(name)
                    continue
                with path.open("rb") as opened:
                    digest = hashlib.file_digest(opened, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
                file = StoredFile(about.st_size, about.st_mtime_ns, digest)
                if old and old.hash == digest:
                    with self._storage.transaction():
                        self._storage.put_file(name, file)
                    tally.unchanged += self._storage.ids_of_path(name)
                    continue
                yield _Source(read_file(path), name, file)
            except ArticleError as error:
                tally.skipped.append(Skipped(name, str(error).removeprefix(f"{name} : ").rstrip(".")))
            except OSError as error:
                tally.skipped.append(Skipped(name, f"fichier illisible ({error.strerror})"))

    def _store_all(
        self,
        sources: Iterable[_Source],
        tally: _Tally,
        ray: str | None,
        progress: Callable[[IndexProgress], None] | None,
    ) -> IndexReport:
        began = kept = time.monotonic()
        waiting: list[_Source] = []
        count = 0
        for source in sources:
            waiting.append(source)
            count += sum(1 + len(a.text) // 700 for a in source.articles)
            if count >= BATCH_PASSAGES or time.monotonic() - kept > BATCH_SECONDS:
                self._store_batch(waiting, tally, ray)
                waiting, count, kept = [], 0, time.monotonic()
                if progress:
                    progress(IndexProgress(tally.files, tally.files_total, tally.passages))
        self._store_batch(waiting, tally, ray)
        self._indexes.catch_up()
        if progress:
            progress(IndexProgress(tally.files, tally.files_total, tally.passages))
        return IndexReport(
            tuple(tally.added), tuple(tally.updated), tuple(tally.unchanged), tuple(tally.removed),
            tuple(tally.skipped), tally.passages, time.monotonic() - began,
        )  # fmt: skip

    def _store_batch(self, sources: Sequence[_Source], tally: _Tally, ray: str | None) -> None:
        """Encode what is new in the sources and store it in one transaction."""
        changed: list[tuple[Article, list[Passage]]] = []
        for article in (a for source in sources for a in source.articles):
            known = self._storage.hash_of(article.id)
            if known == article.content_hash:
                tally.unchanged.append(article.id)
            else:
                (tally.added if known is None else tally.updated).append(article.id)
                changed.append((article, split_passages(article)))
        texts = [p.text for _, passages in changed for p in passages]
        vectors = self._encode(texts, ray)
        if not sources:
            return
        with self._storage.change() as revision:
            for source in sources:
                if source.path:
                    gone = set(self._storage.ids_of_path(source.path)) - {a.id for a in source.articles}
                    self._storage.delete(sorted(gone))
                    tally.removed += sorted(gone)
            at = 0
            for article, passages in changed:
                self._storage.put(article, passages, vectors[at : at + len(passages)], revision)
                at += len(passages)
            for source in sources:
                if source.file:
                    self._storage.put_file(source.path, source.file)
        tally.passages += len(texts)

    def _encode(self, texts: list[str], ray: str | None) -> np.ndarray:
        if not texts:
            return np.empty((0, self._dimension), np.float32)
        if ray is None:
            return self.encoder.encode_passages(texts)
        from embeddings.distributed import encode_on_ray

        return encode_on_ray(texts, self._embedding, ray)

    def _prune(self, roots: Sequence[Path], present: set[str], report: IndexReport) -> IndexReport:
        def below(path: str) -> bool:
            return any(Path(path) == root or Path(path).is_relative_to(root) for root in roots)

        gone = [a.id for a in self.articles() if a.path and below(a.path) and a.path not in present and not Path(a.path).exists()]
        with self._storage.change():
            self._storage.delete(gone)
        self._indexes.catch_up()
        return IndexReport(
            report.added, report.updated, report.unchanged, (*report.removed, *gone),
            report.skipped, report.passages, report.seconds,
        )  # fmt: skip


def _encoder(embedding: str | Encoder | None) -> Encoder | None:
    if isinstance(embedding, str):
        from embeddings.encoder import load_encoder

        return load_encoder(embedding)
    return embedding


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout as error:
        raise LibraryError(
            f"Une autre commande modifie déjà la bibliothèque {folder} : attendez qu’elle ait fini, puis recommencez."
        ) from error
