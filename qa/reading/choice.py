"""What is chosen of what was read: the best span, the sentences that prove it, the items of a list, and what is cited."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from qa.answer import Citation, Evidence, Item, RetrievedPassage
from qa.reading.kinds import KIND_INDEX
from qa.reading.reading import PassageReading, Span
from qa.retrieval.retriever import Hit

MAX_CITATIONS = 3
MAX_SENTENCES = 4
EVIDENCE_SHOWN = 10
FLOOR = 1e-4
NEARLY = 0.4  # a sentence is quoted beside the best one where it is at least so likely beside it


@dataclass(frozen=True)
class Read:
    """A passage that was found, and what the reader found in it."""

    hit: Hit
    reading: PassageReading

    @cached_property
    def answers(self) -> float:
        """The probability that the passage answers, by the kind decoded and by the pointer alike."""
        kind = 1 - self.reading.kinds[KIND_INDEX["none"]]
        pointer = 1 - math.exp(self.reading.none)
        return max(FLOOR, math.sqrt(max(kind, FLOOR) * max(pointer, FLOOR)))

    def sentence(self, number: int) -> str:
        """The text of one of its sentences."""
        passage = self.hit.stored.passage
        span = passage.sentences[number]
        return passage.text[span.start - passage.start : span.end - passage.start]


@dataclass(frozen=True, slots=True)
class Proof:
    """A sentence read, and how likely it proves the answer."""

    read: Read
    number: int
    score: float

    @property
    def key(self) -> tuple[str, int]:
        """Its article and where it begins there."""
        passage = self.read.hit.stored.passage
        return passage.article_id, passage.sentences[self.number].start

    @property
    def text(self) -> str:
        """The sentence."""
        return self.read.sentence(self.number)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A span of a passage read: its text, tidied, its offsets in the article, its score and sentence."""

    read: Read
    sentence: int
    start: int
    end: int
    text: str
    score: float


def proofs(reads: Sequence[Read]) -> list[Proof]:
    """Every sentence read, once, the likeliest proof first."""
    best: dict[tuple[str, int], Proof] = {}
    for read in reads:
        for number, support in enumerate(read.reading.supports):
            proof = Proof(read, number, read.answers * support)
            if proof.key not in best or best[proof.key].score < proof.score:
                best[proof.key] = proof
    return sorted(best.values(), key=lambda p: -p.score)


def spans(reads: Sequence[Read]) -> list[Chosen]:
    """The spans of all passages read, the likeliest first.

    A span's score is its log-probability given that its passage has one, and those that the passage answers and that
    the sentence proves it.
    """
    found = []
    for read in reads:
        some = math.log(max(1 - math.exp(read.reading.none), FLOOR))
        for span in read.reading.spans:
            support = math.log(max(read.reading.supports[span.sentence], 0.02))
            score = span.log_probability - some + math.log(read.answers) + 0.5 * support
            found.append(_chosen(read, span, score))
    return sorted(found, key=lambda c: -c.score)


def listed(reads: Sequence[Read]) -> list[Chosen]:
    """The items of the list that the likeliest passages give, in the order of the text."""
    best = max(reads, key=lambda r: r.answers * r.reading.kinds[KIND_INDEX["list"]])
    items = [_chosen(best, span, span.log_probability) for span in best.reading.items]
    seen: set[str] = set()
    return [i for i in items if i.text and not (i.text.lower() in seen or seen.add(i.text.lower()))]  # type: ignore[func-returns-value]


def _chosen(read: Read, span: Span, score: float) -> Chosen:
    passage = read.hit.stored.passage
    place = passage.sentences[span.sentence]
    offset = place.start - passage.start
    sentence = read.sentence(span.sentence)
    a, b = tidy(sentence, *whole_tokens(sentence, span.start - offset, span.end - offset))
    return Chosen(read, span.sentence, place.start + a, place.start + b, sentence[a:b], score)


def quoted(found: Sequence[Proof], most: int, nearly: float = NEARLY) -> list[Proof]:
    """The best proof and those nearly as likely, at most so many: an article's in the order of its text."""
    if not found:
        return []
    kept = [p for p in found[:most] if p.score >= nearly * found[0].score]
    order = {article: i for i, article in enumerate(dict.fromkeys(p.key[0] for p in kept))}
    return sorted(kept, key=lambda p: (order[p.key[0]], p.key[1]))


def citation(marker: int, proof: Proof, score: float, span: tuple[int, int] | None = None) -> Citation:
    """The sentence cited; `span` are offsets in its article."""
    stored = proof.read.hit.stored
    place = stored.passage.sentences[proof.number]
    return Citation(
        marker,
        stored.passage.article_id,
        stored.title,
        stored.source,
        stored.date,
        proof.text,
        place.start,
        place.end,
        span[0] if span else None,
        span[1] if span else None,
        score,
        headings=stored.passage.headings,
    )


def cite(chosen: Chosen, found: Sequence[Proof], score: float) -> tuple[Citation, ...]:
    """The chosen span's sentence, then others that hold the same answer and are nearly as likely."""
    first = Proof(chosen.read, chosen.sentence, score)
    cited = [citation(1, first, score, (chosen.start, chosen.end))]
    said = re.compile(rf"(?<!\w){re.escape(chosen.text)}(?!\w)")
    best = next((p.score for p in found if p.key == first.key), 0.0)
    texts = {first.text}
    for proof in found:
        match = said.search(proof.text)
        if len(cited) == MAX_CITATIONS or proof.score < best / 2:
            break
        if match is None or proof.text in texts:
            continue
        texts.add(proof.text)
        start = proof.key[1] + match.start()
        cited.append(citation(len(cited) + 1, proof, proof.score, (start, start + len(chosen.text))))
    return tuple(cited)


def cite_items(items: Sequence[Chosen], score: float) -> tuple[tuple[Item, ...], tuple[Citation, ...]]:
    """The items, each with the marker of its sentence, and these sentences."""
    cited: dict[tuple[str, int], Citation] = {}
    made = []
    for item in items:
        proof = Proof(item.read, item.sentence, score)
        if proof.key not in cited:
            cited[proof.key] = citation(len(cited) + 1, proof, score, (item.start, item.end))
        made.append(Item(item.text, cited[proof.key].marker))
    return tuple(made), tuple(cited.values())


def evidence(found: Sequence[Proof]) -> tuple[Evidence, ...]:
    """The ten likeliest proofs, with their neighbours."""
    shown = []
    for proof in found[:EVIDENCE_SHOWN]:
        stored = proof.read.hit.stored
        place = stored.passage.sentences[proof.number]
        last = len(stored.passage.sentences) - 1
        shown.append(
            Evidence(
                stored.passage.article_id,
                stored.title,
                stored.source,
                stored.date,
                proof.text,
                place.start,
                place.end,
                proof.score,
                proof.read.sentence(proof.number - 1) if proof.number else "",
                proof.read.sentence(proof.number + 1) if proof.number < last else "",
            )
        )
    return tuple(shown)


def order_passages(hits: Sequence[Hit], found: Sequence[Proof]) -> list[Hit]:
    """The passages by the best of their sentences; those that were not read last, as they were."""
    place: dict[int, int] = {}
    for number, proof in enumerate(found):
        place.setdefault(proof.read.hit.stored.row, number)
    return sorted(hits, key=lambda hit: place.get(hit.stored.row, len(found)))


def retrieved(hit: Hit) -> RetrievedPassage:
    """A passage found, as a user gets it."""
    info, passage = hit.stored, hit.stored.passage
    return RetrievedPassage(
        passage.article_id, info.title, info.source, info.date, passage.text, passage.start, passage.end,
        hit.score, hit.lexical, hit.dense, passage.headings,
    )  # fmt: skip


_JOINED = re.compile(
    r"(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\w+(?:[./@:_-]\w+)+|\d+(?:[ \u00a0\u202f]\d{3})+(?:[.,]\d+)?|\d+[.,]\d+"
)
_AMOUNT = re.compile(
    r"(?P<number>\d)[ \u00a0\u202f]?(?:%|‰|°C?|€|\$|£|k€|M€|Md€|km/h|km²|m²|m³|[kcm]?m|[km]?g|[cm]?l|L|kWh?|Wh?|Go|Mo|min|"
    r"(?:millions?|milliards?|mille)(?: d[e’'] ?(?:euros|dollars|francs|livres|personnes|habitants))?|euros?|dollars?|"
    r"francs?|mètres?|kilomètres?|kilos?|grammes?|tonnes?|litres?|hectares?|degrés?|ans?|mois|jours?|heures?|minutes?|"
    r"secondes?|semaines?)(?!\w)"
)


def whole_tokens(text: str, start: int, end: int) -> tuple[int, int]:
    """The span grown so that it cuts no address, code, range or number, nor leaves a number's unit behind."""
    for match in _JOINED.finditer(text):
        if match.start() < end and match.end() > start:
            start, end = min(start, match.start()), max(end, match.end())
    for match in _AMOUNT.finditer(text):
        if start <= match.start() and match.end("number") <= end < match.end():
            end = match.end()
    return start, end


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
