"""What a fresh installation needs: every package imported is declared, and the versions told agree."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

import qa

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
OURS = {"qa", "embeddings", "ui", "eval", *(path.stem for path in (ROOT / "tests").glob("*.py"))}
OPTIONAL = {"pymilvus", "milvus-lite", "ray"}


def names(requirements: list[str]) -> set[str]:
    """The names of distributions in requirements, as pip compares them."""
    found = (re.match(r"[\w.-]+", requirement) for requirement in requirements)
    return {re.sub(r"[-_.]+", "-", name[0]).lower() for name in found if name}


def imported(folder: Path) -> Iterator[str]:
    """The first names of all that the modules of a folder import, and of what they import by name."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.split(".")[0]


def distributions(folders: list[str]) -> set[str]:
    """The distributions that the modules imported by these folders come from."""
    known = packages_distributions()
    modules = {name for folder in folders for name in imported(ROOT / folder)}
    foreign = modules - set(sys.stdlib_module_names) - OURS
    return names([known[name][0] for name in foreign if name in known])


def test_every_package_that_the_program_imports_is_declared() -> None:
    needed = distributions(["qa", "embeddings", "ui", "eval"]) - OPTIONAL
    assert needed <= names(PROJECT["dependencies"])


def test_every_package_that_the_tests_import_is_declared() -> None:
    declared = names([*PROJECT["dependencies"], *(one for extra in EXTRAS.values() for one in extra)])
    assert distributions(["tests"]) - OPTIONAL <= declared


def test_development_brings_what_the_optional_parts_need() -> None:
    assert "sourcier[milvus,ray]" in EXTRAS["dev"]


def test_the_version_is_told_once() -> None:
    assert "version" not in PROJECT
    assert re.fullmatch(r"\d+\.\d+\.\d+", qa.__version__)
    assert f"## {qa.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("package", ["qa", "embeddings", "ui", "eval"])
def test_types_are_shipped(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_the_licences_agree() -> None:
    assert PROJECT["license"] == "Apache-2.0 AND CC-BY-SA-4.0"
    cards = [*ROOT.glob("qa/models/*/README.md"), *ROOT.glob("embeddings/models/*/README.md")]
    assert cards
    for card in cards:
        text = card.read_text("utf-8")
        assert "license: cc-by-sa-4.0" in text
        assert "CC BY-SA 4.0" in text
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "Code: Apache-2.0. Weights: CC BY-SA 4.0" in readme
