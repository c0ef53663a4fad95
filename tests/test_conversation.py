import time

import pytest

from qa.conversation import follows, searched


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
