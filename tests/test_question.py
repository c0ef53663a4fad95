import pytest

from qa.retrieval.question import KINDS, analyse


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Qui dirige la banque ?", "who"),
        ("En quelle année l’usine a-t-elle fermé ?", "when"),
        ("Où se trouve le siège ?", "where"),
        ("Combien de salariés sont partis ?", "how_many"),
        ("Pour quelle raison le maire a-t-il démissionné ?", "why"),
        ("Comment l’entreprise se finance-t-elle ?", "how"),
        ("Qu’a proposé Microsoft ?", "what"),
        ("Quelles régions sont touchées ?", "plural"),
    ],
)
def test_kind(text: str, kind: str) -> None:
    assert analyse(text).kinds[list(KINDS).index(kind)] == 1.0


def test_names_numbers_and_head_noun() -> None:
    question = analyse("Quel navire a quitté Brest avec 40 marins en 1912 ?")
    assert question.head == "navire"
    assert question.names == {"brest"}
    assert question.numbers == {"40", "1912"}
    assert "quel" not in question.stems
