"""The API, in process for its rules, and from a real server for streams, leaving clients and `openai`."""

from __future__ import annotations

import io
import json
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fakes import HashEncoder
from fakes_ui import ARTICLES, FakeAssistant
from fastapi import FastAPI
from fastapi.testclient import TestClient

from qa.answer import Answer, Citation, Step
from qa.errors import LibraryError
from qa.history import History, Preferences
from qa.library.library import Library
from ui.api.openai import exchanges
from ui.api.schemas import ChatMessage
from ui.server.application import BODY_BYTES, LEFT, build_api
from ui.server.limits import Rate, TokenBuckets
from ui.server.logs import JsonLines, request_number
from ui.window.uploads import MAX_FILES

QUESTION = "Qui a construit le viaduc de Garabit ?"
LOCAL = "http://127.0.0.1"


class Site:
    """An application on a real library, with an assistant whose answers are known."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.library = Library.open(folder, embedding=HashEncoder(), create=True)
        self.library.add_articles(ARTICLES)
        self.assistant = FakeAssistant(self.library)
        self.history = History.open(folder / "history.sqlite")
        self.app: FastAPI = build_api(self.assistant, self.history, **options)

    def client(self, **options: Any) -> TestClient:
        return TestClient(self.app, base_url=LOCAL, **options)

    def close(self) -> None:
        self.library.close()
        self.history.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path / "library")
    yield site
    site.close()


@pytest.fixture
def client(site: Site) -> TestClient:
    return site.client()


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Server-sent events, as names and data."""
    blocks = [block.split("\n") for block in text.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


# ---- Answers


def test_an_answer_has_all_the_fields_of_an_answer(client: TestClient) -> None:
    response = client.post("/api/answer", json={"question": QUESTION})
    assert response.status_code == 200
    answer = response.json()
    assert set(answer) == {*Answer.__dataclass_fields__, "text", "answerable"}
    assert answer["kind"] == "span"
    assert set(answer["citations"][0]) == set(Citation.__dataclass_fields__)
    assert answer["short"] in answer["citations"][0]["sentence"]


@pytest.mark.parametrize(
    ("question", "kind", "text"),
    [
        ("Quels sont les métiers ?", "list", "- ingénieur [1]\n- éleveuse [2]"),
        ("Est-ce vieux ?", "yes", "Oui [1]"),
        ("A-t-on du lait ?", "no", "Non [1]"),
        ("Pourquoi ?", "sentences", "Voici ce qu’en disent vos articles :"),
        ("De quoi parle-t-on ?", "articles", "Ces articles en parlent :"),
        ("Xyz ?", "none", "Je n’ai pas trouvé la réponse dans vos articles."),
        ("Bonjour", "talk", "Bonjour ! Posez-moi une question sur vos articles."),
    ],
)
def test_each_kind_of_answer_leaves_as_data(client: TestClient, question: str, kind: str, text: str) -> None:
    answer = client.post("/api/answer", json={"question": question}).json()
    assert (answer["kind"], answer["text"].split("\n\n")[0]) == (kind, text)
    assert answer["answerable"] is (kind not in ("none", "talk"))
    talk = [{"role": "user", "content": question}]
    told = client.post("/v1/chat/completions", json={"messages": talk}).json()
    assert (told["kind"], told["suggestions"]) == (kind, answer["suggestions"])
    assert told["choices"][0]["message"]["content"].startswith(text)


def test_the_stream_gives_steps_with_what_they_found_then_the_answer(client: TestClient) -> None:
    response = client.post("/api/answer/stream", json={"question": QUESTION})
    assert response.headers["content-type"].startswith("text/event-stream")
    (_, search), (_, reading), (_, answer) = got = events(response.text)
    assert [name for name, _ in got] == ["step", "step", "answer"]
    assert search == {"name": "retrieval", "label": "Recherche des passages…", "passages": []}
    assert [passage["article_id"] for passage in reading["passages"]] == [of.id for of in ARTICLES]
    assert answer == client.post("/api/answer", json={"question": QUESTION}).json()


def test_no_path_of_the_server_leaves_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    client = site.client()
    talk = {"messages": [{"role": "user", "content": "De quoi parle-t-on ?"}]}
    given = [
        client.post("/api/answer", json={"question": "De quoi parle-t-on ?"}),
        client.post("/api/answer", json={"question": "Xyz ?"}),
        client.post("/api/answer/stream", json={"question": QUESTION}),
        client.post("/v1/chat/completions", json=talk),
        client.post("/v1/chat/completions", json={**talk, "stream": True}),
        client.get("/api/articles"),
        client.get("/api/articles/fromage-0002"),
    ]
    assert all("fromage-0002.md" in response.text for response in given)
    error = LibraryError(f"Il n’y a pas de bibliothèque dans {site.library.path} : créez-la.")
    monkeypatch.setattr(site.assistant, "stream", broken(error))
    given.append(client.post("/api/answer", json={"question": "Qui ?"}))
    assert given[-1].json()["error"] == "Il n’y a pas de bibliothèque dans library : créez-la."
    assert not [
        response.text for response in given if re.search(r"/articles/\w|/tmp|/library", response.text)
    ]


def test_what_is_asked_reaches_the_assistant(site: Site) -> None:
    body = {"question": "Et quand ?", "history": [{"question": QUESTION, "answer": "Gustave Eiffel [1]"}],
            "top_k": 2, "article_ids": ["viaduc-0001"]}  # fmt: skip
    answer = site.client().post("/api/answer", json=body).json()
    assert site.assistant.asked == [("Et quand ?", 2, ["viaduc-0001"])]
    assert answer["question"] == "Et quand du viaduc de Garabit ?"


def test_what_is_left_out_is_as_in_the_preferences(site: Site) -> None:
    site.history.save_preferences("local", Preferences(top_k=9))
    site.client().post("/api/answer", json={"question": QUESTION})
    site.client().post("/v1/chat/completions", json={"messages": [{"role": "user", "content": QUESTION}]})
    assert [top_k for _, top_k, _ in site.assistant.asked] == [9, 9]


def test_an_unknown_article_is_told_before_asking(site: Site) -> None:
    response = site.client().post("/api/answer", json={"question": QUESTION, "article_ids": ["rien"]})
    assert (response.status_code, response.json()["field"]) == (404, "article_ids")
    assert response.json()["error"] == "Cet article n’est pas, ou plus, dans la bibliothèque."
    assert site.assistant.asked == []


@pytest.mark.parametrize("path", ["/api/answer", "/api/answer/stream"])
def test_a_question_the_assistant_refuses_is_a_422(client: TestClient, path: str) -> None:
    response = client.post(path, json={"question": "x" * 600})
    assert response.status_code == 422
    assert response.json()["error"] == "La question est trop longue : 500 caractères au plus."


def broken(error: Exception) -> Callable[..., Iterator[Any]]:
    def stream(*_: object, **__: object) -> Iterator[Any]:
        yield Step("retrieval", "Recherche des passages…")
        raise error

    return stream


def test_a_fault_amid_the_stream_is_its_last_event_and_is_logged(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(site.assistant, "stream", broken(RuntimeError("secret")))
    response = site.client().post("/api/answer/stream", json={"question": "Qui ?"})
    (_, said) = events(response.text)[-1]
    assert [name for name, _ in events(response.text)] == ["step", "error"]
    assert "journal du serveur" in said["error"]
    assert said["request_id"] == response.headers["x-request-id"]
    assert "secret" not in response.text
    assert "RuntimeError: secret" in caplog.text


def test_an_unexpected_fault_is_a_500_that_tells_its_number_and_nothing_else(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(site.assistant, "stream", broken(RuntimeError("secret")))
    response = site.client().post("/api/answer", json={"question": "Qui ?"}, headers={"X-Request-ID": "n-1"})
    assert response.status_code == 500
    assert response.json()["request_id"] == response.headers["x-request-id"] == "n-1"
    assert "secret" not in response.text
    assert "request n-1 failed" in caplog.text


def test_a_library_that_cannot_be_used_is_a_409(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.assistant, "stream", broken(LibraryError("La bibliothèque est prise.")))
    response = site.client().post("/api/answer", json={"question": "Qui ?"})
    assert (response.status_code, response.json()["error"]) == (409, "La bibliothèque est prise.")
    streamed = events(site.client().post("/api/answer/stream", json={"question": "Qui ?"}).text)
    assert streamed[-1][1]["error"] == "La bibliothèque est prise."


# ---- Refusals in French


@pytest.mark.parametrize(
    ("body", "field", "line"),
    [
        ({}, "question", "Champ « question » : obligatoire."),
        ({"question": 3}, "question", "Champ « question » : il faut un texte."),
        ({"question": "Qui ?", "top_k": 0}, "top_k", "Champ « top_k » : 1 au moins."),
        ({"question": "Qui ?", "top_k": "a"}, "top_k", "Champ « top_k » : il faut un nombre entier."),
        ({"question": "Qui ?", "zut": 1}, "zut", "Champ « zut » : inconnu."),
        ({"question": "Qui ?", "article_ids": []}, "article_ids",
         "Champ « article_ids » : il faut au moins 1 élément(s)."),
        ({"question": "Qui ?", "history": [{"question": "a"}]}, "history.0.answer",
         "Champ « history.0.answer » : obligatoire."),
        ({"question": "Qui ?", "thresholds": {"short": 2, "abstain": 0}}, "thresholds.short",
         "Champ « thresholds.short » : 1 au plus."),
        ({"question": "\ud800"}, "question", "Champ « question » : ce texte n’est pas de l’Unicode valide."),
        ({"question": "Qui ?", "\ud800": 1}, None, "Corps de la requête : ce texte n’est pas de l’Unicode valide."),
        ([], None, "Corps de la requête : il faut un objet JSON, avec l’en-tête « Content-Type: application/json »."),
    ],
)  # fmt: skip
def test_a_wrong_body_is_told_in_one_french_line(
    client: TestClient, body: object, field: str | None, line: str
) -> None:
    sent = json.dumps(body).encode()
    response = client.post("/api/answer", content=sent, headers={"content-type": "application/json"})
    assert response.status_code == 422
    said = response.json()
    assert (said["error"].replace("\u00a0", " "), said["field"]) == (line, field)


@pytest.mark.parametrize("content", [b"{", b"", b"[" * 100_000, b'{"question": "\xff"}'])
def test_a_body_that_is_no_json_is_told(client: TestClient, content: bytes) -> None:
    response = client.post("/api/answer", content=content, headers={"content-type": "application/json"})
    assert response.status_code in {400, 422}
    assert response.json()["error"].endswith(".")


@pytest.mark.parametrize("path", ["/api/rien", "/v1/rien", "/rien", "/api/"])
def test_nothing_there_is_told(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert "Il n’y a rien à cette adresse" in response.text


@pytest.mark.parametrize("path", ["/api", "/api/rien", "/v1", "/v1/rien"])
def test_nothing_there_is_told_by_the_api_not_by_the_window(site: Site, path: str) -> None:
    site.app.mount("", FastAPI())
    response = site.client().get(path)
    assert response.status_code == 404
    error = response.json()["error"]
    line = error["message"] if path.startswith("/v1") else error
    assert "Il n’y a rien à cette adresse" in line


def test_a_wrong_method_is_told_with_the_right_one(client: TestClient) -> None:
    response = client.get("/api/answer")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert "ne connaît pas cette méthode" in response.json()["error"]
    assert "ne connaît pas cette méthode" in client.delete("/v1/models").json()["error"]["message"]


def test_a_body_that_is_too_big_is_refused_by_what_it_says_and_by_what_arrives(client: TestClient) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(BODY_BYTES[""] // 100_000 + 1):
            yield b" " * 100_000

    for content in (b" " * (BODY_BYTES[""] + 1), pieces()):
        response = client.post("/api/answer", content=content, headers={"content-type": "application/json"})
        assert response.status_code == 413
        assert "1\u00a0Mo au plus" in response.json()["error"]


def test_other_names_for_this_computer_are_refused(site: Site) -> None:
    client = site.client()
    for host in ("mechant.example", "127.0.0.1.mechant.example", "", "localhost.mechant.example:7860"):
        assert client.get("/api/articles", headers={"host": host}).status_code == 403
    for host in ("localhost", "localhost:7860", "127.0.0.1:80", "[::1]:7860"):
        assert client.get("/api/articles", headers={"host": host}).status_code == 200


def test_a_server_for_others_answers_to_any_name(tmp_path: Path) -> None:
    site = Site(tmp_path / "library", local=False)
    assert site.client().get("/api/articles", headers={"host": "sourcier.exemple.fr"}).status_code == 200
    site.close()


def test_pages_of_other_sites_change_nothing(site: Site) -> None:
    client = site.client()
    for origin in (
        "http://mechant.example",
        "null",
        "http://127.0.0.1:8000",
        "http://127.0.0.1.mechant.example",
    ):
        response = client.delete("/api/articles/viaduc-0001", headers={"origin": origin})
        assert response.status_code == 403
        assert "autre site" in response.json()["error"]
    assert client.delete("/api/articles/viaduc-0001", headers={"origin": LOCAL}).status_code == 200


def test_who_asks_too_fast_has_to_wait(tmp_path: Path) -> None:
    site = Site(tmp_path / "library", rate=Rate(per_second=0.1, burst=3))
    answers = [site.client().get("/api/articles") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 10
    assert "Trop de requêtes" in answers[-1].json()["error"]
    site.close()


def test_a_bucket_fills_again_and_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    buckets = TokenBuckets(Rate(per_second=2, burst=1))
    assert buckets.wait("a") == 0
    assert buckets.wait("a") == 0.5
    assert buckets.wait("b") == 0
    now = 0.5
    assert buckets.wait("a") == 0
    buckets.give_back("a")
    assert buckets.wait("a") == 0
    assert buckets.wait("a") == 0.5
    buckets.give_back("unknown")
    for client in range(20_000):
        buckets.wait(str(client))
    assert len(buckets._left) == 10_000


# ---- Requests, health, documentation


def test_a_request_keeps_its_number_or_gets_one(client: TestClient) -> None:
    assert client.get("/api/health", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
    for odd in ("a b", "x" * 65, "a\tb"):
        given = client.get("/api/health", headers={"X-Request-ID": odd}).headers["x-request-id"]
        assert re.fullmatch(r"[0-9a-f]{32}", given)


def test_a_request_is_logged_with_its_number_and_without_its_question(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ui.server.limits")
    client.post("/api/answer?a=1", json={"question": QUESTION}, headers={"X-Request-ID": "n-2"})
    (record,) = [record for record in caplog.records if record.name == "ui.server.limits"]
    token = request_number.set("n-2")
    line = json.loads(JsonLines().format(record))
    request_number.reset(token)
    assert (line["method"], line["path"], line["status"], line["request"]) == (
        "POST",
        "/api/answer",
        200,
        "n-2",
    )
    assert "viaduc" not in json.dumps(line)


def test_a_line_of_the_journal_is_one_line_of_json() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("test.journal")
    logger.addHandler(handler)
    try:
        raise RuntimeError("deux\nlignes")
    except RuntimeError:
        logger.exception("échec\nétrange")
    logger.removeHandler(handler)
    (line,) = stream.getvalue().splitlines()
    said = json.loads(line)
    assert (said["level"], said["message"], said["request"]) == ("error", "échec\nétrange", None)
    assert "RuntimeError: deux\nlignes" in said["error"]


def test_health_waits_for_the_models(site: Site, client: TestClient) -> None:
    site.assistant.ready = False
    assert client.get("/api/health").status_code == 503
    assert client.get("/api/health").json()["status"] == "loading"
    site.assistant.ready = True
    assert client.get("/api/health").json()["status"] == "ready"


def test_the_documentation_loads_nothing_from_outside(client: TestClient) -> None:
    page = client.get("/docs").text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert any(address.endswith("swagger-ui-bundle.js") for address in loaded)
    for address in loaded:
        assert address.startswith("/")
        assert client.get(address).status_code == 200
    described = client.get("/openapi.json").json()
    assert {"/api/answer", "/api/answer/stream", "/api/articles", "/api/articles/{article_id}", "/api/health",
            "/v1/chat/completions", "/v1/models"} <= set(described["paths"])  # fmt: skip


# ---- Articles


def test_articles_are_listed_by_page_and_read(client: TestClient) -> None:
    page = client.get("/api/articles", params={"offset": 1, "limit": 1}).json()
    assert page["total"] == len(ARTICLES)
    (one,) = page["articles"]
    article = client.get(f"/api/articles/{one['id']}").json()
    assert article["title"] == one["title"]
    assert len(article["text"]) == one["characters"]
    absent = client.get("/api/articles/rien")
    assert (absent.status_code, absent.json()["field"]) == (404, "article_id")
    assert absent.json()["error"] == "Cet article n’est pas, ou plus, dans la bibliothèque."


def test_files_are_added_updated_and_refused_one_by_one(site: Site) -> None:
    client = site.client()

    def send(*files: tuple[str, bytes]) -> Any:
        return client.post("/api/articles", files=[("files", file) for file in files])

    first = send(
        ("pont.md", b"# Le pont\n\nLe pont ferme mardi."), ("virus.exe", b"MZ"), ("vide.txt", b"")
    ).json()
    (article_id,) = first["added"]
    assert [refusal["file"] for refusal in first["refused"]] == ["virus.exe", "vide.txt"]
    assert send(("pont.md", b"# Le pont\n\nLe pont ferme mardi.")).json()["unchanged"] == [article_id]
    assert send(("pont.md", b"# Le pont\n\nLe pont ferme jeudi.")).json()["updated"] == [article_id]
    assert "jeudi" in client.get(f"/api/articles/{article_id}").json()["text"]
    refused = send(("virus.exe", b"MZ"))
    assert (refused.status_code, refused.json()["field"]) == (422, "files")
    assert "type de fichier non accepté" in refused.json()["error"]


def test_too_many_files_are_told_their_number(client: TestClient) -> None:
    files = [("files", (f"{n}.md", b"# A\n\nB.")) for n in range(MAX_FILES + 1)]
    said = client.post("/api/articles", files=files).json()
    assert said["field"] == "files"
    assert "20 fichiers au plus à la fois" in said["error"]


@pytest.mark.parametrize("other", ["note.txt", "dossier/note.txt", " note.txt"])
def test_two_files_of_one_name_do_not_replace_each_other(site: Site, other: str) -> None:
    files = [("files", ("note.txt", b"Le pont ferme mardi.")), ("files", (other, b"Le lac est froid."))]
    said = site.client().post("/api/articles", files=files).json()
    (article_id,) = said["added"]
    assert site.library.article(article_id).text == "Le pont ferme mardi."
    (refusal,) = said["refused"]
    assert refusal["file"] == "note.txt"
    assert "porte déjà ce nom" in refusal["reason"]


def test_a_refused_file_leaves_nothing_and_replaces_nothing(site: Site) -> None:
    def send(name: str, content: bytes) -> httpx.Response:
        return site.client().post("/api/articles", files=[("files", (name, content))])

    assert send("pont.txt", b"Le pont ferme mardi.").status_code == 200
    assert send("notes.jsonl", b'{"text": "Le lac est froid."}').status_code == 200
    refused = send("pont.txt", b" \n ")
    assert (refused.status_code, refused.json()["field"]) == (422, "files")
    assert refused.json()["error"] == "pont.txt\u00a0: aucun texte trouvé"
    for name, content in [("notes.jsonl", b"\n"), ("faux.pdf", b"%PDF-1.4 rien"), ("vide.txt", b"")]:
        assert send(name, content).status_code == 422
    kept = {path.name: path.read_bytes() for path in (site.library.path / "uploads").iterdir()}
    assert kept == {"pont.txt": b"Le pont ferme mardi.", "notes.jsonl": b'{"text": "Le lac est froid."}'}
    assert site.client().get("/api/articles").json()["total"] == len(ARTICLES) + 2


def test_a_sent_file_stays_in_the_folder_of_uploads(site: Site, tmp_path: Path) -> None:
    names = [
        "../../dehors.md",
        "/etc/absolu.md",
        "..\\..\\fenetres.md",
        ".cache.md",
        "a\x00b.md",
        "..",
        "é" * 300 + ".md",
    ]
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    for number, name in enumerate(names):
        text = f"# Titre {number}\n\nUn texte numéro {number}.".encode()
        site.client().post("/api/articles", files=[("files", (name, text))])
    made = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    kept = {path for path in made if path.suffix == ".md"}
    assert {path.parent for path in kept} == {site.library.path / "uploads"}
    assert len(kept) == len(names) - 1
    assert all(re.fullmatch(r"[\w -]+\.md", path.name) for path in kept)


def test_a_text_is_added_then_updated_then_removed(client: TestClient) -> None:
    sent = {
        "title": "Le pont",
        "text": "Le pont ferme mardi.",
        "source": "https://exemple.fr/pont",
        "date": "2024-05-01",
    }
    (article_id,) = client.post("/api/articles", json=sent).json()["added"]
    assert client.get(f"/api/articles/{article_id}").json()["date"] == "2024-05-01"
    assert client.post("/api/articles", json={**sent, "text": "Le pont ferme jeudi."}).json()["updated"] == [
        article_id
    ]
    assert client.delete(f"/api/articles/{article_id}").json() == {"removed": 1}
    again = client.delete(f"/api/articles/{article_id}")
    assert again.status_code == 404
    assert "n’est pas, ou plus," in again.json()["error"]


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"json": {"text": " \n "}}, 422),
        ({"json": {"texte": "a"}}, 422),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 422),
        ({"content": b"texte"}, 415),
        ({"data": {"files": "pas un fichier"}}, 415),
        ({"files": [("autre", ("a.md", b"# A\n\nB."))]}, 422),
        ({"content": b"--x", "headers": {"content-type": "multipart/form-data; boundary=x"}}, 422),
        ({"content": b"--x", "headers": {"content-type": "multipart/form-data"}}, 400),
        ({"files": [("files", (f"{n}.md", b"# A\n\nB.")) for n in range(MAX_FILES + 1)]}, 422),
    ],
)
def test_what_is_no_article_is_refused_in_french(
    client: TestClient, options: dict[str, Any], status: int
) -> None:
    response = client.post("/api/articles", **options)
    assert response.status_code == status
    assert re.search(r"[éèà’\u00a0]", response.json()["error"])


def test_removing_an_uploaded_article_removes_its_file(site: Site) -> None:
    (article_id,) = (
        site.client().post("/api/articles", files=[("files", ("pont.md", b"# A\n\nB."))]).json()["added"]
    )
    kept = site.library.path / "uploads" / "pont.md"
    assert kept.is_file()
    site.client().delete(f"/api/articles/{article_id}")
    assert not kept.exists()


# ---- OpenAI's shape


def test_messages_become_exchanges() -> None:
    def talk(*messages: tuple[str, str]) -> list[ChatMessage]:
        return [ChatMessage(role=role, content=content) for role, content in messages]  # type: ignore[arg-type]

    assert exchanges(talk(("system", "s"), ("user", "a"), ("assistant", "b"))) == [("a", "b")]
    assert exchanges(talk(("assistant", "Bonjour !"), ("user", "a"), ("user", "b"), ("assistant", "c"))) == [
        ("b", "c")
    ]
    assert exchanges(talk(("user", "a"), ("tool", "t"), ("assistant", "b"), ("assistant", "c"))) == [
        ("a", "b")
    ]
    parts = {
        "role": "user",
        "content": [{"type": "text", "text": "Qui ?"}, {"type": "image_url", "image_url": {}}],
    }
    assert ChatMessage.model_validate(parts).text == "Qui ?"


def test_errors_have_openai_s_shape_there(client: TestClient) -> None:
    response = client.post("/v1/chat/completions", json={"messages": []})
    assert response.status_code == 422
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}
    assert response.json()["error"]["param"] == "messages"
    odd = {"messages": [{"role": "user", "content": 3}]}
    said = client.post("/v1/chat/completions", json=odd).json()["error"]["message"].replace("\u00a0", " ")
    assert said == "Champ « messages.0.content » : il faut un texte."
    odd = {"messages": [{"role": "chef", "content": "Qui ?"}]}
    said = client.post("/v1/chat/completions", json=odd).json()["error"]["message"].replace("\u00a0", " ")
    assert said.startswith("Champ « messages.0.role » : il faut 'system', 'developer'")


class Server:
    """The application served for real, on a free port."""

    def __init__(self, site: Site) -> None:
        self.site = site
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        config = uvicorn.Config(
            site.app, host="127.0.0.1", port=port, log_level="critical", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
            self._thread.join(0.02)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    site = Site(tmp_path_factory.mktemp("http") / "library")
    server = Server(site)
    yield server
    server.stop()
    site.close()


def test_steps_arrive_one_by_one_and_leaving_stops_the_work(server: Server) -> None:
    assistant = server.site.assistant
    assistant.stopped.clear()
    body = {"question": "Une réponse lente ?"}
    with httpx.stream("POST", f"{server.url}/api/answer/stream", json=body, timeout=20) as response:
        lines = response.iter_lines()
        assert next(lines) == "event: step"
        while '"reading"' not in next(lines):
            pass
        assert not assistant.stopped.is_set()
    assert assistant.stopped.wait(10)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/answer", {"question": "Une réponse lente ?"}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Une réponse lente ?"}]}),
    ],
)
def test_leaving_before_the_answer_stops_the_work_and_is_no_fault(
    server: Server, caplog: pytest.LogCaptureFixture, path: str, body: dict[str, Any]
) -> None:
    caplog.set_level(logging.INFO, "ui.server.limits")
    assistant = server.site.assistant
    assistant.stopped.clear()
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(server.url + path, json=body, timeout=httpx.Timeout(20, read=0.5))
    assert assistant.stopped.wait(10)
    until = time.monotonic() + 10
    while not caplog.records and time.monotonic() < until:
        time.sleep(0.02)
    (record,) = caplog.records
    assert record.fields["status"] == LEFT


def test_questions_that_wait_their_turn_are_dropped_when_their_clients_leave(server: Server) -> None:
    def ask() -> None:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(
                f"{server.url}/api/answer",
                json={"question": "Une lente ?"},
                timeout=httpx.Timeout(20, read=1),
            )

    clients = [threading.Thread(target=ask) for _ in range(12)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    answer = httpx.post(f"{server.url}/api/answer", json={"question": QUESTION}, timeout=20)
    assert answer.json()["short"] == "Gustave Eiffel"


def test_the_openai_package_works(server: Server) -> None:
    openai = pytest.importorskip("openai", reason="the openai package is not installed")
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="x", max_retries=0)
    assert [model.id for model in client.models.list()] == ["sourcier"]
    talk = [{"role": "system", "content": "Réponds."}, {"role": "user", "content": QUESTION}]
    whole = client.chat.completions.create(model="sourcier", messages=talk, temperature=0.1, max_tokens=50)
    text = whole.choices[0].message.content
    assert text.startswith("Gustave Eiffel [1]")
    assert "Sources\u00a0:\n[1] Le viaduc de Garabit" in text
    assert whole.citations[0]["article_id"] == "viaduc-0001"
    assert whole.usage.total_tokens > 0

    stream = client.chat.completions.create(
        model="sourcier", messages=talk, stream=True, stream_options={"include_usage": True}
    )
    only, end, counts = list(stream)
    assert (only.choices[0].delta.role, only.choices[0].delta.content) == ("assistant", text)
    assert [part.choices[0].finish_reason for part in (only, end)] == [None, "stop"]
    assert end.citations == whole.citations
    assert counts.usage == whole.usage

    more = [*talk, {"role": "assistant", "content": text}, {"role": "user", "content": "Et quand ?"}]
    assert (
        client.chat.completions.create(model="gpt-5", messages=more)
        .choices[0]
        .message.content.startswith("1884")
    )
    with pytest.raises(openai.UnprocessableEntityError, match="dernier message"):
        client.chat.completions.create(model="sourcier", messages=[{"role": "assistant", "content": "?"}])


def test_a_fault_amid_a_stream_reaches_the_openai_package(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    openai = pytest.importorskip("openai", reason="the openai package is not installed")
    monkeypatch.setattr(server.site.assistant, "stream", broken(LibraryError("La bibliothèque est prise.")))
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="x", max_retries=0)
    talk = [{"role": "user", "content": QUESTION}]
    with pytest.raises(openai.APIError, match="La bibliothèque est prise"):
        list(client.chat.completions.create(model="sourcier", messages=talk, stream=True))


# ---- Whatever the description allows


def test_no_request_the_description_allows_makes_a_fault(tmp_path: Path) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    from hypothesis import HealthCheck, given, settings

    site = Site(tmp_path / "library", local=False, rate=Rate(10_000, 10_000))
    schema = schemathesis.openapi.from_asgi("/openapi.json", site.app)
    # A question without a word, or a file of another kind, is refused, though a schema cannot say so.
    excluded = [schemathesis.checks.CHECKS.get_one("positive_data_acceptance")]
    for found in schema.get_all_operations():

        @settings(
            max_examples=30,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=found.ok().as_strategy())
        def call(case: Any) -> None:
            case.call_and_validate(excluded_checks=excluded)

        call()
    site.close()
