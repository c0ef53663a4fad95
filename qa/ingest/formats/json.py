"""JSON: a list of articles, or any object, a field a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qa.errors import ArticleError
from qa.ingest.formats.content import Content, read_text_file
from qa.ingest.formats.rows import row_text

MAX_ITEMS = 200_000

_TEXTS, _TITLES = ("text", "texte", "content", "contenu", "body"), ("title", "titre", "name", "nom")
_SOURCES, _DATES, _AUTHORS = ("source", "url", "link"), ("date", "published", "created"), ("author", "auteur")


def read_json(path: Path) -> list[Content]:
    """The articles of a list of objects with a text, else one content with all fields of the file."""
    try:
        loaded = json.loads(read_text_file(path))
    except (ValueError, RecursionError) as error:
        raise ArticleError("ce n’est pas du JSON valide") from error
    listed = loaded if isinstance(loaded, list) else [loaded]
    if listed and all(isinstance(item, dict) and _field(item, _TEXTS) for item in listed):
        if len(listed) > MAX_ITEMS:
            raise ArticleError(f"plus de {MAX_ITEMS} articles, découpez le fichier")
        return [_article(item, str(number)) for number, item in enumerate(listed, start=1)]
    return [Content("\n\n".join(_lines(loaded, "", [MAX_ITEMS])))]


def _article(item: dict[str, Any], number: str) -> Content:
    names = (_TITLES, _SOURCES, _DATES, _AUTHORS)
    title, source, date, author = (_field(item, fields) for fields in names)
    return Content(_field(item, _TEXTS), title, source, date, author, name=number)


def _field(item: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((item[name] for name in names if isinstance(item.get(name), str) and item[name].strip()), "")


def _lines(value: Any, name: str, left: list[int]) -> Iterator[str]:
    """The fields of a value, each under its name; an object without inner ones is one line."""
    left[0] -= 1
    if left[0] < 0:
        raise ArticleError(f"plus de {MAX_ITEMS} valeurs, découpez le fichier")
    if isinstance(value, dict):
        plain = {key: _said(item) for key, item in value.items() if not isinstance(item, dict | list)}
        if any(plain.values()):
            line = row_text(list(plain), list(plain.values()))
            yield f"{name} : {line}" if name else line
        for key, item in value.items():
            if isinstance(item, dict | list):
                yield from _lines(item, f"{name}, {key}" if name else key, left)
    elif isinstance(value, list):
        if all(not isinstance(item, dict | list) for item in value):
            line = ", ".join(filter(None, map(_said, value)))
            if line:
                yield f"{name} : {line}" if name else line
        else:
            for item in value:
                yield from _lines(item, name, left)
    elif said := _said(value):
        yield f"{name} : {said}" if name else said


def _said(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, float):
        return str(value).replace(".", ",")
    return " ".join(str(value).split())
