"""What the commands share: the screen, errors in one line, options, the sample articles."""

from __future__ import annotations

import io
import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from embeddings.errors import EmbeddingsError
from qa.errors import SourcierError
from qa.library.indexes import reported
from qa.library.library import IndexProgress, IndexReport, Library, Withheld, library_option

console = Console(stderr=True, highlight=False)
output = Console(highlight=False)

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)|.)?", re.DOTALL)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\ud800-\udfff]")


def _default_reader(reader: str | None) -> str | None:
    from qa.settings import settings

    return reader or settings().reader


LibraryOption = Annotated[
    Path | None,
    typer.Option(
        "--library",
        metavar="DOSSIER",
        help="Dossier de la bibliothèque (défaut : $SOURCIER_LIBRARY, sinon vos données d’utilisateur).",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Écrit un objet JSON, pour un programme.")]
ReaderOption = Annotated[
    str | None,
    typer.Option(
        "--reader",
        metavar="MODÈLE",
        callback=_default_reader,
        help="Modèle seq2seq de transformers (dossier, ou nom de hub) qui départage les réponses.",
    ),
]


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
        fail("Interrompu : ce qui est déjà indexé est conservé.", 130)


def plain(text: str) -> str:
    """Text of an article, a title or a file name without anything that a terminal would obey."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text))


def print_json(value: Any) -> None:
    """Print a value on one line of the standard output, with nothing in it that a terminal would obey."""
    line = json.dumps(value, ensure_ascii=not _says_everything(sys.stdout))
    typer.echo(_UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", line))


def _says_everything(stream: IO[str]) -> bool:
    """Whether a stream can write any letter."""
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "").replace("_", "") in (
        "utf8",
        "utf16",
        "utf32",
    )


def write_what_the_console_can() -> None:
    """Let a console that is not UTF-8 write « ? » for a letter it lacks, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not _says_everything(stream):
            stream.reconfigure(errors="replace")


def library_path(given: Path | None) -> Path:
    """The folder of the library named, or of the default one; LibraryError where nothing can be there."""
    path = given if given is not None else Library.default_path()
    with reported():
        path.exists()
    return path


def samples() -> Path | None:
    """The folder of the sample articles, which come with the evaluation package."""
    spec = find_spec("eval")
    places = spec.submodule_search_locations if spec else None
    folders = [Path(place) / "articles" for place in places or ()]
    return next((folder for folder in folders if folder.is_dir()), None)


def open_or_offer(path: Path) -> Library:
    """The library, or, where it is empty or absent, one made of the sample articles if the user agrees."""
    library = Library.open(path) if path.exists() else None
    if library is not None:
        if library.stats().articles:
            return library
        library.close()
    folder, option = samples(), library_option(path)
    problem = f"La bibliothèque {path} est vide"
    fill = f"remplissez-la avec « sourcier index DOSSIER{option} »"
    if folder is None:
        raise SourcierError(f"{problem} : {fill}.")
    if not sys.stdin.isatty():
        command = f"sourcier index {shlex.quote(str(folder))}{option}"
        raise SourcierError(f"{problem} : {fill}, ou avec les articles d’exemple : « {command} ».")
    if not _agreed(f"{problem}. Y mettre les articles d’exemple ?"):
        raise SourcierError(f"{fill[0].upper()}{fill[1:]}.")
    library = Library.open(path, create=True)
    show_report(add_with_progress(library, [folder]))
    return library


def _agreed(question: str) -> bool:
    try:
        console.print(f"{question} [O/n] ", end="", markup=False)
        return input().strip().lower() in ("", "o", "oui", "y", "yes")
    except EOFError:
        return False


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[IndexProgress], None]]:
    """A bar on the screen while the block runs, and what it is to be told."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=None)

        def show(progress: IndexProgress) -> None:
            description = f"{label} ({counted(progress.passages, 'passage')})"
            bar.update(
                task, completed=progress.files, total=progress.files_total or None, description=description
            )

        yield show


def add_with_progress(
    library: Library, paths: list[Path], *, prune: bool = False, ray: str | None = None
) -> IndexReport:
    """Index the paths, with a progress bar on the screen."""
    with progress_bar("Indexation") as show:
        return library.add(paths, prune=prune, ray=ray, progress=show)


def show_report(report: IndexReport, option: str = "") -> None:
    """What indexing did, each file that was skipped, each path not pruned; `option` names the library."""
    for skipped in report.skipped:
        console.print(
            Text(plain(f"Ignoré : {skipped.path} : {skipped.reason}."), style="yellow"), soft_wrap=True
        )
    for notice in report.notices:
        console.print(
            Text(plain(f"À savoir : {notice.path} : {notice.reason}."), style="yellow"), soft_wrap=True
        )
    for place in report.withheld:
        console.print(Text(plain(_kept(place, option)), style="yellow"), soft_wrap=True)
    done = (
        (report.added, "ajouté"),
        (report.updated, "mis à jour"),
        (report.unchanged, "inchangé"),
        (report.removed, "retiré"),
    )
    parts = [f"{counted(len(ids), 'article')} {agree(len(ids), word)}" for ids, word in done if ids]
    parts += [counted(len(report.skipped), "fichier ignoré")] if report.skipped else []
    time = f"{report.seconds:.1f}".replace(".", ",")
    console.print(
        f"{', '.join(parts) or 'Aucun article'} ; {counted(report.passages, 'passage')} en {time} s."
    )


def _kept(place: Withheld, option: str) -> str:
    """What was not removed, why, and how to remove it all the same."""
    why = "n’existe plus" if place.missing else "ne contient plus aucun de ses fichiers"
    held = counted(place.articles, "article")
    stay = f"ses {held} restent" if place.articles > 1 else "son unique article reste"
    command = f"sourcier library remove --under {shlex.quote(place.path)}{option}"
    return (
        f"Conservé : {place.path} {why} (un disque est-il débranché ?), {stay} dans la bibliothèque ; "
        f"pour retirer quand même : « {command} »."
    )


def counted(number: int, noun: str) -> str:
    """The number and its noun, which agrees: « 2 passages », « 1 fichier ignoré »."""
    return f"{number} {' '.join(agree(number, word) for word in noun.split())}"


def agree(number: int, word: str) -> str:
    """The word, in the plural from two on."""
    return word if number < 2 or word == "mis à jour" else f"{word}s"
