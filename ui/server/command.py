"""`sourcier chat`: the window and the same answers over HTTP, from one server."""

from __future__ import annotations

import errno
import ipaddress
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qa.cli.output import LibraryOption, ReaderOption, console, errors_in_one_line, library_path
from qa.errors import SourcierError

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def chat(
    library: LibraryOption = None,
    host: Annotated[
        str, typer.Option(help="Adresse où écouter ; celle-ci n’est vue que de cet ordinateur.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port où écouter.")] = 7860,
    auth: Annotated[
        Path | None,
        typer.Option(
            help="Fichier des utilisateurs, aux mots de passe hachés : "
            "« python -m ui.server.auth NOM » en écrit une ligne.",
            show_default=False,
        ),
    ] = None,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Accepte d’ouvrir à d’autres sans mot de passe.")
    ] = False,
    proxy: Annotated[
        bool,
        typer.Option(
            "--proxy",
            help="Derrière un mandataire (nginx, Caddy) de cet ordinateur : croit ses en-têtes X-Forwarded-*, qui "
            "disent de quelle adresse vient chaque requête. Sans mandataire, ne le donnez pas.",
        ),
    ] = False,
    reader: ReaderOption = None,
    log_json: Annotated[
        bool, typer.Option("--log-json", help="Écrit une ligne JSON par requête sur la sortie standard.")
    ] = False,
) -> None:
    """Ouvre la fenêtre de discussion, et l’API HTTP, sur cet ordinateur."""
    with errors_in_one_line():
        check_address(host, port, protected=auth is not None or no_auth, proxy=proxy)
        console.print("Démarrage de Sourcier…")
        path = library_path(library)
        serve(path, host, port, auth=auth, proxy=proxy, reader=reader, log_json=log_json)


def check_address(host: str, port: int, *, protected: bool, proxy: bool = False) -> None:
    """Raises SourcierError where others would get in without a password, or where the port is taken."""
    if not protected and (proxy or not is_local(host)):
        where = "Derrière un mandataire, Sourcier" if proxy else f"L’adresse {host}"
        raise SourcierError(
            f"{where} est {'vu' if proxy else 'vue'} d’autres ordinateurs : donnez --auth FICHIER, "
            "ou --no-auth pour vous passer de mot de passe."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            why = "ce port est déjà pris" if taken else "cette adresse ou ce port sont refusés"
            raise SourcierError(
                f"Impossible d’écouter sur {shown_address(host, port)}, {why} : "
                "choisissez un autre port avec --port."
            ) from error


def is_local(host: str) -> bool:
    """Whether only this computer can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def shown_address(host: str, port: int) -> str:
    """Host and port as web addresses hold them: an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def serve(
    path: Path,
    host: str,
    port: int,
    *,
    auth: Path | None,
    proxy: bool,
    reader: str | None,
    log_json: bool,
) -> None:
    """Serves the library at `path` until it is stopped; its models load meanwhile."""
    from qa.assistant import Assistant
    from qa.confidence import load_confidence
    from qa.history import History
    from qa.library.library import Library
    from ui.server.application import build_api
    from ui.server.auth import load_users
    from ui.server.originals import originals_router
    from ui.window.app import build_window, mount_window
    from ui.window.session import Engine

    with Library.open(path, create=True) as library:
        assistant = Assistant(library, reader=reader)
        history = History.open(library.path / "history.sqlite")
        users = load_users(auth) if auth else None
        app = build_api(
            assistant, history, users=users, local=is_local(host) and not proxy, log_json=log_json
        )
        app.include_router(originals_router(library))
        engine = Engine(assistant, history, load_confidence().thresholds)
        mount_window(app, build_window(engine), identify=users.identify if users else None)
        threading.Thread(target=assistant.warm_up, name="warm-up", daemon=True).start()
        console.print(f"Sourcier est prêt : http://{shown_address(host, port)}  (Ctrl-C pour l’arrêter)")
        listen(app, host, port, proxy=proxy, log_json=log_json)


def listen(app: ASGIApp, host: str, port: int, *, proxy: bool, log_json: bool) -> None:
    """Answers requests until Ctrl-C; with `proxy`, one of this computer says whence they come."""
    import uvicorn

    own_logs = None if log_json else uvicorn.config.LOGGING_CONFIG
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        log_config=own_logs,
        server_header=False,
        # Without a proxy anyone could write these headers, and each false address would have limits of its own.
        proxy_headers=proxy,
        timeout_graceful_shutdown=2,
    )
