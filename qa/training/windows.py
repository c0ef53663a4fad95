"""Reading examples: a question over one passage, as the assistant reads them, right passages and near misses alike."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qa.reading.encoding import ReaderInput, with_history
from qa.training.distractors import Distractors
from qa.training.documents import Asked, Corpus, Document

WINDOW_WORDS = (90, 200)
WITHOUT_HEADER = 0.15


@dataclass(frozen=True, slots=True)
class Example:
    """A reader's input with what it should decode; offsets are the passage's.

    `kind` is "" where it is not known; `spans` are empty where they are not; `support` is None where it is not.
    """

    input: ReaderInput
    kind: str
    spans: tuple[tuple[int, int], ...]
    support: frozenset[int] | None


def windows(document: Document, words: int) -> list[range]:
    """The document's sentences in rows of at most `words` words, each beginning with the last of the row before."""
    sizes = [len(document.text[a:b].split()) for a, b in document.sentences]
    found: list[range] = []
    first = 0
    while first < len(sizes):
        last, size = first + 1, sizes[first]
        while last < len(sizes) and size + sizes[last] <= words:
            size += sizes[last]
            last += 1
        found.append(range(first, last))
        if last == len(sizes):
            break
        first = last - 1 if last - 1 > first else last
    return found


def example(asked: Asked, document: Document, row: range, header: str) -> Example:
    """The question over one row of the document's sentences; without an answer where the row does not hold it."""
    at = document.sentences[row[0]][0]
    end = document.sentences[row[-1]][1]
    sentences = tuple((a - at, b - at) for a, b in (document.sentences[n] for n in row))
    given = ReaderInput(with_history(asked.text, asked.history), header, document.text[at:end], sentences)
    same = asked.document == document.id
    inside = same and bool(asked.support) and asked.support[0] in row
    unknown = same and not asked.support and asked.kind in ("yes", "no")
    if asked.kind == "none" or not (inside or unknown):
        return Example(given, "none", (), frozenset())
    spans = tuple((a - at, b - at) for a, b in asked.spans if a >= at and b <= end)
    kind = asked.kind
    if kind in ("span", "list") and not spans:
        return Example(given, "none", (), frozenset())
    if kind == "list" and len(spans) == 1:
        kind = "span"
    support = None if unknown else frozenset(n - row[0] for n in asked.support if n in row)
    return Example(given, kind, spans, support)


class Examples:
    """Draws examples from a corpus: for each question a row of sentences that holds its answer, and near misses."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self._rows = [(d, row) for d in corpus.documents.values() for row in windows(d, 120)]
        self._distractors = Distractors(
            [d.text[d.sentences[r[0]][0] : d.sentences[r[-1]][1]] for d, r in self._rows]
        )

    def draw(self, asked: Asked, rng: random.Random, misses: float) -> Iterator[Example]:
        """The right row and, `misses` times in the mean, a row that does not answer: of the same document, or like it."""
        document = self.corpus.documents[asked.document]
        rows = windows(document, rng.randint(*WINDOW_WORDS))
        header = "" if rng.random() < WITHOUT_HEADER else document.title
        holding = [r for r in rows if asked.support and asked.support[0] in r]
        if asked.kind == "none":
            rows = sorted(rows, key=lambda r: -self._likeness(asked, document, r))
            yield example(asked, document, rows[0], header)
        elif holding:
            best = max(holding, key=lambda r: (len(set(r) & set(asked.support)), rng.random()))
            yield example(asked, document, best, header)
        elif not asked.support:
            yield example(asked, document, rows[0], header)
        for _ in range(int(misses + rng.random())):
            others = [r for r in rows[asked.kind == "none" :] if not set(r) & set(asked.support)]
            if others and rng.random() < 0.6:
                others.sort(key=lambda r: -self._likeness(asked, document, r))
                yield example(
                    asked, document, others[0] if rng.random() < 0.6 else rng.choice(others), header
                )
            else:
                yield from self._stranger(asked, document, rng)

    def _likeness(self, asked: Asked, document: Document, row: range) -> float:
        text = document.text[document.sentences[row[0]][0] : document.sentences[row[-1]][1]]
        return self._distractors.overlap(asked.text, text)

    def _stranger(self, asked: Asked, document: Document, rng: random.Random) -> Iterator[Example]:
        """A row of another document that shares the question's rarest words, and does not hold its answer."""
        answers = [document.text[a:b].lower() for a, b in asked.spans]
        near = self._distractors.nearest(asked.text, 12)
        rng.shuffle(near)
        for number in near:
            other, row = self._rows[number]
            text = other.text[other.sentences[row[0]][0] : other.sentences[row[-1]][1]].lower()
            if other.id != document.id and not any(a in text for a in answers):
                yield example(asked, other, row, other.title)
                return


def drawn(questions: Sequence[Asked], share: float, rng: random.Random) -> list[Asked]:
    """A share of the questions, drawn at random; all of them, and some twice, where it is above 1."""
    whole, rest = divmod(share, 1.0)
    return [*questions] * int(whole) + rng.sample(list(questions), round(rest * len(questions)))
