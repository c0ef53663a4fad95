"""An article in passages: windows of whole sentences with exact character offsets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.sentences import split_sentences

if TYPE_CHECKING:
    from qa.articles import Article


@dataclass(frozen=True, slots=True)
class Span:
    """Character offsets in an article's text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Passage:
    """Some sentences of an article in a row: `text` is `article.text[start:end]`, offsets are the article's."""

    article_id: str
    index: int
    start: int
    end: int
    text: str
    sentences: tuple[Span, ...]


def split_passages(article: Article, *, target_words: int = 120, overlap: int = 1) -> list[Passage]:
    """Windows of about `target_words` words; each begins with the last `overlap` sentences of the one before."""
    sentences = [Span(a, b) for a, b in split_sentences(article.text)]
    sizes = [len(article.text[s.start : s.end].split()) for s in sentences]
    passages: list[Passage] = []
    first = 0
    while first < len(sentences):
        last, words = first, 0
        while last < len(sentences) and (last == first or words + sizes[last] <= target_words):
            words += sizes[last]
            last += 1
        start, end = sentences[first].start, sentences[last - 1].end
        inside = tuple(sentences[first:last])
        passages.append(Passage(article.id, len(passages), start, end, article.text[start:end], inside))
        if last == len(sentences):
            break
        first = max(first + 1, last - overlap)
    return passages
