"""JSON objects of a file, read with care: every error names the file, the place and the field, in one French line."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from embeddings.errors import EmbeddingsError, cause_of

WANTED = {
    str: "un texte",
    list: "une liste",
    bool: "true ou false",
    int: "un nombre entier",
    dict: "un objet",
}


class RecordError(EmbeddingsError):
    """A file cannot be read, or holds another shape than the one wanted."""


def contents(path: Path) -> str:
    """The text of a UTF-8 file, unpacked where its name ends in `.xz`."""
    try:
        data = path.read_bytes()
        return (lzma.decompress(data) if path.suffix == ".xz" else data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecordError(f"{path} : ce fichier n’est pas en UTF-8 (octet {error.start}).") from error
    except (OSError, lzma.LZMAError) as error:
        raise RecordError(f"{path} : lecture impossible ({cause_of(error)}).") from error


def read_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object of a file of JSON lines (`.jsonl`, `.jsonl.xz`) with its place; empty lines are passed over.

    Only "\\n" ends a line, for a JSON text may hold other line ends.
    """
    for number, line in enumerate(contents(path).split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{path}, ligne {number}"
        record = parsed(place, line)
        if not isinstance(record, dict):
            raise RecordError(f"{place} : il faut un objet JSON.")
        yield place, record


def parsed(place: str, text: str) -> Any:
    """The value of a JSON text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = (
            f"ligne {error.lineno}, colonne {error.colno}" if error.lineno > 1 else f"colonne {error.colno}"
        )
        raise RecordError(f"{place} : ce n’est pas du JSON valide ({where}).") from error
    except RecursionError as error:
        raise RecordError(f"{place} : ce JSON est trop imbriqué.") from error


def field(place: str, record: Any, name: str, kind: type) -> Any:
    """A field that must be there, and of that type."""
    if not isinstance(record, dict) or name not in record:
        raise RecordError(f"{place} : le champ « {name} » manque.")
    if not isinstance(record[name], kind):
        raise RecordError(f"{place} : le champ « {name} » doit être {WANTED[kind]}.")
    return record[name]


def texts(place: str, record: Any, name: str) -> tuple[str, ...]:
    """A field that must be there, a list of texts."""
    values = field(place, record, name, list)
    if not all(isinstance(value, str) for value in values):
        raise RecordError(f"{place} : le champ « {name} » doit être une liste de textes.")
    return tuple(values)


def identifier(place: str, record: Any) -> str:
    """The field `id`, a text or a number, as a text."""
    if not isinstance(record, dict) or not isinstance(record.get("id"), str | int):
        raise RecordError(f"{place} : le champ « id » manque, ou n’est ni un texte ni un nombre.")
    return str(record["id"])
