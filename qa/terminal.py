"""What the commands share: the screen, errors in one line, the library option, the sample articles."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from embeddings.errors import EmbeddingsError
from qa.errors import SourcierError
from qa.library import IndexProgress, IndexReport, Library

console = Console(stderr=True, highlight=False)
output = Console(highlight=False)

LibraryOption = Annotated[
    Path | None,
    typer.Option("--library", help="Dossier de la bibliothèque [défaut : $SOURCIER_LIBRARY, ou les données de l’utilisateur]."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Écrit un objet JSON, pour un programme.")]
ReaderOption = Annotated[
    str | None,
    typer.Option("--reader", help="Modèle seq2seq de transformers, par un dossier ou un nom de hub, qui départage les réponses."),
]

_CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what was wrong, in one red line, and leave."""
    console.print(Text(plain(message), style="red"), soft_wrap=True)
    raise typer.Exit(code)


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """Turns what a user can mend into one line and exit code 1, and Ctrl-C into a last word and 130."""
    try:
        yield
    except (SourcierError, EmbeddingsError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("Interrompu : ce qui était déjà enregistré est conservé.", 130)


def plain(text: str) -> str:
    """Text of an article, a title or a file name without anything a terminal would obey."""
    return _CONTROL.sub("", text)


def library_path(given: Path | None) -> Path:
    """The library named, or the default one."""
    return given if given is not None else Library.default_path()


def samples() -> Path | None:
    """The folder of the sample articles, which come with the evaluation package."""
    spec = find_spec("eval")
    places = list(spec.submodule_search_locations or []) if spec else []
    folders = [Path(place) / "articles" for place in places]
    return next((folder for folder in folders if folder.is_dir()), None)


def open_or_offer(path: Path) -> Library:
    """The library, or, where it is empty, one made of the sample articles if the user agrees."""
    exists = (path / "library.sqlite").is_file()
    if exists:
        library = Library.open(path)
        if library.articles():
            return library
        library.close()
    folder = samples()
    if folder is None or not sys.stdin.isatty():
        raise SourcierError(f"La bibliothèque {path} est vide : remplissez-la avec « sourcier index DOSSIER ».")
    if not typer.confirm(f"La bibliothèque {path} est vide. Y mettre les articles d’exemple ?", default=True, err=True):
        raise SourcierError("Remplissez la bibliothèque avec « sourcier index DOSSIER ».")
    return index_samples(path, folder)


def index_samples(path: Path, folder: Path) -> Library:
    """A library with the sample articles in it."""
    library = Library.open(path, create=True)
    show_report(add_with_progress(library, [folder]))
    return library


def add_with_progress(
    library: Library, paths: list[Path], *, prune: bool = False, ray: str | None = None
) -> IndexReport:
    """Index the paths, with a progress bar on the screen."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Indexation", total=None)

        def show(progress: IndexProgress) -> None:
            label = f"Indexation ({progress.passages} passages)"
            bar.update(task, completed=progress.files, total=progress.files_total or None, description=label)

        return library.add(paths, prune=prune, ray=ray, progress=show)


def show_report(report: IndexReport) -> None:
    """What indexing did, and each file that was skipped."""
    for skipped in report.skipped:
        console.print(Text(plain(f"Ignoré : {skipped.path} : {skipped.reason}."), style="yellow"))
    console.print(
        f"{len(report.added)} article(s) ajouté(s), {len(report.updated)} mis à jour, {len(report.unchanged)} inchangé(s), "
        f"{len(report.removed)} retiré(s), {len(report.skipped)} fichier(s) ignoré(s) ; "
        f"{report.passages} passages en {report.seconds:.1f} s."
    )
