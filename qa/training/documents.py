"""Training questions of every kind, read from files into documents and the questions on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embeddings.records import read_lines
from embeddings.squad import SquadQuestion, read_squad
from qa.ingest.sentences import split_sentences

CONTEXTS = "contexts.jsonl.xz"
QUESTIONS = "questions.jsonl.xz"
KIND_OF = {
    "fact": "span", "liste": "list", "oui": "yes", "non": "no", "rien": "none",
    "pourquoi": "sentences", "comment": "sentences", "definition": "sentences", "evenement": "sentences",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Document:
    """A text, its title ("" where it has none), and the offsets of its sentences."""

    id: str
    title: str
    text: str
    sentences: tuple[tuple[int, int], ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on a document.

    `kind` is one of `qa.reading.pointer.KINDS`, or "" where only the span is known to be right; `spans` are offsets
    in the document: the answer, or the items of a list; `support` are the numbers of the sentences that prove it, the
    one that holds the answer first.
    """

    id: str
    document: str
    text: str
    kind: str
    spans: tuple[tuple[int, int], ...]
    support: tuple[int, ...]
    history: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents by their id, and the questions on them."""

    documents: dict[str, Document]
    questions: list[Asked]


def joined(parts: Iterable[Corpus]) -> Corpus:
    """Several corpora as one."""
    whole = Corpus({}, [])
    for part in parts:
        whole.documents.update(part.documents)
        whole.questions.extend(part.questions)
    return whole


def read_natural(folder: Path) -> Corpus:
    """`contexts.jsonl.xz` and `questions.jsonl.xz` of a folder: questions as people ask them."""
    read = (document_of(record) for _, record in read_lines(folder / CONTEXTS))
    documents = {document.id: document for document in read}
    questions = []
    for _, row in read_lines(folder / QUESTIONS):
        document = documents[row["c"]]
        support = tuple(n - 1 for n in row["s"])
        found = [locate(document, answer, support) for answer in row["a"]]
        kind = KIND_OF[row["k"]]
        spans = tuple(s for s in found if s is not None)
        spans = tuple(sorted(set(spans))) if kind == "list" else spans[:1]
        if kind in ("span", "list") and not spans:
            continue
        history = tuple((q, a) for q, a in row.get("h", ()))
        questions.append(Asked(row["id"], row["c"], row["q"], kind, spans, support, history))
    return Corpus(documents, questions)


def document_of(record: Mapping[str, Any]) -> Document:
    """The document of a line of `contexts.jsonl.xz`."""
    sentences = tuple((start, end) for start, end in record["sentences"])
    return Document(record["id"], record["title"], record["text"], sentences, record.get("source", ""))


def locate(document: Document, answer: str, support: Sequence[int]) -> tuple[int, int] | None:
    """Where the answer stands: in the first of its sentences that holds it."""
    folded = fold(answer)
    for number in support:
        a, b = document.sentences[number]
        at = fold(document.text[a:b]).find(folded)
        if at >= 0:
            return a + at, a + at + len(answer)
    a, b = document.sentences[min(support)][0], document.sentences[max(support)][1]
    at = fold(document.text[a:b]).find(folded)
    return (a + at, a + at + len(answer)) if at >= 0 else None


_FOLD = str.maketrans({"’": "'", "\u00a0": " ", "\u202f": " ", "\n": " "})


def fold(text: str) -> str:
    """Quotes and spaces of one kind; no character is added or taken away."""
    return text.translate(_FOLD)


def read_extractive(path: Path) -> Corpus:
    """A file of extractive questions: SQuAD's format (.json), or a question a line with its context (.jsonl.xz)."""
    documents: dict[str, Document] = {}
    questions: list[Asked] = []
    titled = "press" in path.stem  # the others' titles name a source
    for number, paragraph in enumerate(read_squad(path)):
        name, text = f"{path.stem}/{number}", paragraph.context
        title = paragraph.title if titled else ""
        document = documents[name] = Document(name, title, text, tuple(split_sentences(text)), path.stem)
        for question in paragraph.questions:
            questions.append(_asked(document, question, f"{name}/{len(questions)}"))
    return Corpus(documents, [q for q in questions if q.kind == "none" or q.support])


def _asked(document: Document, question: SquadQuestion, name: str) -> Asked:
    """One question; where its answers have no known place, it has no support either."""
    if question.polarity:
        everything = tuple(range(len(document.sentences)))
        return Asked(name, document.id, question.text, question.polarity, (), everything)
    if not question.answers:
        return Asked(name, document.id, question.text, "none", (), ())
    located = [a for a in question.answers if a.text.strip() and a.start is not None]
    spans = tuple((a.start, a.start + len(a.text)) for a in located if a.start is not None)
    several = question.id.startswith("multispan") and len(spans) > 1
    spans = spans if several else spans[:1]
    support = tuple(
        dict.fromkeys(
            n for s in spans for n, (a, b) in enumerate(document.sentences) if a < s[1] and s[0] < b
        )
    )
    opening = question.text.strip().lower().split(" ")[0]
    kind = "list" if several else "" if opening in ("pourquoi", "comment", "why", "how") else "span"
    return Asked(name, document.id, question.text, kind, spans, support)
