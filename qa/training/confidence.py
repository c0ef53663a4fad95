"""Fit how likely what could be asserted is right, on questions that the reader has not seen.

    python -m qa.training.confidence --natural FOLDER... --squad piaf_dev.json ... --output qa/models/confidence.json

All documents of the folders make one library, and of their questions those on the documents that reader training holds
out are asked; of the SQuAD files half A. A part of the answerable ones is asked once more without their document, so
that the right thing is to abstain.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from qa.assistant import Assistant, Examined
from qa.confidence import MODELS, SIGNALS, kinds_of, log_odds
from qa.ingest.articles import Article
from qa.library.library import Library
from qa.reading.choice import MAX_SENTENCES, listed, quoted
from qa.scoring import accepted, normalise
from qa.training.documents import Asked, Corpus, joined, read_extractive, read_natural
from qa.training.reader import held_out

WITHOUT = 0.2
SHORT, ABSTAIN, POLARITY = 0.45, 0.3, 0.75
"""Chosen on half of the everyday questions that measure (every other document): the most useful answers of those with
harm below .06. A refusal where there is an answer loses more than sentences quoted where there is none."""
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Case:
    """A question with what the steps found; `absent` says that its document was kept out of the search."""

    asked: Asked
    corpus: Corpus
    examined: Examined
    absent: bool

    @property
    def answerable(self) -> bool:
        """Whether what was searched holds its answer."""
        return self.asked.kind != "none" and not self.absent

    def texts(self, places: Sequence[tuple[int, int]]) -> list[str]:
        """The texts of these offsets of its document."""
        text = self.corpus.documents[self.asked.document].text
        return [text[a:b] for a, b in places]

    @property
    def supports(self) -> list[str]:
        """The sentences that prove its answer."""
        sentences = self.corpus.documents[self.asked.document].sentences
        return self.texts([sentences[n] for n in self.asked.support])


def proved(case: Case) -> bool:
    """Whether one of the sentences that would be quoted proves the answer."""
    said = [normalise(p.text) for p in quoted(case.examined.proofs, MAX_SENTENCES)]
    return case.answerable and any(
        normalise(s) in t or t in normalise(s) for s in case.supports for t in said
    )


def short_right(case: Case) -> bool:
    """Whether the best span is an accepted answer."""
    spans = case.examined.spans
    return case.answerable and bool(spans) and accepted(spans[0].text, case.texts(case.asked.spans))


def list_right(case: Case) -> bool:
    """Whether half of the items are given, and no more items are wrong than right."""
    if not case.answerable or case.asked.kind != "list":
        return False
    given = [item.text for item in listed(case.examined.reads)]
    wanted = case.texts(case.asked.spans)
    found = sum(any(accepted(g, [w]) for g in given) for w in wanted)
    right = sum(any(accepted(g, [w]) for w in wanted) for g in given)
    return 2 * found >= len(wanted) and 2 * right >= len(given)


def polarity_right(case: Case) -> bool:
    """Whether the likelier of yes and no is right."""
    kinds = kinds_of(case.examined.reads)
    said = "yes" if kinds["yes"] > kinds["no"] else "no"
    return case.answerable and case.asked.kind == said


def kind_said(case: Case) -> str:
    """The kind that would be asserted."""
    kinds = kinds_of(case.examined.reads)
    both = {**kinds, "polarity": kinds["yes"] + kinds["no"]}
    return max(("span", "list", "polarity", "sentences"), key=lambda name: both[name])


DECISIONS: dict[str, tuple[Callable[[Case], bool], Callable[[Case], bool]]] = {
    "answerable": (lambda case: True, proved),
    "short": (lambda case: kind_said(case) == "span", short_right),
    "listed": (lambda case: kind_said(case) == "list", list_right),
    "polarity": (lambda case: kind_said(case) == "polarity", polarity_right),
}
"""For each model, the cases it is asked about, and whether what it decides on is right."""


def ask(corpus: Corpus, assistant: Assistant, rng: random.Random) -> list[Case]:
    """Ask each question; a part of the answerable ones once more without their document."""
    questions, histories = [q.text for q in corpus.questions], [q.history for q in corpus.questions]
    examined = assistant.examine(questions, histories=histories)
    cases = [Case(q, corpus, e, False) for q, e in zip(corpus.questions, examined, strict=True)]
    everything = {article.id for article in assistant.library.articles()}
    for q in corpus.questions:
        if q.kind != "none" and rng.random() < WITHOUT:
            found = assistant.examine([q.text], histories=[q.history], article_ids=everything - {q.document})
            cases.append(Case(q, corpus, found[0], True))
    return cases


def fit(rows: np.ndarray, right: np.ndarray, groups: Sequence[str]) -> tuple[dict[str, object], np.ndarray]:
    """A logistic model as it is saved, and its probabilities when each group is left out in turn.

    Where right or wrong ones are of fewer groups than there are folds, the model only says how many are right.
    """
    kinds = [
        len({group for group, is_so in zip(groups, right, strict=True) if bool(is_so) is so})
        for so in (True, False)
    ]
    if min(kinds) < FOLDS:
        usual = float((right.sum() + 1) / (len(right) + 2))
        return {"intercept": round(log_odds(usual), 5), "weights": {}}, np.full(len(right), usual)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=2000))
    apart = cross_val_predict(
        model, rows, right, groups=groups, cv=StratifiedGroupKFold(FOLDS), method="predict_proba"
    )[:, 1]
    scaler, logistic = model.fit(rows, right).steps[0][1], model.steps[1][1]
    weights = logistic.coef_[0] / scaler.scale_
    intercept = float(logistic.intercept_[0] - (weights * scaler.mean_).sum())
    named = {name: round(float(w), 5) for name, w in zip(SIGNALS, weights, strict=True)}
    return {"intercept": round(intercept, 5), "weights": named}, apart


def build_library(corpus: Corpus, folder: Path) -> Library:
    """A library of the corpus's documents, their ids the articles'."""
    library = Library.open(folder, create=True)
    library.add_articles([Article(d.id, d.title, d.text, d.source) for d in corpus.documents.values()])
    return library


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--natural", type=Path, nargs="+", required=True, help="folders of natural questions")
    parser.add_argument(
        "--squad", type=Path, nargs="*", default=[], help="SQuAD files, of which half A is asked"
    )
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=1400, help="so many of them, drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    parts = [held_out(read_natural(folder))[1] for folder in options.natural]
    for path in options.squad:
        corpus = read_extractive(path)
        half = set(sorted(corpus.documents)[::2])
        parts.append(Corpus(corpus.documents, [q for q in corpus.questions if q.document in half]))
    corpus = joined(parts)
    if options.questions < len(corpus.questions):
        corpus = Corpus(corpus.documents, rng.sample(corpus.questions, options.questions))
    with tempfile.TemporaryDirectory() as folder, build_library(corpus, Path(folder)) as library:
        assistant = Assistant(library)
        cases = ask(corpus, assistant, rng)
    saved: dict[str, object] = {}
    for name in MODELS:
        concerned, is_right = DECISIONS[name]
        chosen = [case for case in cases if concerned(case)]
        rows = np.array([case.examined.signals.values() for case in chosen])
        right = np.array([is_right(case) for case in chosen])
        saved[name], apart = fit(rows, right, [case.asked.document for case in chosen])
        if 0 < right.sum() < len(right):
            sure = apart >= SHORT
            print(
                f"{name:10} {len(chosen):5} cases, {right.mean():.3f} right, area {roc_auc_score(right, apart):.3f}; "
                f"at {SHORT}: {sure.mean():.3f} of them, {right[sure].mean() if sure.any() else 0:.3f} right"
            )
    saved["usual_dense"] = round(float(np.mean([case.examined.signals.dense for case in cases])), 4)
    saved["thresholds"] = {"short": SHORT, "abstain": ABSTAIN, "polarity": POLARITY}
    options.output.write_text(json.dumps(saved, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
