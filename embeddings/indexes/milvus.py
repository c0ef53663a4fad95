"""The two searches on Milvus: a server or cluster by its address, or milvus-lite in a .db file.

Milvus has no transactions. So the revision, kept in a collection of its own, is INTERRUPTED while a write
lasts: whoever finds that value must `replace`. milvus-lite serves one process at a time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from embeddings.errors import REPAIR, EmbeddingsError
from embeddings.extras import optional
from embeddings.indexes.lexical import Fields, question_terms, text_terms

Item = TypeVar("Item")

INTERRUPTED = -1
STARTING_SECONDS = (0.5, 1.0, 2.0)
BATCH = 1000
MAX_RESULTS = 16_384
MAX_TEXT_BYTES = 65_535


class _MilvusCollection:
    """A collection of rows under integer ids, and a second one that holds its revision."""

    def __init__(self, uri: str, name: str, *, fresh: bool) -> None:
        self._uri, self._name, self._stamp = uri, name, f"{name}_revision"
        self._milvus = optional("pymilvus", "milvus")
        for logger in ("pymilvus", "milvus_lite"):
            logging.getLogger(logger).setLevel(logging.CRITICAL)
        with self._reported():
            self._client = self._connected()
            for collection, schema in ((self._stamp, self._stamp_schema), (name, self._schema)):
                if fresh:
                    self._client.drop_collection(collection)
                if self._client.has_collection(collection):
                    self._client.load_collection(collection)
                else:
                    self._create(collection, *schema())
            stamps = self._client.get(self._stamp, ids=[0], output_fields=["revision"])
        self.revision = int(stamps[0]["revision"]) if stamps else 0

    def _connected(self) -> Any:
        """The client; the server of a file, which starts with it, is given some seconds on a busy machine."""
        for seconds in STARTING_SECONDS if self._uri.endswith(".db") else ():
            try:
                return self._milvus.MilvusClient(self._uri)
            except self._milvus.MilvusException:
                time.sleep(seconds)
        return self._milvus.MilvusClient(self._uri)

    def __len__(self) -> int:
        with self._reported():
            return int(self._client.query(self._name, output_fields=["count(*)"])[0]["count(*)"])

    def check(self) -> list[str]:
        """Asks the server; a write that was interrupted is reported."""
        try:
            len(self)
        except EmbeddingsError as error:
            return [str(error)]
        if self.revision == INTERRUPTED:
            return [
                f"Une écriture dans la collection {self._name} de {self._uri} a été interrompue : {REPAIR}."
            ]
        return []

    def _schema(self) -> tuple[Any, Any]:
        """Schema and index parameters of the collection."""
        raise NotImplementedError

    def _stamp_schema(self) -> tuple[Any, Any]:
        types = self._milvus.DataType
        schema = self._client.create_schema(auto_id=False)
        schema.add_field("id", types.INT64, is_primary=True)
        schema.add_field("revision", types.INT64)
        schema.add_field("unused", types.FLOAT_VECTOR, dim=2)  # Milvus wants a vector in every collection
        index = self._client.prepare_index_params()
        index.add_index("unused", index_type="FLAT", metric_type="IP")
        return schema, index

    def _create(self, name: str, schema: Any, index: Any) -> None:
        self._client.create_collection(name, schema=schema, consistency_level="Strong")
        self._client.create_index(name, index, sync=False)
        self._client.load_collection(name)

    def _write(self, removed: list[int] | None, rows: Iterable[dict[str, Any]], revision: int) -> None:
        with self._reported():
            self._set_revision(INTERRUPTED)
            if removed is None:
                self._client.drop_collection(self._name)
                self._create(self._name, *self._schema())
            for ids in _chunks(removed or [], BATCH):
                self._client.delete(self._name, ids=ids)
            for batch in _chunks(rows, BATCH):
                self._client.upsert(self._name, batch)
            self._set_revision(revision)

    def _set_revision(self, revision: int) -> None:
        self._client.upsert(self._stamp, [{"id": 0, "revision": revision, "unused": [0.0, 0.0]}])
        self.revision = revision

    def _search(
        self, field: str, data: list[Any], k: int, allowed: np.ndarray | None
    ) -> list[list[tuple[int, float]]]:
        if allowed is not None and not len(allowed):
            return [[] for _ in data]
        among = "" if allowed is None else f"id in {np.asarray(allowed, np.int64).tolist()}"
        with self._reported():
            found = self._client.search(
                self._name,
                data=data,
                anns_field=field,
                limit=min(k, MAX_RESULTS),
                filter=among,
                output_fields=["id"],
            )
        return [[(int(hit["id"]), float(hit["distance"])) for hit in hits] for hits in found]

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except self._milvus.MilvusException as error:
            raise EmbeddingsError(
                f"Milvus ({self._uri}) ne répond pas ou refuse la demande ({error.message}) : "
                "vérifiez l'adresse, et que le serveur est en version 2.5 ou plus récente."
            ) from error


class MilvusIndex(_MilvusCollection):
    """Vectors in a collection of Milvus, with the index that the server chooses."""

    def __init__(self, uri: str, collection: str, dimension: int, *, fresh: bool) -> None:
        self._dimension = dimension
        super().__init__(uri, collection, fresh=fresh)
        with self._reported():
            fields = self._client.describe_collection(collection)["fields"]
        stored = next(field["params"]["dim"] for field in fields if field["name"] == "vector")
        if int(stored) != dimension:
            raise EmbeddingsError(
                f"La collection {collection} de {uri} contient des vecteurs de dimension {stored}, "
                f"et non {dimension} : {REPAIR}."
            )

    @classmethod
    def open(cls, uri: str, collection: str, dimension: int) -> MilvusIndex:
        """The index in that collection, created if need be; EmbeddingsError if the server does not answer."""
        return cls(uri, collection, dimension, fresh=False)

    @classmethod
    def create(cls, uri: str, collection: str, dimension: int) -> MilvusIndex:
        """An empty index in place of whatever the collection holds."""
        return cls(uri, collection, dimension, fresh=True)

    def replace(self, ids: np.ndarray, vectors: np.ndarray, revision: int) -> None:
        """Drop the collection and fill a new one."""
        self._write(None, self._rows(ids, vectors), revision)

    def update(self, removed: np.ndarray, ids: np.ndarray, vectors: np.ndarray, revision: int) -> None:
        """Delete and upsert."""
        self._write(np.asarray(removed, np.int64).tolist(), self._rows(ids, vectors), revision)

    def search(
        self, queries: np.ndarray, k: int, *, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The nearest vectors, as the server finds them."""
        scores = np.full((len(queries), k), -np.inf, np.float32)
        ids = np.full((len(queries), k), -1, np.int64)
        found = self._search("vector", list(np.asarray(queries, np.float32)), k, allowed)
        for row, hits in enumerate(found):
            for column, (id_, score) in enumerate(hits):
                ids[row, column], scores[row, column] = id_, score
        return scores, ids

    def _schema(self) -> tuple[Any, Any]:
        types = self._milvus.DataType
        schema = self._client.create_schema(auto_id=False)
        schema.add_field("id", types.INT64, is_primary=True)
        schema.add_field("vector", types.FLOAT_VECTOR, dim=self._dimension)
        index = self._client.prepare_index_params()
        index.add_index("vector", index_type="AUTOINDEX", metric_type="IP")
        return schema, index

    def _rows(self, ids: np.ndarray, vectors: np.ndarray) -> Iterator[dict[str, Any]]:
        if len(ids) and vectors.shape[1] != self._dimension:
            raise EmbeddingsError(
                f"Vecteurs de dimension {vectors.shape[1]} pour un index de dimension {self._dimension}."
            )
        return ({"id": int(i), "vector": v} for i, v in zip(ids, vectors, strict=True))


class MilvusLexicalIndex(_MilvusCollection):
    """BM25 computed by Milvus over texts that went through our own French analyser."""

    @classmethod
    def open(cls, uri: str, collection: str) -> MilvusLexicalIndex:
        """The index in that collection, created if need be; EmbeddingsError if the server does not answer."""
        return cls(uri, collection, fresh=False)

    @classmethod
    def create(cls, uri: str, collection: str) -> MilvusLexicalIndex:
        """An empty index in place of whatever the collection holds."""
        return cls(uri, collection, fresh=True)

    def replace(self, ids: Iterable[int], texts: Iterable[Fields], revision: int) -> None:
        """Drop the collection and fill a new one."""
        self._write(None, self._rows(ids, texts), revision)

    def update(
        self, removed: Iterable[int], ids: Iterable[int], texts: Iterable[Fields], revision: int
    ) -> None:
        """Delete and upsert."""
        self._write([int(i) for i in removed], self._rows(ids, texts), revision)

    def search(
        self, question: str, k: int, *, allowed: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The texts that share the most telling words with the question."""
        terms = question_terms(question)
        hits = self._search("terms", [_joined(terms)], k, allowed)[0] if terms else []
        scores = np.abs(np.array([score for _, score in hits], np.float32))  # milvus-lite gives them negative
        return scores, np.array([id_ for id_, _ in hits], np.int64)

    def _schema(self) -> tuple[Any, Any]:
        milvus = self._milvus
        schema = self._client.create_schema(auto_id=False)
        schema.add_field("id", milvus.DataType.INT64, is_primary=True)
        schema.add_field(
            "text",
            milvus.DataType.VARCHAR,
            max_length=MAX_TEXT_BYTES,
            enable_analyzer=True,
            analyzer_params={"tokenizer": "standard"},
        )
        schema.add_field("terms", milvus.DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(
            milvus.Function(
                name="bm25",
                input_field_names=["text"],
                output_field_names=["terms"],
                function_type=milvus.FunctionType.BM25,
            )
        )
        index = self._client.prepare_index_params()
        index.add_index(
            "terms",
            index_type="SPARSE_INVERTED_INDEX",
            metric_type="BM25",
            params={"bm25_k1": 1.2, "bm25_b": 0.75},
        )
        return schema, index

    def _rows(self, ids: Iterable[int], texts: Iterable[Fields]) -> Iterator[dict[str, Any]]:
        """Milvus weighs one field: a word of the title or of a heading counts as one of the text."""
        for id_, fields in zip(ids, texts, strict=True):
            terms = (*text_terms(fields.title), *text_terms(fields.headings), *text_terms(fields.text))
            yield {"id": int(id_), "text": _joined(terms)}


def _joined(terms: Sequence[str]) -> str:
    return " ".join(terms).encode()[:MAX_TEXT_BYTES].decode("utf-8", "ignore")


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    stream = iter(items)
    while chunk := list(islice(stream, size)):
        yield chunk
