import time

import pytest

from qa.answer import Answer, Citation, Item
from qa.conversation import complete
from qa.retrieval.question import MAX_QUESTION_CHARACTERS
from qa.wording import NOT_FOUND, TALK, said_of

CITED = Citation(1, "a", "OpenAI", "/a.md", None, "Emmett Shear a été nommé.", 0, 25, 0, 12, 0.9)

NAMED = (
    "Qui a été nommé PDG par intérim d'OpenAI ?",
    "Emmett Shear [1]\n\n« Emmett Shear a été nommé… » [1]",
)
LED = ("Qui préside la société ?", "Marie Lenoir [1]")
AMOUNT = ("Combien Google a-t-il investi dans Anthropic ?", "2 milliards de dollars [1]\n\n« … » [1]")

LISTED = ("Qui a quitté OpenAI ?", "- Sam Altman [1]\n- Greg Brockman [2]\n\n« … » [1]")
SAID_YES = ("Google a-t-il investi dans Anthropic ?", "Oui [1]\n\n« … » [1]")


@pytest.mark.parametrize(
    ("question", "last", "expected"),
    [
        ("Et Microsoft ?", AMOUNT, "Combien Google a-t-il investi dans Microsoft ?"),
        ("Pourquoi ?", NAMED, "Pourquoi Emmett Shear a été nommé PDG par intérim d'OpenAI ?"),
        ("Quand a-t-il été nommé ?", NAMED, "Quand Emmett Shear a-t-il été nommé ?"),
        (
            "Où travaille-t-elle ?",
            ("Qui préside Salesforce ?", "Anne Martin [1]"),
            "Où Anne Martin travaille-t-elle ?",
        ),
        ("Quel est son âge ?", NAMED, "Quel est l'âge d'Emmett Shear ?"),
        ("A-t-il été renvoyé ?", NAMED, "Emmett Shear a-t-il été renvoyé ?"),
        ("En quelle année a-t-il été nommé ?", NAMED, "En quelle année Emmett Shear a-t-il été nommé ?"),
        ("Pourquoi se trompe-t-il ?", NAMED, "Pourquoi Emmett Shear se trompe-t-il ?"),
        ("Quand l'a-t-il quittée ?", NAMED, "Quand Emmett Shear l'a-t-il quittée ?"),
        ("Est-ce qu'elle a démissionné ?", LED, "Est-ce que Marie Lenoir a démissionné ?"),
        ("Qui est sa remplaçante ?", LED, "Qui est la remplaçante de Marie Lenoir ?"),
        ("Qui dirige Microsoft ?", NAMED, "Qui dirige Microsoft ?"),
        ("Quand a-t-il été nommé ?", (NAMED[0], "Emmett Shear"), "Quand Emmett Shear a-t-il été nommé ?"),
        ("Pourquoi ?", LISTED, "Pourquoi a quitté OpenAI ?"),
        ("Et Microsoft ?", SAID_YES, "Google a-t-il investi dans Microsoft ?"),
        ("Quand l'a-t-il décidé ?", SAID_YES, "Quand Anthropic l'a-t-il décidé ?"),
    ],
)
def test_follow_up_is_completed(question: str, last: tuple[str, str], expected: str) -> None:
    assert complete(question, [("Autre chose ?", "Rien."), last]) == expected


@pytest.mark.parametrize(
    "question",
    [
        "Combien de salariés y a-t-il ?",
        "Quand Satya Nadella a-t-il parlé ?",
        "Que s'est-il passé en novembre 2023 ?",
        "Que se passe-t-il en 2024 ?",
        "Pourquoi le conseil a-t-il changé d'avis ?",
        "Existe-t-il un accord ?",
        "Est-il vrai que les salariés ont protesté ?",
        "Quelle ville a perdu sa cathédrale ?",
        "Quand l'entreprise a-t-elle été fondée ?",
        "Combien la région a-t-elle dépensé pour ses lycées ?",
        "Que dit le rapport quand il parle d'argent ?",
    ],
)
def test_a_whole_question_stays_as_it_is(question: str) -> None:
    assert complete(question, [NAMED]) == question


def test_without_history_a_question_stays_as_it_is() -> None:
    assert complete("Et Microsoft ?", []) == "Et Microsoft ?"


@pytest.mark.parametrize("said", [NOT_FOUND, "", *TALK.values()])
def test_what_is_no_answer_is_never_taken_for_a_name(said: str) -> None:
    assert complete("Quand est-il né ?", [("Qui a inventé le téléphone ?", said)]) == "Quand est-il né ?"
    assert complete("Pourquoi ?", [("Qui est venu ?", said)]) == "Pourquoi est venu ?"


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
        (Answer("sentences", "?"), ""),
        (Answer("none", "?", citations=(CITED,)), ""),
        (Answer("talk", "?", topic="hello"), ""),
    ],
)
def test_what_an_answer_says_to_a_follow_up(answer: Answer, said: str) -> None:
    assert said_of(answer) == said


@pytest.mark.parametrize(
    "last",
    [
        ("Qui est " + "Anne " * 100_000, "Paul [1]"),
        ("Qui ?", " " * 100_000 + "[" * 100_000),
        ("Qui est Anne " + "x" * (MAX_QUESTION_CHARACTERS - 13), "rien."),
    ],
)
def test_a_conversation_without_end_completes_nothing(last: tuple[str, str]) -> None:
    began = time.perf_counter()
    for question in ("Pourquoi ?", "Et " + "très " * 300 + "loin ?", "Où est-il né ?"):
        assert len(complete(question, [last])) <= MAX_QUESTION_CHARACTERS
    assert time.perf_counter() - began < 1
