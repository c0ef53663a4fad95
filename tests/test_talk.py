import pytest

from qa.talk import topic_of


@pytest.mark.parametrize(
    ("said", "topic"),
    [
        ("Bonjour", "hello"),
        ("salut !", "hello"),
        ("Bonjour, ça va ?", "hello"),
        ("merci beaucoup", "thanks"),
        ("Merci pour ton aide", "thanks"),
        ("ok super", ""),
        ("Que sais-tu faire ?", "help"),
        ("tu peux faire quoi", ""),
        ("qu'est-ce que tu sais faire ?", "help"),
        ("Qui es-tu ?", "help"),
        ("Au revoir", "goodbye"),
        ("bonne journée !", "goodbye"),
        ("Who is the mayor of Paris?", "foreign"),
        ("What is the price of the ticket and where can I buy it?", "foreign"),
    ],
)
def test_small_talk_is_told_from_questions(said: str, topic: str) -> None:
    assert topic_of(said) == topic


@pytest.mark.parametrize(
    "question",
    [
        "Bonjour, pouvez-vous me dire qui est le maire ?",
        "Merci de me dire combien coûte le repas",
        "Qui est Sam Altman ?",
        "Who est le titre de quel album ?",
        "Que fait OpenAI ?",
        "prix repas cantine",
        "Aide au logement : quel montant ?",
        "Comment ça marche, la prime d'ancienneté ?",
        "C'est quoi The Who ?",
        "",
    ],
)
def test_a_question_is_no_small_talk(question: str) -> None:
    assert topic_of(question) == ""
