"""What holds between the packages, and what importing them costs."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAVY = (
    "torch",
    "transformers",
    "faiss",
    "gradio",
    "sentence_transformers",
    "lightgbm",
    "tantivy",
    "ctranslate2",
)


def loaded_after(statement: str) -> set[str]:
    code = f"import sys, json; {statement}; print(json.dumps(list(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(json.loads(run.stdout))


def test_the_arrows_between_packages_hold() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([command], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stdout


def test_importing_qa_loads_nothing_heavy() -> None:
    assert loaded_after("from qa import answer, Answer, Citation").isdisjoint(HEAVY)


def test_no_module_of_the_project_is_longer_than_400_lines() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): count
        for package in ("qa", "embeddings", "ui", "eval")
        for path in (ROOT / package).rglob("*.py")
        if (count := len(path.read_text("utf-8").splitlines())) > 400
    }
    assert not long
