import json
import threading
from pathlib import Path

import pytest

from qa.answer import Answer, Citation, Evidence, RetrievedPassage
from qa.errors import SourcierError
from qa.history import History, Settings

CITATION = Citation(1, "a-1", "Le *pont*", "/a.txt", "2023-11-17", "Le pont ferme mardi.", 0, 20, 14, 19, 0.9)
PASSAGE = RetrievedPassage("a-1", "Le pont", "/a.txt", None, "Le pont ferme mardi.", 0, 20, 1.0, 3.2, 0.8)
EVIDENCE = Evidence("a-1", "Le pont", "/a.txt", None, "Le pont ferme mardi.", 0, 20, 0.9)


def answer(short: str | None = "mardi", question: str = "Quand ferme le pont ?") -> Answer:
    return Answer(
        f"{short} [1]",
        short,
        short is not None,
        0.9,
        (CITATION,),
        (PASSAGE,),
        question,
        (EVIDENCE,),
        {"total": 3.5},
    )


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History.open(tmp_path / "history.sqlite")


def test_an_answer_comes_back_as_it_was(history: History, tmp_path: Path) -> None:
    conversation = history.create("ana", "Le pont")
    history.append(conversation, "ana", "Quand ?", answer())
    again = History.open(tmp_path / "history.sqlite")
    (message,) = again.messages(conversation, "ana")
    assert message.answer == answer()
    assert message.question == "Quand ?"


def test_users_see_their_own_only(history: History) -> None:
    mine = history.create("ana", "À moi")
    message = history.append(mine, "ana", "Quand ?", answer())
    assert history.conversations("bob") == []
    for forbidden in (
        lambda: history.messages(mine, "bob"),
        lambda: history.rename(mine, "bob", "volé"),
        lambda: history.delete(mine, "bob"),
        lambda: history.append(mine, "bob", "Quand ?", answer()),
        lambda: history.rate(message.id, "bob", True),
        lambda: history.export_json(mine, "bob"),
    ):
        with pytest.raises(SourcierError):
            forbidden()
    assert [c.title for c in history.conversations("ana")] == ["À moi"]


def test_rename_search_truncate_delete(history: History) -> None:
    first, second = history.create("ana", "Travaux"), history.create("ana", "Budget")
    one = history.append(first, "ana", "Quand ferme l'école ?", answer("été"))
    history.append(first, "ana", "Et le pont ?", answer())
    history.rename(second, "ana", "Finances")
    assert [c.id for c in history.search("ana", "ecole ÉTÉ")] == [first]
    assert [c.title for c in history.search("ana", "finances")] == ["Finances"]
    assert history.search("ana", "absent") == []
    history.truncate(first, "ana", one.id)
    assert history.messages(first, "ana") == []
    history.delete(first, "ana")
    assert [c.id for c in history.conversations("ana")] == [second]


def test_the_articles_chosen_stay_with_the_conversation(history: History) -> None:
    conversation = history.create("ana", "Le pont")
    assert history.conversation(conversation, "ana").article_ids is None
    history.set_articles(conversation, "ana", ("a-1",))
    assert history.conversation(conversation, "ana").article_ids == ("a-1",)


def test_thumbs_become_feedback(history: History) -> None:
    conversation = history.create("ana", "Le pont")
    message = history.append(conversation, "ana", "Quand ?", answer())
    history.rate(message.id, "ana", True)
    history.rate(message.id, "ana", False, "c’est lundi")
    (feedback,) = history.feedback()
    assert (feedback.good, feedback.comment, feedback.answer.short) == (False, "c’est lundi", "mardi")


def test_settings_are_kept_a_user(history: History) -> None:
    history.save_settings("ana", Settings(top_k=9, theme="dark"))
    assert history.settings("ana") == Settings(top_k=9, theme="dark")
    assert history.settings("bob") == Settings()


def test_exports_hold_the_sources(history: History) -> None:
    conversation = history.create("ana", "Le pont")
    history.append(conversation, "ana", "Quand ?", answer())
    page = history.export_markdown(conversation, "ana")
    assert "Le pont ferme mardi." in page
    assert "Le \\*pont\\*" in page
    assert json.loads(history.export_json(conversation, "ana"))["messages"][0]["answer"]["short"] == "mardi"


def test_many_threads_write_at_once(history: History) -> None:
    conversation = history.create("ana", "Le pont")

    def write() -> None:
        for _ in range(20):
            history.append(conversation, "ana", "Quand ?", answer())

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(history.messages(conversation, "ana")) == 80


def test_a_search_of_odd_words_is_only_a_search(history: History) -> None:
    conversation = history.create("ana", "100 % d’accord")
    assert [c.id for c in history.search("ana", "% d’ACCORD")] == [conversation]
    assert history.search("ana", "' OR 1=1 --") == []
    assert history.search("ana", "mot " * 5000) == []


def test_the_file_is_its_owner_s_alone_and_keeps_nothing_deleted(history: History, tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    assert file.stat().st_mode & 0o077 == 0
    conversation = history.create("ana", "Un titre confidentiel")
    history.delete(conversation, "ana")
    history.close()
    assert b"confidentiel" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_a_file_that_is_no_history_is_told(tmp_path: Path) -> None:
    (tmp_path / "history.sqlite").write_bytes(b"autre chose" * 1000)
    with pytest.raises(SourcierError, match=r"history\.sqlite ne peut pas être ouvert"):
        History.open(tmp_path / "history.sqlite")


def test_settings_of_another_version_are_read_as_far_as_they_are_known(history: History) -> None:
    history.save_settings("ana", Settings(top_k=7))
    with history._transaction() as db:
        db.execute("""UPDATE settings SET value = '{"top_k": 7, "future": true}'""")
    assert history.settings("ana") == Settings(top_k=7)
