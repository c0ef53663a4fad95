"""The whole way with the real models, over the sample articles: nothing invented, all of it cited."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import qa
from qa.answer import Answer, Step
from qa.assistant import MAX_QUESTION_CHARACTERS, Assistant, decide
from qa.confidence import Confidence, Logistic, Thresholds, signals
from qa.errors import QuestionError, SourcierError
from qa.ingest.articles import read_text
from qa.library.library import Library
from qa.reading.choice import Read, proofs, spans
from qa.wording import EMPTY, NOT_FOUND
from tests.readings import hit, read

EVAL = Path(__file__).parent.parent / "eval"
LINES = (EVAL / "questions" / "samples.jsonl").read_text("utf-8").splitlines()
QUESTIONS = [json.loads(line)["question"] for line in LINES]
ALWAYS = Thresholds(short=0.0, abstain=0.0)
NEVER = Thresholds(short=1.1, abstain=1.1)


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    folder = tmp_path_factory.mktemp("samples")
    with Library.open(folder, embedding="french-static", create=True) as library:
        library.add([EVAL / "articles"])
        yield Assistant(library)


@pytest.fixture(scope="module")
def answers(assistant: Assistant) -> list[Answer]:
    return assistant.answer_batch(QUESTIONS)


def test_whatever_is_asserted_is_verbatim_in_a_cited_sentence(
    assistant: Assistant, answers: list[Answer]
) -> None:
    for answer in answers:
        for citation in answer.citations:
            text = assistant.library.article(citation.article_id).text
            assert text[citation.start : citation.end] == citation.sentence
            assert f"« {citation.sentence} » [{citation.marker}]" in answer.text
        cited = {citation.marker: citation for citation in answer.citations}
        for item in answer.items:
            assert item.text in cited[item.marker].sentence
        if answer.short is None:
            continue
        first = next(c for c in answer.citations if c.answer_start is not None)
        assert first.answer_end is not None
        text = assistant.library.article(first.article_id).text
        assert text[first.answer_start : first.answer_end] == answer.short
        assert answer.short in first.sentence
    assert sum(answer.answerable for answer in answers) > len(answers) / 3


def test_more_passages_shown_change_no_answer(assistant: Assistant, answers: list[Answer]) -> None:
    more = assistant.answer_batch(QUESTIONS, top_k=20)
    assert [a.short for a in more] == [a.short for a in answers]
    assert [a.confidence for a in more] == pytest.approx([a.confidence for a in answers])
    assert max(len(a.passages) for a in more) == 20
    assert assistant.answer_batch([]) == []


def test_the_first_passage_holds_the_best_sentence(answers: list[Answer]) -> None:
    for answer in answers:
        passage, sentence = answer.passages[0], answer.evidence[0]
        assert passage.article_id == sentence.article_id
        assert passage.start <= sentence.start < sentence.end <= passage.end
    assert any(answer.passages[0].score < max(p.score for p in answer.passages) for answer in answers)


def test_a_library_made_anew_is_read_anew(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    shown = []
    for mayor in ("Inès Carvalho", "Paul Meurisse"):
        with Library.open(folder, embedding="french-static", create=True) as library:
            library.add_articles([read_text(f"La maire ou le maire de Tarvigny est {mayor}.")])
        shown.append(qa.answer("Qui est maire de Tarvigny ?", library=folder).passages[0].text)
        shutil.rmtree(folder)
    assert "Inès Carvalho" in shown[0]
    assert "Paul Meurisse" in shown[1]


def test_a_folder_that_cannot_be_is_told_in_one_line(tmp_path: Path) -> None:
    for folder in (tmp_path / "absent", tmp_path / ("a" * 300)):
        with pytest.raises(SourcierError, match=r"\A[^\n]+\Z"):
            qa.answer("Qui ?", library=folder)


def test_markers_are_numbered_from_one(answers: list[Answer]) -> None:
    for answer in answers:
        assert [c.marker for c in answer.citations] == list(range(1, len(answer.citations) + 1))


def test_a_refusal_claims_nothing(assistant: Assistant, answers: list[Answer]) -> None:
    refused = [answer for answer in answers if not answer.answerable]
    assert refused
    assert {(a.text, a.kind, a.short, a.items, a.citations) for a in refused} == {
        (NOT_FOUND, "none", None, (), ())
    }
    assert assistant.answer(QUESTIONS[0], thresholds=NEVER).kind == "none"


CERTAIN, UNSURE = Logistic(9.0, (0.0,) * 18), Logistic(-9.0, (0.0,) * 18)
SURE = Confidence(CERTAIN, CERTAIN, CERTAIN, CERTAIN, 0.8, Thresholds(0.5, 0.5))
DOUBTFUL = replace(SURE, short=UNSURE, listed=UNSURE, polarity=UNSURE)
TEXT = (
    "Trois villes sont candidates : Lormes, Varzy et Nolay. Le maire de Decize a refusé. Il manque d’argent."
)


def decided(one: Read, confidence: Confidence) -> Answer:
    from qa.assistant import Examined, Question

    sentences, best = tuple(proofs([one])), tuple(spans([one]))
    said = signals("Qui ?", [one], sentences, best)
    question = Question("Qui ?", "Qui ?", "Qui ?")
    examined = Examined(question, (one.hit,), (one,), sentences, best, said, {})
    return decide(Answer("none", "Qui ?"), examined, confidence, confidence.thresholds)


def test_each_kind_is_asserted_where_it_is_sure_and_quoted_where_it_is_not() -> None:
    found = hit(TEXT)
    span = read(found, spans=[("Lormes", 0.9)], supports=[0.9, 0.1, 0.0])
    assert (decided(span, SURE).kind, decided(span, SURE).short) == ("span", "Lormes")
    items = read(found, kind="list", items=["Lormes", "Varzy", "Nolay"], supports=[0.9, 0.1, 0.0])
    assert [i.text for i in decided(items, SURE).items] == ["Lormes", "Varzy", "Nolay"]
    assert decided(items, SURE).text.startswith("- Lormes [1]\n- Varzy [1]\n- Nolay [1]\n\n« Trois villes")
    no = read(found, kind="no", supports=[0.1, 0.9, 0.0])
    assert decided(no, SURE).text == "Non [1]\n\n« Le maire de Decize a refusé. » [1]"
    yes = read(found, kind="yes", supports=[0.9, 0.1, 0.0])
    assert decided(yes, SURE).text.startswith("Oui [1]")
    why = read(found, kind="sentences", spans=[("manque d’argent", 0.9)], supports=[0.0, 0.6, 0.9])
    assert [c.sentence for c in decided(why, SURE).citations] == [
        "Le maire de Decize a refusé.",
        "Il manque d’argent.",
    ]
    assert decided(why, SURE).short == "manque d’argent"
    for one in (span, items, no, yes):
        answer = decided(one, DOUBTFUL)
        assert (answer.kind, answer.short, answer.items) == ("sentences", None, ())
        assert answer.citations
    assert decided(span, replace(SURE, answerable=UNSURE)).kind == "none"


def test_small_talk_gets_a_friendly_line_and_no_article(assistant: Assistant) -> None:
    for said in ("Bonjour", "merci !", "Que sais-tu faire ?", "Who is the chairman of the board?"):
        answer = assistant.answer(said)
        assert (answer.kind, answer.answerable, answer.citations) == ("talk", False, ())
        assert answer.text


def test_a_summary_is_of_one_article_in_the_order_of_its_text(assistant: Assistant) -> None:
    info = assistant.library.articles()[0]
    answer = assistant.answer(f"Résume l’article « {info.title} »")
    assert answer.kind == "sentences"
    assert len({c.article_id for c in answer.citations}) == 1
    assert answer.citations[0].article_id == info.id
    starts = [c.start for c in answer.citations]
    assert starts == sorted(set(starts))
    assert 2 <= len(starts) <= 4


def test_what_is_suggested_is_answered(assistant: Assistant) -> None:
    for question in assistant.suggestions(3):
        assert assistant.answer(question).answerable


def test_only_the_chosen_articles_are_asked(assistant: Assistant) -> None:
    chosen = assistant.library.articles()[3].id
    for question in QUESTIONS[:10]:
        answer = assistant.answer(question, article_ids=[chosen], thresholds=ALWAYS)
        found = (*answer.passages, *answer.evidence, *answer.citations)
        assert {item.article_id for item in found} == {chosen}


def test_the_number_of_passages_is_the_one_asked_for(assistant: Assistant) -> None:
    assert [len(assistant.answer(QUESTIONS[0], top_k=k).passages) for k in (1, 7)] == [1, 7]


def test_the_stream_is_the_steps_with_what_they_found_then_the_answer(assistant: Assistant) -> None:
    *steps, answer = assistant.stream(QUESTIONS[0])
    assert [step.name for step in steps if isinstance(step, Step)] == ["retrieval", "reading"]
    assert isinstance(answer, Answer)
    assert isinstance(steps[1], Step)
    assert {p.article_id for p in steps[1].passages} & {p.article_id for p in answer.passages}


def test_a_cancelled_stream_ends_at_once(assistant: Assistant) -> None:
    cancel = threading.Event()
    seen = []
    for item in assistant.stream(QUESTIONS[0], cancel=cancel):
        seen.append(item)
        cancel.set()
    assert len(seen) == 1
    with pytest.raises(QuestionError, match="annulée"):
        assistant.answer(QUESTIONS[0], cancel=cancel)


def test_a_follow_up_is_searched_with_the_exchange_it_follows(assistant: Assistant) -> None:
    followed = assistant.answer("Pourquoi ?", history=[(QUESTIONS[0], "Sam Altman")])
    assert followed.question == f"{QUESTIONS[0]} Sam Altman — Pourquoi ?"
    whole = assistant.answer(QUESTIONS[1], history=[(QUESTIONS[0], "Sam Altman")])
    assert whole.question == QUESTIONS[1]


def test_a_batch_answers_as_one_by_one(assistant: Assistant, answers: list[Answer]) -> None:
    for question, answer in list(zip(QUESTIONS, answers, strict=True))[:8]:
        alone = assistant.answer(question)
        assert (alone.kind, alone.short) == (answer.kind, answer.short)


def test_an_empty_library_says_so(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", embedding="french-static", create=True) as library:
        answer = Assistant(library).answer("Qui parle ?")
    assert (answer.text, answer.kind, answer.citations) == (EMPTY, "none", ())


@pytest.mark.parametrize("question", ["", " \t", "\0", "🙂", "a" * (MAX_QUESTION_CHARACTERS + 1)])
def test_what_is_no_question_is_refused(assistant: Assistant, question: str) -> None:
    with pytest.raises(QuestionError):
        assistant.answer(question)


def test_a_given_text_is_read(assistant: Assistant) -> None:
    text = "Le phare d’Eckmühl, inauguré en 1897, mesure 65 mètres."
    reading = assistant.read("En quelle année le phare d’Eckmühl a-t-il été inauguré ?", text)
    assert reading.short == "1897"
    assert reading.start is not None
    assert reading.end is not None
    assert text[reading.start : reading.end] == "1897"
    assert assistant.read("Qui ?", "").short is None
