"""Measure a system that answers questions: `from eval import evaluate`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eval.report.report import Report
    from eval.runner import Answerer, Progress

__all__ = ["evaluate"]


def evaluate(
    system: Answerer,
    file: str | Path,
    *,
    limit: int | None = None,
    sample: int | None = None,
    seed: int = 0,
    output: str | Path | None = None,
    compare: str | Path | None = None,
    name: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Ask `system` the questions of a file, JSON lines or SQuAD's JSON, and measure its answers.

    `system` is anything with `answer(question) -> qa.Answer`, which knows the file's texts where it has any:
    `eval.datasets.load(file).articles`, under their ids (`eval.subject.assistant_over` makes a Sourcier that
    does). `sample` questions are drawn at random, and the first `limit` asked. `output` is a folder for
    report.json and report.html, where the same call also goes on with an interrupted run; `compare` is an
    earlier report.json; `name` is what the report calls the system. Raises DatasetError where a file is
    malformed, or the folder in use.
    """
    from eval import runner
    from eval.conditions import Clock, exclusive
    from eval.datasets import load
    from eval.kept import Kept
    from eval.report import comparison
    from eval.report.report import Report
    from eval.report.summary import summarise
    from eval.subject import check, describe

    clock = Clock()
    earlier = comparison.read_outcomes(compare) if compare else None
    dataset = load(file)
    questions = runner.choose(dataset.questions, limit, sample, seed)
    subject = describe(system, name)
    questions, misfits = check(system, dataset, questions)
    warnings = [*dataset.warnings, *misfits]
    folder = Path(output) if output is not None else None
    with exclusive(folder) if folder else nullcontext():
        kept = Kept.open(folder, dataset, questions, subject) if folder else None
        outcomes = runner.run(system, questions, kept=kept, progress=progress)
        outcomes, different = runner.time_alone(system, questions, outcomes, seed)
        if different:
            warnings.append(f"{different} questions n’ont pas la même réponse posées seules que par lots.")
        report = Report(
            dataset.name,
            subject,
            clock.stop(len(kept.outcomes) if kept else 0),
            tuple(warnings),
            tuple(outcomes),
            summarise(outcomes, seed),
            comparison.compare(earlier, outcomes, seed) if earlier else None,
        )
        if folder and kept:
            report.save(folder)
            kept.discard()
    return report
