"""`sourcier chat`: who may be let in, and what is said where it cannot start."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import typer
import uvicorn
from typer.testing import CliRunner

from qa.errors import SourcierError
from ui.server.command import chat, check_address, is_local, listen, shown_address


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
     ("192.168.1.4", False), ("::", False), ("exemple.fr", False)],
)  # fmt: skip
def test_which_addresses_only_this_computer_sees(host: str, local: bool) -> None:
    assert is_local(host) is local


def test_others_are_not_let_in_without_a_word() -> None:
    with pytest.raises(SourcierError, match="donnez --auth FICHIER, ou --no-auth"):
        check_address("0.0.0.0", 7860, protected=False)


def test_behind_a_proxy_others_are_not_let_in_either() -> None:
    with pytest.raises(SourcierError, match=r"mandataire.*donnez --auth FICHIER, ou --no-auth"):
        check_address("127.0.0.1", 7860, protected=False, proxy=True)


@pytest.mark.parametrize(("proxy", "seen"), [(False, ("127.0.0.1", 5)), (True, ("203.0.113.9", 0))])
def test_where_a_request_comes_from_is_believed_of_a_proxy_only(
    monkeypatch: pytest.MonkeyPatch, proxy: bool, seen: tuple[str, int]
) -> None:
    told: list[object] = []

    async def app(scope, receive, send) -> None:
        told.append(tuple(scope["client"]))

    configs: list[uvicorn.Config] = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **given: configs.append(uvicorn.Config(app, **given)))
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    listen(app, "127.0.0.1", 7860, proxy=proxy, log_json=True)
    (config,) = configs
    config.load()
    forged = [(b"x-forwarded-for", b"203.0.113.9"), (b"x-forwarded-proto", b"https")]
    scope = {"type": "http", "client": ("127.0.0.1", 5), "scheme": "http", "headers": forged}
    with ThreadPoolExecutor(1) as pool:  # another test's browser may have a loop in this thread
        pool.submit(asyncio.run, config.loaded_app(scope, None, None)).result()
    assert told == [seen]


def test_a_port_that_is_taken_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SourcierError, match=f"Impossible d’écouter sur 127.0.0.1:{port}"):
            check_address("127.0.0.1", port, protected=False)


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1:7860"), ("exemple.fr", "exemple.fr:7860"), ("::1", "[::1]:7860")],
)
def test_an_address_is_shown_as_browsers_read_it(host: str, shown: str) -> None:
    assert shown_address(host, 7860) == shown


def test_its_help_says_how_to_write_the_file_of_users() -> None:
    app = typer.Typer()
    app.command()(chat)
    result = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"})
    assert "python -m ui.server.auth NOM" in " ".join(result.output.split())


def test_the_command_says_it_in_one_line() -> None:
    app = typer.Typer()
    app.command()(chat)
    result = CliRunner().invoke(app, ["--host", "0.0.0.0"])
    assert result.exit_code == 1
    assert "--no-auth" in result.output
    assert "Traceback" not in result.output


def test_its_help_loads_nothing_heavy() -> None:
    code = "import sys, ui.server.command; print(sorted({'gradio', 'torch', 'fastapi', 'faiss'} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )
