"""A report as one self-contained page in French: figures, plots, and every question, the failures first."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from eval.intervals import measured
from eval.metrics import mean, reliability
from eval.outcome import DEPTH, FAILURES, SUCCESSES, Outcome
from eval.report import labels, plots
from eval.report.plots import Bar
from eval.report.question_words import kinds_of
from eval.report.report import Report
from qa.cli.output import counted

ORDER = {verdict: i for i, verdict in enumerate((*FAILURES, *SUCCESSES))}
CURVE_POINTS = 100
SHOWN_WARNINGS = 20
_MONTH = re.compile(
    r"janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre", re.I
)
_YEAR = re.compile(r"\b(?:1\d|20)\d\d\b")


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot with its title and how to read it."""

    title: str
    caption: str
    svg: Markup


def render(report: Report) -> str:
    """The page; every text of a file or an article is escaped, and no script runs but the page's own."""
    environment = Environment(
        loader=PackageLoader("eval.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": labels.number, "signed": labels.signed, "counted": counted}
    script = environment.get_template("report.js").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("report.html.j2").render(
        report=report,
        labels=labels,
        date=datetime.fromisoformat(report.conditions.date).strftime("%d/%m/%Y à %H:%M UTC"),
        verdicts=[(v, count, ORDER[v]) for v, count in report.verdicts.items()],
        stack=plots.stack(
            [(f"v{ORDER[v]}", count) for v, count in report.verdicts.items()], title="Verdicts"
        ),
        interval=plots.interval,
        measurable={
            group: any(figure.value is not None for figure in figures.values())
            for group, figures in report.summary.figures.items()
        },
        plots=list(_plots(report)),
        outcomes=sorted(report.outcomes, key=lambda o: (ORDER[o.verdict], -o.confidence)),
        order=ORDER,
        rank=_rank,
        DEPTH=DEPTH,
        SHOWN=SHOWN_WARNINGS,
        script=Markup(script),
        digest=digest,
    )


def _plots(report: Report) -> Iterator[Plot]:
    """The plots that there is data for."""
    asked = [o for o in report.outcomes if o.answerable]
    stated = [o for o in asked if o.answers]
    if stated:
        yield Plot(
            "F1 selon le mot interrogatif",
            "Moyenne de bout en bout, trait\u00a0: intervalle à 95 %. À droite, la valeur et le nombre de questions.",
            _means(stated, _kind, "F1 selon le mot interrogatif"),
        )
        yield Plot(
            "F1 selon le type de réponse",
            "La même moyenne, selon la forme de la première réponse attendue.",
            _means(stated, _type, "F1 selon le type de réponse"),
        )
    if asked:
        ranks = np.array([_rank(outcome) or np.inf for outcome in asked])
        yield Plot(
            "Rappel selon le rang",
            "Part des questions dont un bon article est parmi les k premiers.",
            plots.curve(
                [(k, float((ranks <= k).mean())) for k in range(1, DEPTH + 1)],
                title="Rappel selon le rang",
                x_label="k",
                y_label="rappel@k",
                x_ticks=range(1, DEPTH + 1),
                weights=[0] * DEPTH,
            ),
        )
    judged = sorted((-o.confidence, o.correct) for o in report.outcomes if o.short is not None)
    if judged:
        rows = np.array([(-confidence, right) for confidence, right in judged], float)
        bins = reliability(rows)
        yield Plot(
            "Fiabilité de la confiance",
            "Part de réponses justes selon la confiance annoncée\u00a0; aire d’un point\u00a0: nombre de réponses. "
            "L’idéal est la diagonale.",
            plots.curve(
                [(confidence, right) for confidence, right, _ in bins],
                title="Fiabilité de la confiance",
                x_label="confiance annoncée",
                y_label="part juste",
                weights=[count for *_, count in bins],
                diagonal=True,
            ),
        )
        yield Plot(
            "Précision selon la part répondue",
            "Si l’on ne gardait que les réponses les plus sûres\u00a0: part de justes parmi elles. "
            "La courbe s’arrête à la part répondue aujourd’hui.",
            plots.curve(
                _precision_by_coverage(rows[:, 1], len(report.outcomes)),
                title="Précision selon la part répondue",
                x_label="part des questions répondues",
                y_label="précision",
            ),
        )
    if report.summary.steps_ms:
        yield Plot(
            "Temps par étape",
            "Médiane, trait jusqu’au 95e centile. À droite\u00a0: médiane, 95e et 99e centiles, en millisecondes.",
            plots.bars(
                [
                    Bar(labels.STEPS.get(step, step), p["p50"], p["p50"], p["p95"], _milliseconds(p.values()))
                    for step, p in report.summary.steps_ms.items()
                ],
                title="Temps par étape",
            ),
        )


def _means(outcomes: Sequence[Outcome], name: Callable[[Outcome], str], title: str) -> Markup:
    groups: dict[str, list[float]] = {}
    for outcome in outcomes:
        groups.setdefault(name(outcome), []).append(outcome.scores.f1)
    rows = []
    for label, values in sorted(groups.items(), key=lambda group: -len(group[1])):
        figure = measured(np.array(values).reshape(-1, 1), mean, seed=0)
        value, low, high = figure.value or 0.0, figure.low or 0.0, figure.high or 0.0
        rows.append(Bar(label, value, low, high, f"{labels.number(value, 2)} ({len(values)})"))
    return plots.bars(rows, title=title, top=1.0)


def _rank(outcome: Outcome) -> int | None:
    """The rank, from 1, of the first right article."""
    return next((n for n, a in enumerate(outcome.retrieved, start=1) if a in outcome.right), None)


def _kind(outcome: Outcome) -> str:
    kinds = kinds_of(outcome.question)
    return next((label for name, label in labels.KINDS.items() if name in kinds), "autre")


def _type(outcome: Outcome) -> str:
    answer = outcome.answers[0]
    if _MONTH.search(answer) or _YEAR.search(answer):
        return "date"
    if any(c.isdigit() for c in answer):
        return "nombre"
    words = answer.split()
    if sum(word[0].isupper() for word in words) > len(words) / 2:
        return "nom propre"
    return "quelques mots" if len(words) <= 5 else "proposition"


def _precision_by_coverage(right: np.ndarray, total: int) -> list[tuple[float, float]]:
    counts = np.arange(1, len(right) + 1)
    precision = np.cumsum(right) / counts
    shown = np.unique(np.linspace(0, len(right) - 1, min(CURVE_POINTS, len(right))).astype(int))
    return [(float(counts[i] / total), float(precision[i])) for i in shown]


def _milliseconds(values: Iterable[float]) -> str:
    return " · ".join(labels.number(value, 0 if value >= 10 else 1) for value in values)
