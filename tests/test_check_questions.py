"""The check of written questions: each thing that is wrong is named, and the wording must not tell what is unanswered."""

from __future__ import annotations

import json
import lzma
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from qa.training import check_questions
from qa.training.check_questions import FOLDS, read, wording_tells

FIRST = "La ville de Nolay compte 1 412 habitants."
SECOND = "Son maire, Luc Petit, a ouvert le musée et le théâtre l’an dernier."
TEXT = f"{FIRST} {SECOND}"


def context(name: str = "c1") -> dict[str, Any]:
    sentences = [[0, len(FIRST)], [len(FIRST) + 1, len(TEXT)]]
    return {"id": name, "title": "Nolay", "text": TEXT, "source": "essai", "sentences": sentences}


def question(
    number: int, kind: str = "fact", answers: Sequence[str] = ("Luc Petit",), **changes: Any
) -> dict[str, Any]:
    sentences = [] if kind == "rien" else [2]
    return {
        "id": f"q{number}", "c": "c1", "q": f"Qui est le maire numéro {number} ?", "k": kind, "a": list(answers),
        "s": sentences, **changes,
    }  # fmt: skip


def folder(path: Path, questions: Sequence[dict[str, Any]], contexts: Sequence[dict[str, Any]] = ()) -> Path:
    for name, rows in (("contexts", contexts or [context()]), ("questions", questions)):
        with lzma.open(path / f"{name}.jsonl.xz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> str:
    """What a failing run says at its end; "" of one that finds all well."""
    monkeypatch.setattr(sys, "argv", ["check_questions", *map(str, arguments)])
    try:
        check_questions.main()
    except SystemExit as end:
        return str(end.code)
    return ""


def test_sound_questions_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    sound = [
        question(1),
        question(2, "liste", ["le musée", "le théâtre"]),
        question(3, "oui", []),
        question(4, "pourquoi", []),
        question(5, answers=["1\u00a0412"], s=[1]),
        question(6, answers=["l'an dernier"]),
        question(6, answers=["l'an dernier"], id="q7", h=[["Et avant ?", "rien"]]),
    ]
    assert run(monkeypatch, folder(tmp_path, sound)) == ""
    printed = capsys.readouterr().out
    assert "7 questions on 1 of 1 texts" in printed
    assert "fact 4, liste 1, oui 1, pourquoi 1" in printed
    assert "qui 7 (0%)" in printed


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (question(1, answers=["Lucie Petit"]), "not verbatim in sentences [2]: 'Lucie Petit'"),
        (question(1, answers=["Luc Petit"], s=[1]), "not verbatim in sentences [1]"),
        (question(1, answers=[" "]), "not verbatim"),
        (question(1, answers=[]), "no answer"),
        (question(1, s=[]), "sentences [] of 2"),
        (question(1, s=[3]), "sentences [3] of 2"),
        (question(1, c="c9"), "unknown text c9"),
        (question(1, k="quiz"), "unknown kind 'quiz'"),
        (question(1, q=" ?"), "no question"),
        (question(1, "liste", ["le musée"]), "a list of one"),
        (question(1, "oui", ["oui"]), "an answer to a yes/no question"),
        (question(1, "rien", ["Luc Petit"]), "is of the kind that nothing does"),
        (question(2, id="q0"), "its identifier is there twice"),
        (question(1, q="qui est le MAIRE numéro 0"), "asked twice of its text"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, wrong: dict[str, Any], said: str
) -> None:
    assert run(monkeypatch, folder(tmp_path, [question(0), wrong])) == "1 things are wrong"
    assert said in capsys.readouterr().out


def test_a_text_there_twice_and_a_file_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, folder(tmp_path, [question(0)], [context(), context()])) == "1 things are wrong"
    assert "lecture impossible" in run(monkeypatch, tmp_path / "absent")
    bad = question(0)
    del bad["a"]
    assert "ligne 1 : le champ « a » manque" in run(monkeypatch, folder(tmp_path, [bad]))


def many(telling: bool) -> list[dict[str, Any]]:
    rng = random.Random(0)
    made = []
    for n in range(200):
        kind = "rien" if n % 4 == 0 else "fact"
        words = rng.sample(["pont", "mairie", "école", "gare", "musée", "fête", "stade", "port"], 3)
        opening = "combien" if telling and kind == "rien" else rng.choice(["qui", "quand", "où"])
        changes = {"c": f"c{n // 8}", "q": f"{opening} {' '.join(words)} {n} ?"}
        made.append(question(n, kind, ["Luc Petit"] if kind == "fact" else [], **changes))
    return made


def test_wording_that_tells_what_is_unanswered_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    contexts = [context(f"c{n}") for n in range(5 * FOLDS)]
    assert "1 things are wrong" in run(monkeypatch, folder(tmp_path, many(True), contexts))
    assert "the wording alone tells « rien »: area 1.000" in capsys.readouterr().out
    assert run(monkeypatch, folder(tmp_path, many(False), contexts)) == ""
    _, questions, _ = read(tmp_path)
    assert 0.35 < wording_tells(questions) < 0.65


@pytest.mark.parametrize("name", ["apart.jsonl", "apart.json", "apart.md"])
def test_what_stands_in_an_evaluation_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, name: str
) -> None:
    held = "On lit que Luc Petit a ouvert le musée et le théâtre l'an dernier."
    squad = {"data": [{"title": "", "paragraphs": [{"context": held, "qas": []}]}]}
    wholes = {
        "apart.jsonl": json.dumps({"id": "1", "support": [held]}),
        "apart.json": json.dumps(squad),
        "apart.md": f"# Nolay\n\n{held}\n",
    }
    (tmp_path / name).write_text(wholes[name], "utf-8")
    data = folder(tmp_path, [question(0)])
    assert run(monkeypatch, data, "--apart", tmp_path / name) == "1 things are wrong"
    assert "text c1: stands apart too: « a ouvert le musée et le théâtre l »" in capsys.readouterr().out
