"""The features of evidence: the same in every process."""

from __future__ import annotations

import os
import subprocess
import sys

TIED = """
from types import SimpleNamespace
from qa.retrieval.evidence import Candidate, features
from qa.retrieval.question import analyse

families = [[a + b + "oto" for b in ("la", "ro", "ni", "pu", "gra", "vi", "cho", "mar")] for a in "bcdfglmn"]
words = [word for family in families for word in family]
hit = SimpleNamespace(score=1.0, lexical=1.0, dense=0.5)
stored = SimpleNamespace(title="")
found = [
    Candidate(stored, 0, 0, " ".join(family[:length]), "", "", hit, 0, 0, 1)
    for length in range(1, 9) for family in families
]
print(features(analyse(" ".join(words)), found).tobytes().hex())
"""
"""Sentences of equal weight, of other words: what their order must not come from is how sums are rounded."""


def test_do_not_depend_on_the_order_of_sets() -> None:
    made = {
        subprocess.run(
            [sys.executable, "-c", TIED],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(made) == 1
    assert len(made.pop()) > 1000
