"""`sourcier eval`: questions of a file asked of a library, or of the file's own texts."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from qa.cli.output import (
    JsonOption,
    LibraryOption,
    ReaderOption,
    console,
    counted,
    errors_in_one_line,
    fail,
    library_path,
    open_or_offer,
    output,
    plain,
    print_json,
)

SHOWN_WARNINGS = 20
PAGE = "report.html"


def evaluate_command(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="Questions : .jsonl de Sourcier (un dossier docs/ à côté : ses documents), ou .json de SQuAD."
        ),
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
    embedding: Annotated[str | None, typer.Option(help="Embedding des textes du jeu de questions.")] = None,
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
            console.print(f"{counted(count, 'question')} dans {file}.", markup=False)
            return
        if file is None:
            fail("Donnez un fichier de questions : « sourcier eval FICHIER ».", 2)
        from rich.progress import Progress

        from eval import evaluate
        from eval.datasets import load
        from eval.report.tables import show
        from eval.subject import assistant_over
        from qa.assistant import Assistant

        dataset = load(file)
        bar = stack.enter_context(Progress(console=console, transient=True, disable=not console.is_terminal))
        task = bar.add_task("Indexation", total=None)
        if dataset.articles or (dataset.documents and library is None):
            over = assistant_over(
                dataset.articles,
                dataset.documents,
                embedding=embedding,
                reader=reader,
                progress=lambda done: bar.update(task, completed=done.passages),
            )
            assistant = stack.enter_context(over)
        else:
            assistant = Assistant(stack.enter_context(open_or_offer(library_path(library))), reader=reader)

        def tell(done: int, total: int) -> None:
            bar.update(task, description="Questions", completed=done, total=total)

        report = evaluate(
            assistant,
            file,
            limit=limit,
            sample=sample,
            seed=seed,
            output=folder,
            compare=compare_with,
            progress=tell,
        )
    for warning in report.warnings[:SHOWN_WARNINGS]:
        console.print(f"Attention : {plain(warning)}", style="yellow", markup=False)
    if json_:
        print_json(report.summary.to_dict())
        return
    output.print(show(report))
    if folder:
        console.print(f"Rapport : {folder / PAGE}", markup=False)
