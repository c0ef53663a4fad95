"""The whole way from a question to a sourced answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from qa.answer import Answer, AnswerKind, Citation, Reading, Step
from qa.confidence import Confidence, Signals, Thresholds, kinds_of, load_confidence, signals
from qa.conversation import searched
from qa.errors import QuestionError
from qa.ingest.passages import header_of
from qa.reading.choice import (
    MAX_SENTENCES,
    Chosen,
    Proof,
    Read,
    citation,
    cite,
    cite_items,
    evidence,
    listed,
    order_passages,
    proofs,
    quoted,
    retrieved,
    spans,
)
from qa.reading.encoding import ReaderInput
from qa.reading.gold import best_reading, windows_of
from qa.reading.reader import PointerNetwork
from qa.retrieval.retriever import Hit, Retriever
from qa.retrieval.shorthand import spelled_out
from qa.suggestions import ARTICLES_LOOKED_AT, candidates, is_sure
from qa.summary import is_summary, summarise
from qa.talk import topic_of
from qa.wording import LABELS

if TYPE_CHECKING:
    from qa.library.library import Library
    from qa.reading.reading import PassageReading, Reader
    from qa.reading.seq2seq import Rescorer

MAX_QUESTION_CHARACTERS = 2000
PAST_CHARACTERS = 600
EXCHANGES_LOOKED_AT = 6
PASSAGES_FOUND = 10
PASSAGES_READ = 6
Result = TypeVar("Result")
History = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it was typed, and as it is searched and read: with the exchange it follows."""

    typed: str
    searched: str


@dataclass(frozen=True, slots=True)
class Examined:
    """All that is known of a question before anything is decided; milliseconds a step in `timings`."""

    question: Question
    hits: tuple[Hit, ...]
    reads: tuple[Read, ...]
    proofs: tuple[Proof, ...]
    spans: tuple[Chosen, ...]
    signals: Signals
    timings: dict[str, float]


class Assistant:
    """Answers questions from a library; models load on first use, or by `warm_up()`.

    `library` is a Library, a folder, or None for the default one; `reader` names a seq2seq model of
    transformers (a folder, or a hub's name) that is to rescore the shipped reader's best spans.
    """

    def __init__(self, library: Library | str | Path | None = None, *, reader: str | None = None) -> None:
        self._given, self.reader_name = library, reader
        self._lock = threading.RLock()
        self._suggested: tuple[int, list[str]] | None = None
        self.ready = False

    @cached_property
    def library(self) -> Library:
        """The library asked."""
        from qa.library.library import Library

        if isinstance(self._given, Library):
            return self._given
        return Library.open(self._given if self._given is not None else Library.default_path())

    @cached_property
    def _retriever(self) -> Retriever:
        return Retriever(self.library)

    @cached_property
    def _reader(self) -> Reader:
        return PointerNetwork()

    @cached_property
    def _rescorer(self) -> Rescorer | None:
        from qa.reading.seq2seq import Rescorer

        return Rescorer(self.reader_name) if self.reader_name else None

    @cached_property
    def _confidence(self) -> Confidence:
        return load_confidence()

    def warm_up(self) -> None:
        """Load every model, so that the first question is as fast as the next."""
        with self._lock:
            if not self.ready:
                self.library.encoder.encode_queries(["Qui ?"])
                self.read("Qui parle ?", "Marie parle à Paul.")
                self._retriever.search("Qui ?", 1)
                self.ready = True

    def answer(
        self,
        question: str,
        *,
        history: History = (),
        top_k: int = 5,
        article_ids: Collection[str] | None = None,
        thresholds: Thresholds | None = None,
        cancel: threading.Event | None = None,
    ) -> Answer:
        """Answer one question; raises QuestionError where it is empty or too long.

        `history` holds (question, what was answered) pairs, oldest first.
        """
        for item in self.stream(
            question,
            history=history,
            top_k=top_k,
            article_ids=article_ids,
            thresholds=thresholds,
            cancel=cancel,
        ):
            if isinstance(item, Answer):
                return item
        raise QuestionError("La question a été annulée avant la réponse.")

    def stream(
        self,
        question: str,
        *,
        history: History = (),
        top_k: int = 5,
        article_ids: Collection[str] | None = None,
        thresholds: Thresholds | None = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[Step | Answer]:
        """The steps, with what they found so far, then the Answer; ends early once `cancel` is set."""
        asked = understood(question, history)
        if topic := topic_of(asked.typed):
            yield Answer("talk", asked.typed, topic=topic, suggestions=tuple(self.suggestions(2)))
            return
        cancelled = cancel or threading.Event()
        if cancelled.is_set():
            return
        yield Step("retrieval", LABELS["retrieval"])
        found, search_ms = _timed(lambda: self._search([asked], max(PASSAGES_FOUND, top_k), article_ids))
        if cancelled.is_set():
            return
        yield Step("reading", LABELS["reading"], tuple(retrieved(hit) for hit in found[0][:top_k]))
        reads, read_ms = _timed(lambda: self._read([asked], found))
        if cancelled.is_set():
            return
        examined = self._examined(asked, found[0], reads[0], {"retrieval": search_ms, "reading": read_ms})
        yield self._conclude(examined, top_k, thresholds)

    def answer_batch(
        self, questions: Sequence[str], *, top_k: int = 5, histories: Sequence[History] | None = None
    ) -> list[Answer]:
        """Answer several questions; faster than one by one, with the same answers."""
        given = histories or [()] * len(questions)
        answers: dict[int, Answer] = {}
        asked = [understood(question, history) for question, history in zip(questions, given, strict=True)]
        for number, one in enumerate(asked):
            if topic := topic_of(one.typed):
                answers[number] = Answer("talk", one.typed, topic=topic)
        left = [number for number in range(len(asked)) if number not in answers]
        for number, examined in zip(left, self._examine([asked[n] for n in left], top_k, None), strict=True):
            answers[number] = self._conclude(examined, top_k, None)
        return [answers[number] for number in range(len(asked))]

    def examine(
        self,
        questions: Sequence[str],
        *,
        histories: Sequence[History] | None = None,
        article_ids: Collection[str] | None = None,
    ) -> list[Examined]:
        """What every step finds for each question, before anything is decided."""
        given = histories or [()] * len(questions)
        asked = [understood(question, history) for question, history in zip(questions, given, strict=True)]
        return self._examine(asked, PASSAGES_FOUND, article_ids)

    def suggestions(self, number: int = 4) -> list[str]:
        """Questions on the library's own articles that it answers surely, at most so many."""
        revision = self.library.revision
        with self._lock:
            if self._suggested is None or self._suggested[0] != revision:
                infos = self.library.articles()[:ARTICLES_LOOKED_AT]
                asked = candidates(self.library.article(info.id) for info in infos)
                sure = [q for q, a in zip(asked, self.answer_batch(asked), strict=True) if is_sure(a)]
                self._suggested = revision, sure
            return self._suggested[1][:number]

    def read(self, question: str, context: str) -> Reading:
        """The reader's answer from the given text alone, or none."""
        return self.read_batch([(question, context)])[0]

    def read_batch(self, pairs: Sequence[tuple[str, str]]) -> list[Reading]:
        """Read each (question, text)."""
        windows = [windows_of(text) for _, text in pairs]
        inputs = [
            ReaderInput(question, "", window.text, window.sentences)
            for (question, _), found in zip(pairs, windows, strict=True)
            for window in found
        ]
        readings = iter(self._reader.read_batch(inputs))
        return [
            best_reading(text, [(window, next(readings)) for window in found])
            for (_, text), found in zip(pairs, windows, strict=True)
        ]

    def _search(
        self, asked: Sequence[Question], count: int, article_ids: Collection[str] | None
    ) -> list[list[Hit]]:
        return self._retriever.search_batch([q.searched for q in asked], count, article_ids=article_ids)

    def _read(self, asked: Sequence[Question], found: Sequence[Sequence[Hit]]) -> list[tuple[Read, ...]]:
        """Read the first passages of each question, an input each, with the line that says what they are from."""
        reads = []
        for q, hits in zip(
            asked, found, strict=True
        ):  # each by itself: the same numbers as when it is asked alone
            inputs = [input_of(spelled_out(q.searched), hit) for hit in hits[:PASSAGES_READ]]
            readings = self._reader.read_batch(inputs)
            reads.append(tuple(map(Read, hits[:PASSAGES_READ], readings)))
        if self._rescorer is None:
            return reads
        rescorer = self._rescorer
        return [
            tuple(_rescored(rescorer, q, read) for read in one) for q, one in zip(asked, reads, strict=True)
        ]

    def _examine(
        self, asked: Sequence[Question], count: int, article_ids: Collection[str] | None
    ) -> list[Examined]:
        found, search_ms = _timed(lambda: self._search(asked, max(PASSAGES_FOUND, count), article_ids))
        reads, read_ms = _timed(lambda: self._read(asked, found))
        each = max(1, len(asked))
        timings = {"retrieval": search_ms / each, "reading": read_ms / each}
        return [
            self._examined(q, hits, one, timings) for q, hits, one in zip(asked, found, reads, strict=True)
        ]

    def _examined(
        self, asked: Question, hits: Sequence[Hit], reads: tuple[Read, ...], timings: dict[str, float]
    ) -> Examined:
        sentences, best = tuple(proofs(reads)), tuple(spans(reads))
        said = signals(asked.searched, reads, sentences, best)
        known = self._confidence.known(said, self.library.encoder.name)
        return Examined(asked, tuple(hits), reads, sentences, best, known, timings)

    def _conclude(self, examined: Examined, top_k: int, thresholds: Thresholds | None) -> Answer:
        """Decide what is asserted, if anything, and cite what proves it."""
        found = examined.proofs
        answer = Answer(
            "none",
            examined.question.searched,
            passages=tuple(retrieved(hit) for hit in order_passages(examined.hits, found)[:top_k]),
            evidence=evidence(found),
            timings={**examined.timings, "total": sum(examined.timings.values())},
        )
        if not found:
            return answer
        if is_summary(examined.question.typed):
            return summarise(answer, examined, self.library)
        return decide(answer, examined, self._confidence, thresholds or self._confidence.thresholds)


def decide(answer: Answer, examined: Examined, confidence: Confidence, limits: Thresholds) -> Answer:
    """The answer of the kind that the reader says, where it is sure enough; else sentences, or none."""
    said = examined.signals
    answerable = confidence.answerable.probability(said)
    if answerable < limits.abstain:
        return replace(answer, confidence=answerable)
    kinds = kinds_of(examined.reads)
    kinds["yes/no"] = kinds["yes"] + kinds["no"]
    kind = max(("span", "list", "yes/no", "sentences"), key=lambda name: kinds[name])
    if kind == "yes/no":
        probability = confidence.polarity.probability(said)
        if probability >= limits.polarity:
            polarity: AnswerKind = "yes" if kinds["yes"] > kinds["no"] else "no"
            cited = tuple(
                citation(marker, proof, probability)
                for marker, proof in enumerate(quoted(examined.proofs, 2), start=1)
            )
            return replace(answer, kind=polarity, confidence=probability, citations=cited)
    if kind == "list":
        probability = confidence.listed.probability(said)
        items = listed(examined.reads)
        if len(items) > 1 and probability >= limits.short:
            made, cited = cite_items(items, probability)
            return replace(answer, kind="list", items=made, confidence=probability, citations=cited)
    best = examined.spans[0] if examined.spans else None
    probability = confidence.short.probability(said)
    if kind == "span" and best is not None and best.text and probability >= limits.short:
        cited = cite(best, examined.proofs, probability)
        return replace(answer, kind="span", short=best.text, confidence=probability, citations=cited)
    clause = best if kind == "sentences" and probability >= limits.short else None
    return quote_sentences(
        answer, examined, answerable, MAX_SENTENCES if kind == "sentences" else MAX_SENTENCES - 1, clause
    )


def quote_sentences(
    answer: Answer, examined: Examined, probability: float, most: int, clause: Chosen | None
) -> Answer:
    """The sentences that prove best, nothing asserted; the exact clause marked in its sentence where there is one."""
    chosen = quoted(examined.proofs, most)
    cited: list[Citation] = []
    short = None
    for marker, proof in enumerate(chosen, start=1):
        span = None
        if clause is not None and short is None and proof.key == Proof(clause.read, clause.sentence, 0.0).key:
            span, short = (clause.start, clause.end), clause.text
        cited.append(citation(marker, proof, probability, span))
    return replace(answer, kind="sentences", short=short, confidence=probability, citations=tuple(cited))


def input_of(question: str, hit: Hit) -> ReaderInput:
    """A passage as the reader reads it: the line that says what it is from, its text, its sentences."""
    passage = hit.stored.passage
    inside = tuple((s.start - passage.start, s.end - passage.start) for s in passage.sentences)
    header = header_of(hit.stored.title, passage.headings, hit.stored.date)
    return ReaderInput(question, header, passage.text, inside)


def understood(question: str, history: History) -> Question:
    """The question without control characters, and with what it takes from the conversation.

    Raises QuestionError where nothing is left, or too much.
    """
    typed = checked(question)
    past = [
        (asked[:PAST_CHARACTERS], said[:PAST_CHARACTERS]) for asked, said in history[-EXCHANGES_LOOKED_AT:]
    ]
    return Question(typed, searched(typed, past))


def checked(question: str) -> str:
    """The question without control characters; raises QuestionError where nothing is left, or too much."""
    if len(question) > 4 * MAX_QUESTION_CHARACTERS:
        raise _too_long(len(question))
    text = " ".join("".join(c for c in question if c.isprintable() or c.isspace()).split())
    if not any(c.isalnum() for c in text):
        raise QuestionError(
            "La question est vide : écrivez une question, par exemple « Qui dirige l’entreprise ? »."
        )
    if len(text) > MAX_QUESTION_CHARACTERS:
        raise _too_long(len(text))
    return text


def _too_long(characters: int) -> QuestionError:
    return QuestionError(
        f"La question est trop longue ({characters} caractères) : {MAX_QUESTION_CHARACTERS} au plus, raccourcissez-la."
    )


def _rescored(rescorer: Rescorer, question: Question, read: Read) -> Read:
    """The passage's spans in the order of another model's opinion too."""
    reading: PassageReading = rescorer.rescore(question.searched, read.hit.stored.passage.text, read.reading)
    return Read(read.hit, reading)


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """What it gives, and its milliseconds."""
    began = time.perf_counter()
    result = work()
    return result, (time.perf_counter() - began) * 1000
