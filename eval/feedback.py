"""Thumbs given in the chat window, as questions of an evaluation file."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from embeddings.errors import cause_of
from eval.datasets import DatasetError
from qa.answer import Answer
from qa.history import Feedback, History
from qa.wording import polarity


def write_questions(library: Path, file: Path | None) -> int:
    """Write the rated answers of a library's history as JSON lines; gives how many.

    An answer praised gives its short answer, its items or its « Oui » or « Non », and its sources; one blamed, or
    that only quotes, gives a question marked `to_complete`, for a person to fill in. The latest rating of a question
    counts.
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
    asserts = _asserted(answer) if good else {}
    row: dict[str, Any] = {
        "id": f"avis-{number:04d}",
        "question": answer.question,
        "answers": [answer.short] if good and answer.short else [],
        "sources": list(dict.fromkeys(c.article_id for c in answer.citations)) if good else [],
        "answerable": answer.answerable if good else True,
        **asserts,
    }
    if good and (answer.short or asserts or not answer.answerable):
        return row
    return {**row, "to_complete": True, "comment": feedback.comment}


def _asserted(answer: Answer) -> dict[str, Any]:
    """What a praised answer that is no span asserts, as the fields of a natural question."""
    support = [citation.sentence for citation in answer.citations]
    if answer.kind == "talk":
        return {"kind": "chitchat", "support": []}
    if answer.kind in ("yes", "no"):
        return {"kind": "yesno", "polarity": polarity(answer).lower(), "support": support}
    if answer.kind == "list":
        return {"kind": "list", "items": [[item.text] for item in answer.items], "support": support}
    return {}
