"""`sourcier eval`: questions of a file asked of a library, or of the file's own texts."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from qa.terminal import (
    JsonOption,
    LibraryOption,
    ReaderOption,
    console,
    errors_in_one_line,
    fail,
    library_path,
    open_or_offer,
    output,
)


def evaluate_command(
    file: Annotated[
        Path | None, typer.Argument(help="Questions : .jsonl de Sourcier, ou .json de SQuAD 1.1 ou 2.0.")
    ] = None,
    library: LibraryOption = None,
    folder: Annotated[
        Path | None, typer.Option("--output", help="Dossier du rapport ; un essai interrompu y reprend.")
    ] = None,
    compare_with: Annotated[
        Path | None, typer.Option("--compare", help="report.json d’un essai antérieur.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Ne pose que les premières questions.")] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="Tire des questions au hasard.")] = None,
    seed: Annotated[int, typer.Option(help="Graine du tirage et des intervalles.")] = 0,
    embedding: Annotated[str | None, typer.Option(help="Embedding des textes d’un fichier SQuAD.")] = None,
    reader: ReaderOption = None,
    from_feedback: Annotated[
        bool, typer.Option("--from-feedback", help="Écrit en JSONL les questions notées dans la fenêtre.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Mesure les réponses à un jeu de questions, ou fait un jeu des avis donnés dans la fenêtre."""
    with errors_in_one_line(), ExitStack() as stack:
        if from_feedback:
            from eval.feedback import write_questions

            count = write_questions(library_path(library), file)
            console.print(f"{count} question(s) écrite(s).")
            return
        if file is None:
            fail("Donnez un fichier de questions : « sourcier eval FICHIER ».", 2)
        from rich.progress import Progress

        from eval import evaluate
        from eval.comparison import compare, read_outcomes
        from eval.datasets import load
        from qa.assistant import Assistant
        from qa.library import Library

        earlier = read_outcomes(compare_with) if compare_with else None
        dataset = load(file)
        for warning in dataset.warnings[:20]:
            console.print(f"Attention : {warning}", style="yellow", markup=False)
        bar = stack.enter_context(Progress(console=console, transient=True))
        if dataset.articles:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            opened = stack.enter_context(
                Library.open(place, embedding=embedding or "french-small", create=True)
            )
            task = bar.add_task("Indexation", total=None)
            opened.add_articles(dataset.articles, progress=lambda p: bar.update(task, completed=p.passages))
            bar.remove_task(task)
        else:
            opened = stack.enter_context(open_or_offer(library_path(library)))
        task = bar.add_task("Questions", total=sample or limit or len(dataset.questions))
        report = evaluate(
            Assistant(opened, reader=reader), file, limit=limit, sample=sample, seed=seed, output=folder,
            progress=lambda done: bar.update(task, completed=done),
        )  # fmt: skip
        bar.stop()
        comparison = compare(earlier, report, seed) if earlier else None
        if json_:
            found = report.summary.to_dict() | ({"comparison": comparison.to_dict()} if comparison else {})
            typer.echo(json.dumps(found, ensure_ascii=False))
            return
        output.print(report.to_terminal())
        if comparison:
            output.print(comparison.to_terminal())
        if folder:
            console.print(f"Rapport : {folder / 'report.html'}")
