import json
import sqlite3
import threading
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest

from qa.answer import Answer, Citation, Evidence, Item, RetrievedPassage
from qa.errors import SourcierError
from qa.export import as_json, as_markdown, published
from qa.history import MIGRATIONS, Conversation, History, Message, Preferences

CITATION = Citation(1, "a-1", "Le *pont*", "/a.txt", "2023-11-17", "Le pont ferme mardi.", 0, 20, 14, 19, 0.9)
PASSAGE = RetrievedPassage("a-1", "Le pont", "/a.txt", None, "Le pont ferme mardi.", 0, 20, 1.0, 3.2, 0.8)
EVIDENCE = Evidence("a-1", "Le pont", "/a.txt", None, "Le pont ferme mardi.", 0, 20, 0.9)


def answer(short: str = "mardi", question: str = "Quand ferme le pont ?") -> Answer:
    return Answer("span", question, short, (), 0.9, (CITATION,), (PASSAGE,), (EVIDENCE,), {"total": 3.5})


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History.open(tmp_path / "history.sqlite")


def test_an_answer_comes_back_as_it_was(history: History, tmp_path: Path) -> None:
    conversation = history.create("ana", "Le pont")
    history.append(conversation, "ana", "Quand ?", answer())
    again = History.open(tmp_path / "history.sqlite")
    (message,) = again.messages(conversation, "ana")
    assert message.answer == answer()
    assert (message.question, message.searched) == ("Quand ?", "Quand ferme le pont ?")


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


def test_preferences_are_kept_a_user(history: History) -> None:
    history.save_preferences("ana", Preferences(top_k=9, theme="dark"))
    assert history.preferences("ana") == Preferences(top_k=9, theme="dark")
    assert history.preferences("bob") == Preferences()


TALK = Conversation("c", "Le *pont*", "2024-05-01", "2024-05-01")


def exported(*answers: Answer | None) -> list[str]:
    """The paragraphs of a conversation in Markdown, its title left out."""
    messages = [Message("m", "Quand ?", "Quand ?", answer, "2024-05-01") for answer in answers]
    title, *paragraphs = as_markdown(TALK, messages).removesuffix("\n").split("\n\n")
    assert title == "# Le \\*pont\\*"
    return paragraphs


QUOTATION = "> « Le pont ferme **mardi**. » \\[1\\]\n>\n> Le \\*pont\\* · 17 novembre 2023 · a.txt"


@pytest.mark.parametrize(
    ("given", "paragraphs"),
    [
        (answer(), ["**mardi** \\[1\\]", QUOTATION]),
        (
            Answer("list", "?", items=(Item("mardi", 1),), citations=(CITATION,)),
            ["- mardi \\[1\\]", QUOTATION],
        ),
        (Answer("yes", "?", citations=(CITATION,)), ["**Oui** \\[1\\]", QUOTATION]),
        (
            Answer("sentences", "?", citations=(CITATION,)),
            ["Voici ce qu’en disent vos articles :", QUOTATION],
        ),
        (Answer("articles", "?", citations=(CITATION,)), ["Ces articles en parlent :", QUOTATION]),
        (
            Answer("none", "?", evidence=(EVIDENCE,)),
            [
                "Je n’ai pas trouvé la réponse dans vos articles.",
                "Les phrases les plus proches\u00a0:",
                "\\- « Le pont ferme mardi. » (Le pont)".removeprefix("\\"),
            ],
        ),
        (Answer("talk", "?", topic="thanks"), ["Avec plaisir \\! Une autre question ?"]),
        (None, ["*Réponse illisible.*"]),
    ],
)
def test_each_kind_of_answer_has_its_form_in_markdown(given: Answer | None, paragraphs: list[str]) -> None:
    assert exported(given) == ["## Quand ?", *paragraphs]


def test_what_leaves_this_computer_names_files_and_no_folders() -> None:
    told = json.loads(as_json(TALK, [Message("m", "Quand ?", "Quand ?", answer(), "2024-05-01")]))
    (message,) = told["messages"]
    assert message["answer"]["short"] == "mardi"
    assert "/a.txt" not in json.dumps(told)
    assert [
        asdict(published(answer()))[held][0]["source"] for held in ("citations", "passages", "evidence")
    ] == ["a.txt"] * 3


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


def test_preferences_are_read_as_far_as_they_make_sense(history: History) -> None:
    history.save_preferences("ana", Preferences(top_k=7))
    for saved in ('{"top_k": 7, "future": true}', '{"top_k": 7, "theme": 3}'):
        with history._transaction() as db:
            db.execute("UPDATE preferences SET value = ?", (saved,))
        assert history.preferences("ana") == Preferences(top_k=7)
    with history._transaction() as db:
        db.execute("UPDATE preferences SET value = '{'")
    assert history.preferences("ana") == Preferences()


@pytest.mark.parametrize(
    "damage",
    [
        "answer = '{'",
        "answer = '[]'",
        "answer = CAST(x'ff7b' AS TEXT)",
        "answer = json_remove(answer, '$.question')",
        "answer = json_set(answer, '$.short', 3)",
        "answer = json_set(answer, '$.citations[0]', 'rien')",
        "answer = json_set(answer, '$.citations[0].start', 'rien')",
    ],
)
def test_a_damaged_answer_leaves_the_rest_of_its_conversation(history: History, damage: str) -> None:
    conversation = history.create("ana", "Le pont")
    history.append(conversation, "ana", "Et alors ?", answer())
    history.append(conversation, "ana", "Quand ?", answer())
    with history._transaction() as db:
        db.execute(f"UPDATE message SET good = 1, {damage} WHERE number = 1")
    assert [m.answer for m in history.messages(conversation, "ana")] == [None, answer()]
    assert [m.question for m in history.messages(conversation, "ana")] == ["Et alors ?", "Quand ?"]
    assert history.feedback() == []
    assert [c.id for c in history.search("ana", "alors")] == [conversation]


def test_a_field_of_another_version_is_left_out(history: History) -> None:
    conversation = history.create("ana", "Le pont")
    history.append(conversation, "ana", "Quand ?", answer())
    with history._transaction() as db:
        db.execute("UPDATE message SET answer = json_set(answer, '$.future', 1, '$.citations[0].future', 1)")
        db.execute("UPDATE conversation SET article_ids = '{'")
    (message,) = history.messages(conversation, "ana")
    assert message.answer == answer()
    assert history.conversation(conversation, "ana").article_ids is None


def test_a_file_of_the_first_version_is_brought_to_the_last(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    old = {
        "text": "mardi [1]", "short": "mardi", "answerable": True, "confidence": 0.9, "question": "Quand donc ?",
        "citations": [asdict(CITATION)], "passages": [], "evidence": [], "timings": {},
    }  # fmt: skip
    with closing(sqlite3.connect(file)) as db:
        for statement in MIGRATIONS[0]:
            db.execute(statement)
        db.execute("INSERT INTO conversation VALUES ('c', 'ana', 'Le pont', '2023', '2023', NULL)")
        rows = [("m", "Quand ?", json.dumps(old)), ("n", "Où ?", "{")]
        db.executemany(
            "INSERT INTO message (id, conversation_id, question, answer, created) VALUES (?, 'c', ?, ?, '2023')",
            rows,
        )
        db.execute("INSERT INTO settings VALUES ('ana', '{\"top_k\": 8}')")
        db.commit()
    for _ in range(2):
        with closing(History.open(file)) as history:
            read, damaged = history.messages("c", "ana")
            assert read.answer is not None
            assert (read.answer.kind, read.answer.short, read.searched) == ("span", "mardi", "Quand donc ?")
            assert (damaged.answer, damaged.searched) == (None, "Où ?")
            assert history.preferences("ana") == Preferences(top_k=8)
            assert [c.id for c in history.search("ana", "mardi")] == ["c"]


def test_a_file_of_a_later_version_is_told(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "history.sqlite")) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(SourcierError, match="version plus récente de Sourcier"):
        History.open(tmp_path / "history.sqlite")
