"""Check written questions before a model learns from them; what is wrong is named, and the exit code is 1.

    python -m qa.training.check_questions FOLDER [--apart FILE ...]

FOLDER holds `contexts.jsonl.xz` and `questions.jsonl.xz`. Every answer must stand verbatim in the sentences that
prove it, every identifier be there once, no question be asked twice of a text. The wording of a question must not
tell whether its text answers it: a classifier of its words alone (logistic, five folds by text) must separate the
kind `rien` from the others with an area under the curve below .65. No run of eight words may stand in an evaluation
file given by `--apart` (SQuAD's format, JSON lines, or a document); what a whole folder of `docs` holds is given
by its files.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embeddings.errors import EmbeddingsError
from embeddings.records import field, identifier, read_lines, texts
from embeddings.squad import read_squad
from qa.errors import SourcierError
from qa.ingest.articles import read_file
from qa.training.documents import CONTEXTS, KIND_OF, QUESTIONS, Document, document_of, fold, locate

NOTHING = "rien"
EXTENDED = ("fact", "liste")
MAX_AUC = 0.65
FOLDS = 5
RUN = 8
SHOWN = 30
FIRST_WORDS = 15
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Written:
    """A question as it was written: `kind` is one of `KIND_OF`, `support` are numbers of sentences, from 1."""

    id: str
    document: str
    text: str
    kind: str
    answers: tuple[str, ...]
    support: tuple[int, ...]
    history: tuple[tuple[str, ...], ...]


def read(folder: Path) -> tuple[dict[str, Document], list[Written], list[str]]:
    """The texts of a folder, the questions on them, and the identifiers of texts that are there twice."""
    documents: dict[str, Document] = {}
    twice = []
    for _, record in read_lines(folder / CONTEXTS):
        document = document_of(record)
        if document.id in documents:
            twice.append(f"text {document.id}: there twice")
        documents[document.id] = document
    return documents, [_written(*line) for line in read_lines(folder / QUESTIONS)], twice


def _written(place: str, record: dict[str, Any]) -> Written:
    support = field(place, record, "s", list)
    return Written(
        identifier(place, record),
        field(place, record, "c", str),
        field(place, record, "q", str),
        field(place, record, "k", str),
        texts(place, record, "a"),
        tuple(number for number in support if isinstance(number, int)),
        tuple(tuple(map(str, turn)) for turn in record.get("h", ())),
    )


def problems(documents: Mapping[str, Document], questions: Sequence[Written]) -> Iterator[str]:
    """What is wrong with single questions: one line each."""
    ids: set[str] = set()
    asked: set[tuple[str, str, tuple[tuple[str, ...], ...]]] = set()
    for question in questions:
        document = documents.get(question.document)
        wrong = _wrong(document, question) if document else f"unknown text {question.document}"
        key = (question.document, " ".join(_words(question.text)), question.history)
        if question.id in ids:
            wrong = "its identifier is there twice"
        elif key in asked:
            wrong = "asked twice of its text"
        ids.add(question.id)
        asked.add(key)
        if wrong:
            yield f"question {question.id}: {wrong}"


def _wrong(document: Document, question: Written) -> str:
    """What is wrong with a question on its text, or ""."""
    numbers = question.support
    if question.kind not in KIND_OF:
        return f"unknown kind {question.kind!r}"
    if not _words(question.text):
        return "no question"
    if question.kind == NOTHING:
        return (
            "says what answers it, and is of the kind that nothing does"
            if question.answers or numbers
            else ""
        )
    if not numbers or any(not 1 <= number <= len(document.sentences) for number in numbers):
        return f"sentences {list(numbers)} of {len(document.sentences)}"
    if question.kind in EXTENDED and not question.answers:
        return "no answer"
    if question.kind == "liste" and len(question.answers) < 2:
        return "a list of one"
    if question.kind in ("oui", "non") and question.answers:
        return "an answer to a yes/no question"
    places = [number - 1 for number in numbers]
    absent = [a for a in question.answers if not fold(a).strip() or locate(document, a, places) is None]
    return f"not verbatim in sentences {list(numbers)}: {absent[0]!r}" if absent else ""


def _measurable(questions: Sequence[Written]) -> bool:
    """Whether there are enough texts, with questions of both sorts, for the folds of `wording_tells`."""
    sorts: dict[bool, set[str]] = {True: set(), False: set()}
    for question in questions:
        sorts[question.kind == NOTHING].add(question.document)
    return all(len(documents) >= FOLDS for documents in sorts.values())


def wording_tells(questions: Sequence[Written]) -> float:
    """How well the words of a question alone tell that its text does not answer: area under the ROC curve.

    A logistic classifier over the words, each text's questions in one of five folds.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    labels = np.array([question.kind == NOTHING for question in questions])
    texts_ = [question.document for question in questions]
    model = make_pipeline(
        CountVectorizer(binary=True, token_pattern=r"\w+", min_df=2),
        LogisticRegression(C=0.3, max_iter=1000, class_weight="balanced"),
    )
    told = cross_val_predict(
        model,
        [question.text for question in questions],
        labels,
        groups=texts_,
        cv=GroupKFold(FOLDS),
        method="predict_proba",
    )
    return float(roc_auc_score(labels, told[:, 1]))


def runs(text: str) -> set[str]:
    """Every eight words in a row."""
    words = _words(text)
    return {" ".join(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}


def apart(path: Path) -> Iterator[str]:
    """The texts of an evaluation file: contexts and questions of SQuAD's format, every text of JSON lines, or the
    articles of a document."""
    if path.suffix == ".json":
        for paragraph in read_squad(path):
            yield paragraph.context
            yield from (question.text for question in paragraph.questions)
    elif path.name.endswith((".jsonl", ".jsonl.xz")):
        for _, record in read_lines(path):
            yield from _strings(record)
    else:
        yield from (article.text for article in read_file(path))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


def shared(
    documents: Mapping[str, Document], questions: Sequence[Written], held: Collection[str]
) -> Iterator[str]:
    """Texts and questions that have a run of eight words in common with `held`: one line each."""
    for name, text in (
        *((f"text {d.id}", d.text) for d in documents.values()),
        *((f"question {q.id}", q.text) for q in questions),
    ):
        common = sorted(runs(text).intersection(held))
        if common:
            yield f"{name}: stands apart too: « {common[0]} » ({len(common)} runs of {RUN} words)"


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text).lower())


def counts(questions: Sequence[Written]) -> Iterator[str]:
    """How many questions there are of each kind, and of each first word, with the share that nothing answers."""
    kinds = Counter(question.kind for question in questions)
    yield "kinds: " + ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    first = Counter(_words(question.text)[0] for question in questions if _words(question.text))
    nothing = Counter(_words(q.text)[0] for q in questions if q.kind == NOTHING and _words(q.text))
    most = first.most_common(FIRST_WORDS)
    yield "first words (share without an answer): " + ", ".join(
        f"{word} {count} ({nothing[word] / count:.0%})" for word, count in most
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--apart", type=Path, nargs="*", default=[], help="evaluation files")
    options = parser.parse_args()
    try:
        documents, questions, wrong = read(options.folder)
        held = {run for path in options.apart for text in apart(path) for run in runs(text)}
    except (EmbeddingsError, SourcierError) as error:
        sys.exit(str(error))
    wrong += [*problems(documents, questions), *shared(documents, questions, held)]
    print(f"{len(questions)} questions on {len({q.document for q in questions})} of {len(documents)} texts")
    print("\n".join(counts(questions)))
    if _measurable(questions):
        told = wording_tells(questions)
        print(f"the wording alone tells « {NOTHING} »: area {told:.3f}, must be below {MAX_AUC}")
        if told >= MAX_AUC:
            wrong.append(f"the wording alone tells « {NOTHING} »: area {told:.3f}")
    for line in wrong[:SHOWN]:
        print(line)
    if wrong:
        sys.exit(f"{len(wrong)} things are wrong")
    print("all is well")


if __name__ == "__main__":
    main()
