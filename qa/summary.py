"""A summary: the sentences that cover an article best, without repeating one another."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from embeddings.text import fold
from qa.answer import Answer, Citation
from qa.ingest.sentences import split_sentences

if TYPE_CHECKING:
    from qa.assistant import Examined
    from qa.library.library import Library

SENTENCES = 4
MOST_SENTENCES = 80
FEWEST_WORDS, MOST_WORDS = 6, 60
LEAD = 0.12
REPEATED = 0.5
_ASKED = re.compile(
    r"\b(?:resum\w*|synthese|synthetise\w*|en (?:bref|gros|deux mots|quelques mots|resume)|grandes lignes|points? (?:cles?|importants?)|"
    r"l'essentiel)\b|^(?:de quoi (?:parle|traite|s'agit|est-il question)|(?:c'est|ca parle de) quoi (?:le sujet|l'histoire))"
)


def is_summary(question: str) -> bool:
    """Whether a summary is asked for."""
    return bool(_ASKED.search(fold(question.replace("’", "'")).strip()))


def summarise(answer: Answer, examined: Examined, library: Library) -> Answer:
    """The article that the question names best, in its own sentences, in the order of its text.

    Sentences are chosen one by one by maximal marginal relevance (Carbonell and Goldstein 1998): near the mean of all
    sentences, early in the article, unlike those chosen before.
    """
    article_id = _article_of(examined)
    article = library.article(article_id)
    places = [
        (start, end)
        for start, end in split_sentences(article.text)
        if FEWEST_WORDS <= len(article.text[start:end].split()) <= MOST_WORDS
    ][:MOST_SENTENCES]
    if not places:
        return answer
    vectors = library.encoder.encode_passages([article.text[a:b] for a, b in places])
    centre = vectors.mean(0)
    centre /= np.linalg.norm(centre) or 1.0
    worth = vectors @ centre - LEAD * np.arange(len(places)) / max(1, len(places) - 1)
    chosen: list[int] = []
    while len(chosen) < min(SENTENCES, len(places)):
        repeated = (vectors @ vectors[chosen].T).max(1) if chosen else np.zeros(len(places))
        score = worth - REPEATED * repeated
        score[chosen] = -np.inf
        chosen.append(int(score.argmax()))
    cited = tuple(
        Citation(
            marker,
            article.id,
            article.title,
            article.source,
            article.date,
            article.text[a:b],
            a,
            b,
            None,
            None,
            1.0,
        )
        for marker, (a, b) in enumerate((places[i] for i in sorted(chosen)), start=1)
    )
    return replace(answer, kind="sentences", confidence=1.0, citations=cited)


def _article_of(examined: Examined) -> str:
    """The article whose passages were found best, each rank counting half as much as the one before."""
    scores: dict[str, float] = {}
    for rank, hit in enumerate(examined.hits):
        article_id = hit.stored.passage.article_id
        scores[article_id] = scores.get(article_id, 0.0) + hit.score / (1 + rank)
    return max(scores, key=lambda article_id: scores[article_id])
