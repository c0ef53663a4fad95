"""Reading examples over evidence as Sourcier itself finds it, among the paragraphs of all the questions."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from qa.reading.choice import lay_out, segment_of
from qa.retrieval.evidence import EvidenceRanker, Ranked
from qa.training.evidence import build_library, search
from qa.training.examples import Example, Question, QuestionSet, whole_paragraph

WITHHELD = 1 / 3


def retrieved_examples(data: QuestionSet, rng: random.Random) -> Iterator[Example]:
    """An example a question, over the sentences the shipped retriever and ranker choose for it.

    One time in three the question's own paragraph is withheld, and the example has no answer. Where it
    cannot be said whether the sentences answer (they hold the words of the answer elsewhere), the whole
    paragraph is read instead.
    """
    ranker = EvidenceRanker()
    with (
        tempfile.TemporaryDirectory() as folder,
        build_library(data, Path(folder), "french-small") as library,
    ):
        for one in search(data, library, data.questions):
            question, own = one.question, f"{one.question.paragraph:06d}"
            withheld = rng.random() < WITHHELD
            hits = [h for h in one.hits if not withheld or h.stored.passage.article_id[:6] != own]
            example = over_evidence(question, ranker.rank(question.text, hits))
            yield example or whole_paragraph(data, question)


def over_evidence(question: Question, ranked: Sequence[Ranked]) -> Example | None:
    """The question over the best of the ranked sentences; None where these may answer in a place unknown."""
    layout = lay_out(ranked)
    segments = tuple(segment_of(group) for group in layout)
    texts = tuple(segment.text for segment in segments)
    if not texts:
        return None
    answer, start = question.answers[0] if question.answers else ("", -1)
    for number, (group, segment) in enumerate(zip(layout, segments, strict=True)):
        for r, (at, _) in zip(group, segment.sentences, strict=True):
            c = r.candidate
            if c.stored.passage.article_id[:6] == f"{question.paragraph:06d}" and c.start <= start < c.end:
                begin = at + start - c.start
                return Example(
                    question.text, texts, number, begin, min(begin + len(answer), len(segment.text))
                )
    if answer and any(answer.lower() in text.lower() for text in texts):
        return None
    return Example(question.text, texts)
