"""Users and their passwords, the authenticator of the window, and that of the API."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes_ui import FakeAssistant, FakeLibrary
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from qa.errors import SourcierError
from qa.history import History, Preferences
from ui.server import auth
from ui.server.application import build_api
from ui.server.auth import Users, credentials, hash_password, load_users
from ui.server.login import COOKIE, FAILURES, Authenticator

ANNE = ("anne", "pont-viaduc")
PAGE = {"accept": "text/html"}


def cheap(password: str) -> auth.Hashed:
    return hash_password(password, log_n=10)


@pytest.fixture
def users() -> Users:
    return Users({"anne": cheap("pont-viaduc"), "zoé": cheap("mot de passe")})


@pytest.fixture
def app(users: Users, tmp_path: Path) -> Iterator[FastAPI]:
    history = History.open(tmp_path / "history.sqlite")
    app = build_api(FakeAssistant(FakeLibrary(tmp_path)), history, users=users)

    @app.get("/")
    def window(request: Request) -> str:
        return users.identify(request) or "personne"

    yield app
    history.close()


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)


def log_in(client: TestClient, name: str, password: str):
    return client.post("/login", data={"name": name, "password": password})


# ---- The file


def test_a_line_holds_a_password_that_cannot_be_read_back(tmp_path: Path) -> None:
    line = f"anne:{hash_password('pont-viaduc')}"
    assert re.fullmatch(r"anne:\$scrypt\$ln=15,r=8,p=3\$[\w+/]{22}\$[\w+/]{43}", line)
    assert "pont" not in line
    assert str(cheap("a")) != str(cheap("a"))
    file = tmp_path / "users"
    file.write_text(f"# Nos utilisateurs\n\n{line}\n", "utf-8")
    users = load_users(file)
    assert users.check(*ANNE) == "anne"
    assert users.check("anne", "pont-viaduC") is None
    assert users.check("absent", "pont-viaduc") is None
    assert users.recognise(*ANNE) == "anne"
    assert users.recognise("anne", "autre") is None


def test_accents_typed_in_two_ways_are_the_same(users: Users) -> None:
    apart = unicodedata.normalize("NFD", "zoé")
    assert apart != "zoé"
    assert users.check(apart, "mot de passe") == "zoé"
    assert users.recognise(apart, "mot de passe") == "zoé"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("", "ne nomme personne"),
        ("anne", "ligne 1"),
        ("anne:pont-viaduc", "ligne 1"),
        (f"#\n:{cheap('a')}", "ligne 2"),
        (f"deux mots:{cheap('a')}", "ligne 1"),
        (f"anne:{cheap('a')}\nanne:{cheap('b')}", "ligne 2 : « anne » y est déjà"),
        (f"local:{cheap('a')}", "choisissez un autre nom"),
        ("anne:$scrypt$ln=40,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + "A" * 43, "ligne 1"),
        ("anne:$scrypt$ln=15,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA", "ligne 1"),
    ],
)
def test_a_file_that_is_wrong_is_told_with_its_line(tmp_path: Path, content: str, word: str) -> None:
    file = tmp_path / "users"
    file.write_text(content, "utf-8")
    with pytest.raises(SourcierError) as told:
        load_users(file)
    assert word in str(told.value).replace("\u00a0", " ")
    assert "\n" not in str(told.value)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(SourcierError, match=r"illisible.*python -m ui.server.auth NOM"):
            load_users(path)
    (tmp_path / "latin").write_bytes(b"zo\xe9:x")
    with pytest.raises(SourcierError, match="illisible"):
        load_users(tmp_path / "latin")


def test_a_line_is_made_from_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    typed = iter(["pont-viaduc", "pont-viaduc", "court", "pont-viaduc", "pont-viaduX"])
    monkeypatch.setattr(auth.getpass, "getpass", lambda _: next(typed))
    assert auth.main(["anne"]) == 0
    (tmp_path / "users").write_text(capsys.readouterr().out, "utf-8")
    assert load_users(tmp_path / "users").check(*ANNE) == "anne"
    assert auth.main(["anne"]) == 1
    assert "8 caractères au moins" in capsys.readouterr().err
    assert auth.main(["anne"]) == 1
    assert "diffèrent" in capsys.readouterr().err
    monkeypatch.setattr(auth.getpass, "getpass", lambda _: "a" * (auth.MAX_PASSWORD + 1))
    assert auth.main(["anne"]) == 1
    assert "1000 caractères au plus" in capsys.readouterr().err
    for wrong in ([], ["a:b"], ["a", "b"]):
        assert auth.main(wrong) == 1
        assert "Usage" in capsys.readouterr().err
    assert auth.main(["local"]) == 1
    assert "choisissez un autre nom" in capsys.readouterr().err


def test_the_command_starts_without_the_window() -> None:
    run = subprocess.run([sys.executable, "-m", "ui.server.auth"], capture_output=True, text=True)
    assert (run.returncode, "python -m ui.server.auth NOM" in run.stderr) == (1, True)
    code = "import sys, ui.server.auth; print('gradio' in sys.modules, 'torch' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "False False\n"


def test_headers_that_name_a_user() -> None:
    assert credentials("Basic YW5uZTpwb250LXZpYWR1Yw==") == ANNE
    assert credentials("Bearer anne:pont-viaduc") == ANNE
    assert credentials("bearer anne:a:b") == ("anne", "a:b")
    assert credentials("Bearer " + "zoé:é".encode().decode("latin-1")) == ("zoé", "é")
    for wrong in ("", "Basic", "Basic !!!", "Basic YW5uZQ==", "Basic /w==", "Bearer sk-123", "Digest a:b"):
        assert credentials(wrong) is None


# ---- The API


def test_the_api_asks_for_a_password(client: TestClient) -> None:
    refused = client.get("/api/articles")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic ")
    assert "Identifiez-vous" in refused.json()["error"]
    assert client.get("/v1/models").json()["error"]["type"] == "authentication_error"
    assert client.get("/api/articles", auth=ANNE).status_code == 200
    assert client.get("/api/articles", auth=("anne", "faux")).status_code == 401
    assert client.get("/v1/models", headers={"authorization": "Bearer anne:pont-viaduc"}).status_code == 200
    for path in (
        "/openapi.json",
        "/static-offline-docs/swagger-ui.css",
        "/originals/a",
        "/gradio_api/info",
        "//api/articles",
    ):
        assert client.get(path).status_code == 401
    assert client.get("/api/health").status_code == 200


def test_each_user_has_their_own_settings(users: Users, tmp_path: Path) -> None:
    history = History.open(tmp_path / "history.sqlite")
    history.save_preferences("anne", Preferences(top_k=1))
    assistant = FakeAssistant(FakeLibrary(tmp_path))
    client = TestClient(build_api(assistant, history, users=users), base_url="http://127.0.0.1")
    for login in (ANNE, ("zoé".encode(), b"mot de passe")):
        client.post("/api/answer", json={"question": "Qui a construit le viaduc ?"}, auth=login)
    assert [top_k for _, top_k, _ in assistant.asked] == [1, Preferences().top_k]
    history.close()


def test_wrong_passwords_are_slowed_down_but_not_those_known_to_be_right(client: TestClient) -> None:
    assert client.get("/api/articles", auth=ANNE).status_code == 200
    statuses = [
        client.get("/api/articles", auth=("anne", f"faux {n}")).status_code for n in range(FAILURES.burst + 1)
    ]
    assert statuses == [401] * FAILURES.burst + [429]
    slowed = log_in(client, "zoé", "mot de passe")
    assert slowed.status_code == 429
    assert int(slowed.headers["retry-after"]) > 1
    assert "Trop de requêtes" in slowed.text
    assert client.get("/api/articles", auth=ANNE).status_code == 200


def enter_at_once(authenticator: Authenticator, passwords: list[str]) -> list[object]:
    """What the authenticator answers, or the status of its refusal, to passwords that one address sends together."""

    async def enter() -> list[object]:
        entering = (authenticator.enter("10.0.0.1", "anne", password) for password in passwords)
        return await asyncio.gather(*entering, return_exceptions=True)

    return [getattr(answer, "status_code", answer) for answer in asyncio.run(enter())]


def test_wrong_passwords_sent_together_are_slowed_down_too(users: Users) -> None:
    answers = enter_at_once(Authenticator(users), [f"faux {n}" for n in range(50)])
    assert (answers.count(None), answers.count(429)) == (FAILURES.burst, 50 - FAILURES.burst)


def test_right_passwords_sent_together_count_for_nothing(users: Users) -> None:
    authenticator = Authenticator(users)
    assert enter_at_once(authenticator, ["pont-viaduc"] * 50) == ["anne"] * 50
    answers = enter_at_once(authenticator, [f"faux {n}" for n in range(FAILURES.burst)])
    assert answers == [None] * FAILURES.burst


@pytest.mark.parametrize("length", [auth.MAX_PASSWORD + 1, 300_000])
def test_a_name_or_a_password_without_end_costs_nothing(
    client: TestClient, users: Users, length: int
) -> None:
    marks = "\u0301\u0323" * (length // 2 + 1)
    began = time.process_time()
    for name, password in ((marks, "x"), ("anne", marks), (marks, marks)):
        assert users.recognise(name, password) is None
        assert users.check(name, password) is None
        assert log_in(client, name, password).status_code in {401, 413, 429}
        assert client.get("/api/articles", auth=(name.encode(), password.encode())).status_code in {
            401,
            431,
            429,
        }
    assert time.process_time() - began < 4


def test_the_longest_password_opens() -> None:
    longest = "é" * auth.MAX_PASSWORD
    users = Users({"anne": cheap(longest)})
    assert users.check("anne", longest) == "anne"
    assert users.recognise("anne", longest) == "anne"


@pytest.mark.parametrize(
    "header", [("authorization", "Bearer " + "é:" * 15_000), ("cookie", 'a="' + "\\1" * 30_000 + '"')]
)
def test_headers_without_end_are_refused_unread(client: TestClient, header: tuple[str, str]) -> None:
    began = time.perf_counter()
    for path in ("/", "/api/articles", "/login", "/v1/models"):
        refused = client.get(path, headers={header[0]: header[1].encode()})
        assert (refused.status_code, "trop gros" in refused.text) == (431, True)
    assert time.perf_counter() - began < 1


def test_a_form_to_log_in_has_an_end(client: TestClient) -> None:
    refused = client.post("/login", content=b"x" * 20_001)
    assert (refused.status_code, "20\u00a0ko au plus" in refused.text) == (413, True)


# ---- The window


def test_a_page_leads_to_the_login_and_back(client: TestClient) -> None:
    sent = client.get("/", headers=PAGE)
    assert (sent.status_code, sent.headers["location"]) == (303, "/login")
    page = client.get("/login")
    assert 'lang="fr"' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert log_in(client, *ANNE).headers["location"] == "/"
    assert client.get("/", headers=PAGE).json() == "anne"
    assert client.get("/api/articles").status_code == 200


def test_a_wrong_password_is_told_and_the_name_kept_as_text(client: TestClient) -> None:
    page = log_in(client, '"><script>alert(1)</script>$name', "faux")
    assert page.status_code == 401
    assert "Nom ou mot de passe faux." in page.text
    assert "<script" not in page.text
    assert "&quot;&gt;&lt;script&gt;" in page.text
    assert COOKIE not in client.cookies
    assert client.post("/login").status_code == 401
    assert client.post("/login", json={"name": "anne"}).status_code == 401


def test_the_cookie_is_closed_to_scripts_and_to_other_sites(app: FastAPI) -> None:
    plain = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)
    cookie = log_in(plain, *ANNE).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    ciphered = TestClient(app, base_url="https://127.0.0.1", follow_redirects=False)
    assert "Secure" in log_in(ciphered, *ANNE).headers["set-cookie"]


def test_logging_out_ends_the_session_for_good(client: TestClient) -> None:
    log_in(client, *ANNE)
    secret = client.cookies[COOKIE]
    out = client.post("/logout")
    assert (out.status_code, out.headers["location"]) == (303, "/login")
    client.cookies.set(COOKIE, secret)
    assert client.get("/", headers=PAGE).status_code == 303
    client.cookies.set(COOKIE, "invente")
    assert client.get("/api/articles").status_code == 401


def test_two_users_at_once_are_two(app: FastAPI) -> None:
    anne, zoe = (TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) for _ in range(2))
    log_in(anne, *ANNE)
    log_in(zoe, "zoé", "mot de passe")
    assert (anne.get("/").json(), zoe.get("/").json()) == ("anne", "zoé")


def test_a_session_ends_in_time(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = users.open_session("anne")
    assert users.of_session(secret) == "anne"
    later = time.monotonic() + auth.SESSION_SECONDS + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert users.of_session(secret) is None
    users.open_session("anne")
    assert list(users._sessions) != [secret]
    assert len(users._sessions) == 1


def test_another_site_cannot_log_anyone_in_or_out(client: TestClient) -> None:
    log_in(client, *ANNE)
    for path in ("/login", "/logout"):
        crossed = client.post(path, headers={"origin": "http://mechant.example"})
        assert crossed.status_code == 403
    assert client.get("/").json() == "anne"
