"""The whole way from a question to a sourced answer."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from qa.answer import Answer, Delta, Reading, RetrievedPassage, Step
from qa.confidence import Confidence, Thresholds, load_confidence
from qa.conversation import complete
from qa.errors import QuestionError
from qa.reading.choice import (
    READINGS,
    Layout,
    choose,
    cite,
    order_passages,
    order_sentences,
    quote,
    readings,
    segment_of,
    show_evidence,
    signals,
    tidy,
    windows_of,
)
from qa.reading.reader import Reader, Segment, SpanScores, combine
from qa.retrieval.evidence import EvidenceRanker, Ranked
from qa.retrieval.question import MAX_QUESTION_CHARACTERS
from qa.retrieval.retriever import Hit, Retriever

if TYPE_CHECKING:
    from qa.library.library import Library
    from qa.reading.seq2seq import Rescorer

PASSAGES_RANKED = 10
DOUBT = (math.log(0.1), math.log(0.9))
REFUSAL = "Les articles ne permettent pas de répondre à cette question."
EMPTY = "La bibliothèque est vide : ajoutez-y des articles, puis posez de nouveau la question."
NEAREST = "Je n’ai pas trouvé de réponse courte ; voici la phrase la plus proche :"
STEPS = {
    "retrieval": "Recherche des passages…",
    "evidence": "Choix des phrases…",
    "reading": "Lecture…",
}


@dataclass(slots=True)
class Trace:
    """A question on its way to an answer: what each step has found, and the milliseconds it took.

    `layout` is what has been read of `readings`; the segments of `scores` are its groups.
    """

    question: str
    hits: list[Hit] = field(default_factory=list)
    ranked: list[Ranked] = field(default_factory=list)
    readings: list[Layout] = field(default_factory=list)
    layout: Layout = field(default_factory=list)
    scores: SpanScores | None = None
    timings: dict[str, float] = field(default_factory=dict)


class Assistant:
    """Answers questions from a library; models load on first use, or by `warm_up()`.

    `library` is a Library, a folder, or None for the default one; `reader` names a seq2seq model of
    transformers (a folder, or a hub's name) that is to rescore the shipped reader's best spans.
    """

    def __init__(self, library: Library | str | Path | None = None, *, reader: str | None = None) -> None:
        self._given, self.reader_name = library, reader
        self._lock = threading.Lock()
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
    def _ranker(self) -> EvidenceRanker:
        return EvidenceRanker()

    @cached_property
    def _reader(self) -> Reader:
        return Reader()

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
                self._ranker.rank("Qui ?", self._retriever.search("Qui ?", 1))
                self.ready = True

    def complete(self, question: str, history: Sequence[tuple[str, str]]) -> str:
        """The question as it will be searched: a follow-up completed from the conversation."""
        return complete(question, history)

    def answer(
        self,
        question: str,
        *,
        history: Sequence[tuple[str, str]] = (),
        top_k: int = 5,
        article_ids: Collection[str] | None = None,
        thresholds: Thresholds | None = None,
        cancel: threading.Event | None = None,
    ) -> Answer:
        """Answer one question; raises QuestionError where it is empty or too long."""
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
        history: Sequence[tuple[str, str]] = (),
        top_k: int = 5,
        article_ids: Collection[str] | None = None,
        thresholds: Thresholds | None = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[Step | Delta | Answer]:
        """The steps, then the answer's text in pieces, then the Answer; ends early once `cancel` is set."""
        work = Trace(complete(checked(question), history))
        for name, label in STEPS.items():
            if cancel is not None and cancel.is_set():
                return
            yield Step(name, label)
            self._run(name, [work], top_k, article_ids)
        answer = self._conclude(work, top_k, thresholds)
        for piece in _pieces(answer.text):
            if cancel is not None and cancel.is_set():
                return
            yield Delta(piece)
        yield answer

    def answer_batch(self, questions: Sequence[str], *, top_k: int = 5) -> list[Answer]:
        """Answer several questions; faster than one by one, with the same answers."""
        return [self._conclude(work, top_k, None) for work in self.examine(questions, top_k=top_k)]

    def examine(
        self, questions: Sequence[str], *, top_k: int = 5, article_ids: Collection[str] | None = None
    ) -> list[Trace]:
        """What every step finds for each question, before anything is chosen or judged."""
        works = [Trace(checked(question)) for question in questions]
        for name in STEPS:
            self._run(name, works, top_k, article_ids)
        return works

    def read(self, question: str, context: str) -> Reading:
        """The reader's answer from the given text alone, or none."""
        return self.read_batch([(question, context)])[0]

    def read_batch(self, pairs: Sequence[tuple[str, str]]) -> list[Reading]:
        """Read each (question, text)."""
        windows = [windows_of(text) for _, text in pairs]
        inputs = [
            (q, [segment]) for (q, _), found in zip(pairs, windows, strict=True) for segment, _ in found
        ]
        scores = iter(self._reader.read_batch(inputs))
        return [
            self._best_reading(text, [(segment, at, next(scores)) for segment, at in found])
            for (_, text), found in zip(pairs, windows, strict=True)
        ]

    def _best_reading(self, text: str, read: list[tuple[Segment, int, SpanScores]]) -> Reading:
        best: tuple[float, int, int] | None = None
        for segment, at, scores in read:
            for span in scores.spans[:1]:
                if best is None or span.log_probability - scores.none > best[0]:
                    a, b = tidy(segment.text, span.start, span.end)
                    best = (span.log_probability - scores.none, at + a, at + b)
        if best is None:
            return Reading(None, None, None, 0.0, False)
        lead, start, end = best
        confidence = 1 / (1 + math.exp(-max(-30.0, min(30.0, lead))))
        return Reading(text[start:end], start, end, confidence, lead > 0)

    def _run(self, step: str, works: list[Trace], top_k: int, article_ids: Collection[str] | None) -> None:
        began = time.perf_counter()
        if step == "retrieval":
            questions = [work.question for work in works]
            found = self._retriever.search_batch(
                questions, max(PASSAGES_RANKED, top_k), article_ids=article_ids
            )
            for work, hits in zip(works, found, strict=True):
                work.hits = hits
        elif step == "evidence":
            for work in works:
                work.ranked = self._ranker.rank(work.question, work.hits[:PASSAGES_RANKED])
                work.readings = readings(work.ranked)
        else:
            self._read(works)
        spent = (time.perf_counter() - began) * 1000 / max(1, len(works))
        for work in works:
            work.timings[step] = spent

    def _read(self, works: list[Trace]) -> None:
        """Read the likeliest sentences and, where it is in doubt whether they answer, the next ones."""
        for number in range(READINGS):
            asked = [
                work
                for work in works
                if number < len(work.readings)
                and (work.scores is None or DOUBT[0] < work.scores.none < DOUBT[1])
            ]
            inputs = [(w.question, [segment_of(group) for group in w.readings[number]]) for w in asked]
            for work, scores in zip(asked, self._reader.read_batch(inputs), strict=True):
                work.scores = combine(work.scores, scores, len(work.layout)) if work.scores else scores
                work.layout += work.readings[number]
        if self._rescorer is not None:
            for work in works:
                if work.scores is not None:
                    segments = [segment_of(group) for group in work.layout]
                    work.scores = self._rescorer.rescore(work.question, segments, work.scores)

    def _conclude(self, work: Trace, top_k: int, thresholds: Thresholds | None) -> Answer:
        """Choose the span, judge it, and write the answer with its citations."""
        limits = thresholds or self._confidence.thresholds
        weight = self._confidence.evidence_weight
        timings = {**work.timings, "total": sum(work.timings.values())}
        choice = choose(work.layout, work.scores, weight) if work.scores else None
        sentences = order_sentences(work.ranked, work.layout, work.scores, weight)
        evidence = show_evidence(sentences)
        passages = tuple(_retrieved(hit) for hit in order_passages(work.hits, sentences)[:top_k])
        probability = answerable = 0.0
        if choice is not None and work.scores is not None:
            said = signals(choice, work.scores, work.hits[:PASSAGES_RANKED])
            said = self._confidence.known(said, self.library.encoder.name)
            probability = self._confidence.right.probability(said)
            answerable = self._confidence.answerable.probability(said)
        found = (passages, work.question, evidence, timings)
        if choice is None or answerable < limits.abstain:
            empty = not work.hits and not self.library.stats().articles
            return Answer(EMPTY if empty else REFUSAL, None, False, probability, (), *found)
        if probability < limits.short:
            cited = quote(evidence[0], probability)
            return Answer(f"{NEAREST}\n\n« {cited.sentence} » [1]", None, True, probability, (cited,), *found)
        citations = cite(choice, work.ranked, probability)
        markers = "".join(f"[{c.marker}]" for c in citations)
        quotes = "\n\n".join(f"« {c.sentence} » [{c.marker}]" for c in citations)
        return Answer(
            f"{choice.text} {markers}\n\n{quotes}", choice.text, True, probability, citations, *found
        )


def checked(question: str) -> str:
    """The question without control characters; raises QuestionError where nothing is left, or too much."""
    text = " ".join("".join(c for c in question if c.isprintable() or c.isspace()).split())
    if not any(c.isalnum() for c in text):
        raise QuestionError(
            "La question est vide : écrivez une question, par exemple « Qui dirige l’entreprise ? »."
        )
    if len(text) > MAX_QUESTION_CHARACTERS:
        raise QuestionError(
            f"La question est trop longue ({len(text)} caractères) : {MAX_QUESTION_CHARACTERS} au plus, raccourcissez-la."
        )
    return text


def _retrieved(hit: Hit) -> RetrievedPassage:
    info, passage = hit.stored, hit.stored.passage
    return RetrievedPassage(
        passage.article_id, info.title, info.source, info.date, passage.text, passage.start, passage.end,
        hit.score, hit.lexical, hit.dense,
    )  # fmt: skip


def _pieces(text: str) -> Iterator[str]:
    """The text in words, each with the space before it."""
    return (match[0] for match in re.finditer(r"\s*\S+\s*$|\s*\S+", text))
