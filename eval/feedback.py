"""Thumbs given in the chat window, as questions of an evaluation file."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from embeddings.errors import cause_of
from eval.datasets import DatasetError
from qa.history import Feedback, History


def write_questions(library: Path, file: Path | None) -> int:
    """Write the rated answers of a library's history as JSON lines; gives how many.

    An answer praised gives its short answer and sources; one blamed, or without a short answer, gives a question
    marked `to_complete`, for a person to fill in. The latest rating of a question counts.
    """
    history = library / "history.sqlite"
    if not history.is_file():
        raise DatasetError(f"Aucun avis dans {library} : ils se donnent dans la fenêtre, avec les pouces.")
    with closing(History(history)) as kept:
        rows = {f.answer.question: _question(n, f) for n, f in enumerate(kept.feedback())}
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows.values())
    if file is None:
        raise DatasetError("Donnez le fichier à écrire : « sourcier eval questions.jsonl --from-feedback ».")
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise DatasetError(f"{file} : écriture impossible ({cause_of(error)}).") from error
    return len(rows)


def _question(number: int, feedback: Feedback) -> dict[str, Any]:
    answer = feedback.answer
    good = feedback.good
    row: dict[str, Any] = {
        "id": f"avis-{number:04d}",
        "question": answer.question,
        "answers": [answer.short] if good and answer.short else [],
        "sources": list(dict.fromkeys(c.article_id for c in answer.citations)) if good else [],
        "answerable": bool(answer.answerable) if good else True,
    }
    if good and (answer.short or not answer.answerable):
        return row
    return {**row, "to_complete": True, "comment": feedback.comment}
