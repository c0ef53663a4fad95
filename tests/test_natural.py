"""Natural questions: what an answer is worth, the cause of each failure, and the way from a file to the report.

`data/natural_judged.json` holds invented answers to invented questions with the values that the script of this
project's natural questions gives them; the two must agree.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes_eval import MOON, REFUSAL, Lookup, moon, natural_record, write
from rich.console import Console
from typer.testing import CliRunner

from eval import evaluate
from eval.datasets import DatasetError, EvalQuestion, load
from eval.feedback import write_questions
from eval.natural import judge, same_sentence
from eval.outcome import FAILURES, SUCCESSES
from eval.outcome import judge as outcome_of
from eval.report.comparison import read_outcomes
from eval.report.tables import show
from qa.answer import Answer, Citation, Evidence, Item
from qa.cli.commands import app
from qa.history import History
from qa.ingest.articles import read_text
from qa.library.library import Library
from qa.scoring import accepted

JUDGED: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "natural_judged.json").read_text("utf-8")
)
TALK = Answer(kind="talk", question="", topic="hello")


def citation(marker: int, sentence: str) -> Citation:
    return Citation(marker, "a", "T", "a.txt", None, sentence, 0, len(sentence), None, None, 0.9)


def stored_question(given: dict[str, Any]) -> EvalQuestion:
    items = tuple(map(tuple, given.get("items", ())))
    answers, support = tuple(given.get("answers", ())), tuple(given.get("support", ()))
    return EvalQuestion(
        "1", "?", answers, (), given.get("answerable", True),
        kind=given["kind"], items=items, polarity=given.get("polarity"), support=support,
    )  # fmt: skip


def stored_answer(given: dict[str, Any]) -> Answer:
    found = (Evidence("a", "T", "a.txt", None, MOON, 0, len(MOON), 0.1),) if given.get("found", True) else ()
    return Answer(
        kind=given["kind"],
        question="?",
        short=given.get("short"),
        items=tuple(Item(text, 1) for text in given.get("items", ())),
        topic=given.get("topic", ""),
        citations=tuple(citation(n, s) for n, s in enumerate(given.get("citations", ()), start=1)),
        evidence=found,
    )


@pytest.mark.parametrize("stored", JUDGED, ids=lambda stored: stored["case"])
def test_agrees_with_the_stored_judgements(stored: dict[str, Any]) -> None:
    found = judge(stored_question(stored["question"]), stored_answer(stored["answer"]))
    assert (found.useful, found.harm, found.supported) == (
        pytest.approx(stored["useful"]),
        stored["harm"],
        stored["supported"],
    )


def test_the_stored_judgements_cover_every_kind_of_question_and_of_answer() -> None:
    asked = {stored["question"]["kind"] for stored in JUDGED}
    given = {stored["answer"]["kind"] for stored in JUDGED}
    assert asked >= {
        "factoid", "quantity", "follow-up", "yesno", "list", "why", "how", "definition", "what-happened",
        "summary", "unanswerable", "chitchat",
    }  # fmt: skip
    assert given == {"span", "list", "yes", "no", "sentences", "articles", "none", "talk"}


def test_nothing_is_neither_accepted_nor_the_same() -> None:
    assert not accepted("", ["lune"])
    assert not accepted("la", ["le"])
    assert not same_sentence("", MOON)


@pytest.mark.parametrize(
    ("about", "answer", "cause"),
    [
        ({"kind": "factoid", "answers": ["Neil Armstrong"]}, moon(), "juste"),
        ({"kind": "factoid", "answers": ["Neil Armstrong"]}, moon("1969"), "affirmé à tort"),
        ({"kind": "factoid", "answers": ["Neil Armstrong"]}, moon(None), "bonne phrase, rien d’affirmé"),
        ({"kind": "factoid", "answers": ["Neil Armstrong"]}, REFUSAL, "non retrouvé"),
        (
            {"kind": "factoid", "answers": ["Neil Armstrong"]},
            moon(None, kind="none", citations=()),
            "refusé à tort",
        ),
        (
            {"kind": "factoid", "answers": ["Neil Armstrong"]},
            moon(None, citations=(citation(1, "La lune est loin."),)),
            "phrases citées à côté",
        ),
        (
            {"kind": "why", "support": [MOON]},
            moon(None, citations=(citation(1, "La lune est loin."),), evidence=()),
            "retrouvé mais mal classé",
        ),
        ({"kind": "yesno", "polarity": "oui"}, moon(None, kind="yes"), "juste"),
        ({"kind": "yesno", "polarity": "oui"}, moon(None, kind="no"), "polarité fausse"),
        ({"kind": "yesno", "polarity": "oui"}, moon(None), "bonne phrase, rien d’affirmé"),
        (
            {"kind": "list", "items": [["Neil Armstrong"], ["Buzz Aldrin", "Aldrin"]]},
            moon(None, kind="list", items=(Item("Neil Armstrong", 1),)),
            "éléments manquants",
        ),
        (
            {"kind": "list", "items": [["Michael Collins"]]},
            moon(None, kind="list", items=(Item("1969", 1),)),
            "affirmé à tort",
        ),
        ({"kind": "summary", "support": [MOON, "La lune est loin.", "Elle est grise."]}, moon(None), "éléments manquants"),
        ({"kind": "unanswerable", "answerable": False}, REFUSAL, "refusé à raison"),
        ({"kind": "unanswerable", "answerable": False}, moon(None), "répondu à tort"),
        ({"kind": "chitchat", "answerable": False}, TALK, "juste"),
        ({"kind": "chitchat", "answerable": False}, REFUSAL, "refusé à tort"),
        ({"kind": "chitchat", "answerable": False}, moon(None), "répondu à tort"),
    ],
)  # fmt: skip
def test_every_failure_has_its_cause(
    tmp_path: Path, about: dict[str, Any], answer: Answer, cause: str
) -> None:
    question = load(write(tmp_path / "q.jsonl", natural_record("1", "Q ?", **about))).questions[0]
    assert outcome_of(question, answer, None).verdict == cause
    assert cause in (*FAILURES, *SUCCESSES)


class TestFile:
    def test_reads_the_fields_of_natural_questions(self, tmp_path: Path) -> None:
        line = natural_record(
            "1", "et lui ?", kind="list", items=[["A", "a"], ["B"]], history=[["Qui ?", "Neil"]], style="sms"
        )
        question = load(write(tmp_path / "q.jsonl", line)).questions[0]
        assert (question.kind, question.items, question.style) == ("list", (("A", "a"), ("B",)), "sms")
        assert (question.support, question.history) == ((MOON,), (("Qui ?", "Neil"),))

    @pytest.mark.parametrize(
        ("about", "said"),
        [
            ({"kind": 3}, "le champ « kind » doit être un texte"),
            ({"polarity": "peut-être"}, "le champ « polarity » doit être « oui », « non » ou null"),
            ({"items": [["a"], "b"]}, "le champ « items[1] » doit être une liste"),
            ({"items": [["a", 1]]}, "le champ « items[0] » doit être une liste de textes"),
            ({"history": [["seule"]]}, "le champ « history » doit être une liste de [question, réponse]"),
            ({"support": "phrase"}, "le champ « support » doit être une liste"),
        ],
    )
    def test_names_line_and_field(self, tmp_path: Path, about: dict[str, Any], said: str) -> None:
        line = {**natural_record("1", "Q ?", kind="factoid", answers=["A"]), **about}
        with pytest.raises(DatasetError) as raised:
            load(write(tmp_path / "q.jsonl", line))
        assert f"ligne 1 : {said}" in str(raised.value)

    def test_leaves_out_what_cannot_be_judged(self, tmp_path: Path) -> None:
        lines = [
            natural_record("bonne", "Q ?", kind="yesno", polarity="non"),
            natural_record("polarité", "Q ?", kind="yesno"),
            natural_record("liste", "Q ?", kind="list"),
            natural_record("fait", "Q ?", kind="factoid"),
            natural_record("pourquoi", "Q ?", kind="why", support=[]),
        ]
        dataset = load(write(tmp_path / "q.jsonl", *lines))
        assert [question.id for question in dataset.questions] == ["bonne"]
        assert len(dataset.warnings) == 4

    def test_documents_beside_the_file_are_its_library(self, tmp_path: Path) -> None:
        file = write(tmp_path / "q.jsonl", natural_record("1", "Q ?", kind="why"))
        assert load(file).documents is None
        (tmp_path / "docs").mkdir()
        assert load(file).documents == tmp_path / "docs"


ANSWERS = {
    "Qui ?": moon(),
    "Quand ?": moon("Neil Armstrong"),
    "Oui ?": moon(None, kind="yes"),
    "Salut": TALK,
}
LINES = (
    natural_record("a", "Qui ?", kind="factoid", answers=["Neil Armstrong"]),
    natural_record("b", "Quand ?", kind="factoid", answers=["1969"]),
    natural_record("c", "Oui ?", kind="yesno", polarity="oui"),
    natural_record("d", "Salut", kind="chitchat", answerable=False),
    natural_record("e", "Combien ?", kind="unanswerable", answerable=False),
)


class TestReport:
    def test_figures_by_kind_with_their_intervals(self, tmp_path: Path) -> None:
        report = evaluate(Lookup(ANSWERS), write(tmp_path / "q.jsonl", *LINES), output=tmp_path)
        found = report.summary.to_dict()
        natural = found["natural"]
        assert (natural["useful"], natural["harm"]) == (0.8, 0.2)
        assert natural["kinds"]["factoid"] == {"n": 2, "useful": 0.5, "harm": 0.5}
        assert natural["kinds"]["chitchat"] == {"n": 1, "useful": 1.0, "harm": 0.0}
        low, high = found["ci"]["natural"]["kinds"]["factoid"]["useful"]
        assert low <= 0.5 <= high
        assert found["ci"]["natural"]["useful"][1] == 1.0
        assert found["answer"]["em"] == 0.5  # yes and no are no short answers to compare
        assert found["abstention"] == {
            "precision": 1.0,
            "recall": 1.0,
            "f1": 1.0,
        }  # small talk is no question
        assert found["calibration"]["ece"] == pytest.approx(abs(0.9 - 2 / 3), abs=1e-4)
        assert report.verdicts == {"affirmé à tort": 1, "juste": 3, "refusé à raison": 1}
        assert read_outcomes(tmp_path) == report.outcomes

    def test_a_person_sees_them_by_kind(self, tmp_path: Path) -> None:
        report = evaluate(Lookup(ANSWERS), write(tmp_path / "q.jsonl", *LINES), output=tmp_path)
        screen = Console(width=120, record=True, file=(tmp_path / "screen.txt").open("w", encoding="utf-8"))
        screen.print(show(report))
        shown = screen.export_text()
        assert all(word in shown for word in ("par genre", "oui ou non", "0,500", "affirmé à tort", "ECE"))
        page = (tmp_path / "report.html").read_text("utf-8")
        assert all(
            word in page for word in ("par genre", "<td>oui ou non</td>", "utile 0,00", "conversation")
        )

    def test_what_was_said_before_goes_with_a_question(self, tmp_path: Path) -> None:
        class Remembers(Lookup):
            histories: Any = ()

            def answer(self, question: str, *, history: Any = ()) -> Answer:
                assert (question == "et lui ?") == bool(history)
                return super().answer(question)

            def answer_batch(
                self, questions: list[str], *, top_k: int, histories: Any = None
            ) -> list[Answer]:
                self.histories = histories
                return [Lookup.answer(self, question) for question in questions]

        before = [["Qui ?", "Neil Armstrong"]]
        lines = [
            natural_record("a", "Qui ?", kind="factoid", answers=["Neil Armstrong"]),
            natural_record("b", "et lui ?", kind="follow-up", answers=["1969"], history=before),
        ]
        system = Remembers({"et lui ?": moon("1969")})
        report = evaluate(system, write(tmp_path / "q.jsonl", *lines))
        assert system.histories == [(), (("Qui ?", "Neil Armstrong"),)]
        assert [o.verdict for o in report.outcomes] == ["non retrouvé", "juste"]

    def test_an_earlier_report_can_still_be_compared_with(self, tmp_path: Path) -> None:
        file = write(tmp_path / "q.jsonl", *LINES)
        evaluate(Lookup(ANSWERS), file, output=tmp_path)
        saved = json.loads((tmp_path / "report.json").read_text("utf-8"))
        for outcome in saved["outcomes"]:
            outcome["dangling"] = 0
            for new in ("kind", "expected", "correct", "judged", "error"):
                del outcome[new]
        (tmp_path / "old.json").write_text(json.dumps(saved), "utf-8")
        found = evaluate(Lookup(ANSWERS), file, compare=tmp_path / "old.json").to_dict()["comparison"]
        assert found["common"] == 5
        assert "natural" not in found["figures"]


@pytest.mark.parametrize("named", [False, True])
def test_the_command_asks_the_documents_beside_the_file_unless_a_library_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    monkeypatch.setenv("SOURCIER_EMBEDDING", "french-static")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = write(tmp_path / "q.jsonl", natural_record("1", "Qui ?", kind="why"))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "lune.txt").write_text(f"La lune\n\n{MOON}", "utf-8")
    with Library.open(tmp_path / "library", embedding="french-static", create=True) as library:
        library.add_articles([read_text("Le pain est cuit.", title="Pain")])
    asked: list[str] = []

    def ask(system: Any, path: Path, **options: Any) -> Any:
        asked.extend(article.title for article in system.library.articles())
        return evaluate(Lookup({}), path)

    monkeypatch.setattr("eval.evaluate", ask)
    options = ["--library", str(tmp_path / "library")] if named else []
    result = CliRunner().invoke(app, ["eval", str(file), *options])
    assert result.exit_code == 0, result.output
    assert asked == (["Pain"] if named else ["La lune"])


def test_praised_answers_become_questions_of_their_kind(tmp_path: Path) -> None:
    given = {
        "Oui ?": moon(None, kind="yes"),
        "Qui ?": moon(None, kind="list", items=(Item("Neil", 1), Item("Buzz", 1))),
        "Salut": TALK,
    }
    with closing(History(tmp_path / "history.sqlite")) as history:
        conversation = history.create("", "Lune")
        for question, answer in given.items():
            message = history.append(conversation, "", question, replace(answer, question=question))
            history.rate(message.id, "", True, "")
    assert write_questions(tmp_path, tmp_path / "avis.jsonl") == 3
    dataset = load(tmp_path / "avis.jsonl")
    assert dataset.warnings == ()
    report = evaluate(Lookup(given), tmp_path / "avis.jsonl")
    assert [(o.kind, o.verdict) for o in report.outcomes] == [
        ("yesno", "juste"),
        ("list", "juste"),
        ("chitchat", "juste"),
    ]
