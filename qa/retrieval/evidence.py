"""Retrieved passages to ranked evidence sentences: a gradient-boosted ranker over cheap features."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embeddings.text import STOP_WORDS, content_stems, fold, stems
from qa.retrieval.question import KINDS, Question, analyse

if TYPE_CHECKING:
    import lightgbm

    from qa.library.library import StoredPassage
    from qa.retrieval.retriever import Hit

MODEL = Path(__file__).parents[1] / "models" / "evidence" / "ranker.txt"

_YEAR = re.compile(r"\b(?:1[0-9]{3}|20[0-9]{2})\b")
_MONTH = re.compile(
    r"\b(?:janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|novembre|decembre)\b"
)
_CAUSE = re.compile(
    r"\b(?:car|parce qu|puisqu|en raison|a cause|grace a|afin|pour que|du fait|faute de|permet|raison)"
)
_PLACE = re.compile(r"\b(?:à|en|dans|au|aux|vers|près de) (?:la |le |les |l['’])?[A-ZÉÎ]")
_NAME = re.compile(r"(?<=[\s'’(«-])[A-ZÀ-Ý][\w-]+")
_PRONOUN = re.compile(r"^(?:il|elle|ils|elles|ce|cela|celui|celle|cette|ces|on|leur|son|sa|ses)\b")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a retrieved passage; offsets are the article's, neighbours are its passage's."""

    stored: StoredPassage
    start: int
    end: int
    sentence: str
    before: str
    after: str
    hit: Hit
    rank: int
    position: int
    count: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with the probability that it holds the answer."""

    candidate: Candidate
    probability: float


def candidates(hits: Sequence[Hit]) -> list[Candidate]:
    """Every sentence of the passages, once: of overlapping passages the better one gives it."""
    found: list[Candidate] = []
    seen: set[tuple[str, int]] = set()
    for rank, hit in enumerate(hits):
        passage = hit.stored.passage
        texts = [passage.text[s.start - passage.start : s.end - passage.start] for s in passage.sentences]
        for i, span in enumerate(passage.sentences):
            key = (passage.article_id, span.start)
            if key in seen:
                continue
            seen.add(key)
            before = texts[i - 1] if i else ""
            after = texts[i + 1] if i + 1 < len(texts) else ""
            found.append(
                Candidate(hit.stored, span.start, span.end, texts[i], before, after, hit, rank, i, len(texts))
            )
    return found


FEATURES = (
    *KINDS,
    "rank", "score", "score_to_best", "lexical_to_best", "dense", "dense_to_best",
    "title_coverage", "passage_coverage", "coverage", "coverage_rank", "coverage_to_best",
    "coverage_before", "coverage_after", "coverage_with_before", "bigrams", "hits", "hit_span",
    "names", "numbers", "head", "words", "position", "position_share", "sentences",
    "digits", "years", "months", "new_names", "cause", "place", "quote", "parenthesis", "pronoun", "new_words",
    "when_and_date", "how_many_and_digit", "who_and_name", "where_and_place", "why_and_cause", "question_words",
)  # fmt: skip


def features(question: Question, found: Sequence[Candidate]) -> np.ndarray:
    """Feature rows (candidates, len(FEATURES)), float32, in the order of `FEATURES`."""
    bags = [stems(c.sentence) for c in found]
    document_counts = Counter(stem for bag in bags for stem in set(bag))
    weight = {s: math.log(1 + len(found) / (0.5 + document_counts[s])) for s in question.stems}
    asked = set(weight)

    def total(words: set[str]) -> float:
        """The words' weight; exact, so that the order of a set, another in each process, changes nothing."""
        return math.fsum(weight[s] for s in asked & words)

    whole = total(asked) or 1.0

    def coverage(words: set[str]) -> float:
        return total(words) / whole

    passages: dict[int, set[str]] = {}
    for c, bag in zip(found, bags, strict=True):
        passages.setdefault(c.rank, set()).update(bag)
    passage_coverage = {rank: coverage(words) for rank, words in passages.items()}
    own = np.array([coverage(set(bag)) for bag in bags])
    order = np.argsort(np.argsort(-own, kind="stable"))
    best = max(float(own.max()), 1e-6)
    hits = [c.hit for c in found]
    best_score = max(h.score for h in hits)
    best_lexical = max(max(h.lexical for h in hits), 1e-6)
    best_dense = max(h.dense for h in hits)
    bigrams = set(zip(question.stems, question.stems[1:], strict=False))
    who, when, where, how_many, why = question.kinds[:5]
    rows = []
    for i, (c, bag) in enumerate(zip(found, bags, strict=True)):
        words = set(bag)
        at = [n for n, stem in enumerate(bag) if stem in asked]
        content = [stem for stem in bag if stem not in STOP_WORDS]
        folded = fold(c.sentence)
        digits = len(re.findall(r"\d+", folded))
        years, months = len(_YEAR.findall(folded)), len(_MONTH.findall(folded))
        new_names = sum(1 for n in _NAME.findall(c.sentence) if not set(content_stems(n)) <= asked)
        cause, place = float(bool(_CAUSE.search(folded))), float(bool(_PLACE.search(c.sentence)))
        before, after = set(stems(c.before)), set(stems(c.after))
        rows.append((
            *question.kinds,
            c.rank, c.hit.score, c.hit.score / max(best_score, 1e-6), c.hit.lexical / best_lexical,
            c.hit.dense, c.hit.dense - best_dense,
            coverage(set(stems(c.stored.title))), passage_coverage[c.rank], own[i], order[i], own[i] / best,
            coverage(before), coverage(after), coverage(words | before),
            len(set(itertools.pairwise(content)) & bigrams) / max(1, len(bigrams)),
            len(asked & words) / max(1, len(asked)),
            (at[-1] - at[0] + 1) / len(at) if at else 40.0,
            len(question.names & words) / len(question.names) if question.names else -1.0,
            len(question.numbers & set(re.findall(r"\d+", c.sentence))) / len(question.numbers) if question.numbers else -1.0,
            float(question.head in words) if question.head else -1.0,
            len(bag), c.position, c.position / c.count, c.count,
            digits, years, months, new_names, cause, place,
            float("«" in c.sentence), float("(" in c.sentence), float(bool(_PRONOUN.match(folded))),
            len({s for s in content if s not in asked}),
            when * (years + months > 0), how_many * (digits > 0), who * (new_names > 0), where * place, why * cause,
            len(asked),
        ))  # fmt: skip
    return np.array(rows, np.float32).reshape(len(found), len(FEATURES))


class EvidenceRanker:
    """Ranks the sentences of retrieved passages by the probability that they hold the answer."""

    def __init__(self, model: Path = MODEL) -> None:
        self._path = model

    @cached_property
    def _model(self) -> lightgbm.Booster:
        import lightgbm

        return lightgbm.Booster(model_file=str(self._path))

    def rank(self, question: str, hits: Sequence[Hit]) -> list[Ranked]:
        """All sentences of the passages, the likeliest first."""
        found = candidates(hits)
        if not found:
            return []
        probabilities = np.asarray(self._model.predict(features(analyse(question), found), num_threads=1))
        order = np.argsort(-probabilities, kind="stable")
        return [Ranked(found[i], float(probabilities[i])) for i in order]
