"""The `sourcier` command; `chat` and `eval` join it as entry points, so that this package knows no screen."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from qa.answer import Answer, Citation
from qa.library import Library
from qa.terminal import (
    JsonOption,
    LibraryOption,
    ReaderOption,
    add_with_progress,
    console,
    errors_in_one_line,
    fail,
    library_path,
    open_or_offer,
    output,
    plain,
    show_report,
)

app = typer.Typer(
    help="Sourcier répond à vos questions d’après vos articles, et montre la phrase qui le prouve.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
library_app = typer.Typer(help="Liste, retire, vérifie les articles d’une bibliothèque.", no_args_is_help=True)
app.add_typer(library_app, name="library")


def _show_version(value: bool) -> None:
    if value:
        output.print(f"sourcier {version('sourcier')}")
        raise typer.Exit


@app.callback()
def _main(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Affiche la version.")
    ] = False,
) -> None:
    pass


@app.command()
def index(
    paths: Annotated[list[Path], typer.Argument(help="Fichiers et dossiers : txt, md, html, pdf, docx, jsonl.")],
    library: LibraryOption = None,
    embedding: Annotated[
        str | None,
        typer.Option(help="french-small, french-static, ou tout modèle de sentence-transformers. Change celui d’une bibliothèque existante."),
    ] = None,
    store: Annotated[str | None, typer.Option(help="faiss, ou milvus:URI.")] = None,
    ray: Annotated[str | None, typer.Option(help="Adresse d’une grappe Ray pour calculer les vecteurs.")] = None,
    prune: Annotated[bool, typer.Option(help="Retire les articles dont le fichier a disparu.")] = False,
    json_: JsonOption = False,
) -> None:
    """Met des articles dans la bibliothèque ; ce qui n’a pas changé n’est pas relu."""
    with errors_in_one_line():
        path = library_path(library)
        if embedding is not None and (path / "library.sqlite").is_file():
            _change_embedding(path, embedding)
        with Library.open(path, embedding=embedding, store=store, create=True) as opened:
            report = add_with_progress(opened, paths, prune=prune, ray=ray)
    if json_:
        typer.echo(json.dumps(asdict(report), ensure_ascii=False))
    else:
        show_report(report)
    if report.skipped and not (report.added or report.updated or report.unchanged or report.removed):
        raise typer.Exit(1)


def _change_embedding(path: Path, embedding: str) -> None:
    from embeddings.encoder import load_encoder

    encoder = load_encoder(embedding)
    with Library.open(path) as opened:
        if opened.fingerprint != encoder.fingerprint:
            console.print(f"Calcul des vecteurs avec « {embedding} »…")
            opened.reencode(encoder)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="La question, entre guillemets.")],
    library: LibraryOption = None,
    top_k: Annotated[int, typer.Option(min=1, max=50, help="Nombre de passages rendus.")] = 5,
    reader: ReaderOption = None,
    json_: JsonOption = False,
) -> None:
    """Répond à une question, avec les phrases qui prouvent la réponse."""
    from qa.assistant import Assistant, checked

    with errors_in_one_line():
        checked(question)
        with open_or_offer(library_path(library)) as opened:
            answer = Assistant(opened, reader=reader).answer(question, top_k=top_k)
    if json_:
        typer.echo(json.dumps(answer.to_dict(), ensure_ascii=False))
    else:
        _show(answer)


def _show(answer: Answer) -> None:
    if answer.short is not None:
        output.print(Text.assemble((plain(answer.short), "bold"), f"  (confiance : {answer.confidence:.0%})"))
    else:
        output.print(Text(plain(answer.text.split("\n", 1)[0])))
    for citation in answer.citations:
        output.print()
        output.print(_quoted(citation))
        about = " · ".join(part for part in (citation.title, citation.date, citation.source) if part)
        output.print(Text(f"    {plain(about)}", style="dim"))
    if not answer.answerable and answer.passages:
        output.print(Text("\nPassages les plus proches :", style="dim"))
        for passage in answer.passages[:3]:
            output.print(Text(f"  • {plain(passage.title)} : {plain(passage.text)[:160]}…", style="dim"))


def _quoted(citation: Citation) -> Text:
    """The cited sentence, the short answer in it marked."""
    start = (citation.answer_start if citation.answer_start is not None else citation.start) - citation.start
    end = (citation.answer_end if citation.answer_end is not None else citation.start) - citation.start
    before, short, after = (
        plain(part) for part in (citation.sentence[:start], citation.sentence[start:end], citation.sentence[end:])
    )
    return Text.assemble(f"[{citation.marker}] « ", before, (short, "bold underline"), after, " »")


@library_app.command("list")
def list_(library: LibraryOption = None, json_: JsonOption = False) -> None:
    """Liste les articles."""
    with errors_in_one_line(), Library.open(library_path(library)) as opened:
        articles = opened.articles()
    if json_:
        typer.echo(json.dumps([asdict(a) for a in articles], ensure_ascii=False))
        return
    table = Table("Identifiant", "Titre", "Date", "Passages", "Ajouté")
    for article in articles:
        cells = (article.id, article.title, article.date or "", str(article.passages), article.added[:10])
        table.add_row(*(Text(plain(cell)) for cell in cells))
    output.print(table)


@library_app.command()
def remove(
    article_ids: Annotated[list[str], typer.Argument(help="Identifiants donnés par « sourcier library list ».")],
    library: LibraryOption = None,
    json_: JsonOption = False,
) -> None:
    """Retire des articles."""
    with errors_in_one_line(), Library.open(library_path(library)) as opened:
        removed = opened.remove(article_ids)
    if json_:
        typer.echo(json.dumps({"removed": removed}))
    else:
        console.print(f"{removed} article(s) retiré(s).")
    if removed < len(set(article_ids)):
        fail("Certains identifiants n’existent pas : voyez « sourcier library list ».")


@library_app.command()
def verify(
    library: LibraryOption = None,
    repair: Annotated[bool, typer.Option("--repair", help="Refait les index à partir de SQLite.")] = False,
    json_: JsonOption = False,
) -> None:
    """Vérifie tout : la base, les positions, les vecteurs, les index."""
    with errors_in_one_line(), Library.open(library_path(library)) as opened:
        problems = opened.verify(repair=repair)
    if json_:
        typer.echo(json.dumps({"problems": problems}, ensure_ascii=False))
    elif not problems:
        console.print("La bibliothèque est saine.")
    else:
        for problem in problems:
            console.print(Text(plain(problem), style="red"))
    if problems:
        raise typer.Exit(1)


@library_app.command()
def stats(library: LibraryOption = None, json_: JsonOption = False) -> None:
    """Compte les articles, les passages et la place occupée."""
    with errors_in_one_line(), Library.open(library_path(library)) as opened:
        found = opened.stats()
    if json_:
        typer.echo(json.dumps(asdict(found)))
        return
    output.print(
        f"{found.articles} articles, {found.passages} passages, {found.sentences} phrases, {found.bytes / 1e6:.1f} Mo\n"
        f"embedding {found.embedding} ({found.dimension} dimensions), vecteurs dans {found.store}, révision {found.revision}"
    )


def main() -> None:
    """Run the command line."""
    for point in entry_points(group="sourcier.commands"):
        app.command(point.name)(point.load())
    app()
