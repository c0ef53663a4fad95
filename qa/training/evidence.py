"""Train the evidence ranker on questions whose right sentence is known, as retrieval finds it.

    python -m qa.training.evidence --train squad.json ... --dev squad.json --output qa/models/evidence

The paragraphs of the training files make a temporary library; each question is searched in it, and the
sentences of what is found are labelled: 1 where the sentence lies in the question's paragraph and holds
its answer. The model is a gradient-boosted classifier (LightGBM), so that its score is a probability.
With `--ablation` nothing is written: the ranker is trained once without each group of features.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import lightgbm
import numpy as np

from qa.assistant import PASSAGES_RANKED
from qa.ingest.articles import read_text
from qa.library.library import Library
from qa.retrieval.evidence import FEATURES, Candidate, candidates, features
from qa.retrieval.question import KINDS, analyse
from qa.retrieval.retriever import Hit, Retriever
from qa.training.examples import Question, QuestionSet, half, read_squad

PARAMETERS = {
    "objective": "binary", "learning_rate": 0.05, "num_leaves": 31, "min_data_in_leaf": 100, "feature_fraction": 0.7,
    "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5.0, "num_threads": 2, "verbose": -1, "deterministic": True,
    "seed": 0,
}  # fmt: skip
SEARCH_BATCH = 256
EVERY = range(len(FEATURES))
GROUPS = {
    "passage": ("rank", "score", "score_to_best", "lexical_to_best", "dense", "dense_to_best"),
    "words in common": (
        "title_coverage", "passage_coverage", "coverage", "coverage_rank", "coverage_to_best", "bigrams", "hits", "hit_span",
    ),
    "neighbours": ("coverage_before", "coverage_after", "coverage_with_before", "pronoun"),
    "names, numbers, noun of the question": ("names", "numbers", "head"),
    "place and length": ("words", "position", "position_share", "sentences"),
    "what the sentence holds": (
        "digits", "years", "months", "new_names", "cause", "place", "quote", "parenthesis", "new_words",
    ),
    "what is asked": (
        *KINDS, "when_and_date", "how_many_and_digit", "who_and_name", "where_and_place", "why_and_cause", "question_words",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Searched:
    """A question with the passages found for it and the sentences of those."""

    question: Question
    hits: list[Hit]
    candidates: list[Candidate]
    holds: np.ndarray


def build_library(data: QuestionSet, folder: Path, embedding: str) -> Library:
    """A library of the paragraphs, each an article whose id starts with its number."""
    library = Library.open(folder, embedding=embedding, create=True)
    library.add_articles(read_text(text, id=f"{n:06d}-p") for n, text in enumerate(data.paragraphs))
    return library


def search(data: QuestionSet, library: Library, questions: Sequence[Question]) -> Iterator[Searched]:
    """Search each question and label the sentences found."""
    retriever = Retriever(library)
    for at in range(0, len(questions), SEARCH_BATCH):
        group = questions[at : at + SEARCH_BATCH]
        for question, hits in zip(
            group, retriever.search_batch([q.text for q in group], PASSAGES_RANKED), strict=True
        ):
            found = candidates(hits)
            yield Searched(question, hits, found, np.array([holds(question, c) for c in found], bool))


def holds(question: Question, candidate: Candidate) -> bool:
    """Whether the sentence lies in the question's paragraph and one of its answers starts in it."""
    if not candidate.stored.passage.article_id.startswith(f"{question.paragraph:06d}"):
        return False
    return any(
        candidate.start <= start < candidate.end or text in candidate.sentence
        for text, start in question.answers
    )


def without(group: str) -> list[int]:
    """The columns of the features that are not of the group."""
    return [i for i, name in enumerate(FEATURES) if name not in GROUPS[group]]


def fit(rows: np.ndarray, labels: np.ndarray, columns: Sequence[int], rounds: int) -> lightgbm.Booster:
    """Train a ranker on these columns of the features."""
    names = [FEATURES[i] for i in columns]
    return lightgbm.train(PARAMETERS, lightgbm.Dataset(rows[:, columns], labels, feature_name=names), rounds)


def figures(
    searched: Sequence[Searched], model: lightgbm.Booster | None, columns: Sequence[int] = EVERY
) -> dict[str, float]:
    """sentence@1/3/5 over the answerable questions, and the share whose sentence is among the candidates.

    Without a model the words in common rank the sentences; `columns` are the features that the model reads.
    """
    ranks = []
    for one in (s for s in searched if s.question.answers):
        x = features(analyse(one.question.text), one.candidates)
        score = (
            x[:, FEATURES.index("coverage")] if model is None else np.asarray(model.predict(x[:, columns]))
        )
        right = np.flatnonzero(one.holds[np.argsort(-score, kind="stable")])
        ranks.append(right[0] if len(right) else 10**6)
    array = np.array(ranks)
    return {f"sentence@{k}": round(float((array < k).mean()), 4) for k in (1, 3, 5)} | {
        "found": round(float((array < 10**6).mean()), 4)
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--train", type=Path, nargs="+", required=True, help="questions in SQuAD format")
    parser.add_argument("--dev", type=Path, required=True, help="its half A is measured")
    parser.add_argument("--embedding", default="french-small")
    parser.add_argument("--rounds", type=int, default=400)
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--output", type=Path)
    kind.add_argument("--ablation", action="store_true", help="measure what each group of features brings")
    options = parser.parse_args()
    data, dev = read_squad(options.train), read_squad([options.dev])
    with tempfile.TemporaryDirectory() as folder:
        with build_library(data, Path(folder) / "train", options.embedding) as library:
            rows, labels = [], []
            for one in search(data, library, data.questions):
                if one.holds.any() or not one.question.answers:
                    rows.append(features(analyse(one.question.text), one.candidates))
                    labels.append(one.holds)
        table, holding = np.concatenate(rows), np.concatenate(labels).astype(int)
        with build_library(dev, Path(folder) / "dev", options.embedding) as library:
            measured = list(search(dev, library, half(dev, "a")))
    print("overlap", figures(measured, None))
    model = fit(table, holding, EVERY, options.rounds)
    print("ranker ", figures(measured, model))
    if options.ablation:
        for group in GROUPS:
            left = without(group)
            print(
                f"without {group}:",
                figures(measured, fit(table, holding, left, options.rounds), left),
                flush=True,
            )
        return
    gain = dict(zip(FEATURES, model.feature_importance("gain"), strict=True))
    print("gain   ", {k: round(v) for k, v in sorted(gain.items(), key=lambda kv: -kv[1])[:15]})
    options.output.mkdir(parents=True, exist_ok=True)
    model.save_model(str(options.output / "ranker.txt"))


if __name__ == "__main__":
    main()
