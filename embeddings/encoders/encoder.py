"""Texts to unit vectors: the shipped French models, or any sentence-transformers model by name or path."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from embeddings.encoders.bert import BertEngine, batches, fingerprint
from embeddings.errors import EmbeddingsError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer
    from transformers import BertModel

MODELS = Path(__file__).parents[1] / "models"
DEFAULT_ENCODER = "french-small"
WORDS_KEPT = 1 << 17
Progress = Callable[[int], None]


class Encoder(Protocol):
    """What turns texts into vectors; `fingerprint` changes with the weights."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def dimension(self) -> int: ...  # noqa: D102
    @property
    def fingerprint(self) -> str: ...  # noqa: D102

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (n, dimension), float32, of questions."""

    def encode_passages(self, texts: Sequence[str], *, progress: Progress | None = None) -> np.ndarray:
        """Unit vectors (n, dimension), float32, of passages; `progress` is told how many are done."""


class _LocalEncoder:
    """What the two shipped kinds share: a folder in sentence-transformers' format, its tokenizer and prompts."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name, self.directory = name, directory
        settings = json.loads((directory / "config_sentence_transformers.json").read_text("utf-8"))
        prompts = settings.get("prompts", {})
        self._query, self._passage = prompts.get("query", ""), prompts.get("document", "")

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint(self.directory)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        found = next(
            p
            for p in (self.directory / "tokenizer.json", *self.directory.glob("*/tokenizer.json"))
            if p.is_file()
        )
        return Tokenizer.from_file(str(found))

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self._encode([self._query + text for text in texts], None)

    def encode_passages(self, texts: Sequence[str], *, progress: Progress | None = None) -> np.ndarray:
        return self._encode([self._passage + text for text in texts], progress)

    def _encode(self, texts: list[str], progress: Progress | None) -> np.ndarray:
        raise NotImplementedError


class BertEncoder(_LocalEncoder):
    """Mean of a BERT encoder's last hidden states, run in 8-bit integers."""

    def __init__(self, name: str, directory: Path) -> None:
        super().__init__(name, directory)
        config = json.loads((directory / "config.json").read_text("utf-8"))
        self.dimension: int = config["hidden_size"]
        self._max_tokens: int = config["max_position_embeddings"]

    @cached_property
    def _engine(self) -> BertEngine:
        vocabulary = sorted(self.tokenizer.get_vocab().items(), key=lambda item: item[1])
        return BertEngine(self.fingerprint, self._load, [token for token, _ in vocabulary])

    def _load(self) -> BertModel:
        from transformers import BertModel

        model: BertModel = BertModel.from_pretrained(self.directory, add_pooling_layer=False)
        return model.float()

    def _encode(self, texts: list[str], progress: Progress | None) -> np.ndarray:
        rows = [e.ids[: self._max_tokens] for e in self.tokenizer.encode_batch(texts)]
        vectors = np.empty((len(rows), self.dimension), np.float32)
        groups = batches([len(row) for row in rows])
        inputs = [_padded([rows[i] for i in group]) for group in groups]
        done = 0
        for group, (ids, lengths), hidden in zip(
            groups, inputs, self._engine.hidden_each(inputs), strict=True
        ):
            hidden[np.arange(ids.shape[1]) >= lengths[:, None]] = 0
            vectors[group] = _unit(hidden.sum(1))
            done += len(group)
            if progress:
                progress(done)
        return vectors


class StaticEncoder(_LocalEncoder):
    """Mean of one vector a token: thousands of passages a second, for large collections."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._vectors.shape[1])

    @cached_property
    def _vectors(self) -> np.ndarray:
        from safetensors.numpy import load_file

        found = next(
            p
            for p in (self.directory / "model.safetensors", *self.directory.glob("*/model.safetensors"))
            if p.is_file()
        )
        return load_file(found)["embedding.weight"].astype(np.float32)

    @cached_property
    def _pieces(self) -> Callable[[str], list[int]]:
        """The tokens of a word: the tokenizer splits a text at its spaces first, so that words can be kept."""
        return lru_cache(WORDS_KEPT)(lambda word: self.tokenizer.encode(word, add_special_tokens=False).ids)

    def _encode(self, texts: list[str], progress: Progress | None) -> np.ndarray:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        pieces = self._pieces
        for row, text in enumerate(texts):
            ids = list(chain.from_iterable(map(pieces, unicodedata.normalize("NFKC", text).split())))
            if ids:
                vectors[row] = self._vectors[ids].mean(0)
            if progress and (row + 1 == len(texts) or row % 1024 == 1023):
                progress(row + 1)
        return _unit(vectors)


class SentenceTransformerEncoder:
    """Any model of sentence-transformers, on whatever device it finds."""

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def _model(self) -> SentenceTransformer:
        from sentence_transformers import SentenceTransformer

        try:
            return SentenceTransformer(self.name)
        except Exception as error:
            raise EmbeddingsError(
                f"Modèle d'embedding « {self.name} » introuvable : donnez un dossier local, un modèle de hub "
                f"accessible, ou l'un des modèles fournis ({', '.join(shipped())})."
            ) from error

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the weights."""
        import hashlib

        digest = hashlib.blake2b(digest_size=16)
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().float().numpy().tobytes())
        return digest.hexdigest()

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._model.get_embedding_dimension() or 0)

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        """See Encoder."""
        return self._rows(
            self._model.encode_query(list(texts), normalize_embeddings=True, show_progress_bar=False)
        )

    def encode_passages(self, texts: Sequence[str], *, progress: Progress | None = None) -> np.ndarray:
        """See Encoder."""
        parts = []
        for at in range(0, len(texts), 64):
            part = list(texts[at : at + 64])
            parts.append(
                self._model.encode_document(part, normalize_embeddings=True, show_progress_bar=False)
            )
            if progress:
                progress(at + len(part))
        return self._rows(np.concatenate(parts) if parts else np.empty((0, self.dimension)))

    def _rows(self, vectors: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(vectors, np.float32).reshape(-1, self.dimension)


def shipped() -> list[str]:
    """Names of the models that come with the project."""
    return sorted(p.parent.name for p in MODELS.glob("*/modules.json"))


@lru_cache(maxsize=4)
def load_encoder(name: str = DEFAULT_ENCODER) -> Encoder:
    """The encoder of that name: a shipped one, a folder, or a model of a hub; weights load on first use.

    Raises EmbeddingsError, at the latest on first use, where there is none.
    """
    return local_encoder(MODELS / name) if name in shipped() else SentenceTransformerEncoder(name)


def local_encoder(directory: Path) -> BertEncoder | StaticEncoder:
    """The encoder of a folder of one of the two shipped kinds: mean of a BERT's states, or static vectors."""
    kind = json.loads((directory / "modules.json").read_text("utf-8"))[0]["type"]
    made = StaticEncoder if kind.endswith("StaticEmbedding") else BertEncoder
    return made(directory.name, directory)


def _padded(rows: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Token ids (rows, longest), int32, zeros after each row's end, and the rows' lengths."""
    lengths = np.array([len(row) for row in rows])
    ids = np.zeros((len(rows), lengths.max()), np.int32)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
    return ids, lengths


def _unit(vectors: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(norms, 1e-12)
