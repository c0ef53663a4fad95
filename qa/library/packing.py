"""What is kept in a column of a library's file as bytes or JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import numpy as np

from qa.ingest.articles import Article
from qa.ingest.passages import Passage, Span
from qa.ingest.structure import Heading

SHORT_WORDS = 30


def article_of(
    id: str,
    title: str,
    text: str,
    source: str,
    path: str,
    date: str | None,
    author: str | None,
    headings: str,
) -> Article:
    """An article as stored."""
    marks = tuple(Heading(*mark) for mark in json.loads(headings))
    return Article(id, title, text, source, path, date, author, marks)


def pack_headings(headings: Sequence[Heading]) -> str:
    """The headings of an article, to be stored."""
    return json.dumps([(heading.start, heading.end, heading.level) for heading in headings])


def digest_of(passage: Passage, title: str) -> bytes:
    """Alike for passages that say the same: of one text and, where it is short, of one title and headings too."""
    said = [" ".join(passage.text.split())]
    if len(passage.text.split()) < SHORT_WORDS:
        said += [title, *passage.headings]
    return hashlib.blake2b("\0".join(said).encode(), digest_size=8).digest()


def unpack_spans(sentences: bytes) -> tuple[Span, ...]:
    """The sentences of a passage, as stored."""
    return tuple(Span(start, end) for start, end in np.frombuffer(sentences, "<i4").reshape(-1, 2).tolist())


def pack_spans(sentences: Sequence[Span]) -> bytes:
    """The sentences of a passage, to be stored."""
    return np.array([(s.start, s.end) for s in sentences], "<i4").tobytes()


def halved(vector: np.ndarray) -> bytes:
    """A vector as 16-bit floats, to be stored."""
    return vector.astype(np.float16).tobytes()
