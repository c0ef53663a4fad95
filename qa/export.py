"""What leaves this computer: answers without its paths, conversations as Markdown and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

from qa.answer import Answer, Citation, RetrievedPassage
from qa.history import Conversation, Message
from qa.wording import (
    ARTICLES,
    NEAREST,
    QUOTED,
    UNREADABLE,
    exact_words,
    place_of,
    polarity,
    remark_of,
    source_name,
    source_of,
)


def published(answer: Answer) -> Answer:
    """The answer with the name of a file wherever it holds its path."""
    return replace(
        answer,
        citations=tuple(replace(c, source=source_name(c.source)) for c in answer.citations),
        passages=published_passages(answer.passages),
        evidence=tuple(replace(e, source=source_name(e.source)) for e in answer.evidence),
    )


def published_passages(passages: Iterable[RetrievedPassage]) -> tuple[RetrievedPassage, ...]:
    """The passages with the name of a file wherever they hold its path."""
    return tuple(replace(passage, source=source_name(passage.source)) for passage in passages)


def as_json(conversation: Conversation, messages: Iterable[Message]) -> str:
    """A conversation with its answers, citations and passages; an unreadable answer is null."""
    told = [
        {
            "question": message.question,
            "searched": message.searched,
            "created": message.created,
            "good": message.good,
            "comment": message.comment,
            "answer": published(message.answer).to_dict() if message.answer else None,
        }
        for message in messages
    ]
    return json.dumps({**asdict(conversation), "messages": told}, ensure_ascii=False, indent=2)


def as_markdown(conversation: Conversation, messages: Iterable[Message]) -> str:
    """A conversation with its answers and sources."""
    parts = [f"# {_escaped(conversation.title)}"]
    for message in messages:
        parts.append(f"## {_escaped(message.question)}")
        parts += _markdown(message.answer) if message.answer else [f"*{UNREADABLE}*"]
    return "\n\n".join(parts) + "\n"


def _markdown(answer: Answer) -> list[str]:
    """The paragraphs of an answer: what it asserts, then its quotations."""
    markers = _markers(answer.citations)
    quotations = [_quotation(citation, answer.short) for citation in answer.citations]
    match answer.kind:
        case "talk":
            return [_escaped(remark_of(answer))]
        case "none":
            nearest = [
                f"- « {_escaped(one.sentence)} » ({_escaped(place_of(one.title))})" for one in answer.evidence
            ]
            return [_escaped(remark_of(answer)), *([NEAREST, "\n".join(nearest)] if nearest else [])]
        case "yes" | "no":
            return [f"**{polarity(answer)}** {markers}", *quotations]
        case "list":
            items = "\n".join(f"- {_escaped(item.text)} \\[{item.marker}\\]" for item in answer.items)
            return [items, *quotations]
        case "span" if answer.short:
            return [f"**{_escaped(answer.short)}** {markers}", *quotations]
        case _:
            return [ARTICLES if answer.kind == "articles" else QUOTED, *quotations]


def _quotation(citation: Citation, short: str | None) -> str:
    before, words, after = (_escaped(part) for part in exact_words(citation, short))
    bold = f"**{words}**" if words else ""
    return f"> « {before}{bold}{after} » \\[{citation.marker}\\]\n>\n> {_escaped(source_of(citation))}"


def _markers(citations: Sequence[Citation]) -> str:
    return "".join(f"\\[{citation.marker}\\]" for citation in citations)


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+-!|~" else c for c in re.sub(r"\s+", " ", text))
