import math
from types import SimpleNamespace
from typing import cast

import pytest

from qa.ingest.sentences import split_sentences
from qa.reading.choice import READ_WORDS, Choice, cite, join_sentences, readings, tidy, windows_of
from qa.reading.reader import SpanScore, SpanScores, combine
from qa.retrieval.evidence import Candidate, Ranked


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


def test_the_second_reading_takes_up_where_the_first_left_off() -> None:
    def ranked(number: int) -> Ranked:
        stored = SimpleNamespace(passage=SimpleNamespace(article_id=f"article-{number % 3}"))
        sentence = f"La phrase numéro {number} compte {'très ' * 20}exactement beaucoup de mots."
        candidate = SimpleNamespace(stored=stored, start=number, end=number, sentence=sentence, before="")
        return Ranked(cast(Candidate, candidate), 1 / (number + 2))

    found = [ranked(n) for n in range(20)]
    first, second = ([r.candidate.start for group in layout for r in group] for layout in readings(found))
    assert sorted(first + second) == list(range(len(first) + len(second)))
    assert max(first) < min(second)
    assert sum(len(found[n].candidate.sentence.split()) for n in first) <= READ_WORDS
    assert readings([]) == []


def reading(none: float, *spans: float) -> SpanScores:
    scored = tuple(SpanScore(0, n, n, n + 1, math.log(p)) for n, p in enumerate(spans))
    return SpanScores(scored, math.log(none), {(0, n): p for n, p in enumerate(spans)})


def test_readings_are_combined_on_a_common_scale() -> None:
    both = combine(reading(0.5, 0.4, 0.1), reading(0.2, 0.8), 2)
    # Odds against "no answer": .8 and .2 in the first reading, 4 in the second; with 1 for "no answer", 6 in all.
    assert [(s.segment, s.sentence) for s in both.spans] == [(2, 0), (0, 0), (0, 1)]
    assert [math.exp(s.log_probability) for s in both.spans] == pytest.approx([4 / 6, 0.8 / 6, 0.2 / 6])
    assert math.exp(both.none) == pytest.approx(1 / 6)
    assert both.sentences == pytest.approx({(0, 0): 0.8 / 6, (0, 1): 0.2 / 6, (2, 0): 4 / 6})


def test_a_reading_that_finds_nothing_changes_nothing() -> None:
    alone = reading(0.5, 0.3, 0.2)
    both = combine(alone, SpanScores((), 0.0, {(0, 0): 0.0}), 1)
    assert both.none == pytest.approx(alone.none)
    assert [s.log_probability for s in both.spans] == pytest.approx(
        [s.log_probability for s in alone.spans], abs=1e-6
    )


def test_a_citation_marks_the_answer_as_a_whole_word() -> None:
    def ranked(sentence: str, article_id: str) -> Ranked:
        stored = SimpleNamespace(
            passage=SimpleNamespace(article_id=article_id), title="", source="", date=None
        )
        return Ranked(
            cast(Candidate, SimpleNamespace(stored=stored, start=100, sentence=sentence, end=0)), 0.9
        )

    chosen = ranked("L’accident a fait 5 morts.", "a")
    others = [ranked("Le 15 novembre, 5 personnes sont mortes.", "b"), ranked("Le 25 mai 2015.", "c")]
    cited = cite(Choice("5", chosen, 118, 119, -0.1, 1.0), [chosen, *others], 0.8)
    assert [c.article_id for c in cited] == ["a", "b"]
    assert (cited[1].answer_start, cited[1].answer_end) == (116, 117)
