"""Parts of the installation that not everyone needs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from embeddings.errors import EmbeddingsError


def optional(module: str, extra: str) -> Any:
    """The module, or an EmbeddingsError with the command that installs the extra it comes with."""
    try:
        return import_module(module)
    except ImportError as error:
        raise EmbeddingsError(
            f'Le module {module} n\'est pas installé : lancez « pip install "sourcier[{extra}]" ».'
        ) from error
