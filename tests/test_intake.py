"""What the window takes from a browser, asked as a browser that lies would ask."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from fakes_ui import ARTICLES, FakeAssistant, FakeLibrary
from fastapi.testclient import TestClient

from qa.confidence import Thresholds
from qa.history import History
from ui.server.application import build_api
from ui.server.intake import NOT_SENT
from ui.window.app import build_window, mount_window
from ui.window.session import Engine

SECRET = "Le mot secret est ornithorynque."


class Place:
    """The window served in process; the header X-User names the user."""

    def __init__(self, folder: Path) -> None:
        self.library = FakeLibrary(folder / "library")
        self.history = History.open(folder / "history.sqlite")
        assistant = FakeAssistant(self.library)
        self.window = build_window(Engine(assistant, self.history, Thresholds(short=0.3, abstain=0.1)))
        app = build_api(assistant, self.history)
        mount_window(app, self.window, identify=lambda request: request.headers.get("x-user", "local"))
        self.client = TestClient(app, base_url="http://127.0.0.1")
        self._sessions = 0

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every event that runs on the server, as the page is told them."""
        dependencies = self.client.get("/config").json()["dependencies"]
        return [event for event in dependencies if event["backend_fn"]]

    def send(self, event: int, data: list[Any], user: str = "local") -> dict[str, Any]:
        """What an event gives in the end."""
        self._sessions += 1
        session, headers = f"session{self._sessions}", {"x-user": user}
        body = {"data": data, "fn_index": event, "session_hash": session, "event_data": {}}
        joined = self.client.post("/gradio_api/queue/join", json=body, headers=headers)
        assert joined.status_code == 200, joined.text
        stream = self.client.get("/gradio_api/queue/data", params={"session_hash": session}, headers=headers)
        told = [json.loads(line.removeprefix("data:")) for line in stream.text.split("\n\n") if line.strip()]
        return next(message for message in told if message["msg"] == "process_completed")

    def upload(self, name: str, content: str, user: str = "local") -> str:
        """Sends a file as the page does; gives the place that Gradio tells."""
        files = [("files", (name, content.encode()))]
        return self.client.post("/gradio_api/upload", files=files, headers={"x-user": user}).json()[0]

    @property
    def adding(self) -> dict[str, Any]:
        """The event that adds the files sent."""
        (event,) = (event for event in self.events if any(on == "upload" for _, on in event["targets"]))
        return event


def named(path: object) -> dict[str, Any]:
    """A file as a browser names it."""
    return {"path": path, "orig_name": "a.txt", "meta": {"_type": "gradio.FileData"}}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "sent"))
    (tmp_path / "library").mkdir()
    place = Place(tmp_path)
    with place.client:
        yield place
    place.history.close()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "users.txt"
    file.write_text(SECRET, "utf-8")
    return file


def foreign(tmp_path: Path, secret: Path) -> list[object]:
    """Names of a file that was not sent, in every way found."""
    sent = tmp_path / "sent"
    (sent / "folder").mkdir(parents=True)
    (sent / "folder" / "link.txt").symlink_to(secret)
    (sent / "all").symlink_to(tmp_path)
    (sent / "left.txt").write_text(SECRET, "utf-8")
    return [
        str(secret),
        str(sent / ".." / secret.name),
        str(sent / "folder" / "link.txt"),
        str(sent / "all" / secret.name),
        str(sent / "left.txt"),
        "http://127.0.0.1:9/a.txt",
        "https://127.0.0.1:9/a.txt",
        "a\0b.txt",
        "",
        3,
    ]


def copies(tmp_path: Path) -> set[Path]:
    return {path for path in (tmp_path / "sent").rglob("*") if path.is_file()}


def test_no_event_takes_a_file_that_was_not_sent(
    place: Place, tmp_path: Path, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []

    async def fetch(url: str, **_: object) -> str:
        fetched.append(url)
        return str(secret)

    monkeypatch.setattr(gr.processing_utils, "async_ssrf_protected_download", fetch)
    paths = foreign(tmp_path, secret)
    before = copies(tmp_path)
    adding, asked = place.adding["id"], 0
    for event in place.events:
        for number in range(len(event["inputs"])):
            own = event["id"] == adding and number == 2
            for path in paths if own else [str(secret), "http://127.0.0.1:9/a.txt"]:
                data: list[Any] = [None] * len(event["inputs"])
                data[number] = [named(path)] if own else {"value": [named(path)]}
                told = place.send(event["id"], data)
                assert not told["success"], (event["id"], number, path)
                assert told["output"]["error"] == NOT_SENT
                asked += 1
    assert asked > 50
    assert fetched == []
    assert copies(tmp_path) == before
    assert secret.read_text("utf-8") == SECRET
    assert [info.id for info in place.library.articles()] == [of.id for of in ARTICLES]


def test_a_file_that_was_sent_is_added(place: Place) -> None:
    path = place.upload("pont.txt", "Le pont ferme mardi.")
    data = [None, "", [named(path)]]
    assert place.send(place.adding["id"], data)["success"]
    assert [info.title for info in place.library.articles() if info.id == "pont-9999"] == ["Pont"]


def test_a_file_is_added_only_by_who_sent_it(place: Place) -> None:
    path = place.upload("pont.txt", "Le pont ferme mardi.", user="anne")
    data = [None, "", [named(path)]]
    assert place.send(place.adding["id"], data, user="paul")["output"]["error"] == NOT_SENT
    assert place.send(place.adding["id"], data, user="anne")["success"]


def test_a_file_sent_then_replaced_by_a_link_is_refused(place: Place, secret: Path) -> None:
    path = Path(place.upload("pont.txt", "Le pont ferme mardi."))
    path.unlink()
    path.symlink_to(secret)
    assert place.send(place.adding["id"], [None, "", [named(str(path))]])["output"]["error"] == NOT_SENT


CLOSED = [
    "file=http://127.0.0.1:9/a",
    "file=https://127.0.0.1:9/a",
    "file=HTTP://127.0.0.1:9/a",
    "file=ftp://127.0.0.1:9/a",
    "file=//127.0.0.1:9/a",
    "file=http%3A%2F%2F127.0.0.1%3A9%2Fa",
    "file%3Dhttp:%2F%2F127.0.0.1:9/a",
    "%66ile=http://127.0.0.1:9/a",
    "file=/etc/passwd",
    "file/http://127.0.0.1:9/a",
    "file//etc/passwd",
    "proxy=http://127.0.0.1:9/a",
    "proxy=https://a.hf.space/a",
    "proxy%3Dhttps:%2F%2Fa.hf.space/a",
    "stream/a/b/1/playlist-file",
    "custom_component/a/client/component/index.js",
    "deep_link",
    "vibe-code/",
    "dev/reload",
    "openapi.json",
]


def test_what_the_window_does_not_use_of_gradio_is_closed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[object] = []

    async def fetch(*given: object) -> None:
        fetched.append(given)

    monkeypatch.setattr("gradio.routes.secure_url_stream_response", fetch)
    for asked in CLOSED:
        for start in ("/gradio_api/", "//gradio_api/", "/gradio_api//"):
            for method in ("GET", "HEAD"):
                address = f"http://127.0.0.1{start}{asked}"
                assert place.client.request(method, address).status_code == 404, address
    for asked in (
        "component_server",
        "process_recording",
        "vibe-edit/",
        "call/add",
        "call/v2/add",
        "stream/a",
    ):
        assert place.client.post(f"/gradio_api/{asked}", json={"data": []}).status_code == 404, asked
    assert fetched == []


def test_an_upload_that_names_an_address_fetches_nothing(place: Place) -> None:
    sent = place.client.post(
        "/gradio_api/upload", data={"files": "http://127.0.0.1:9/a", "url": "http://127.0.0.1:9/"}
    )
    assert sent.status_code == 400
    sent = place.client.post("/gradio_api/upload", files=[("url", (None, b"http://127.0.0.1:9/a"))])
    assert (sent.status_code, sent.json()) == (200, [])


def test_a_file_sent_is_not_handed_out(place: Place) -> None:
    path = place.upload("pont.txt", "Le pont ferme mardi.")
    assert place.client.get(f"/gradio_api/file={path}").status_code == 404


def test_what_the_page_asks_of_gradio_is_open(place: Place) -> None:
    for asked in ("theme.css", "info", "startup-events", "app_id"):
        assert place.client.get(f"/gradio_api/{asked}").status_code != 404, asked
