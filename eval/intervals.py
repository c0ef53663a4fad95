"""How sure a figure is: bootstrap intervals (Efron 1979), paired for comparisons (Koehn 2004)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

RESAMPLES = 1000
BLOCK = 1_000_000
Statistic = Callable[[np.ndarray], np.ndarray]
"""Reduces (…, n, k), a row a question, to (…)."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its 95 % interval; `value` is None where nothing could be measured."""

    value: float | None
    low: float | None = None
    high: float | None = None

    @property
    def interval(self) -> list[float | None] | None:
        """Its two ends, or None where nothing could be measured."""
        return None if self.value is None else [self.low, self.high]


@dataclass(frozen=True, slots=True)
class Shift:
    """How far a figure has moved, with its 95 % interval, and how likely that is by chance alone."""

    before: float
    after: float
    low: float
    high: float
    p: float


def measured(rows: np.ndarray, statistic: Statistic, seed: int, *, biased: bool = False) -> Figure:
    """The statistic of rows (n, k) with its percentile interval, from seeded resamples.

    A statistic that is `biased`, such as a sum of absolute gaps, is higher on resamples than on the rows;
    its interval is moved back by as much, no lower than 0.
    """
    if not len(rows):
        return Figure(None)
    value, resampled = float(statistic(rows)), _resampled(rows, statistic, seed)
    if biased:
        resampled = np.maximum(resampled - resampled.mean() + value, 0.0)
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Figure(_rounded(value), _rounded(low), _rounded(high))


def moved(before: np.ndarray, after: np.ndarray, statistic: Statistic, seed: int) -> Shift:
    """The change of the statistic between two runs over the same questions, in the same order.

    The p value is two-sided: twice the share of resamples that deny the change, never below 1/1000.
    """
    change = _resampled(after, statistic, seed) - _resampled(before, statistic, seed)
    low, high = np.percentile(change, [2.5, 97.5])
    denying = min(int((change <= 0).sum()), int((change >= 0).sum()))
    p = min(1.0, 2 * (denying + 1) / (RESAMPLES + 1))
    return Shift(
        _rounded(statistic(before)), _rounded(statistic(after)), _rounded(low), _rounded(high), _rounded(p)
    )


def _resampled(rows: np.ndarray, statistic: Statistic, seed: int) -> np.ndarray:
    """The statistic of each resample, shape (RESAMPLES,); drawn in blocks, to stay small in memory."""
    drawn, n = np.random.default_rng(seed), len(rows)
    block = max(1, min(RESAMPLES, BLOCK // n))
    sizes = [min(block, RESAMPLES - at) for at in range(0, RESAMPLES, block)]
    return np.concatenate([statistic(rows[drawn.integers(0, n, (size, n))]) for size in sizes])


def _rounded(value: float | np.ndarray) -> float:
    return round(float(value), 4)
