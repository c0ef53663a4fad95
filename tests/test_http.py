"""The API, in process for its rules, and from a real server for streams and the `openai` package."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from fakes_ui import FakeAssistant, FakeLibrary
from fastapi.testclient import TestClient

from qa.history import History
from ui.auth import Users, hash_password
from ui.guard import BURST, MAX_BODY_BYTES
from ui.http import build_api

QUESTION = "Qui a été nommé PDG par intérim d’OpenAI ?"
LOCAL = "http://127.0.0.1"


def make_app(folder: Path, *, users: Users | None = None):
    folder.mkdir(parents=True, exist_ok=True)
    assistant = FakeAssistant(FakeLibrary(folder))
    return build_api(assistant, History.open(folder / "history.sqlite"), users=users), assistant


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return TestClient(make_app(tmp_path / "library")[0], base_url=LOCAL)


def test_an_answer_has_the_promised_fields(client: TestClient) -> None:
    response = client.post("/api/answer", json={"question": QUESTION})
    assert response.status_code == 200
    answer = response.json()
    assert answer["short"] in answer["citations"][0]["sentence"]
    assert {"text", "answerable", "confidence", "passages", "timings", "question"} <= set(answer)


def test_a_request_keeps_its_number_or_gets_one(client: TestClient) -> None:
    assert client.get("/api/health", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
    strange = client.get("/api/health", headers={"X-Request-ID": "a b\tc"}).headers["x-request-id"]
    assert strange != "a b\tc"
    assert len(strange) == 32


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "question"),
        ({"question": 3}, "question"),
        ({"question": "Qui ?", "top_k": 0}, "top_k"),
        ({"question": "Qui ?", "autre": 1}, "autre"),
        ({"question": "x" * 2001}, "question"),
    ],
)
def test_a_wrong_body_is_told_in_french(client: TestClient, body: dict[str, object], field: str) -> None:
    response = client.post("/api/answer", json=body)
    assert response.status_code == 422
    assert response.json()["error"].startswith(f"Le champ « {field} »")
    assert "\n" not in response.json()["error"]


def test_other_refusals_are_french_too(client: TestClient) -> None:
    assert "n’existe pas" in client.get("/api/rien").json()["error"]
    assert client.get("/api/answer").status_code == 405
    assert client.post("/api/answer", content=b"{", headers={"content-type": "application/json"}).status_code == 422
    big = client.post("/api/answer", content=b" " * (MAX_BODY_BYTES + 1))
    assert (big.status_code, "trop grosse" in big.json()["error"]) == (413, True)

    def endless() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    assert client.post("/api/answer", content=endless()).status_code == 413
    assert client.get("/api/articles/inconnu").status_code == 404
    assert client.delete("/api/articles/inconnu").status_code == 404


def test_other_hosts_and_origins_are_refused(client: TestClient) -> None:
    assert client.get("/api/articles", headers={"host": "mechant.example"}).status_code == 421
    crossed = client.post("/api/answer", json={"question": "Qui ?"}, headers={"origin": "http://mechant.example"})
    assert crossed.status_code == 403
    same = client.post("/api/answer", json={"question": QUESTION}, headers={"origin": LOCAL})
    assert same.status_code == 200


def test_a_client_in_a_hurry_is_told_to_wait(client: TestClient) -> None:
    statuses = [client.get("/api/articles").status_code for _ in range(int(BURST) + 60)]
    assert statuses[0] == 200
    assert 429 in statuses
    late = client.get("/api/articles")
    if late.status_code == 429:
        assert int(late.headers["retry-after"]) >= 1


def test_docs_load_nothing_from_outside(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "POST /api/answer" in page
    assert "http://" not in page
    assert "https://" not in page
    assert client.get("/openapi.json").json()["paths"]["/api/answer"]["post"]


def test_the_stream_gives_the_text_in_pieces(client: TestClient) -> None:
    with client.stream("POST", "/api/answer/stream", json={"question": QUESTION}) as response:
        blocks = "".join(response.iter_text()).strip().split("\n\n")
    events = [(block.split("\n")[0][7:], json.loads(block.split("\n")[1][6:])) for block in blocks]
    assert events[0][0] == "step"
    name, answer = events[-1]
    assert name == "answer"
    assert "".join(data["text"] for kind, data in events if kind == "delta") == answer["text"]


def test_a_fault_in_the_stream_is_its_last_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, assistant = make_app(tmp_path / "library")

    def broken(*_: object, **__: object):
        raise RuntimeError("secret")
        yield

    monkeypatch.setattr(assistant, "stream", broken)
    text = TestClient(app, base_url=LOCAL).post("/api/answer/stream", json={"question": "Qui ?"}).text
    assert text.startswith("event: error")
    assert "secret" not in text


def test_health_waits_for_the_models(tmp_path: Path) -> None:
    app, assistant = make_app(tmp_path / "library")
    client = TestClient(app, base_url=LOCAL)
    assistant.ready = False
    assert client.get("/api/health").status_code == 503
    assistant.ready = True
    assert client.get("/api/health").json() == {"ready": True}


@pytest.fixture(scope="module")
def users() -> Users:
    return Users({"ana": hash_password("motdepasse")})


def test_a_password_is_asked(tmp_path: Path, users: Users) -> None:
    client = TestClient(make_app(tmp_path / "library", users=users)[0], base_url=LOCAL, follow_redirects=False)
    assert client.get("/api/articles").status_code == 401
    page = client.get("/")
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=/")
    assert client.get("/api/articles", auth=("ana", "motdepasse")).status_code == 200
    assert client.get("/api/articles", auth=("ana", "faux")).status_code == 401
    assert client.post("/login", data={"name": "ana", "password": "faux"}).status_code == 401
    entered = client.post("/login", data={"name": "ana", "password": "motdepasse", "next": "//mechant.example"})
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert client.get("/api/articles").status_code == 200
    client.post("/logout")
    assert client.get("/api/articles").status_code == 401


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, FakeAssistant]]:
    app, assistant = make_app(tmp_path_factory.mktemp("http") / "library")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        assert thread.is_alive()
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}", assistant
    running.should_exit = True
    thread.join(10)


def test_the_openai_package_works(server: tuple[str, FakeAssistant]) -> None:
    openai = pytest.importorskip("openai", reason="the openai package is not installed")
    client = openai.OpenAI(base_url=f"{server[0]}/v1", api_key="x", max_retries=0)
    assert [model.id for model in client.models.list()] == ["sourcier"]
    talk = [{"role": "user", "content": QUESTION}]
    whole = client.chat.completions.create(model="sourcier", messages=talk)
    assert "[1]" in whole.choices[0].message.content
    assert whole.model_extra["sourcier"]["citations"]
    parts = list(client.chat.completions.create(model="sourcier", messages=talk, stream=True))
    assert "".join(p.choices[0].delta.content or "" for p in parts) == whole.choices[0].message.content
    assert parts[-1].choices[0].finish_reason == "stop"
    with pytest.raises(openai.UnprocessableEntityError, match="dernier message"):
        client.chat.completions.create(model="sourcier", messages=[{"role": "assistant", "content": "?"}])


def test_no_request_makes_a_5xx(tmp_path: Path) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    app, assistant = make_app(tmp_path / "library")
    assistant.ready = True
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers={"host": "127.0.0.1"})
    failures = []
    for operation in schema.get_all_operations():
        strategy = operation.ok().as_strategy()

        from hypothesis import HealthCheck, given, settings

        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
        @given(case=strategy)
        def call(case) -> None:
            response = case.call(headers={"host": "127.0.0.1"})
            if response.status_code >= 500:
                failures.append((case.operation.label, response.status_code, response.text[:300]))

        call()
    assert not failures
