"""SQuAD's files and questions a line: what is read, and where an error is."""

from __future__ import annotations

import json
import lzma
import re
from pathlib import Path
from typing import Any

import pytest

from embeddings.records import RecordError
from embeddings.squad import SquadAnswer, SquadParagraph, SquadQuestion, read_squad

CONTEXT = "Neil Armstrong a marché sur la lune en 1969."
YEAR = {"text": "1969", "answer_start": 39}


def squad(path: Path, *qas: Any, **changes: Any) -> Path:
    paragraph = {"context": CONTEXT, "qas": list(qas), **changes}
    path.write_text(json.dumps({"data": [{"title": "Lune", "paragraphs": [paragraph]}]}), "utf-8")
    return path


def lines(path: Path, *rows: dict[str, Any]) -> Path:
    with lzma.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def test_both_versions_of_squad(tmp_path: Path) -> None:
    given = [
        {"id": 1, "question": "Quand ?", "answers": [YEAR]},
        {"id": "2", "question": "Qui ?", "answers": [], "is_impossible": True},
        {"id": "3", "question": "Où ?", "answers": [{"text": "la lune"}]},
        {"id": "4", "question": "Combien ?", "answers": [{"text": " ", "answer_start": 3}]},
        {"id": "5", "question": "Peut-être ?", "answers": [YEAR], "is_impossible": True},
    ]
    assert read_squad(squad(tmp_path / "q.json", *given)) == [
        SquadParagraph(
            CONTEXT,
            "Lune",
            0,
            (
                SquadQuestion("1", "Quand ?", (SquadAnswer("1969", 39),), True),
                SquadQuestion("2", "Qui ?", (), False),
                SquadQuestion("3", "Où ?", (SquadAnswer("la lune", None),), True),
                SquadQuestion("4", "Combien ?", (SquadAnswer(" ", 3),), False),
                SquadQuestion("5", "Peut-être ?", (SquadAnswer("1969", 39),), False),
            ),
        )
    ]


def test_a_question_a_line_each_context_once(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "quiz.jsonl.xz",
        {"question": "Quand ?", "context": CONTEXT, "answers": [YEAR], "id": "a"},
        {"question": "Et Mars ?", "context": "Mars est rouge.", "answers": [], "title": "Mars"},
        {"question": "Marché ?", "context": CONTEXT, "answer": "yes"},
        {"question": "Qui ?", "context": CONTEXT, "answers": [{"text": "Neil", "answer_start": -1}]},
    )
    moon, mars = read_squad(path)
    assert [(q.id, q.polarity, q.answerable) for q in moon.questions] == [
        ("a", None, True),
        ("quiz.jsonl-2", "yes", True),
        ("quiz.jsonl-3", None, True),
    ]
    assert moon.questions[2].answers == (SquadAnswer("Neil", None),)
    assert (mars.title, mars.article, mars.questions[0].answerable) == ("Mars", 1, False)


@pytest.mark.parametrize(
    ("qas", "said"),
    [
        ({"question": "Q", "answers": []}, "qas[0] : le champ « id » manque"),
        ({"id": 1, "answers": []}, "qas[0] : le champ « question » manque"),
        ({"id": 1, "question": "Q"}, "qas[0] : le champ « answers » manque"),
        ({"id": 1, "question": "Q", "answers": ["1969"]}, "qas[0].answers[0] : le champ « text » manque"),
        (
            {"id": 1, "question": "Q", "answers": [{"text": "1969", "answer_start": "39"}]},
            "qas[0].answers[0] : le champ « answer_start » doit être un nombre entier",
        ),
        ("Q", "qas[0] : le champ « id » manque"),
    ],
)
def test_an_error_names_its_place(tmp_path: Path, qas: Any, said: str) -> None:
    path = squad(tmp_path / "q.json", qas)
    with pytest.raises(RecordError, match=re.escape(f"{path}, data[0].paragraphs[0].{said}")):
        read_squad(path)


def test_an_error_in_lines_names_its_line(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "q.jsonl.xz", {"question": "Q", "context": CONTEXT, "answers": [YEAR]}, {"question": "Q"}
    )
    with pytest.raises(RecordError, match=re.escape(f"{path}, ligne 2 : le champ « context » manque")):
        read_squad(path)
    (tmp_path / "bad.jsonl.xz").write_bytes(b"xz?")
    with pytest.raises(RecordError, match="lecture impossible"):
        read_squad(tmp_path / "bad.jsonl.xz")
