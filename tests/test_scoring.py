import pytest

from qa.scoring import exact_match, f1, normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("L'intelligence artificielle !", "intelligence artificielle"),
        ("d’Altman", "altman"),
        ("Le 17 novembre 2023", "17 novembre 2023"),
        ("qu'elle", "elle"),
    ],
)
def test_french_normalisation(text: str, expected: str) -> None:
    assert normalise(text) == expected


def test_exact_match_and_f1_take_the_best_answer() -> None:
    answers = ["Satya Nadella", "Nadella"]
    assert exact_match("nadella.", answers) == 1.0
    assert exact_match("Satya", answers) == 0.0
    assert f1("Satya", answers) == pytest.approx(2 / 3)
    assert f1("le PDG Satya Nadella", answers) == pytest.approx(2 * 2 / (3 + 2))


def test_no_words_and_no_answers() -> None:
    assert f1("…", ["le"]) == 1.0
    assert f1("…", ["mot"]) == 0.0
    assert f1("mot", []) == 0.0
