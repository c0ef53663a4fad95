"""A run's report: for a program (report.json), for a person (report.html), for a terminal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table

from eval import plots
from eval.metrics import reliability
from eval.runner import RIGHT, Outcome
from eval.summary import Summary
from qa.question import KINDS, analyse

LABELS = {
    "retrieval": "Recherche", "evidence": "Phrases", "reading": "Lecture (bon texte donné)", "answer": "De bout en bout",
    "citation": "Citations", "abstention": "Refus", "calibration": "Confiance", "latency_ms": "Temps (ms)",
}  # fmt: skip
KIND_LABELS = {
    "who": "qui", "when": "quand", "where": "où", "how_many": "combien", "why": "pourquoi", "how": "comment",
    "which": "quel", "what": "que", "name": "quel nom", "plural": "quels",
}  # fmt: skip
FAILURES = (
    "répondu à tort", "bien classé mais mal lu", "refusé à tort", "retrouvé mais mal classé", "non retrouvé",
    "bonne phrase, sans réponse courte",
)  # fmt: skip
SUCCESSES = ("juste", "refusé à raison")


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a run found."""

    name: str
    warnings: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    summary: Summary

    def to_dict(self) -> dict[str, Any]:
        """The figures, and every outcome: what a later run can be compared with."""
        return {**self.summary.to_dict(), "name": self.name, "outcomes": [asdict(o) for o in self.outcomes]}

    def save(self, folder: Path) -> None:
        """Write report.json and report.html."""
        (folder / "report.json").write_text(json.dumps(self.to_dict(), ensure_ascii=False, indent=1), "utf-8")
        (folder / "report.html").write_text(self.to_html(), "utf-8")

    def to_html(self) -> str:
        """One self-contained page in French."""
        from jinja2 import Environment, PackageLoader

        environment = Environment(
            loader=PackageLoader("eval"), autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        order = {verdict: i for i, verdict in enumerate((*FAILURES, *SUCCESSES))}
        verdicts = Counter(o.verdict for o in self.outcomes)
        return environment.get_template("report.html.j2").render(
            name=self.name,
            today=date.today().strftime("%d/%m/%Y"),
            n=self.summary.n,
            warnings=self.warnings,
            groups=[(LABELS[g], g, figures) for g, figures in self.summary.figures.items()],
            intervals=self.summary.intervals,
            verdicts=[(v, verdicts[v], v in SUCCESSES) for v in order if verdicts[v]],
            plots=list(_plots(self.outcomes)),
            outcomes=sorted(self.outcomes, key=lambda o: order[o.verdict]),
            successes=SUCCESSES,
        )

    def to_terminal(self) -> RenderableType:
        """The figures and the causes of failure, as tables."""
        table = Table(
            "Mesure", "Valeur", "Intervalle à 95 %", title=f"{self.name} : {self.summary.n} questions"
        )
        for group, figures in self.summary.figures.items():
            for name, value in figures.items():
                low, high = self.summary.intervals[group][name]
                digits = 0 if group == "latency_ms" else 3
                table.add_row(
                    f"{LABELS[group]} · {name}",
                    f"{value:.{digits}f}",
                    f"{low:.{digits}f} – {high:.{digits}f}",
                )
        causes = Table("Verdict", "Questions")
        for verdict, count in Counter(o.verdict for o in self.outcomes).most_common():
            causes.add_row(verdict, str(count))
        return Group(table, causes)


def _plots(outcomes: Sequence[Outcome]) -> Iterable[tuple[str, str, str]]:
    """(title, explanation, SVG) of each plot that there is data for."""
    asked = [o for o in outcomes if o.answerable]
    if asked:
        kinds = _by_kind(asked)
        yield (
            "F1 par mot interrogatif",
            "Moyenne de bout en bout ; entre parenthèses, le nombre de questions.",
            plots.bars(kinds),
        )
        ranks = [next((i for i, a in enumerate(o.retrieved) if a in o.right), None) for o in asked]
        recall = [(float(k), float(np.mean([r is not None and r < k for r in ranks]))) for k in range(1, 11)]
        yield (
            "Rappel selon le rang",
            "Part des questions dont un bon article est parmi les k premiers.",
            plots.line(recall, "k", "rappel"),
        )
        types = _by_type(asked)
        yield "F1 par type de réponse", "Selon ce qu’est la réponse attendue.", plots.bars(types)
    judged = [(o.confidence, float(o.answerable and o.f1 >= RIGHT)) for o in outcomes]
    points = [(c, r) for c, r, _ in reliability([c for c, _ in judged], [r for _, r in judged])]
    yield (
        "Fiabilité de la confiance",
        "Part de réponses justes selon la confiance annoncée ; l’idéal est la diagonale.",
        plots.line(points, "confiance", "part juste", diagonal=True),
    )
    curve = _precision_by_coverage(outcomes)
    if curve:
        yield (
            "Précision selon la part répondue",
            "En ne répondant qu’aux questions les plus sûres.",
            plots.line(curve, "part répondue", "précision"),
        )
    steps = {
        step: [o.timings[step] for o in outcomes if step in o.timings]
        for step in dict.fromkeys(s for o in outcomes for s in o.timings)
    }
    medians = [(step, float(np.median(values)), len(values)) for step, values in steps.items()]
    yield (
        "Temps médian par étape (ms)",
        "En traitement par lots, le temps d’un lot divisé par ses questions.",
        plots.bars(medians, digits=1),
    )


def _by_kind(asked: Sequence[Outcome]) -> list[tuple[str, float, int]]:
    names = list(KINDS)
    groups: dict[str, list[float]] = {}
    for outcome in asked:
        kinds = analyse(outcome.question).kinds
        label = next((KIND_LABELS[name] for name, value in zip(names, kinds, strict=True) if value), "autre")
        groups.setdefault(label, []).append(outcome.f1)
    return [
        (label, float(np.mean(values)), len(values))
        for label, values in sorted(groups.items(), key=lambda g: -len(g[1]))
    ]


def _by_type(asked: Sequence[Outcome]) -> list[tuple[str, float, int]]:
    groups: dict[str, list[float]] = {}
    for outcome in asked:
        answer = outcome.answers[0] if outcome.answers else ""
        if any(c.isdigit() for c in answer):
            label = "nombre ou date"
        elif answer[:1].isupper():
            label = "nom propre"
        else:
            label = "court" if len(answer.split()) <= 4 else "proposition"
        groups.setdefault(label, []).append(outcome.f1)
    return [(label, float(np.mean(values)), len(values)) for label, values in groups.items()]


def _precision_by_coverage(outcomes: Sequence[Outcome]) -> list[tuple[float, float]]:
    ordered = sorted((o for o in outcomes if o.short is not None), key=lambda o: -o.confidence)
    right = np.cumsum([float(o.answerable and o.f1 >= RIGHT) for o in ordered])
    step = max(1, len(ordered) // 50)
    return [((n + 1) / len(outcomes), float(right[n] / (n + 1))) for n in range(0, len(ordered), step)]
