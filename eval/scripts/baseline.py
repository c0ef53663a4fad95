"""What a system must beat: the best sentence itself as the answer, where Sourcier picks its short answer out of it.

python -m eval.scripts.baseline piaf_dev.json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from embeddings.text import content_stems
from eval import evaluate
from eval.datasets import load
from eval.report.tables import show
from eval.subject import assistant_over
from qa.answer import Answer, Reading
from qa.assistant import Assistant
from qa.cli.output import errors_in_one_line, output
from qa.ingest.sentences import split_sentences


class BestSentence:
    """Answers with Sourcier's first evidence sentence, and never refuses."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def answer_batch(self, questions: Sequence[str], *, top_k: int) -> list[Answer]:
        """Sourcier's answers, the short one replaced by the first sentence of the evidence."""
        return [
            replace(
                answer, kind="span", items=(), short=answer.evidence[0].sentence if answer.evidence else None
            )
            for answer in self._assistant.answer_batch(questions, top_k=top_k)
        ]

    def answer(self, question: str) -> Answer:
        """The same for one question."""
        return self.answer_batch([question], top_k=1)[0]

    def read(self, question: str, context: str) -> Reading:
        """The sentence of the text that holds most of the question's words."""
        asked = set(content_stems(question))
        start, end = max(
            split_sentences(context), key=lambda span: len(asked & set(content_stems(context[slice(*span)])))
        )
        return Reading(context[start:end], start, end, 1.0, True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path, help="questions in SQuAD format")
    options = parser.parse_args()
    with errors_in_one_line(), assistant_over(load(options.file).articles) as assistant:
        report = evaluate(BestSentence(assistant), options.file)
    output.print(show(report))


if __name__ == "__main__":
    main()
