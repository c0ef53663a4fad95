"""Measure a system that answers questions: `from eval import evaluate`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eval.report import Report
    from eval.runner import Answerer

__all__ = ["evaluate"]


def evaluate(
    system: Answerer,
    file: str | Path,
    *,
    limit: int | None = None,
    sample: int | None = None,
    seed: int = 0,
    output: str | Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Ask `system` the questions of a file (JSON lines or SQuAD), and measure its answers.

    `system` is anything with `answer(question) -> qa.Answer`. `output` is a folder: the outcomes are kept
    there as they come, so that the same call goes on with an interrupted run, and the report is written
    there. Raises DatasetError where the file is malformed.
    """
    from eval.datasets import load
    from eval.report import Report
    from eval.runner import choose, run
    from eval.summary import summarise

    dataset = load(Path(file))
    questions = choose(dataset.questions, limit, sample, seed)
    folder = Path(output) if output is not None else None
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    outcomes = run(system, questions, kept=folder / "outcomes.jsonl" if folder else None, progress=progress)
    report = Report(dataset.name, dataset.warnings, tuple(outcomes), summarise(outcomes, seed))
    if folder:
        report.save(folder)
    return report
