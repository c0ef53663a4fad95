"""Question and evidence as the pointer reader sees them: `<s> question </s></s> segment </s> segment </s>`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Encoding, Tokenizer

MAX_TOKENS = 480
MAX_QUESTION_TOKENS = 64


@dataclass(frozen=True, slots=True)
class EncodedPair:
    """Token ids of one input; for each token its segment (-1 outside the evidence) and character offsets."""

    ids: list[int]
    segment: list[int]
    start: list[int]
    end: list[int]

    @property
    def context_mask(self) -> list[bool]:
        """True where an answer token may stand: the evidence, and position 0, which means no answer."""
        return [i == 0 or s >= 0 for i, s in enumerate(self.segment)]


class PairEncoder:
    """Builds the reader's inputs with a `tokenizers.Tokenizer` that has `<s>`, `</s>` and `<pad>`."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        vocabulary = tokenizer.get_vocab()
        self._begin, self._separator, self.padding = (vocabulary[token] for token in ("<s>", "</s>", "<pad>"))

    @property
    def vocabulary(self) -> dict[str, int]:
        """Every token with its id."""
        return self._tokenizer.get_vocab(with_added_tokens=True)

    def encode(
        self, pairs: Sequence[tuple[str, Sequence[str]]], *, max_tokens: int = MAX_TOKENS
    ) -> list[EncodedPair]:
        """Encode (question, segments of evidence) pairs; what passes `max_tokens` is cut at the end."""
        texts = [text for question, segments in pairs for text in (question, *segments)]
        encodings = iter(self._tokenizer.encode_batch(texts, add_special_tokens=False))
        return [self._assemble(encodings, segments, max_tokens) for _, segments in pairs]

    def _assemble(
        self, encodings: Iterator[Encoding], segments: Sequence[str], max_tokens: int
    ) -> EncodedPair:
        question = next(encodings).ids[:MAX_QUESTION_TOKENS]
        ids = [self._begin, *question, self._separator, self._separator]
        owner, start, end = [-1] * len(ids), [0] * len(ids), [0] * len(ids)
        for index, text in enumerate(segments):
            encoding = next(encodings)
            ids += [*encoding.ids, self._separator]
            owner += [index] * len(encoding.ids) + [-1]
            # A token that begins a word carries the space before it: the answer must not.
            start += [b - len(text[a:b].lstrip()) for a, b in encoding.offsets] + [0]
            end += [b for _, b in encoding.offsets] + [0]
        return EncodedPair(ids[:max_tokens], owner[:max_tokens], start[:max_tokens], end[:max_tokens])

    def pad(self, encoded: Sequence[EncodedPair]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Token ids (int64), attention mask (int64) and context mask (bool), each (batch, longest)."""
        length = max(len(e.ids) for e in encoded)
        ids = np.full((len(encoded), length), self.padding, np.int64)
        attention = np.zeros((len(encoded), length), np.int64)
        context = np.zeros((len(encoded), length), bool)
        for row, one in enumerate(encoded):
            ids[row, : len(one.ids)] = one.ids
            attention[row, : len(one.ids)] = 1
            context[row, : len(one.ids)] = one.context_mask
        return ids, attention, context
