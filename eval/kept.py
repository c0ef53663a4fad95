"""The outcomes of an unfinished run on disk: one JSON line each, below a line that says what is measured."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from eval.datasets import Dataset, DatasetError, EvalQuestion
from eval.outcome import Outcome, outcome_of
from eval.subject import Subject

FILE = "outcomes.jsonl"
BATCH = 32


class Kept:
    """What is done of a run, in batches of 32: a batch cut in two by a crash is done again whole.

    So every question is asked beside the same others whether or not the run was interrupted, and a system
    whose arithmetic depends on its batch gives the same answers.
    """

    def __init__(self, path: Path, outcomes: Sequence[Outcome]) -> None:
        self._path, self.outcomes = path, tuple(outcomes)

    @classmethod
    def open(
        cls, folder: Path, dataset: Dataset, questions: Sequence[EvalQuestion], subject: Subject
    ) -> Kept:
        """Go on with the run kept in the folder, or begin one; DatasetError says that it is another's."""
        path = folder / FILE
        asked = "\n".join(question.id for question in questions)
        heading = {
            "file": dataset.fingerprint,
            "questions": hashlib.blake2b(asked.encode(), digest_size=8).hexdigest(),
            "subject": asdict(subject),
        }
        lines = path.read_bytes().split(b"\n")[:-1] if path.is_file() else []
        if not lines:
            path.unlink(missing_ok=True)
            _append(path, [heading])
            return cls(path, ())
        done = len(lines) - 1
        whole = done if done == len(questions) else done - done % BATCH
        try:
            same = json.loads(lines[0]) == heading
            outcomes = [outcome_of(json.loads(line)) for line in lines[1 : whole + 1]] if same else []
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DatasetError(f"{path} est abîmé : effacez-le, et recommencez.") from error
        if not same:
            raise DatasetError(
                f"{folder} garde un essai inachevé d’autres questions ou d’un autre modèle : "
                f"donnez un autre dossier, ou effacez {path.name}."
            )
        os.truncate(path, sum(len(line) + 1 for line in lines[: whole + 1]))
        return cls(path, outcomes)

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Keep the outcomes of a batch, on the disk for good."""
        _append(self._path, [asdict(outcome) for outcome in outcomes])

    def discard(self) -> None:
        """Forget the run: it is finished, and reported."""
        self._path.unlink()


def _append(path: Path, records: Sequence[dict[str, Any]]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        file.flush()
        os.fsync(file.fileno())
