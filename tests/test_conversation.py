import time

import pytest

from qa.answer import Answer, Citation, Item
from qa.conversation import follows, searched
from qa.wording import said_in, said_of, text_of

CITED = Citation(1, "a", "OpenAI", "/a.md", None, "Emmett Shear a été nommé.", 0, 25, 0, 12, 0.9)


@pytest.mark.parametrize(
    "question",
    [
        "Et Microsoft ?",
        "Pourquoi ?",
        "Quand a-t-il été nommé ?",
        "Où travaille-t-elle ?",
        "Quel est son âge ?",
        "et en 2023 ?",
        "par qui ?",
        "lequel ?",
        "A-t-il été renvoyé ?",
        "Est-ce qu'elle a démissionné ?",
        "Combien ça coûte en tout ?",
        "Qui lui a succédé à ce poste ?",
    ],
)
def test_what_leaves_something_unsaid_follows(question: str) -> None:
    assert follows(question)


@pytest.mark.parametrize(
    "question",
    [
        "Combien de salariés y a-t-il chez OpenAI ?",
        "Quand Satya Nadella a-t-il parlé ?",
        "Que s'est-il passé en novembre 2023 ?",
        "Pourquoi le conseil a-t-il changé d'avis ?",
        "Existe-t-il un accord sur les salaires ?",
        "Est-il vrai que les salariés ont protesté ?",
        "Quelle ville a perdu sa cathédrale ?",
        "Quand l'entreprise a-t-elle été fondée ?",
        "Combien la région a-t-elle dépensé pour ses lycées ?",
        "Qui dirige Microsoft depuis 2014 ?",
    ],
)
def test_a_whole_question_follows_nothing(question: str) -> None:
    assert not follows(question)


def test_a_follow_up_is_searched_with_the_exchange_it_follows() -> None:
    history = [("Qui préside Salesforce ?", "Anne Martin")]
    assert (
        searched("Où travaille-t-elle ?", history)
        == "Qui préside Salesforce ? Anne Martin — Où travaille-t-elle ?"
    )


def test_long_questions_are_told_apart_in_little_time() -> None:
    began = time.perf_counter()
    for text in ("il " * 700, "a-t-il " * 280, "l'" * 1000, "A " * 1000):
        follows(text)
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer("span", "?", "Emmett Shear", citations=(CITED,)), "Emmett Shear"),
        (
            Answer("list", "?", items=(Item("Sam Altman", 1), Item("Greg Brockman", 1))),
            "Sam Altman, Greg Brockman",
        ),
        (Answer("yes", "?", citations=(CITED,)), CITED.sentence),
        (Answer("sentences", "?", citations=(CITED,)), CITED.sentence),
        (Answer("sentences", "?", "a été nommé", citations=(CITED,)), "a été nommé"),
        (Answer("none", "?", citations=(CITED,)), ""),
        (Answer("talk", "?", topic="hello"), ""),
    ],
)
def test_what_an_answer_says_to_a_follow_up(answer: Answer, said: str) -> None:
    assert said_of(answer) == said
    assert said_in(text_of(answer)) == (
        said if answer.short is None or answer.kind == "span" else CITED.sentence
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Paul [1][2]", "Paul"),
        ("Paul", "Paul"),
        ("a [1] b", "a [1] b"),
        ("", ""),
        ("Oui [1]", ""),
        (" \n\n« ", "«"),
    ],
)
def test_a_text_sent_back_is_read_for_what_it_says(text: str, said: str) -> None:
    assert said_in(text) == said


def test_a_text_without_end_is_read_in_no_time() -> None:
    began = time.perf_counter()
    for text in (" " * 1_000_000, "[1]" * 1_000_000, "Oui [1]\n\n" + "« " * 1_000_000, "- a\n" * 1_000_000):
        said_in(text)
    assert time.perf_counter() - began < 1
