"""A collection of articles on disk: SQLite is the truth, the two indexes are derived from it."""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from os.path import realpath
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np

from qa.errors import LibraryError
from qa.ingest.articles import Article, find_files
from qa.ingest.indexing import BATCH_PASSAGES, Encode, Indexing, IndexProgress, IndexReport, Withheld
from qa.ingest.passages import CUT
from qa.library.indexes import MILVUS, Indexes, reported, writing
from qa.library.storage import FORMAT, OLDEST_FORMAT, ArticleInfo, Manifest, Storage, StoredPassage

if TYPE_CHECKING:
    from embeddings.encoders.encoder import Encoder

__all__ = [
    "ArticleInfo",
    "IndexProgress",
    "IndexReport",
    "Library",
    "LibraryStats",
    "StoredPassage",
    "Withheld",
]

TRUTH = "library.sqlite"
CLUSTER_BATCH_PASSAGES = 16_384
Progress = Callable[[IndexProgress], None]


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


class Library:
    """Articles, their passages and vectors in a folder; use `open`, and `close` or a `with` block.

    Reading is safe from several threads and beside one writer, of this process or another; a second
    writer is refused. A reader sees a writer's work at its next search after the writer has finished.
    Every method raises LibraryError where the library cannot be read or written.
    """

    def __init__(self, path: Path, storage: Storage, encoder: Encoder | None) -> None:
        self.path = path
        self._storage, self._encoder = storage, encoder
        self._indexes = Indexes(path, storage)

    @staticmethod
    def default_path() -> Path:
        """`$SOURCIER_LIBRARY`, else a folder among the user's data."""
        from qa.settings import settings

        return settings().library

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        embedding: str | Encoder | None = None,
        store: str | None = None,
        create: bool = False,
        update: bool = False,
    ) -> Library:
        """Open the library of a folder; `create` makes it where there is none.

        `update` opens one that an earlier version made, or cut in passages otherwise, which is to be brought up to
        date by `bring_up_to_date`. `store` is "faiss" or "milvus:" and an address. Raises LibraryError where there is no library, where
        its format is another, or where it was made with another embedding or store than the one named.
        """
        folder = Path(path)
        encoder = _loaded(embedding)
        storage = Storage(folder / TRUTH)
        try:
            with reported():
                if not (folder / TRUTH).is_file() or not storage.format():
                    encoder = _create(folder, storage, encoder, store, allowed=create)
                _check(folder, storage, encoder, store, update=update)
        except LibraryError:
            storage.close()
            raise
        return cls(folder, storage, encoder)

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        self._storage.close()

    @property
    def revision(self) -> int:
        """The number of the last change of the truth."""
        return self._storage.revision()

    @property
    def fingerprint(self) -> str:
        """That of the encoder its vectors were made with."""
        return self._storage.manifest().fingerprint

    @property
    def encoder(self) -> Encoder:
        """What its vectors were made with; raises LibraryError where the model's weights have changed since."""
        manifest = self._storage.manifest()
        with reported():
            if self._encoder is None or self._encoder.fingerprint != manifest.fingerprint:
                encoder = _loaded(manifest.embedding)
                assert encoder is not None
                _check_fingerprint(self.path, manifest, encoder)
                self._encoder = encoder
        return self._encoder

    def add(
        self,
        paths: Iterable[str | Path],
        *,
        prune: bool = False,
        ray: str | None = None,
        progress: Progress | None = None,
    ) -> IndexReport:
        """Index files and folders; what has not changed since costs a hash.

        `prune` removes the articles of files that have vanished from the paths given, but nothing below a path
        where all of them have, as when its disk is away: see `remove_below`; `ray` is the address
        of a Ray cluster that is to encode. What is stored stays stored if the run is interrupted.
        """
        roots = [Path(realpath(path)) for path in paths]
        with self._indexing(ray, progress) as indexing:
            indexing.add_files(find_files(roots))
            if prune:
                indexing.prune(roots)
        return indexing.report()

    def add_articles(
        self, articles: Iterable[Article], *, ray: str | None = None, progress: Progress | None = None
    ) -> IndexReport:
        """Index articles held in memory; one with the id of a stored one replaces it."""
        with self._indexing(ray, progress) as indexing:
            indexing.add_articles(articles)
        return indexing.report()

    @property
    def is_up_to_date(self) -> bool:
        """Whether its articles are cut in the way of now."""
        return self._storage.cut() == CUT

    def bring_up_to_date(self, *, ray: str | None = None, progress: Progress | None = None) -> int:
        """Bring an earlier version's library up to date, losing nothing; gives how many passages were made.

        Articles are read again from their files where these are still the same, else cut anew from the stored
        texts. What is done stays done if the run is interrupted, and the next goes on from there.
        """
        if self.is_up_to_date:
            return 0
        with self._indexing(ray, progress) as indexing:
            indexing.cut_anew()
        return indexing.report().passages

    def remove(self, article_ids: Sequence[str]) -> int:
        """Remove articles; gives how many there were."""
        with self._writer():
            with self._storage.change() as revision:
                removed = self._storage.remove(article_ids, revision)
            self._indexes.catch_up()
        return removed

    def remove_below(self, folder: str | Path) -> int:
        """Remove the articles of a file, or of all files below a folder, there or not; gives how many there were."""
        place = Path(realpath(folder))
        paths = [path for path in self._storage.paths() if Path(path).is_relative_to(place)]
        return self.remove([id_ for path in paths for id_ in self._storage.ids_of_path(path)])

    def reencode(self, encoder: Encoder, *, progress: Progress | None = None) -> None:
        """Make all vectors anew from the stored texts; the old ones serve until the new ones are complete.

        After an interruption it goes on where it was.
        """
        with self._writer(), reported():
            before, rows = self._storage.manifest(), self._storage.unstaged(encoder.fingerprint)
            for at in range(0, len(rows), BATCH_PASSAGES):
                part = rows[at : at + BATCH_PASSAGES]
                vectors = encoder.encode_passages(list(self._storage.texts(part)))
                with self._storage.transaction():
                    self._storage.stage(part.tolist(), vectors, encoder.fingerprint)
                if progress:
                    progress(IndexProgress(0, 0, at + len(part)))
            with self._storage.change():
                self._storage.adopt_staged(encoder.name, encoder.dimension, encoder.fingerprint)
            self._encoder = encoder
            self._indexes.rebuild()
            if before.fingerprint != encoder.fingerprint:
                self._indexes.discard(before)

    def articles(self) -> list[ArticleInfo]:
        """Every article, in alphabetical order of title."""
        return sorted(self._storage.articles(), key=lambda article: (_sortable(article.title), article.id))

    def article(self, article_id: str) -> Article:
        """An article with its text; raises LibraryError where there is none."""
        found = self._storage.article(article_id)
        if found is None:
            raise LibraryError(
                f"Aucun article « {article_id} » dans la bibliothèque : "
                f"voyez « sourcier library list{library_option(self.path)} »."
            )
        return found

    def passages(self, rows: Sequence[int]) -> list[StoredPassage]:
        """The passages of these rows that are still there, in order of row."""
        return self._storage.passages(rows)

    def digests(self, rows: Sequence[int]) -> dict[int, bytes]:
        """Of each of these rows that is still there, what it shares with the passages that say the same."""
        return self._storage.digests(rows)

    def vectors(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """The vectors (n, dimension), float32, of these rows; zeros for a row that is gone."""
        return self._storage.vectors(np.asarray(rows, np.int64), self._storage.manifest().dimension)

    def search_lexical(
        self, question: str, k: int, *, article_ids: Collection[str] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """BM25 scores and rows of at most `k` passages, best first."""
        with reported():
            return self._indexes.current().lexical.search(question, k, allowed=self._allowed(article_ids))

    def search_dense(
        self, vector: np.ndarray, k: int, *, article_ids: Collection[str] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Cosines and rows of at most `k` passages, best first."""
        with reported():
            vectors = self._indexes.current().vectors
            scores, rows = vectors.search(vector[None], k, allowed=self._allowed(article_ids))
        return scores[0][rows[0] >= 0], rows[0][rows[0] >= 0]

    def verify(self, *, repair: bool = False) -> list[str]:
        """What is wrong, a French line each, nothing where all is sound.

        `repair` makes wrong vectors and indexes anew from the texts; only what it could not mend is given.
        """
        from qa.library.verification import examine

        with writing(self.path):
            problems = examine(self._storage, self._indexes)
        if not repair or not (problems.vectors or problems.indexes):
            return problems.lines
        if problems.vectors:
            self.reencode(self.encoder)
        with writing(self.path):
            self._indexes.rebuild()
            return examine(self._storage, self._indexes).lines

    def stats(self) -> LibraryStats:
        """Counts and sizes."""
        manifest = self._storage.manifest()
        size = sum(map(_size, self.path.rglob("*")))
        return LibraryStats(
            *self._storage.counts(),
            size,
            self.revision,
            manifest.embedding,
            manifest.dimension,
            manifest.store,
        )

    def _allowed(self, article_ids: Collection[str] | None) -> np.ndarray | None:
        return None if article_ids is None else self._storage.rows_of(list(article_ids))

    @contextmanager
    def _writer(self) -> Iterator[None]:
        """The right to write, with the indexes up to date."""
        with writing(self.path):
            self._indexes.catch_up()
            yield

    @contextmanager
    def _indexing(self, ray: str | None, progress: Progress | None) -> Iterator[Indexing]:
        """A run of indexing, after which the indexes are up to date."""
        encode: Encode = self.encoder.encode_passages
        batch = BATCH_PASSAGES
        if ray is not None:
            from embeddings.encoders.distributed import encode_on_ray

            encode = partial(encode_on_ray, encoder_name=self.encoder.name, address=ray)
            batch = CLUSTER_BATCH_PASSAGES
        with self._writer(), reported():
            yield Indexing(self._storage, encode, batch_passages=batch, progress=progress)
            self._indexes.catch_up()


def library_option(folder: Path) -> str:
    """The option that a command needs for this library: none for the default one."""
    return "" if folder == Library.default_path() else f" --library {shlex.quote(str(folder))}"


def _loaded(embedding: str | Encoder | None) -> Encoder | None:
    if not isinstance(embedding, str):
        return embedding
    from embeddings.encoders.encoder import load_encoder

    with reported():
        return load_encoder(embedding)


def _create(
    folder: Path, storage: Storage, encoder: Encoder | None, store: str | None, *, allowed: bool
) -> Encoder:
    """Make an empty library; gives its encoder."""
    if not allowed:
        command = f"sourcier index DOSSIER{library_option(folder)}"
        raise LibraryError(f"Il n’y a pas de bibliothèque dans {folder} : créez-la avec « {command} ».")
    if store not in (None, "faiss") and not store.startswith(MILVUS):
        raise LibraryError(
            f"Rangement des vecteurs inconnu : « {store} ». Donnez « faiss » ou « milvus:ADRESSE »."
        )
    from qa.settings import settings

    encoder = encoder or _loaded(settings().embedding)
    assert encoder is not None
    manifest = Manifest(encoder.name, encoder.dimension, encoder.fingerprint, store or "faiss", uuid4().hex)
    folder.mkdir(parents=True, exist_ok=True)
    with writing(folder):
        if not storage.format():
            storage.create(manifest)
    return encoder


def _check(
    folder: Path, storage: Storage, encoder: Encoder | None, store: str | None, *, update: bool
) -> None:
    found = storage.format()
    if found > FORMAT or found < OLDEST_FORMAT:
        age = "plus récente" if found > FORMAT else "trop ancienne"
        raise LibraryError(
            f"La bibliothèque {folder} a été faite par une version {age} de Sourcier : "
            "mettez Sourcier à jour, ou indexez dans un dossier neuf."
        )
    if not update and (found < FORMAT or storage.cut() != CUT):
        raise LibraryError(
            f"La bibliothèque {folder} a été faite par une version antérieure de Sourcier : "
            f"pour la mettre à jour, lancez « sourcier index{library_option(folder)} »."
        )
    if found < FORMAT:
        with writing(folder):
            storage.migrate()
    manifest = storage.manifest()
    if encoder is not None:
        _check_fingerprint(folder, manifest, encoder)
    if store is not None and store != manifest.store:
        raise LibraryError(
            f"La bibliothèque {folder} range ses vecteurs dans « {manifest.store} », non dans « {store} » : "
            "pour changer, indexez dans un dossier neuf."
        )


def _check_fingerprint(folder: Path, manifest: Manifest, encoder: Encoder) -> None:
    if encoder.fingerprint == manifest.fingerprint:
        return
    command = f"sourcier index --embedding {shlex.quote(encoder.name)}{library_option(folder)}"
    if encoder.name == manifest.embedding:
        problem = f"L’embedding « {encoder.name} » a changé depuis que la bibliothèque {folder} a été faite"
    else:
        problem = f"La bibliothèque {folder} a été faite avec l’embedding « {manifest.embedding} »"
    raise LibraryError(f"{problem} : pour refaire ses vecteurs avec celui-ci, lancez « {command} ».")


def _size(path: Path) -> int:
    """Its bytes; 0 for what is no file, or gone since a writer is at work."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def _sortable(title: str) -> str:
    """Letters without accents or case, so that « É » stands beside « e »."""
    return "".join(c for c in unicodedata.normalize("NFKD", title.casefold()) if not unicodedata.combining(c))
