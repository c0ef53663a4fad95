"""The measures: values worked out by hand, and the numbers of other people's programs."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import ndcg_score, top_k_accuracy_score
from torchmetrics.functional.text import squad

from eval import metrics
from eval.intervals import measured, moved
from eval.report.summary import summarise
from eval.scripts.curve import learned
from qa.scoring import calibration_error, exact_match, f1

REFUSALS = np.array([(1, 1), (1, 0), (0, 1), (0, 0), (1, 1)], float)
"""Predicted and true: two rightly refused, one wrongly, one missed."""


@pytest.mark.parametrize(
    ("prediction", "answers", "expected"),
    [
        ("le chat noir", ["chat noir"], (1.0, 1.0)),
        ("l’État", ["État"], (1.0, 1.0)),
        ("chat noir", ["un chat blanc"], (0.0, 0.5)),
        ("17 novembre 2023", ["novembre", "le 17 novembre"], (0.0, 0.8)),
        ("le", ["la"], (1.0, 1.0)),
        ("le", ["lune"], (0.0, 0.0)),
        ("lune lune", ["lune"], (0.0, 2 / 3)),
    ],
)
def test_french_scores_by_hand(prediction: str, answers: list[str], expected: tuple[float, float]) -> None:
    assert (exact_match(prediction, answers), f1(prediction, answers)) == pytest.approx(expected)


def test_squad_scores_are_those_of_its_script() -> None:
    words = ["The", "a", "an", "lune", "Lune,", "1969", "l'Aigle", "(mer)", "été", "é."]
    rng = random.Random(7)
    for _ in range(300):
        prediction, *answers = (" ".join(rng.choices(words, k=rng.randint(1, 5))) for _ in range(3))
        target = {"answers": {"answer_start": [0] * 2, "text": answers}, "id": "1"}
        official = squad([{"prediction_text": prediction, "id": "1"}], [target])
        assert metrics.squad_exact_match(prediction, answers) * 100 == float(official["exact_match"])
        assert metrics.squad_f1(prediction, answers) * 100 == pytest.approx(float(official["f1"]), abs=1e-3)


def test_retrieval_by_hand() -> None:
    rankings = {"first": ("a", "b"), "third": ("x", "y", "a", "b"), "absent": ("x",), "nothing": ()}
    right = {"first": ("a",), "third": ("a", "b"), "absent": (), "nothing": ()}
    found = metrics.retrieval(rankings, right)
    assert found["recall@1"] == {"first": 1, "third": 0, "absent": 0, "nothing": 0}
    assert found["recall@5"] == {"first": 1, "third": 1, "absent": 0, "nothing": 0}
    assert found["mrr@10"] == pytest.approx({"first": 1, "third": 1 / 3, "absent": 0, "nothing": 0})
    assert found["ndcg@10"]["third"] == pytest.approx(0.5)


def test_retrieval_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    ranks = rng.integers(0, 20, 60)
    names = [f"article-{i}" for i in range(20)]
    rankings = {str(q): tuple(rng.permutation(names)) for q in range(len(ranks))}
    right = {str(q): (rankings[str(q)][rank],) for q, rank in enumerate(ranks)}
    found = metrics.retrieval({q: ranking[:10] for q, ranking in rankings.items()}, right)
    scores = -np.arange(20.0)[None].repeat(len(ranks), 0)
    for k in (1, 5, 10):
        share = top_k_accuracy_score(ranks, scores, k=k, labels=range(20))
        assert np.mean(list(found[f"recall@{k}"].values())) == pytest.approx(share)
    gains = np.eye(20)[ranks]
    assert np.mean(list(found["ndcg@10"].values())) == pytest.approx(
        ndcg_score(gains, scores, k=10), abs=1e-4
    )


def test_refusals_by_hand() -> None:
    assert metrics.precision(REFUSALS) == pytest.approx(2 / 3)
    assert metrics.recall(REFUSALS) == pytest.approx(2 / 3)
    assert metrics.f1(REFUSALS) == pytest.approx(2 / 3)
    assert metrics.precision(np.zeros((3, 2))) == 0.0


def test_calibration_error_by_hand() -> None:
    rows = np.array([(0.95, 1), (0.95, 1), (0.92, 0), (0.15, 0), (1.0, 1)])
    top = abs((1 - 0.95) * 2 + (0 - 0.92) + (1 - 1.0))
    assert calibration_error(rows) == pytest.approx((top + 0.15) / 5)
    bins = metrics.reliability(rows)
    assert [count for *_, count in bins] == [1, 4]
    assert bins[1][:2] == pytest.approx((3.82 / 4, 0.75))


def test_measures_take_many_resampled_runs_at_once() -> None:
    both = np.stack([REFUSALS, REFUSALS[::-1]])
    for statistic in (metrics.mean, metrics.precision, metrics.f1, calibration_error):
        assert statistic(both) == pytest.approx([float(statistic(REFUSALS))] * 2)


class TestIntervals:
    ROWS = (np.arange(200) < 140).astype(float)[:, None]

    def test_surrounds_the_value_as_the_binomial_law_does(self) -> None:
        figure = measured(self.ROWS, metrics.mean, seed=0)
        half_width = 1.96 * (0.7 * 0.3 / 200) ** 0.5
        assert figure.value == 0.7
        assert (figure.low, figure.high) == pytest.approx((0.7 - half_width, 0.7 + half_width), abs=0.012)

    def test_is_the_same_for_the_same_seed_only(self) -> None:
        rows = np.random.default_rng(0).random((50, 1))
        assert measured(rows, metrics.mean, 1) == measured(rows, metrics.mean, 1)
        assert measured(rows, metrics.mean, 1) != measured(rows, metrics.mean, 2)

    def test_of_nothing_is_nothing(self) -> None:
        assert measured(np.empty((0, 1)), metrics.mean, 0).value is None

    def test_of_a_biased_statistic_holds_its_value(self) -> None:
        confidence = np.random.default_rng(0).random(400)
        rows = np.stack([confidence, np.random.default_rng(1).random(400) < confidence], 1)
        figure = measured(rows, calibration_error, 0, biased=True)
        assert None not in (figure.value, figure.low, figure.high)
        assert figure.low < figure.value < figure.high  # type: ignore[operator]

    def test_paired_change_is_surer_than_its_two_ends(self) -> None:
        after = self.ROWS.copy()
        after[140:150] = 1
        shift = moved(self.ROWS, after, metrics.mean, 0)
        assert (shift.before, shift.after) == (0.7, 0.75)
        assert 0 < shift.low < 0.05 < shift.high
        assert shift.p < 0.01
        alone = measured(self.ROWS, metrics.mean, 0)
        assert None not in (alone.low, alone.high)
        assert shift.high - shift.low < alone.high - alone.low  # type: ignore[operator]

    def test_no_change_is_no_finding(self) -> None:
        assert moved(self.ROWS, self.ROWS, metrics.mean, 0).p == 1.0


def test_nothing_to_measure_gives_no_figure() -> None:
    assert {f.value for named in summarise([], 0).figures.values() for f in named.values()} == {None}


def test_the_learning_curve_lays_passes_end_to_end(tmp_path: Path) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_text('{"tokens": 500000, "loss": 2.0}\n{"tokens": 1000000, "f1": 0.5}\n', "utf-8")
    second.write_text('{"tokens": 250000, "f1": 0.6}\n', "utf-8")
    assert learned([first, second]) == [(1.0, 0.5), (1.25, 0.6)]
