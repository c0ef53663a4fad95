"""What goes wrong with files is told in French."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from embeddings.errors import cause_of


def _met(path: Path) -> OSError:
    """The error that reading the path raises."""
    try:
        path.read_bytes()
    except OSError as error:
        return error
    raise AssertionError(path)


def test_usual_errors_of_files_are_told_in_french(tmp_path: Path) -> None:
    assert cause_of(_met(tmp_path / "absent")) == "introuvable"
    assert cause_of(_met(tmp_path)) == "c’est un dossier"
    assert cause_of(_met(tmp_path / ("a" * 300))) == "nom trop long"
    assert cause_of(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))) == "plus de place sur le disque"


def test_another_error_keeps_its_words() -> None:
    assert cause_of(OSError(errno.EPIPE, os.strerror(errno.EPIPE))) == os.strerror(errno.EPIPE)
    assert cause_of(ValueError("index de taille nulle")) == "index de taille nulle"
    assert cause_of(OSError("coupé")) == "coupé"
