"""Passages by their words: the French analyser, what every lexical index does, and BM25 on tantivy."""

from __future__ import annotations

import json
import shutil
import struct
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from embeddings.errors import REPAIR, EmbeddingsError, cause_of
from embeddings.indexes.figures import uniform
from embeddings.indexes.spelling import Vocabulary, meant

if TYPE_CHECKING:
    import tantivy

LONGEST_WORD = 40
HEAP_BYTES = 128_000_000
BOOSTS = {"body": 1.0, "title": 0.6, "headings": 1.0}
"""What a word found in each field counts; measured on PIAF and on questions about everyday documents."""

_ASKING = """qui que qu quoi quel quelle quels quelles lequel laquelle lesquels lesquelles auquel duquel
    quand comment combien pourquoi où est ce"""
QUESTION_WORDS = frozenset(_ASKING.split())
_ANALYSER = "french-2"
_FOOTER_MAGIC = 1337


@dataclass(frozen=True, slots=True)
class Fields:
    """What is searched of a text: itself, the title of what it is from, the headings above it."""

    text: str
    title: str = ""
    headings: str = ""


class LexicalIndex(Protocol):
    """Texts under integer ids; `revision` is that of the truth they reflect, stored together with them."""

    revision: int

    def __len__(self) -> int: ...

    def replace(self, ids: Iterable[int], texts: Iterable[Fields], revision: int) -> None:
        """Forget everything and hold these texts; both may be streams of the same length."""

    def update(
        self, removed: Iterable[int], ids: Iterable[int], texts: Iterable[Fields], revision: int
    ) -> None:
        """Remove some ids, then add others; an id already there gets its new text."""

    def search(
        self, question: str, k: int, *, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """BM25 scores, float32, and ids, int64, of at most `k` texts, best first.

        `allowed` restricts the search to these ids.
        """

    def check(self) -> list[str]:
        """What is wrong, a French line each; empty when sound."""


def fold(text: str) -> str:
    """The text with plain spaces, ligatures and exponents, no soft hyphens, and its figures in one form."""
    plain = unicodedata.normalize("NFKC", text).replace("\u00ad", "").encode("utf-8", "ignore").decode()
    return uniform(plain)


@lru_cache(maxsize=1)
def french_analyser() -> tantivy.TextAnalyzer:
    """Words in lower case, cut at elisions, without French stop words, stemmed, without accents."""
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    builder = TextAnalyzerBuilder(Tokenizer.simple())
    for step in (
        Filter.lowercase(),
        Filter.stopword("french"),
        Filter.custom_stopword(["a"]),
        Filter.stemmer("french"),
        Filter.ascii_fold(),
    ):
        builder = builder.filter(step)
    return builder.build()


@lru_cache(maxsize=1)
def _words() -> tantivy.TextAnalyzer:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    return TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.lowercase()).build()


def text_terms(text: str) -> list[str]:
    """The terms of a text, in order."""
    return french_analyser().analyze(fold(text))


def question_terms(question: str) -> list[str]:
    """The distinct terms to look for, in order: those of a text, without the words that only ask."""
    return list(dict.fromkeys(french_analyser().analyze(" ".join(asked_words(question)))))


def asked_words(question: str) -> list[str]:
    """The words of a question in lower case, in order, without those that only ask."""
    return [word for word in _words().analyze(fold(question)) if word not in QUESTION_WORDS]


def _term(word: str) -> str:
    """The term of one word, "" where it has none."""
    return next(iter(french_analyser().analyze(word)), "")


class TantivyIndex:
    """BM25 in a folder of its own.

    A write is one commit of tantivy, so a crash leaves the old state. The revision is a document of the
    index, replaced in the same commit. A reader sees the state it opened until it is opened again.
    """

    def __init__(self, directory: Path, index: tantivy.Index) -> None:
        self._directory, self._index = directory, index
        self._refresh()

    @classmethod
    def open(cls, directory: Path) -> TantivyIndex:
        """The index kept in `directory`, or an empty one at revision 0; EmbeddingsError if it is damaged."""
        from tantivy import Index

        try:
            directory.mkdir(parents=True, exist_ok=True)
            if problems := _damages(directory):
                raise EmbeddingsError(problems[0])
            index = Index(_schema(), path=str(directory))
            index.register_tokenizer(_ANALYSER, french_analyser())
            index.config_reader("manual")
            return cls(directory, index)
        except PermissionError as error:
            raise EmbeddingsError(
                f"Lecture refusée dans {directory} : vérifiez les droits du dossier."
            ) from error
        except (OSError, ValueError) as error:
            raise EmbeddingsError(
                f"L'index {directory} est endommagé ou d'un autre format : {REPAIR}."
            ) from error

    @classmethod
    def create(cls, directory: Path) -> TantivyIndex:
        """An empty index in place of whatever `directory` holds, damaged or not."""
        shutil.rmtree(directory, ignore_errors=True)
        return cls.open(directory)

    def __len__(self) -> int:
        return self._count

    def replace(self, ids: Iterable[int], texts: Iterable[Fields], revision: int) -> None:
        """Rebuild from nothing, in one commit."""
        self._write(None, ids, texts, revision)

    def update(
        self, removed: Iterable[int], ids: Iterable[int], texts: Iterable[Fields], revision: int
    ) -> None:
        """Remove and add, in one commit."""
        ids = list(ids)
        self._write([*removed, *ids], ids, texts, revision)

    def search(
        self, question: str, k: int, *, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The texts that share the most telling words with the question; unknown ones are taken for near ones."""
        from tantivy import Occur, Query

        schema = self._index.schema
        terms = [
            (Occur.Should, Query.boost_query(Query.term_query(schema, field, term, "freq"), weight * boost))
            for term, weight in self._wanted(question).items()
            for field, boost in BOOSTS.items()
        ]
        query = Query.boolean_query(terms)
        if allowed is not None:
            among = Query.term_set_query(schema, "id", np.asarray(allowed, np.int64).tolist())
            query = Query.boolean_query(
                [(Occur.Must, query), (Occur.Must, Query.const_score_query(among, 0.0))]
            )
        searcher = self._searcher  # addresses are good only where they were found: a write may bring another
        hits = searcher.search(query, limit=k, count=False).hits if terms else []
        ids = searcher.fast_field_values("id", [address for _, address in hits])
        return np.array([score for score, _ in hits], np.float32), np.array(ids, np.int64)

    def _wanted(self, question: str) -> dict[str, float]:
        """The terms to look for with their weights: of a word that is in no text, those that it may stand for."""
        searcher = self._searcher

        def has(term: str) -> bool:
            return any(searcher.doc_freq(field, term) for field in BOOSTS)

        def beginning(letters: str) -> Iterator[tuple[str, int]]:
            for field in ("body", "title"):
                yield from searcher.terms_with_prefix(field, letters)

        vocabulary = Vocabulary(has, beginning, _term)
        wanted: dict[str, float] = {}
        for word in dict.fromkeys(asked_words(question)):
            term = _term(word)
            if term and (len(term) > LONGEST_WORD or has(term)):
                wanted[term] = 1.0
            elif len(word) <= LONGEST_WORD:
                for other, weight in meant(word, vocabulary):
                    wanted.setdefault(other, weight)
        return wanted

    def check(self) -> list[str]:
        """Opens the folder again, which compares every file with its checksum."""
        try:
            TantivyIndex.open(self._directory)
        except EmbeddingsError as error:
            return [str(error)]
        return []

    def _write(
        self, removed: list[int] | None, ids: Iterable[int], texts: Iterable[Fields], revision: int
    ) -> None:
        from tantivy import Document, Query

        with self._commit() as writer:
            if removed is None:
                writer.delete_all_documents()
            else:
                writer.delete_documents_by_query(Query.exists_query("revision"))
                writer.delete_documents_by_query(Query.term_set_query(self._index.schema, "id", removed))
            for id_, text in zip(ids, texts, strict=True):
                document = Document(id=int(id_), body=fold(text.text))
                for field, context in (("title", text.title), ("headings", text.headings)):
                    if context:
                        document.add_text(field, fold(context))
                writer.add_document(document)
            writer.add_document(Document(revision=revision))
        self._index.reload()
        self._refresh()

    @contextmanager
    def _commit(self) -> Iterator[tantivy.IndexWriter]:
        """A writer whose work counts when the block succeeds; its threads and lock are gone afterwards."""
        try:
            writer = self._index.writer(HEAP_BYTES, num_threads=1)
            try:
                writer.garbage_collect_files()  # what a killed writer left would block this commit
                yield writer
                writer.commit()
            except BaseException:
                writer.rollback()
                raise
            finally:
                writer.wait_merging_threads()
        except (OSError, ValueError) as error:
            raise EmbeddingsError(
                f"Impossible d'écrire {self._directory} ({cause_of(error)}) : vérifiez la place libre et les droits."
            ) from error

    def _refresh(self) -> None:
        from tantivy import Query

        self._searcher = self._index.searcher()
        stamps = self._searcher.search(Query.exists_query("revision"), limit=1).hits
        found = self._searcher.fast_field_values("revision", [address for _, address in stamps])
        self.revision = int(found[0] or 0) if found else 0
        self._count = self._searcher.num_docs - len(found)


def _schema() -> tantivy.Schema:
    from tantivy import SchemaBuilder

    builder = SchemaBuilder()
    builder.add_integer_field("id", indexed=True, fast=True)
    builder.add_integer_field("revision", indexed=True, fast=True)
    for field in BOOSTS:
        builder.add_text_field(field, tokenizer_name=_ANALYSER, index_option="freq")
    return builder.build()


def _damages(directory: Path) -> list[str]:
    meta = directory / "meta.json"
    if not meta.exists():
        return []
    try:
        files = [
            path
            for segment in json.loads(meta.read_bytes())["segments"]
            for path in _files(directory, segment)
        ]
    except (ValueError, KeyError, TypeError):
        return [f"Le fichier {meta} est endommagé : {REPAIR}."]
    return [f"Le fichier {path} est endommagé : {REPAIR}." for path in files if not _sound(path)]


def _files(directory: Path, segment: dict[str, Any]) -> list[Path]:
    """The files of a segment, without the lists of deletions that are not, or no longer, in force."""
    name, deletes = segment["segment_id"].replace("-", ""), segment["deletes"]
    in_force = f"{name}.{deletes['opstamp']}.del" if deletes else ""
    return [
        path for path in sorted(directory.glob(f"{name}.*")) if path.suffix != ".del" or path.name == in_force
    ]


def _sound(path: Path) -> bool:
    """Whether the file's content has the CRC-32 of tantivy's footer: JSON, its length, a magic number."""
    try:
        content = memoryview(path.read_bytes())
    except FileNotFoundError:
        return True
    try:
        length, magic = struct.unpack("<II", content[-8:])
        footer = json.loads(bytes(content[-8 - length : -8]))
        return bool(magic == _FOOTER_MAGIC and footer["crc"] == zlib.crc32(content[: -8 - length]))
    except (struct.error, ValueError, KeyError, TypeError):
        return False
