import pytest

from qa.conversation import complete

NAMED = (
    "Qui a été nommé PDG par intérim d'OpenAI ?",
    "Emmett Shear [1]\n\n« Emmett Shear a été nommé… » [1]",
)
AMOUNT = ("Combien Google a-t-il investi dans Anthropic ?", "2 milliards de dollars [1]\n\n« … » [1]")


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
        ("Quel est son âge ?", NAMED, "Quel est le âge d'Emmett Shear ?"),
        ("Qui dirige Microsoft ?", NAMED, "Qui dirige Microsoft ?"),
        ("Combien de salariés y a-t-il ?", NAMED, "Combien de salariés y a-t-il ?"),
        ("Quand Satya Nadella a-t-il parlé ?", NAMED, "Quand Satya Nadella a-t-il parlé ?"),
    ],
)
def test_follow_up_is_completed(question: str, last: tuple[str, str], expected: str) -> None:
    assert complete(question, [("Autre chose ?", "Rien."), last]) == expected


def test_without_history_a_question_stays_as_it_is() -> None:
    assert complete("Et Microsoft ?", []) == "Et Microsoft ?"


def test_a_refusal_is_never_taken_for_a_name() -> None:
    history = [
        ("Qui a inventé le téléphone ?", "Les articles ne permettent pas de répondre à cette question.")
    ]
    assert complete("Quand est-il né ?", history) == "Quand est-il né ?"
