"""An article in passages: windows of whole sentences with exact character offsets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.ingest.sentences import split_sentences

if TYPE_CHECKING:
    from qa.ingest.articles import Article


@dataclass(frozen=True, slots=True)
class Span:
    """Character offsets in an article's text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Passage:
    """Sentences of an article in a row; `text` is `article.text[start:end]`, all offsets are the article's."""

    article_id: str
    index: int
    start: int
    end: int
    text: str
    sentences: tuple[Span, ...]


def split_passages(article: Article, *, target_words: int = 120, overlap: int = 1) -> list[Passage]:
    """Windows of whole sentences of at most `target_words` words, or of one sentence where it alone has more.

    Each begins with the last `overlap` sentences of the one before, or fewer where they leave no room for a new one.
    """
    sentences = [Span(start, end) for start, end in split_sentences(article.text)]
    sizes = [_size(article.text[s.start : s.end]) for s in sentences]
    passages: list[Passage] = []
    first = reached = 0
    while reached < len(sentences):
        last, words = first + 1, sizes[first]
        while last < len(sentences) and words + sizes[last] <= target_words:
            words += sizes[last]
            last += 1
        if last <= reached:
            first += 1
            continue
        start, end = sentences[first].start, sentences[last - 1].end
        text = article.text[start:end]
        passages.append(Passage(article.id, len(passages), start, end, text, tuple(sentences[first:last])))
        first, reached = max(first + 1, last - overlap), last
    return passages


def _size(sentence: str) -> int:
    """Its words; a text without spaces counts as words of 12 letters, so that no passage grows without bound."""
    return max(len(sentence.split()), len(sentence) // 12)
