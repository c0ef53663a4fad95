"""The whole way with the real models, over the sample articles: nothing invented, all of it cited."""

from __future__ import annotations

import json
import math
import shutil
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import qa
from qa.answer import Answer, Delta, Step
from qa.assistant import EMPTY, MAX_QUESTION_CHARACTERS, REFUSAL, STEPS, Assistant, Trace
from qa.confidence import Thresholds
from qa.errors import QuestionError, SourcierError
from qa.ingest.articles import read_text
from qa.library.library import Library
from qa.reading.reader import Segment, SpanScores

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


def test_every_citation_is_verbatim_and_holds_the_short_answer(
    assistant: Assistant, answers: list[Answer]
) -> None:
    for answer in answers:
        for citation in answer.citations:
            text = assistant.library.article(citation.article_id).text
            assert text[citation.start : citation.end] == citation.sentence
            assert f"« {citation.sentence} » [{citation.marker}]" in answer.text
        if answer.short is None:
            continue
        first = answer.citations[0]
        assert first.answer_start is not None
        assert first.answer_end is not None
        assert first.start <= first.answer_start < first.answer_end <= first.end
        text = assistant.library.article(first.article_id).text
        assert text[first.answer_start : first.answer_end] == answer.short
    assert sum(answer.short is not None for answer in answers) > len(answers) / 5


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


@pytest.mark.parametrize(("none", "readings"), [(0.01, 1), (0.5, 2), (0.99, 1)])
def test_only_what_leaves_a_doubt_is_read_on(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch, none: float, readings: int
) -> None:
    work = assistant.examine(QUESTIONS[:1])[0]
    again = Trace(work.question, readings=work.readings)
    read: list[Sequence[Segment]] = []

    class Doubter:
        def read_batch(self, inputs: Sequence[tuple[str, Sequence[Segment]]]) -> list[SpanScores]:
            read.extend(segments for _, segments in inputs)
            return [SpanScores((), math.log(none), {}) for _ in inputs]

    monkeypatch.setattr(assistant, "_reader", Doubter())
    assistant._read([again])
    assert len(work.readings) == 2
    assert len(read) == readings
    assert again.layout == [group for layout in work.readings[:readings] for group in layout]


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


def test_a_refusal_claims_nothing(answers: list[Answer]) -> None:
    refused = [answer for answer in answers if not answer.answerable]
    assert refused
    assert {(answer.text, answer.short, answer.citations) for answer in refused} == {(REFUSAL, None, ())}


def test_thresholds_decide_between_answer_sentence_and_refusal(assistant: Assistant) -> None:
    question = QUESTIONS[0]
    assert assistant.answer(question, thresholds=NEVER).text == REFUSAL
    assert assistant.answer(question, thresholds=ALWAYS).short
    quoted = assistant.answer(question, thresholds=Thresholds(short=1.1, abstain=0.0))
    assert (quoted.short, quoted.answerable, len(quoted.citations)) == (None, True, 1)
    assert quoted.citations[0].answer_start is None


def test_only_the_chosen_articles_are_asked(assistant: Assistant) -> None:
    chosen = assistant.library.articles()[3].id
    for question in QUESTIONS[:10]:
        answer = assistant.answer(question, article_ids=[chosen], thresholds=ALWAYS)
        found = (*answer.passages, *answer.evidence, *answer.citations)
        assert {item.article_id for item in found} == {chosen}


def test_the_number_of_passages_is_the_one_asked_for(assistant: Assistant) -> None:
    assert [len(assistant.answer(QUESTIONS[0], top_k=k).passages) for k in (1, 7)] == [1, 7]


def test_the_stream_is_the_steps_then_the_text_then_the_answer(assistant: Assistant) -> None:
    *before, answer = assistant.stream(QUESTIONS[0])
    steps = [item for item in before if isinstance(item, Step)]
    deltas = [item for item in before if isinstance(item, Delta)]
    assert [step.name for step in steps] == list(STEPS)
    assert isinstance(answer, Answer)
    assert "".join(delta.text for delta in deltas) == answer.text
    assert [*steps, *deltas, answer] == [*before, answer]


def test_a_cancelled_stream_ends_at_once(assistant: Assistant) -> None:
    cancel = threading.Event()
    seen = []
    for item in assistant.stream(QUESTIONS[0], cancel=cancel):
        seen.append(item)
        cancel.set()
    assert len(seen) == 1
    with pytest.raises(QuestionError, match="annulée"):
        assistant.answer(QUESTIONS[0], cancel=cancel)


def test_a_follow_up_is_completed_from_the_conversation(assistant: Assistant) -> None:
    first = assistant.answer(QUESTIONS[0], thresholds=ALWAYS)
    followed = assistant.answer("Pourquoi ?", history=[(QUESTIONS[0], first.text)])
    assert followed.question != "Pourquoi ?"


def test_an_empty_library_says_so(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", embedding="french-static", create=True) as library:
        answer = Assistant(library).answer("Qui parle ?")
    assert (answer.text, answer.answerable, answer.citations) == (EMPTY, False, ())


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
