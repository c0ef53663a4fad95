"""Question, header and passage as the reader sees them: `<s> question </s></s> header </s> passage </s>`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

MAX_TOKENS = 448
MAX_QUESTION_TOKENS = 80
MAX_HEADER_TOKENS = 40


@dataclass(frozen=True, slots=True)
class ReaderInput:
    """A question (its conversation before it), the header of a passage, its text, and its sentences' offsets there."""

    question: str
    header: str
    text: str
    sentences: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of one input, the passage's first token, and the passage tokens' character offsets (tokens, 2)."""

    ids: list[int]
    first: int
    offsets: np.ndarray

    @property
    def context(self) -> np.ndarray:
        """True (length,) where an answer token may stand: the passage, and position 0, which means none."""
        mask = np.zeros(len(self.ids), bool)
        mask[0] = True
        mask[self.first : self.first + len(self.offsets)] = True
        return mask

    def members(self, sentences: Sequence[tuple[int, int]]) -> np.ndarray:
        """True (sentences, length) for the tokens that lie within each sentence."""
        mask = np.zeros((len(sentences), len(self.ids)), bool)
        start, end = self.offsets[:, 0], self.offsets[:, 1]
        for row, (a, b) in enumerate(sentences):
            mask[row, self.first : self.first + len(start)] = (start >= a) & (end <= b) & (end > start)
        return mask


class PassageEncoder:
    """Builds the reader's inputs with a `tokenizers.Tokenizer` that has `<s>`, `</s>` and `<pad>`."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        vocabulary = tokenizer.get_vocab()
        self._begin, self._separator, self.padding = (vocabulary[token] for token in ("<s>", "</s>", "<pad>"))

    @property
    def vocabulary(self) -> dict[str, int]:
        """Every token with its id."""
        return self._tokenizer.get_vocab(with_added_tokens=True)

    def encode(self, inputs: Sequence[ReaderInput], *, max_tokens: int = MAX_TOKENS) -> list[Encoded]:
        """Encode inputs; what passes `max_tokens` is cut at the end of the passage."""
        texts = [text for one in inputs for text in (one.question, one.header, one.text)]
        encodings = iter(self._tokenizer.encode_batch(texts, add_special_tokens=False))
        found = []
        for one in inputs:
            question, header, text = next(encodings), next(encodings), next(encodings)
            ids = [self._begin, *question.ids[:MAX_QUESTION_TOKENS], self._separator, self._separator]
            ids += [*header.ids[:MAX_HEADER_TOKENS], self._separator]
            first, kept = len(ids), max(0, max_tokens - len(ids) - 1)
            ids += [*text.ids[:kept], self._separator]
            # A token that begins a word carries the space before it: the answer must not.
            offsets = [(b - len(one.text[a:b].lstrip()), b) for a, b in text.offsets[:kept]]
            found.append(Encoded(ids, first, np.array(offsets, np.int64).reshape(-1, 2)))
        return found

    def pad(
        self, encoded: Sequence[Encoded], length: int | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Token ids (int64), attention mask (int64) and context mask (bool), each (batch, length, or the longest)."""
        length = length or max(len(e.ids) for e in encoded)
        ids = np.full((len(encoded), length), self.padding, np.int64)
        attention = np.zeros((len(encoded), length), np.int64)
        context = np.zeros((len(encoded), length), bool)
        for row, one in enumerate(encoded):
            ids[row, : len(one.ids)] = one.ids
            attention[row, : len(one.ids)] = 1
            context[row, : len(one.ids)] = one.context
        return ids, attention, context


def with_history(question: str, history: Sequence[tuple[str, str]]) -> str:
    """The question as it is read: the last exchange of its conversation before it."""
    if not history:
        return question
    asked, answered = history[-1]
    return f"{asked} {answered} — {question}"
