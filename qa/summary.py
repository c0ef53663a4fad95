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
FEWEST_WORDS, MOST_WORDS = 8, 60
FIGURE = 0.05
REPEATED = 0.5
_WHOLE = re.compile(r"[.!?…][»”)\]]?\s*$")
_ASKED = re.compile(
    r"\b(?:resum\w*|synthese|synthetise\w*|en (?:bref|gros|deux mots|quelques mots|resume)|grandes lignes|points? (?:cles?|importants?)|"
    r"l'essentiel)\b|^(?:de quoi (?:parle|traite|s'agit|est-il question)|(?:c'est|ca parle de) quoi (?:le sujet|l'histoire))"
)


def is_summary(question: str) -> bool:
    """Whether a summary is asked for."""
    return bool(_ASKED.search(fold(question.replace("’", "'")).strip()))


def summarise(answer: Answer, examined: Examined, library: Library) -> Answer:
    """The article that the question names best, in its own sentences, in the order of its text.

    The article is cut in as many parts as sentences are quoted, and each gives the one nearest to the mean of all, a
    little more where it holds a figure, less where it repeats one chosen before (maximal marginal relevance, Carbonell
    and Goldstein 1998). Heads, lists of names and lines without an end are no sentences to quote.
    """
    article_id = _article_of(examined)
    article = library.article(article_id)
    places = [
        (start, end)
        for start, end in split_sentences(article.text)
        if FEWEST_WORDS <= len(article.text[start:end].split()) <= MOST_WORDS
        and _WHOLE.search(article.text[start:end])
    ][:MOST_SENTENCES]
    if not places:
        return answer
    vectors = library.encoder.encode_passages([article.text[a:b] for a, b in places])
    centre = vectors.mean(0)
    centre /= np.linalg.norm(centre) or 1.0
    figures = np.array([any(c.isdigit() for c in article.text[a:b]) for a, b in places])
    worth = vectors @ centre + FIGURE * figures
    chosen: list[int] = []
    for part in np.array_split(np.arange(len(places)), min(SENTENCES, len(places))):
        repeated = (vectors[part] @ vectors[chosen].T).max(1) if chosen else np.zeros(len(part))
        chosen.append(int(part[(worth[part] - REPEATED * repeated).argmax()]))
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
        for marker, (a, b) in enumerate((places[i] for i in chosen), start=1)
    )
    return replace(answer, kind="sentences", confidence=1.0, citations=cited)


def _article_of(examined: Examined) -> str:
    """The article whose passages were found best, each rank counting half as much as the one before."""
    scores: dict[str, float] = {}
    for rank, hit in enumerate(examined.hits):
        article_id = hit.stored.passage.article_id
        scores[article_id] = scores.get(article_id, 0.0) + hit.score / (1 + rank)
    return max(scores, key=lambda article_id: scores[article_id])
