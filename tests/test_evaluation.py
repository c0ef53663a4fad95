"""`sourcier eval` and `from eval import evaluate`: files, verdicts, resumed runs, comparisons, the report."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes_eval import (
    MOON,
    REFUSAL,
    Lookup,
    Told,
    evaluate_slowly,
    lookup,
    moon,
    questions,
    record,
    write,
)
from typer.testing import CliRunner

from eval import evaluate
from eval.conditions import memory_mb
from eval.datasets import DatasetError, load
from eval.outcome import judge
from eval.scripts.baseline import BestSentence
from eval.sources import check_sources, is_source, match, resolve
from eval.subject import describe
from qa.answer import Answer, Reading
from qa.assistant import Assistant
from qa.cli.commands import app
from qa.errors import SourcierError
from qa.history import History
from qa.library.library import Library

SAMPLES = Path(__file__).parent.parent / "eval" / "questions" / "samples.jsonl"
WHO = "Qui a marché sur la lune ?"
SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "La lune",
            "paragraphs": [
                {
                    "context": MOON,
                    "qas": [
                        {
                            "id": 1,
                            "question": WHO,
                            "answers": [{"text": "Neil Armstrong", "answer_start": 0}],
                        },
                        {"id": 2, "question": "Qui a vu Mars ?", "answers": [], "is_impossible": True},
                    ],
                }
            ],
        }
    ],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "questions.jsonl", *questions(100))


def squad(path: Path, data: Any = SQUAD) -> Path:
    path.write_text(json.dumps(data), "utf-8")
    return path


class TestFiles:
    def test_reads_json_lines(self, tmp_path: Path) -> None:
        dataset = load(write(tmp_path / "q.jsonl", record("1", WHO, "Neil Armstrong", "Armstrong")))
        assert dataset.questions[0].answers == ("Neil Armstrong", "Armstrong")
        assert dataset.questions[0].sources == ("lune",)
        assert (dataset.articles, dataset.warnings) == ((), ())

    def test_reads_squad(self, tmp_path: Path) -> None:
        dataset = load(squad(tmp_path / "squad.json"))
        assert [(q.id, q.answers, q.answerable) for q in dataset.questions] == [
            ("1", ("Neil Armstrong",), True),
            ("2", (), False),
        ]
        assert dataset.articles[0].text == dataset.questions[0].context == MOON
        assert dataset.questions[0].sources == (dataset.articles[0].id,)

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ('{"id": "1"', "ligne 2 : ce n’est pas du JSON valide (colonne 11)"),
            ("[]", "ligne 2 : il faut un objet JSON"),
            ('{"question": "Q"}', "ligne 2 : le champ « id » manque"),
            ('{"id": "1", "question": 3}', "ligne 2 : le champ « question » doit être un texte"),
            (
                '{"id": "1", "question": "Q", "answers": "a"}',
                "ligne 2 : le champ « answers » doit être une liste",
            ),
            (
                '{"id": "1", "question": "Q", "answers": [1]}',
                "ligne 2 : le champ « answers » doit être une liste de textes",
            ),
            (
                '{"id": "1", "question": "Q", "answers": [], "sources": []}',
                "ligne 2 : le champ « answerable » manque",
            ),
        ],
    )
    def test_names_file_line_and_field(self, tmp_path: Path, line: str, said: str) -> None:
        path = tmp_path / "q.jsonl"
        path.write_text(json.dumps(record("0", WHO, "Neil")) + "\n" + line + "\n", "utf-8")
        with pytest.raises(DatasetError, match=re.escape(f"{path}, {said}")) as raised:
            load(path)
        assert "\n" not in str(raised.value)

    def test_names_the_place_in_squad(self, tmp_path: Path) -> None:
        data = json.loads(json.dumps(SQUAD))
        del data["data"][0]["paragraphs"][0]["qas"][1]["question"]
        with pytest.raises(
            DatasetError, match=r"data\[0\]\.paragraphs\[0\]\.qas\[1\] : le champ « question »"
        ):
            load(squad(tmp_path / "squad.json", data))

    def test_says_what_is_wrong_with_a_whole_file(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match="lecture impossible"):
            load(tmp_path / "absent.jsonl")
        (tmp_path / "latin.jsonl").write_bytes("é".encode("latin-1"))
        with pytest.raises(DatasetError, match="UTF-8"):
            load(tmp_path / "latin.jsonl")
        (tmp_path / "vide.jsonl").write_text("\n")
        with pytest.raises(DatasetError, match="aucune question"):
            load(tmp_path / "vide.jsonl")
        (tmp_path / "profond.json").write_text("[" * 100_000)
        with pytest.raises(DatasetError, match="imbriqué"):
            load(tmp_path / "profond.json")

    def test_leaves_out_what_cannot_be_asked_or_judged(self, tmp_path: Path) -> None:
        lines = [
            record("double", WHO, "Neil"),
            record("double", "Autre ?", "Neil"),
            record("vide", " … ", "Neil"),
            record("longue", "a" * 2001, "Neil"),
            {**record("sans", WHO), "answerable": True},
        ]
        dataset = load(write(tmp_path / "q.jsonl", *lines))
        assert [q.id for q in dataset.questions] == ["double"]
        said = " ".join(dataset.warnings)
        assert all(
            word in said for word in ("en double", "texte vide", "plus de 2000", "aucune n’est donnée")
        )

    def test_reports_an_answer_that_is_not_in_its_text(self, tmp_path: Path) -> None:
        data = json.loads(
            json.dumps(SQUAD).replace('"Neil Armstrong", "answer_start"', '"Buzz", "answer_start"')
        )
        assert "n’est pas dans son texte" in load(squad(tmp_path / "squad.json", data)).warnings[0]

    def test_shipped_questions_load(self) -> None:
        dataset = load(SAMPLES)
        assert (len(dataset.questions), dataset.warnings) == (80, ())


def test_a_file_that_is_a_source_is_known_whatever_it_names_as_its_own(tmp_path: Path) -> None:
    article = tmp_path / "lune.md"
    article.write_text(f"---\ntitle: Sur la lune\nsource: Le Monde\n---\n{MOON}\n", "utf-8")
    questions = load(
        write(tmp_path / "q.jsonl", record("1", WHO, "Neil Armstrong", source="lune.md"))
    ).questions
    with Library.open(tmp_path / "library", embedding="french-static", create=True) as library:
        library.add([article])
        matched = match(questions, library)
        assert list(check_sources(questions, matched, library)) == []
        found = library.articles()[0]
        assert not is_source(questions[0].sources, found.id.upper(), found.source)
        assert is_source(resolve(questions, matched)[0].sources, found.id, found.source)
        assert describe(Assistant(library)) != describe(Assistant(library, reader="un-t5"))


def test_a_system_without_the_module_resource_can_evaluate(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (memory_mb() or 0) > 10
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "resource", None)
    assert memory_mb() is None
    statement = (
        "import sys; sys.modules['resource'] = None; import eval.command, eval.runner, eval.report.report"
    )
    subprocess.run([sys.executable, "-c", statement], check=True)


class TestVerdicts:
    """Each failure is put down to the first step that failed."""

    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (moon(), "juste"),
            (moon("Neil Armstrong a"), "presque juste"),
            (moon("1969"), "bien classé mais mal lu"),
            (moon(None), "bonne phrase, rien d’affirmé"),
            (moon(None, kind="none", citations=()), "refusé à tort"),
            (moon("1969", evidence=()), "retrouvé mais mal classé"),
            (REFUSAL, "non retrouvé"),
        ],
    )
    def test_of_a_question_with_an_answer(self, tmp_path: Path, answer: Answer, expected: str) -> None:
        question = load(write(tmp_path / "q.jsonl", record("1", WHO, "Neil Armstrong"))).questions[0]
        assert judge(question, answer, None).verdict == expected

    def test_of_a_question_without(self, tmp_path: Path) -> None:
        question = load(write(tmp_path / "q.jsonl", record("1", WHO))).questions[0]
        assert judge(question, moon(), None).verdict == "répondu à tort"
        assert judge(question, REFUSAL, None).verdict == "refusé à raison"


class TestFigures:
    def figures(self, tmp_path: Path, answers: dict[str, Answer], *lines: dict[str, Any]) -> dict[str, Any]:
        return evaluate(Lookup(answers), write(tmp_path / "q.jsonl", *lines)).summary.to_dict()

    def test_by_hand(self, tmp_path: Path) -> None:
        answers = {"A ?": moon(), "B ?": moon("1969"), "C ?": moon()}
        lines = [
            record("a", "A ?", "Neil Armstrong"),
            record("b", "B ?", "Armstrong"),
            record("c", "C ?"),
            record("d", "D ?"),
            record("e", "E ?", "Terre"),
        ]
        found = self.figures(tmp_path, answers, *lines)
        assert found["retrieval"]["recall@5"] == pytest.approx(2 / 3, abs=1e-4)
        assert found["evidence"]["sentence@1"] == pytest.approx(2 / 3, abs=1e-4)
        assert found["answer"]["em"] == found["answer"]["f1"] == pytest.approx(1 / 3, abs=1e-4)
        assert found["citation"]["precision"] == pytest.approx(2 / 3, abs=1e-4)
        assert found["citation"]["recall"] == pytest.approx(2 / 3, abs=1e-4)
        assert found["abstention"]["precision"] == found["abstention"]["recall"] == 0.5
        assert found["calibration"]["ece"] == pytest.approx(abs(0.9 - 1 / 3), abs=1e-4)
        assert found["n"] == 5
        assert found["reading"]["f1"] is None
        low, high = found["ci"]["answer"]["f1"]
        assert low <= found["answer"]["f1"] <= high

    def test_an_answer_without_citation_is_no_free_pass(self, tmp_path: Path) -> None:
        found = self.figures(tmp_path, {WHO: moon(citations=())}, record("1", WHO, "Neil Armstrong"))
        assert found["citation"] == {"precision": 0.0, "recall": 0.0}

    def test_what_the_system_refuses_to_be_asked_is_not_answered(self, tmp_path: Path) -> None:
        class Refuses:
            def answer(self, question: str) -> Answer:
                raise SourcierError("Question trop longue.")

        report = evaluate(Refuses(), write(tmp_path / "q.jsonl", record("1", WHO, "Neil")))
        assert (report.outcomes[0].answered, report.outcomes[0].error) == (False, "Question trop longue.")

    def test_reads_the_given_text_where_the_system_can(self, tmp_path: Path) -> None:
        class Reads(Lookup):
            def read(self, question: str, context: str) -> Reading:
                assert context == MOON
                return Reading("Armstrong", 5, 14, 0.9, True)

        found = evaluate(Reads({}), squad(tmp_path / "squad.json")).summary.to_dict()
        assert found["reading"]["f1"] == pytest.approx(2 / 3, abs=1e-4)
        assert found["n"] == 2


class TestRun:
    def test_draws_and_limits(self, file: Path) -> None:
        drawn = [o.id for o in evaluate(lookup(100), file, sample=10, seed=3).outcomes]
        assert drawn == [o.id for o in evaluate(lookup(100), file, sample=10, seed=3).outcomes]
        assert drawn != [o.id for o in evaluate(lookup(100), file, sample=10, seed=4).outcomes]
        assert drawn == sorted(drawn, key=lambda i: int(i[1:]))
        assert [o.id for o in evaluate(lookup(100), file, limit=2).outcomes] == ["q0", "q1"]

    def test_killed_half_way_and_resumed_gives_the_same_report(self, file: Path, tmp_path: Path) -> None:
        spawn = multiprocessing.get_context("spawn")
        receiving, sending = spawn.Pipe(duplex=False)
        process = spawn.Process(target=evaluate_slowly, args=(file, tmp_path / "killed", 100, Told(sending)))
        process.start()
        sending.close()  # so that a process that dies too early is an end, not a wait
        while receiving.recv() < 32:
            pass
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert not (tmp_path / "killed" / "report.json").exists()
        asked: list[int] = []
        evaluate(
            lookup(100), file, output=tmp_path / "killed", progress=lambda done, total: asked.append(done)
        )
        assert asked[0] >= 32
        evaluate(lookup(100), file, output=tmp_path / "whole")
        killed, whole = (json.loads((tmp_path / d / "report.json").read_text()) for d in ("killed", "whole"))
        assert killed["conditions"]["resumed"] >= 32
        for report in (killed, whole):
            for timed in ("conditions", "latency_ms", "steps_ms"):
                del report[timed]
            del report["ci"]["latency_ms"]
            for outcome in report["outcomes"]:
                del outcome["timings"]
        assert killed == whole

    def test_a_folder_goes_on_with_its_own_run_only(self, file: Path, tmp_path: Path) -> None:
        class Breaks(Lookup):
            def answer(self, question: str) -> Answer:
                if "essai 50" in question:
                    raise MemoryError
                return super().answer(question)

        with pytest.raises(MemoryError):
            evaluate(Breaks({}), file, output=tmp_path / "out", name="a")
        with pytest.raises(DatasetError, match="inachevé d’autres questions ou d’un autre modèle"):
            evaluate(lookup(100), file, output=tmp_path / "out", name="b")
        outcomes = tmp_path / "out" / "outcomes.jsonl"
        outcomes.write_text(outcomes.read_text("utf-8").replace('"verdict"', '"autre"'), "utf-8")
        with pytest.raises(DatasetError, match="abîmé"):
            evaluate(lookup(100), file, output=tmp_path / "out", name="a")

    def test_a_folder_takes_one_run_at_a_time(self, file: Path, tmp_path: Path) -> None:
        class Again(Lookup):
            def answer(self, question: str) -> Answer:
                with pytest.raises(DatasetError, match="Un autre essai"):
                    evaluate(Lookup({}), file, output=tmp_path / "out")
                return REFUSAL

        evaluate(Again({}), file, output=tmp_path / "out", limit=1)


class TestComparison:
    def test_names_what_was_won_and_lost(self, tmp_path: Path) -> None:
        lines = [record(str(n), f"Question {n} ?", "Neil Armstrong") for n in range(8)]
        file = write(tmp_path / "q.jsonl", *lines)
        good = {line["question"]: moon() for line in lines}
        evaluate(
            Lookup({k: v for k, v in good.items() if k < "Question 4"}), file, output=tmp_path / "before"
        )
        report = evaluate(
            Lookup({k: v for k, v in good.items() if k > "Question 1"}), file, compare=tmp_path / "before"
        )
        found = report.to_dict()["comparison"]
        assert [t["id"] for t in found["won"]] == ["4", "5", "6", "7"]
        assert [t["id"] for t in found["lost"]] == ["0"]
        change = found["figures"]["answer"]["f1"]
        assert (change["before"], change["after"]) == (0.5, 0.875)
        assert change["low"] < 0.375 < change["high"]
        assert 0 < change["p"] <= 1

    def test_refuses_what_has_nothing_in_common(self, file: Path, tmp_path: Path) -> None:
        evaluate(Lookup({}), write(tmp_path / "q.jsonl", record("x", WHO)), output=tmp_path / "other")
        with pytest.raises(DatasetError, match="aucune question en commun"):
            evaluate(lookup(100), file, compare=tmp_path / "other")
        with pytest.raises(DatasetError, match="ce n’est pas un report"):
            evaluate(lookup(100), file, compare=file)
        with pytest.raises(DatasetError, match="lecture impossible"):
            evaluate(lookup(100), file, compare=tmp_path / "absent.json")


class TestPage:
    HOSTILE = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1> ?"

    def page(self, tmp_path: Path, name: str = "page") -> Path:
        answer = replace(moon(), short="</script><svg onload=window.hacked=1>")
        lines = [record("1", self.HOSTILE, "Neil Armstrong"), record("2", WHO), record("3", "Où ?", "Terre")]
        evaluate(Lookup({self.HOSTILE: answer}), write(tmp_path / "q.jsonl", *lines), output=tmp_path / name)
        return tmp_path / name / "report.html"

    def test_is_one_file_that_loads_nothing(self, tmp_path: Path) -> None:
        html = self.page(tmp_path).read_text("utf-8")
        assert '<html lang="fr"' in html
        assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", html)
        assert html.count("<script") == 1
        assert "&lt;script&gt;window.hacked=1" in html

    @pytest.mark.browser
    def test_in_the_browser(self, tmp_path: Path, page: Any) -> None:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(self.page(tmp_path).as_uri())
        rows = page.locator("#questions tbody tr")
        assert rows.count() == 3
        assert page.evaluate("window.hacked") is None
        assert all(url.startswith("file:") for url in asked)
        page.locator("#search").fill("TERRE")
        assert page.locator("#questions tbody tr:visible").count() == 1
        assert page.locator("#count").inner_text() == "1 question."
        page.locator("#search").fill("")
        page.locator("button[data-verdict]:visible").nth(1).click()
        assert 0 < page.locator("#questions tbody tr:visible").count() < 3

    @pytest.mark.browser
    @pytest.mark.parametrize("width", [360, 1280])
    def test_fits_its_window(self, tmp_path: Path, page: Any, width: int) -> None:
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(self.page(tmp_path).as_uri())
        assert page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth") <= 0


class TestCommand:
    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SOURCIER_LIBRARY", str(tmp_path / "library"))
        monkeypatch.setenv("SOURCIER_EMBEDDING", "french-static")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def run(self, *arguments: str | Path) -> Any:
        return CliRunner().invoke(app, [str(a) for a in arguments])

    def test_measures_a_squad_file_over_its_own_texts(self, tmp_path: Path) -> None:
        result = self.run("eval", squad(tmp_path / "squad.json"), "--json", "--output", tmp_path / "out")
        assert result.exit_code == 0, result.stderr
        found = json.loads(result.stdout)
        assert found["n"] == 2
        assert found["retrieval"]["recall@5"] == 1.0
        assert set(found) == {
            "retrieval", "evidence", "reading", "answer", "natural", "citation", "abstention", "calibration",
            "latency_ms", "n", "ci",
        }  # fmt: skip
        saved = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
        assert {name: saved[name] for name in found if name != "ci"} == {
            name: value for name, value in found.items() if name != "ci"
        }
        assert (tmp_path / "out" / "report.html").is_file()
        again = self.run("eval", tmp_path / "squad.json", "--compare", tmp_path / "out")
        assert again.exit_code == 0, again.stderr

    def test_says_that_sources_are_not_in_the_library(self, tmp_path: Path) -> None:
        (tmp_path / "pain.txt").write_text("Le pain\n\nLe boulanger pétrit la pâte.", "utf-8")
        self.run("index", tmp_path / "pain.txt")
        result = self.run("eval", write(tmp_path / "q.jsonl", record("1", WHO, "Neil")))
        assert result.exit_code == 0
        assert "Aucune source des questions n’est dans la bibliothèque" in result.stderr
        assert "1 question" in result.stdout

    def test_a_mistake_is_one_french_line(self, tmp_path: Path) -> None:
        assert self.run("eval").exit_code == 2
        (tmp_path / "q.jsonl").write_text("{")
        result = self.run("eval", tmp_path / "q.jsonl")
        assert result.exit_code == 1
        assert "ligne 1" in result.stderr
        assert "Traceback" not in result.stderr

    def test_makes_questions_of_the_thumbs(self, tmp_path: Path) -> None:
        file = tmp_path / "avis.jsonl"
        assert self.run("eval", file, "--from-feedback").exit_code == 1
        (tmp_path / "library").mkdir()
        history = History(tmp_path / "library" / "history.sqlite")
        conversation = history.create("", "Lune")
        for question, good in ((WHO, True), ("Quand ?", False), ("Où ?", True)):
            answer = moon(None if question == "Où ?" else "Neil Armstrong", question=question)
            message = history.append(conversation, "", question, answer)
            history.rate(message.id, "", good, "Non, en juillet" if not good else "")
        history.close()
        nowhere = self.run("eval", tmp_path / "absent" / "avis.jsonl", "--from-feedback")
        assert nowhere.exit_code == 1
        assert "écriture impossible" in nowhere.stderr
        result = self.run("eval", file, "--from-feedback")
        assert "3 questions dans" in result.stderr
        praised, blamed, unfinished = (json.loads(line) for line in file.read_text("utf-8").splitlines())
        assert praised == record(praised["id"], WHO, "Neil Armstrong", source="lune-1")
        assert (blamed["to_complete"], blamed["comment"], blamed["answers"]) == (True, "Non, en juillet", [])
        assert unfinished["to_complete"] is True
        dataset = load(file)
        assert [q.question for q in dataset.questions] == [WHO]
        assert "aucune n’est donnée" in dataset.warnings[0]


def test_the_baseline_answers_with_whole_sentences_and_never_refuses() -> None:
    class Doubtful(Assistant):
        def answer_batch(self, questions: Any, *, top_k: int = 5) -> list[Answer]:
            return [moon(None, kind="none"), REFUSAL]

    baseline = BestSentence(Doubtful())
    seen, empty = baseline.answer_batch([WHO, "?"], top_k=5)
    assert (seen.short, seen.answerable) == (MOON, True)
    assert (empty.short, empty.answerable) == (None, True)
    reading = baseline.read(WHO, f"La lune est loin. {MOON} Elle est grise.")
    assert reading.short == MOON
