"""The `sourcier` command; `chat` and `eval` join it as entry points, so that this package knows no screen."""

from __future__ import annotations

import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text

from qa.cli.answers import show_answer
from qa.cli.french import USAGE, ExtensibleGroup, FrenchGroup
from qa.cli.output import (
    JsonOption,
    LibraryOption,
    ReaderOption,
    add_with_progress,
    agree,
    console,
    counted,
    fail,
    library_path,
    open_or_offer,
    output,
    plain,
    print_json,
    progress_bar,
    show_report,
    write_what_the_console_can,
)
from qa.library.library import TRUTH, Library, library_option

STDIN_CHARACTERS = 100_000

app = typer.Typer(
    cls=ExtensibleGroup,
    help="Sourcier répond à vos questions d’après vos articles, et montre la phrase qui le prouve.",
    subcommand_metavar="COMMANDE …",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
library_app = typer.Typer(
    cls=FrenchGroup,
    help="Liste, retire, vérifie les articles d’une bibliothèque.",
    subcommand_metavar="COMMANDE …",
    no_args_is_help=True,
)
app.add_typer(library_app, name="library")


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"sourcier {version('sourcier')}")
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
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="CHEMIN…",
            help="Fichiers et dossiers : textes, PDF, pages web, bureautique, courriels, zip.",
        ),
    ] = None,
    library: LibraryOption = None,
    embedding: Annotated[
        str | None,
        typer.Option(
            metavar="NOM",
            help="french-small, french-static, ou un modèle de sentence-transformers ; "
            "une bibliothèque faite avec un autre est recalculée.",
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="OÙ", help="Où chercher les vecteurs : faiss (sur ce disque), ou milvus:ADRESSE."
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADRESSE", help="Grappe Ray qui calcule les vecteurs d’une grande collection."),
    ] = None,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Retire les articles dont le fichier a disparu de ces chemins, mais aucun d’un dossier qui n’existe "
            "plus ou s’est vidé, comme celui d’un disque débranché : voyez « sourcier library remove --under ».",
        ),
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Met des articles dans la bibliothèque ; ce qui n’a pas changé n’est pas relu."""
    path = library_path(library)
    if embedding is not None and (path / TRUTH).is_file():
        _change_embedding(path, embedding)
    updated = _brought_up_to_date(path, ray)
    if not paths and embedding is None:
        if updated and not json_:
            return
        if not updated:
            fail("Donnez des fichiers ou des dossiers : « sourcier index CHEMIN… ».", USAGE)
    with Library.open(path, embedding=embedding, store=store, create=True) as opened:
        report = add_with_progress(opened, paths or [], prune=prune, ray=ray)
    if json_:
        print_json(asdict(report))
    if not json_ or report.skipped or report.withheld:
        show_report(report, library_option(path))
    taken = report.added or report.updated or report.unchanged or report.removed
    if report.withheld or (report.skipped and not taken):
        raise typer.Exit(1)


def _brought_up_to_date(path: Path, ray: str | None) -> bool:
    """Bring the library of an earlier version up to date; whether there was one."""
    if not (path / TRUTH).is_file():
        return False
    with Library.open(path, update=True) as opened:
        if opened.is_up_to_date:
            return False
        with progress_bar("Mise à jour de la bibliothèque") as show:
            opened.bring_up_to_date(ray=ray, progress=show)
    console.print("La bibliothèque est à jour.", markup=False)
    return True


def _change_embedding(path: Path, embedding: str) -> None:
    from embeddings.encoders.encoder import load_encoder

    encoder = load_encoder(embedding)
    with Library.open(path, update=True) as opened:
        if opened.fingerprint != encoder.fingerprint:
            with progress_bar("Nouveaux vecteurs") as show:
                opened.reencode(encoder, progress=show)
            console.print(f"Les vecteurs sont maintenant ceux de « {embedding} ».", markup=False)


@app.command()
def ask(
    question: Annotated[
        str,
        typer.Argument(
            metavar="QUESTION", help="La question, entre guillemets, ou - pour la lire de l’entrée standard."
        ),
    ],
    library: LibraryOption = None,
    top_k: Annotated[int, typer.Option(min=1, max=50, metavar="N", help="Nombre de passages rendus.")] = 5,
    reader: ReaderOption = None,
    json_: JsonOption = False,
) -> None:
    """Répond à une question, avec les phrases qui prouvent la réponse."""
    from qa.assistant import Assistant, checked

    if question == "-":
        question = sys.stdin.read(STDIN_CHARACTERS)
    checked(question)
    with open_or_offer(library_path(library)) as opened, console.status("Recherche…"):
        answer = Assistant(opened, reader=reader).answer(question, top_k=top_k)
    if json_:
        print_json(answer.to_dict())
    else:
        show_answer(answer)


@library_app.command("list")
def list_(library: LibraryOption = None, json_: JsonOption = False) -> None:
    """Liste les articles."""
    with Library.open(library_path(library)) as opened:
        articles = opened.articles()
    if json_:
        print_json({"articles": [asdict(article) for article in articles]})
        return
    table = Table(Column("Identifiant", overflow="fold"), "Titre", "Date", "Passages", "Ajouté")
    for article in articles:
        cells = (article.id, article.title, article.date or "", str(article.passages), article.added[:10])
        table.add_row(*(Text(plain(cell)) for cell in cells))
    output.print(table)


@library_app.command()
def remove(
    article_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="IDENTIFIANT…", help="Identifiants donnés par « sourcier library list »."),
    ] = None,
    under: Annotated[
        Path | None,
        typer.Option(
            metavar="DOSSIER",
            help="Retire tous les articles lus dans ce dossier, qu’il existe encore ou non ; les fichiers restent.",
        ),
    ] = None,
    library: LibraryOption = None,
    json_: JsonOption = False,
) -> None:
    """Retire des articles."""
    ids = set(article_ids or ())
    if not ids and under is None:
        fail("Il manque « IDENTIFIANT… » : voyez « sourcier library remove --help ».", USAGE)
    with Library.open(library_path(library)) as opened:
        named = opened.remove(sorted(ids)) if ids else 0
        below = opened.remove_below(under) if under is not None else 0
    removed = named + below
    if json_:
        print_json({"removed": removed})
    else:
        console.print(f"{counted(removed, 'article')} {agree(removed, 'retiré')}.")
    if named < len(ids):
        fail("Certains identifiants n’existent pas : voyez « sourcier library list ».")
    if under is not None and not below:
        fail(f"Aucun article n’a été lu sous {under} : voyez « sourcier library list --json ».")


@library_app.command()
def verify(
    library: LibraryOption = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Refait à partir des textes les vecteurs et les index abîmés.")
    ] = False,
    json_: JsonOption = False,
) -> None:
    """Vérifie tout : la base, les positions, les vecteurs, les index."""
    with Library.open(library_path(library)) as opened, console.status("Vérification…"):
        problems = opened.verify(repair=repair)
    if json_:
        print_json({"problems": problems})
    elif not problems:
        console.print("La bibliothèque est saine.")
    for problem in () if json_ else problems:
        console.print(Text(plain(problem), style="red"), soft_wrap=True)
    if problems:
        raise typer.Exit(1)


@library_app.command()
def stats(library: LibraryOption = None, json_: JsonOption = False) -> None:
    """Compte les articles, les passages et la place occupée."""
    with Library.open(library_path(library)) as opened:
        found = opened.stats()
    if json_:
        print_json(asdict(found))
        return
    size = f"{found.bytes / 1e6:.1f}".replace(".", ",")
    for line in (
        f"{counted(found.articles, 'article')}, {counted(found.passages, 'passage')}, "
        f"{counted(found.sentences, 'phrase')}, {size} Mo",
        f"Vecteurs : {found.embedding} ({found.dimension} dimensions), dans {found.store}",
        f"Révision {found.revision}",
    ):
        output.print(line, markup=False)


def main() -> None:
    """Run the command line."""
    write_what_the_console_can()
    app()
