import pytest

from qa.sentences import split_sentences
from qa.spans import join_sentences, tidy, windows_of


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (" Emmett Shear,", "Emmett Shear"),
        ("« modèle d'attente »", "modèle d'attente"),
        ("le « modèle d'attente »", "le « modèle d'attente »"),
        ("(700", "700"),
        ("2 milliards (environ)", "2 milliards (environ)"),
        ("-5 degrés", "-5 degrés"),
        ("en 2019 »", "en 2019"),
        ("…", "…"),
    ],
)
def test_edges_are_cleaned(span: str, expected: str) -> None:
    text = f"x{span}y"
    start, end = tidy(text, 1, 1 + len(span))
    assert text[start:end] == expected


def test_a_quote_closed_just_after_the_span_is_closed() -> None:
    text = "Il cite le « modèle d'attente », puis (en 2019) un autre (sans date connue)."
    for inside, expected in (
        ("le « modèle d'attente", "le « modèle d'attente »"),
        ("un autre (sans date", "un autre (sans date"),
        ("(en 2019", "en 2019"),
    ):
        start = text.index(inside)
        a, b = tidy(text, start, start + len(inside))
        assert text[a:b] == expected


def test_joined_sentences_know_their_offsets() -> None:
    segment = join_sentences(["Un.", "Deux ?", "Trois !"])
    assert [segment.text[a:b] for a, b in segment.sentences] == ["Un.", "Deux ?", "Trois !"]


def test_windows_cover_every_sentence_of_a_long_text() -> None:
    text = " ".join(f"La phrase numéro {n} compte exactement huit mots." for n in range(200))
    windows = windows_of(text)
    assert len(windows) > 1
    seen = {at + a for segment, at in windows for a, _ in segment.sentences}
    assert seen == {a for a, _ in split_sentences(text)}
    for segment, at in windows:
        assert text[at : at + len(segment.text)] == segment.text
