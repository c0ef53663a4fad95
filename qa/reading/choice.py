"""Spans: which sentences are laid before the reader, which span is chosen, and what is cited for it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from qa.answer import Citation, Evidence
from qa.confidence import Signals, log_odds
from qa.ingest.sentences import split_sentences
from qa.reading.reader import Segment, SpanScores
from qa.retrieval.evidence import Candidate, Ranked
from qa.retrieval.retriever import Hit

READINGS = 2
READ_WORDS = 170
READ_SENTENCES = 8
WITH_CONTEXT = 2
MAX_CITATIONS = 3
EVIDENCE_SHOWN = 10
WINDOW_WORDS = 260
FLOOR = 1e-4

Layout = list[list[Ranked]]


@dataclass(frozen=True, slots=True)
class Choice:
    """The span chosen: its text, its sentence, its offsets in the article, and its lead over the next."""

    text: str
    ranked: Ranked
    start: int
    end: int
    log_probability: float
    margin: float


def readings(ranked: Sequence[Ranked]) -> list[Layout]:
    """What is read: the likeliest sentences, then the likeliest of those left."""
    found: list[Layout] = []
    left = list(ranked)
    while left and len(found) < READINGS:
        found.append(lay_out(left))
        read = {id(r) for group in found[-1] for r in group}
        left = [r for r in left if id(r) not in read]
    return found


def lay_out(ranked: Sequence[Ranked]) -> Layout:
    """The likeliest sentences, about 170 words of them, grouped by article in the order of its text.

    The first ones bring along the sentence before them, which tells who "il" is.
    """
    place = {(r.candidate.stored.passage.article_id, r.candidate.end): r for r in ranked}
    chosen: dict[tuple[str, int], Ranked] = {}
    words = 0
    for position, one in enumerate(ranked):
        before = _before(one.candidate, ranked) if position < WITH_CONTEXT else None
        for r in (one, before):
            if r is None or (key := (r.candidate.stored.passage.article_id, r.candidate.end)) in chosen:
                continue
            size = len(r.candidate.sentence.split())
            if chosen and words + size > READ_WORDS:
                continue
            chosen[key] = place[key]
            words += size
        if len(chosen) >= READ_SENTENCES or words > READ_WORDS - 10:
            break
    groups: dict[str, list[Ranked]] = {}
    for (article_id, _), r in chosen.items():
        groups.setdefault(article_id, []).append(r)
    return [sorted(group, key=lambda r: r.candidate.start) for group in groups.values()]


def _before(candidate: Candidate, ranked: Sequence[Ranked]) -> Ranked | None:
    """The ranked sentence that stands just before the candidate in its passage."""
    if not candidate.before:
        return None
    passage = candidate.stored.passage
    for r in ranked:
        other = r.candidate
        if other.stored.passage.article_id == passage.article_id and other.sentence == candidate.before:
            return r
    return None


def segment_of(group: Sequence[Ranked]) -> Segment:
    """The sentences of one article as one segment of the reader's input."""
    return join_sentences([r.candidate.sentence for r in group])


def join_sentences(sentences: Sequence[str]) -> Segment:
    """Sentences joined by spaces, with the offsets of each."""
    offsets, at = [], 0
    for sentence in sentences:
        offsets.append((at, at + len(sentence)))
        at += len(sentence) + 1
    return Segment(" ".join(sentences), tuple(offsets))


def windows_of(text: str) -> list[tuple[Segment, int]]:
    """A text as segments of at most about 260 words, each with its offset in the text; half a window overlaps."""
    sentences = split_sentences(text)
    windows: list[tuple[Segment, int]] = []
    first = 0
    while first < len(sentences):
        last, words = first, 0
        while last < len(sentences):
            words += len(text[slice(*sentences[last])].split())
            if words > WINDOW_WORDS and last > first:
                break
            last += 1
        at = sentences[first][0]
        inside = tuple((a - at, b - at) for a, b in sentences[first:last])
        windows.append((Segment(text[at : sentences[last - 1][1]], inside), at))
        if last == len(sentences):
            break
        first = max(first + 1, (first + last) // 2)
    return windows


_EDGE = " \t\n\u00a0\u202f,;:.!?…'’\"–—-"
_PAIRS = {"»": "«", ")": "(", "]": "[", "”": "“"}


def tidy(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without spaces, punctuation and lone quotes or brackets at its edges; itself if nothing is left.

    A quote or bracket opened within the span, and closed just after it, is closed.
    """
    a, b = start, end
    for close, open_ in _PAIRS.items():
        rest = text[b : b + 2].lstrip()
        if text.count(open_, a, b) > text.count(close, a, b) and rest.startswith(close):
            b = text.index(close, b) + 1
    while a < b:
        span = text[a:b]
        if span[0] in _EDGE and not re.match(r"-\d", span):
            a += 1
        elif span[-1] in _EDGE or ((opener := _PAIRS.get(span[-1])) and opener not in span):
            b -= 1
        elif any(span[0] == o and c not in span for c, o in _PAIRS.items()) or span[0] in _PAIRS:
            a += 1
        elif any(span[-1] == o for o in _PAIRS.values()):
            b -= 1
        elif any(span[0] == o and span.find(c) == len(span) - 1 for c, o in _PAIRS.items()):
            a, b = a + 1, b - 1
        else:
            return a, b
    return start, end


def choose(layout: Layout, scores: SpanScores, evidence_weight: float) -> Choice | None:
    """The span whose log-probability, and its sentence's evidence, are highest together."""
    weighed = sorted(
        (
            (
                span.log_probability
                + evidence_weight * log_odds(layout[span.segment][span.sentence].probability),
                span,
            )
            for span in scores.spans
        ),
        key=lambda pair: -pair[0],
    )
    if not weighed:
        return None
    score, best = weighed[0]
    ranked = layout[best.segment][best.sentence]
    others = [
        s for s, o in weighed if o.segment != best.segment or o.end <= best.start or o.start >= best.end
    ]
    at = segment_of(layout[best.segment]).sentences[best.sentence][0]
    sentence = ranked.candidate.sentence
    a, b = tidy(sentence, best.start - at, best.end - at)
    offset = ranked.candidate.start
    margin = min(10.0, score - others[0]) if others else 10.0
    return Choice(sentence[a:b], ranked, offset + a, offset + b, best.log_probability, margin)


def signals(choice: Choice, scores: SpanScores, hits: Sequence[Hit]) -> Signals:
    """What the confidence in a choice is judged by."""
    return Signals(
        span=max(choice.log_probability, -12.0),
        no_answer=max(scores.none, -12.0),
        evidence=log_odds(choice.ranked.probability),
        dense=max(hit.dense for hit in hits),
        margin=choice.margin,
    )


def order_sentences(
    ranked: Sequence[Ranked], layout: Layout, scores: SpanScores | None, evidence_weight: float
) -> list[tuple[Ranked, float]]:
    """Every sentence with its score, those the reader found an answer in first."""
    share = {} if scores is None else {
        id(layout[segment][sentence]): max(value, FLOOR) for (segment, sentence), value in scores.sentences.items()
    }  # fmt: skip
    lowest = math.log(FLOOR)

    def key(r: Ranked) -> float:
        return -(math.log(share[id(r)]) if id(r) in share else lowest) - evidence_weight * log_odds(
            r.probability
        )

    return [(r, share.get(id(r), r.probability)) for r in sorted(ranked, key=key)]


def order_passages(hits: Sequence[Hit], sentences: Sequence[tuple[Ranked, float]]) -> list[Hit]:
    """The passages by the best of their sentences; those without one last, as they were."""
    place: dict[int, int] = {}
    for number, (r, _) in enumerate(sentences):
        place.setdefault(r.candidate.stored.row, number)
    return sorted(hits, key=lambda hit: place.get(hit.stored.row, len(sentences)))


def show_evidence(sentences: Sequence[tuple[Ranked, float]]) -> tuple[Evidence, ...]:
    """The first ten sentences."""
    return tuple(_evidence(r, score) for r, score in sentences[:EVIDENCE_SHOWN])


def _evidence(ranked: Ranked, score: float) -> Evidence:
    c = ranked.candidate
    info = c.stored
    return Evidence(
        info.passage.article_id,
        info.title,
        info.source,
        info.date,
        c.sentence,
        c.start,
        c.end,
        score,
        c.before,
        c.after,
    )


def cite(choice: Choice, ranked: Sequence[Ranked], probability: float) -> tuple[Citation, ...]:
    """The chosen sentence, then others that hold the same answer and are nearly as likely."""
    cited = [_citation(1, choice.ranked, choice.start, choice.end, probability)]
    said = re.compile(rf"(?<!\w){re.escape(choice.text)}(?!\w)")
    sentences = {choice.ranked.candidate.sentence}
    for r in ranked:
        if len(cited) == MAX_CITATIONS:
            break
        sentence = r.candidate.sentence
        found = said.search(sentence)
        if found is None or sentence in sentences or r.probability < choice.ranked.probability / 2:
            continue
        sentences.add(sentence)
        start = r.candidate.start + found.start()
        cited.append(_citation(len(cited) + 1, r, start, start + len(choice.text), r.probability))
    return tuple(cited)


def quote(evidence: Evidence, probability: float) -> Citation:
    """A whole sentence cited, with no short answer in it."""
    e = evidence
    return Citation(
        1, e.article_id, e.title, e.source, e.date, e.sentence, e.start, e.end, None, None, probability
    )


def _citation(marker: int, ranked: Ranked, start: int, end: int, score: float) -> Citation:
    c = ranked.candidate
    info = c.stored
    return Citation(
        marker,
        info.passage.article_id,
        info.title,
        info.source,
        info.date,
        c.sentence,
        c.start,
        c.end,
        start,
        end,
        score,
    )
