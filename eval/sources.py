"""Which article is a right source: by name, no judgement of meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from eval.datasets import EvalQuestion
from qa.ingest.articles import slug
from qa.scoring import holds

if TYPE_CHECKING:
    from qa.library.library import Library


def is_source(sources: Sequence[str], article_id: str, place: str) -> bool:
    """Whether an article's id, or the name of the file or page at `place`, starts with one of the sources."""
    name = place.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return any(name.startswith(s) or article_id.startswith((s, slug(s) or s)) for s in sources)


def match(questions: Sequence[EvalQuestion], library: Library) -> dict[str, list[str]]:
    """Each source of the questions, and the ids of the library's articles that it names."""
    articles = library.articles()
    return {
        source: [a.id for a in articles if is_source((source,), a.id, a.path or a.source)]
        for source in dict.fromkeys(s for question in questions for s in question.sources)
    }


def resolve(questions: Sequence[EvalQuestion], matched: Mapping[str, Sequence[str]]) -> list[EvalQuestion]:
    """The questions, their sources followed by the ids of the articles that these name."""
    return [
        replace(q, sources=tuple(dict.fromkeys((*q.sources, *(i for s in q.sources for i in matched[s])))))
        for q in questions
    ]


def check_sources(
    questions: Sequence[EvalQuestion], matched: Mapping[str, Sequence[str]], library: Library
) -> Iterator[str]:
    """Warnings, in French: sources that match no article, answers that stand in none of their sources."""
    texts: dict[str, str] = {}
    absent = [source for source, ids in matched.items() if not ids]
    if absent and len(absent) == len(matched):
        yield "Aucune source des questions n’est dans la bibliothèque : est-ce bien celle-ci ?"
        return
    for source in absent:
        yield f"Source « {source} » : aucun article de la bibliothèque ne commence ainsi."
    for question in questions:
        ids = [article_id for source in question.sources for article_id in matched[source]]
        for article_id in ids:
            if article_id not in texts:
                texts[article_id] = library.article(article_id).text
        missing = [a for a in question.answers if not any(holds(texts[i], (a,)) for i in ids)]
        if ids and missing:
            yield f"Question « {question.id} » : la réponse « {missing[0]} » n’est dans aucune de ses sources."
