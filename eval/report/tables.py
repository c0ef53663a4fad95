"""A report, and a comparison, as tables in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from eval.outcome import SUCCESSES
from eval.report.comparison import Comparison, Turned
from eval.report.labels import FIGURES, GROUPS, NATURAL, digits_of, number, signed
from eval.report.report import Report
from qa.cli.output import counted, plain

BAR = 30
SHOWN = 20


def show(report: Report) -> RenderableType:
    """The figures with their intervals, what became of the questions, and what a comparison found."""
    parts: list[RenderableType] = [_figures(report)]
    if report.summary.kinds:
        parts.append(_kinds(report))
    parts.append(_verdicts(report))
    if report.comparison:
        parts += [_comparison(report.comparison), *_turned(report.comparison)]
    return Group(*parts)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(columns[0])
    for column in columns[1:]:
        table.add_column(column, justify="right")
    return table


def _figures(report: Report) -> Table:
    title = f"{plain(report.name)} : {counted(report.summary.n, 'question')}"
    table = _table(title, "Mesure", "Valeur", "Intervalle à 95 %")
    for group, figures in report.summary.figures.items():
        if all(figure.value is None for figure in figures.values()):
            continue
        table.add_row(Text(GROUPS[group][0], style="bold"))
        digits = digits_of(group)
        for name, figure in figures.items():
            interval = f"{number(figure.low, digits)} à {number(figure.high, digits)}"
            table.add_row(
                f"  {FIGURES[group][name]}", number(figure.value, digits), Text(interval, style="dim")
            )
    return table


def _kinds(report: Report) -> Table:
    table = _table("Questions naturelles, par genre", "Genre", "Questions", "Utile", "95 %", "À tort", "95 %")
    for kind, of in report.summary.kinds.items():
        cells: list[str | Text] = []
        for figure in (of.useful, of.harm):
            interval = f"{number(figure.low, 2)} à {number(figure.high, 2)}"
            cells += [number(figure.value), Text(interval, style="dim")]
        table.add_row(plain(NATURAL.get(kind, kind)), str(of.n), *cells)
    return table


def _verdicts(report: Report) -> Table:
    table = _table("Ce que deviennent les questions", "Verdict", "Questions", "Part", "")
    table.columns[-1].justify = "left"
    for verdict, count in report.verdicts.items():
        share = count / report.summary.n
        bar = Text("█" * max(1, round(BAR * share)), style="green" if verdict in SUCCESSES else "red")
        table.add_row(verdict, str(count), f"{number(100 * share, 1)} %", bar)
    return table


def _comparison(comparison: Comparison) -> Table:
    title = f"Comparaison sur {counted(comparison.common, 'question')} en commun"
    table = _table(title, "Mesure", "Avant", "Après", "Différence", "Intervalle à 95 %", "p")
    for (group, name), shift in comparison.shifts.items():
        digits = digits_of(group)
        moved = Text(
            signed(shift.after - shift.before, digits), style="" if shift.low <= 0 <= shift.high else "bold"
        )
        table.add_row(
            f"{GROUPS[group][0]} : {FIGURES[group][name]}",
            number(shift.before, digits),
            number(shift.after, digits),
            moved,
            f"{signed(shift.low, digits)} à {signed(shift.high, digits)}",
            number(shift.p),
        )
    return table


def _turned(comparison: Comparison) -> list[Text]:
    return [_list("Gagnées", comparison.won), _list("Perdues", comparison.lost)]


def _list(label: str, turned: Sequence[Turned]) -> Text:
    lines = [f"{label} : {counted(len(turned), 'question')}"]
    lines += [f"  • {plain(t.question)} ({t.before} → {t.after})" for t in turned[:SHOWN]]
    if len(turned) > SHOWN:
        lines.append(f"  … et {len(turned) - SHOWN} autres, dans le rapport.")
    return Text("\n".join(lines))
