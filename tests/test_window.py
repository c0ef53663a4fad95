"""The window's parts below the screen: stopping, saving, uploads, settings, the page's own headers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
from fakes import HashEncoder
from fakes_ui import ARTICLES, WHERE, FakeAssistant, FakeLibrary
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.testclient import TestClient

from qa.answer import Answer
from qa.confidence import Thresholds
from qa.errors import ArticleError, SourcierError
from qa.history import History, Preferences
from qa.ingest.articles import Skipped
from qa.library.library import IndexReport, Library
from ui.server.originals import originals_router
from ui.server.running import Running
from ui.window.articles_page import ArticlesPage, outcome
from ui.window.asking import ask, reopen
from ui.window.chat_events import ChatEvents, merged
from ui.window.chat_page import ChatPage
from ui.window.drawing import Drawing
from ui.window.page import FrenchPage
from ui.window.session import Engine, Session, Tab, place
from ui.window.settings_page import changed
from ui.window.source_panel import SourcePanel
from ui.window.turns import Turn
from ui.window.uploads import MAX_FILE_BYTES, clean_name, keep_upload, limits_in_words


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    assistant = FakeAssistant(FakeLibrary(tmp_path))
    return Engine(assistant, History.open(tmp_path / "history.sqlite"), Thresholds(short=0.3, abstain=0.1))


ANNE = gr.Request(username="anne")


def events(engine: Engine) -> ChatEvents:
    return ChatEvents(engine, Drawing(engine), SourcePanel(engine))


def steps(
    engine: Engine, session: Session, question: str, cancel: threading.Event | None = None
) -> list[Session]:
    return list(ask(engine, session, question, Preferences(), "anne", cancel or threading.Event()))


def test_each_step_is_shown_with_what_it_found_then_the_answer_is_saved(engine: Engine) -> None:
    seen = steps(engine, Session(), "Qui a construit le viaduc ?")
    shown = [(step.turns[-1].step, len(step.turns[-1].passages)) for step in seen[:-1]]
    assert shown == [("", 0), ("Recherche des passages…", 0), ("Lecture des passages…", len(ARTICLES))]
    assert all(step.turns[-1].state == "running" for step in seen[:-1])
    last = seen[-1]
    assert last.turns[-1].state == "done"
    assert last.conversation_id is not None
    again = reopen(engine, last.conversation_id, "anne")
    assert again == last
    assert isinstance(again.turns[0].answer, Answer)


def test_a_follow_up_joins_the_conversation(engine: Engine) -> None:
    first = steps(engine, Session(), "Qui a construit le viaduc ?")[-1]
    second = steps(engine, first, "Et quand ?")[-1]
    assert second.conversation_id == first.conversation_id
    assert [turn.asked for turn in reopen(engine, second.conversation_id or "", "anne").turns] == [
        "Qui a construit le viaduc ?",
        "Et quand ?",
    ]


def test_what_was_said_goes_with_the_next_question(engine: Engine) -> None:
    session = Session()
    for question in ("Qui a construit le viaduc ?", "Bonjour", "Quels sont les métiers ?", "Xyz ?"):
        session = steps(engine, session, question)[-1]
    steps(engine, session, "Et quand ?")
    assert engine.assistant.histories[-1] == [
        ("Qui a construit le viaduc ?", "Gustave Eiffel"),
        ("Quels sont les métiers ?", "ingénieur, éleveuse"),
        ("Xyz ?", ""),
    ]


def test_a_damaged_answer_does_not_hide_its_conversation(engine: Engine) -> None:
    first = steps(engine, Session(), "Qui a construit le viaduc ?")[-1]
    second = steps(engine, first, "Et quand ?")[-1]
    with engine.history._transaction() as db:
        db.execute("UPDATE message SET answer = '{' WHERE number = 1")
    again = reopen(engine, second.conversation_id or "", "anne")
    assert [turn.state for turn in again.turns] == ["unreadable", "done"]
    assert "Réponse illisible." in Drawing(engine).talk(again, "anne")
    third = steps(engine, again, "Combien de tonnes ?")[-1]
    assert [turn.state for turn in third.turns] == ["unreadable", "done", "done"]


def test_a_rewritten_question_takes_the_place_of_its_turn(engine: Engine) -> None:
    first = steps(engine, Session(), "Qui a construit le viaduc ?")[-1]
    second = steps(engine, first, "Et quand ?")[-1]
    third = steps(engine, Session(second.conversation_id, second.turns, editing=0), "Combien de tonnes ?")[-1]
    assert [turn.asked for turn in third.turns] == ["Combien de tonnes ?"]
    assert reopen(engine, third.conversation_id or "", "anne").turns == third.turns


def stopped(engine: Engine, session: Session, question: str) -> Session:
    """The session once the answer has been stopped, while it reads."""
    cancel = threading.Event()
    for step in ask(engine, session, question, Preferences(), "anne", cancel):
        if step.turns[-1].passages:
            cancel.set()
    assert step.turns[-1].state == "stopped"
    return step


def test_what_a_stopped_answer_was_to_replace_is_replaced_by_the_next(engine: Engine) -> None:
    first = steps(engine, Session(), "Qui a construit le viaduc ?")[-1]
    again = stopped(engine, replace(first, editing=0), "Lent ?")
    saved = reopen(engine, first.conversation_id or "", "anne").turns
    assert [turn.asked for turn in saved] == ["Qui a construit le viaduc ?"]
    redone = steps(engine, replace(again, editing=0), "Combien de tonnes ?")[-1]
    assert reopen(engine, redone.conversation_id or "", "anne").turns == redone.turns
    went_on = steps(engine, stopped(engine, replace(redone, editing=0), "Lent ?"), "Et quand ?")[-1]
    saved = reopen(engine, went_on.conversation_id or "", "anne").turns
    assert [turn.asked for turn in saved] == ["Et quand ?"]


def test_an_abandoned_answer_does_not_stay_under_way(engine: Engine) -> None:
    left = Session(turns=(Turn("Qui ?", step="Lecture…"),))
    states = [[turn.state for turn in step.turns] for step in steps(engine, left, "Combien de tonnes ?")]
    assert states[0] == ["stopped", "running"]
    assert states[-1] == ["stopped", "done"]


def test_only_the_last_turn_is_redone(engine: Engine) -> None:
    tab = Tab()
    tab.session = steps(engine, Session(turns=(Turn("Qui ?", "failed"),)), "Combien de tonnes ?")[-1]
    before = tab.session
    redone = events(engine).regenerate(tab, gr.EventData(None, {"turn": "0"}), ANNE)
    assert list(redone) == []
    assert tab.session == before


def test_an_answer_deleted_in_another_tab_is_not_rated(engine: Engine, monkeypatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(gr, "Warning", lambda message, **_: told.append(message))
    tab = Tab()
    tab.session = before = steps(engine, Session(), "Qui a construit le viaduc ?")[-1]
    engine.history.delete(before.conversation_id or "", "anne")
    events(engine).rate(tab, gr.EventData(None, {"turn": "0", "good": "1"}), ANNE)
    assert told == ["Ce message n’existe plus : il ne peut pas être noté."]
    assert tab.session == before


@pytest.mark.parametrize(
    ("sent", "number"), [("2", 2), ("3", None), ("-1", None), ("²", None), ("", None), ("9" * 5000, None)]
)
def test_a_place_sent_by_a_browser_is_checked(sent: str, number: int | None) -> None:
    assert place(gr.EventData(None, {"turn": sent}), "turn", 3) == number


def test_conversations_stay_searched_when_the_page_is_drawn_again(engine: Engine) -> None:
    for question in ("Qui a construit le viaduc ?", "Combien de tonnes ?"):
        last = steps(engine, Session(), question)[-1]
    chat, tab = ChatPage(engine, Drawing(engine)), Tab()
    found = chat.search(tab, "construit", ANNE)
    assert "viaduc" in found
    assert "tonnes" not in found
    opened, *_ = chat.open(tab, gr.EventData(None, {"conversation": last.conversation_id}), ANNE)
    *_, answered = chat.events.ask_typed(tab, "Et quand ?", ANNE)
    assert opened == answered[0] == found
    assert "tonnes" in chat.search(tab, "", ANNE)


def test_a_stopped_answer_is_not_saved(engine: Engine) -> None:
    cancel = threading.Event()
    seen = ask(engine, Session(), "Lent ?", Preferences(), "anne", cancel)
    for step in seen:
        if step.turns[-1].passages:
            cancel.set()
    assert step.turns[-1].state == "stopped"
    assert step.conversation_id is None
    assert engine.history.conversations("anne") == []


def test_an_error_becomes_a_line_of_the_talk(engine: Engine) -> None:
    failed = steps(engine, Session(), "x" * 501)[-1].turns[-1]
    assert (failed.state, failed.error) == ("failed", "La question est trop longue : 500 caractères au plus.")


def test_an_unexpected_error_is_told_without_its_details(engine: Engine, monkeypatch, caplog) -> None:
    def broken(*_: object, **__: object):
        raise RuntimeError("secret")

    monkeypatch.setattr(engine.assistant, "stream", broken)
    failed = steps(engine, Session(), "Qui ?")[-1].turns[-1]
    assert failed.state == "failed"
    assert "secret" not in failed.error
    assert "secret" in caplog.text


def test_a_conversation_belongs_to_its_user(engine: Engine) -> None:
    saved = steps(engine, Session(), "Qui a construit le viaduc ?")[-1]
    with pytest.raises(SourcierError):
        reopen(engine, saved.conversation_id or "", "paul")


def test_a_tab_has_one_answer_at_a_time() -> None:
    running = Running()
    first = running.start("tab")
    second = running.start("tab")
    assert first.is_set()
    assert first.abandoned
    assert not second.is_set()
    running.finish("tab", first)
    running.stop("tab")
    assert second.is_set()
    assert not second.abandoned
    running.stop("tab")
    third = running.start("tab")
    running.stop("tab", abandon=True)
    assert third.abandoned


def test_a_step_keeps_what_was_changed_meanwhile() -> None:
    rated = Turn("Qui ?", "done", good=True)
    current = Session("7", (rated, Turn("Et ?")), article_ids=("a",))
    step = Session("7", (Turn("Qui ?", "done"), Turn("Et ?", step="Lecture…")))
    assert merged(current, step) == Session("7", (rated, Turn("Et ?", step="Lecture…")), article_ids=("a",))


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("lac.MD", "lac.md"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\a\\été 2024.txt", "été 2024.txt"),
        (".bashrc.md", "bashrc.md"),
        ("<b>.html", "b.html"),
        ("...md", "article.md"),
        ("a" * 300 + ".md", "a" * 100 + ".md"),
        ("", "article"),
    ],
)
def test_names_of_sent_files_are_cleaned(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_a_name_without_end_is_cut() -> None:
    began = time.perf_counter()
    assert clean_name("\u0301\u0323" * 100_000 + ".md") == "article.md"
    assert time.perf_counter() - began < 1


def test_suggestions_are_found_once_for_each_revision(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    go_on = threading.Event()

    def suggestions(number: int = 4) -> list[str]:
        asked.append(number)
        assert go_on.wait(10)
        return ["Qui ?"]

    monkeypatch.setattr(engine.assistant, "suggestions", suggestions)
    assert engine.suggestions.current() is None
    assert "example" not in Drawing(engine).talk(Session(), "anne")
    go_on.set()
    assert found(engine) == ("Qui ?",)
    assert 'data-question="Qui ?"' in Drawing(engine).talk(Session(), "anne")
    assert len(asked) == 1
    engine.assistant.library.revision += 1
    assert engine.suggestions.current() is None
    assert found(engine) == ("Qui ?",)
    assert len(asked) == 2


def found(engine: Engine) -> tuple[str, ...] | None:
    """The suggestions, once they are there."""
    until = time.monotonic() + 10
    while (suggested := engine.suggestions.current()) is None and time.monotonic() < until:
        time.sleep(0.01)
    return suggested


def test_an_assistant_that_fails_suggests_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine.assistant, "suggestions", lambda number=4: 1 / 0)
    assert engine.suggestions.current() is None
    assert found(engine) == ()
    assert "no questions could be suggested" in caplog.text


def test_the_first_screen_waits_for_its_suggestions(engine: Engine) -> None:
    chat, tab = ChatPage(engine, Drawing(engine)), Tab()
    with ThreadPoolExecutor(1) as pool:  # another test's browser may have a loop in this thread
        assert 'data-event="example"' in pool.submit(asyncio.run, chat.suggest(tab, ANNE)).result()
        tab.session = Session(turns=(Turn("Qui ?"),))
        assert pool.submit(asyncio.run, chat.suggest(tab, ANNE)).result() == gr.skip()


def test_a_near_sentence_opens_its_article(engine: Engine) -> None:
    tab = Tab()
    tab.session = steps(engine, Session(), "Xyz ?")[-1]
    opened = SourcePanel(engine).show_evidence(tab, gr.EventData(None, {"turn": "0", "evidence": "1"}))
    assert "Phrase proche" in opened
    assert f">{WHERE}</mark>" in opened
    for wrong in ({"turn": "0", "evidence": "2"}, {"turn": "1", "evidence": "0"}, {}):
        assert SourcePanel(engine).show_evidence(tab, gr.EventData(None, wrong)) == gr.skip()


def test_a_source_is_opened_with_its_part_and_page(engine: Engine) -> None:
    tab = Tab()
    tab.session = steps(engine, Session(), "Pourquoi ?")[-1]
    opened = SourcePanel(engine).show_source(tab, gr.EventData(None, {"turn": "0", "marker": "2"}))
    assert "Histoire, p.\u00a02" in opened
    assert "<strong>achevé en 1884</strong>" in opened


def test_a_search_and_a_title_without_end_are_cut(engine: Engine) -> None:
    conversation_id = engine.history.create("anne", "Le viaduc")
    began = time.perf_counter()
    engine.history.rename(conversation_id, "anne", "\u0301\u0323" * 100_000)
    engine.history.search("anne", "\u0301\u0323" * 100_000)
    assert time.perf_counter() - began < 1
    assert len(engine.history.conversation(conversation_id, "anne").title) == 300


def test_a_sent_file_is_kept_in_the_library_and_replaced(tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    for text in ("un", "deux"):
        sent.write_text(text, "utf-8")
        kept = keep_upload(tmp_path / "library", "../note.md", sent)
        assert kept == tmp_path / "library" / "uploads" / "note.md"
        assert kept.read_text("utf-8") == text
    assert [path.name for path in kept.parent.iterdir()] == ["note.md"]


def test_wrong_kinds_and_sizes_are_refused(tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    sent.write_bytes(b"a")
    with pytest.raises(ArticleError, match="type de fichier non accepté"):
        keep_upload(tmp_path, "photo.png", sent)
    with sent.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(ArticleError, match="trop gros"):
        keep_upload(tmp_path, "note.md", sent)
    assert not (tmp_path / "uploads").exists()
    assert "20 fichiers au plus à la fois, de 20\u00a0Mo au plus" in limits_in_words()


def report(**ids: tuple[object, ...]) -> IndexReport:
    empty = dict.fromkeys(("added", "updated", "unchanged", "removed", "skipped"), ())
    return IndexReport(**{**empty, **ids}, passages=3, seconds=0.1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (report(added=("a",)), (True, "ajouté\u00a0: 3\u00a0passages.")),
        (report(updated=("a",)), (True, "mis à jour\u00a0: 3\u00a0passages.")),
        (report(unchanged=("a",)), (True, "déjà dans la bibliothèque, inchangé.")),
        (report(skipped=(Skipped("a", "fichier vide"),)), (False, "refusé\u00a0: fichier vide.")),
        (report(), (False, "refusé\u00a0: aucun texte lisible.")),
    ],
)
def test_what_became_of_a_file(given: IndexReport, said: tuple[bool, str]) -> None:
    assert outcome(given) == said


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("theme", "dark", Preferences(theme="dark")),
        ("theme", "<script>", Preferences()),
        ("detailed", "0", Preferences(detailed=False)),
        ("top_k", "8", Preferences(top_k=8)),
        ("top_k", "0", Preferences()),
        ("top_k", "21", Preferences()),
        ("top_k", "-1", Preferences()),
        ("top_k", "9" * 5000, Preferences()),
        ("short", "50", Preferences(short_threshold=0.5, abstain_threshold=0.1)),
        ("short", "5", Preferences(short_threshold=0.05, abstain_threshold=0.1)),
        ("abstain", "60", Preferences(short_threshold=0.3, abstain_threshold=0.6)),
        ("abstain", "101", Preferences()),
        ("rien", "1", Preferences()),
    ],
)
def test_preferences_change_one_at_a_time(name: str, value: str, expected: Preferences) -> None:
    assert changed(Preferences(), name, value, short=0.3, abstain=0.1) == expected


def test_the_page_is_french_and_closed() -> None:
    app = FastAPI()
    page = '<html lang="en"><head></head><body>été</body></html>'
    app.add_api_route("/", lambda: HTMLResponse(page))
    app.add_api_route("/autre", lambda: HTMLResponse(page))
    app.add_middleware(FrenchPage)
    client = TestClient(app)
    answer = client.get("/")
    assert '<html lang="fr">' in answer.text
    assert "window.sourcier" in answer.text
    assert "été" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert client.get("/autre").text == page


def test_an_original_is_handed_out_as_a_download(tmp_path: Path) -> None:
    class Shelf(FakeLibrary):
        def article(self, article_id: str):
            found = super().article(ARTICLES[0].id if article_id == "page" else article_id)
            return replace(found, path=str(tmp_path / "page.html"))

    app = FastAPI()
    app.include_router(originals_router(Shelf(tmp_path)))
    client = TestClient(app)
    assert client.get("/originals/page").status_code == 404
    (tmp_path / "page.html").write_text("<script>alert(1)</script>", "utf-8")
    answer = client.get("/originals/page")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    unknown = {"detail": "Cet article n’est pas, ou plus, dans la bibliothèque."}
    assert client.get("/originals/rien").json() == unknown


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", embedding=HashEncoder(), create=True) as library:
        yield library


@pytest.fixture
def articles_page(library: Library, tmp_path: Path) -> Iterator[ArticlesPage]:
    with closing(History.open(tmp_path / "history.sqlite")) as history:
        engine = Engine(FakeAssistant(library), history, Thresholds(short=0.3, abstain=0.1))
        drawing = Drawing(engine)
        yield ArticlesPage(engine, drawing, ChatPage(engine, drawing))


def test_deleting_an_uploaded_article_deletes_its_copy(
    library: Library, articles_page: ArticlesPage, tmp_path: Path
) -> None:
    sent = tmp_path / "pont.md"
    sent.write_text("# Le pont\n\nLe pont ferme mardi.", "utf-8")
    kept = keep_upload(library.path, sent.name, sent)
    ids = [*library.add([kept]).added, *library.add([sent]).added]
    for article_id in ids:
        event = gr.EventData(None, {"article": article_id})
        *_, note = articles_page.remove(Tab(), "", event, gr.Request(username="anne"))
        assert "Article supprimé." in note
    assert library.articles() == []
    assert not kept.exists()
    assert sent.exists()


def test_two_files_of_one_name_sent_together_are_one_added_and_one_refused(
    library: Library, articles_page: ArticlesPage, tmp_path: Path
) -> None:
    for folder, text in (("a", "Le pont ferme mardi."), ("b", "Le lac est froid.")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "note.txt").write_text(text, "utf-8")
    files = [str(tmp_path / folder / "note.txt") for folder in ("a", "b")]
    *_, (*_, results) = articles_page.add(Tab(), "", files, gr.Request(username="anne"))
    assert "<span>note.txt</span> ajouté\u00a0: 1\u00a0passage." in results
    assert "<span>note.txt</span> refusé\u00a0: un autre fichier de cet envoi porte déjà ce nom" in results
    assert [library.article(info.id).text for info in library.articles()] == ["Le pont ferme mardi."]


def test_an_unreadable_file_does_not_replace_the_one_kept(tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    sent.write_text("Le pont ferme mardi.", "utf-8")
    kept = keep_upload(tmp_path / "library", "pont.txt", sent)
    sent.write_text(" \n ", "utf-8")
    with pytest.raises(ArticleError, match=r"^aucun texte trouvé$"):
        keep_upload(tmp_path / "library", "pont.txt", sent)
    assert kept.read_text("utf-8") == "Le pont ferme mardi."
    assert list(kept.parent.iterdir()) == [kept]
