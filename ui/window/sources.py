"""An article opened at a sentence: the sentence marked, the short answer inside it marked stronger."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qa.answer import Answer, Citation
from qa.ingest.articles import Article
from qa.wording import french_date
from ui.window.text import count, escape, web_link

SHOWN_CHARACTERS = 60_000

EMPTY = (
    '<section class="source empty" aria-label="Sources"><h2>Sources</h2>'
    "<p>Cliquez sur un numéro dans une réponse\u00a0: l’article s’ouvre ici, à la phrase citée.</p></section>"
)
GONE = (
    '<section class="source empty" aria-label="Sources"><h2>Sources</h2>'
    "<p>Cet article n’est plus dans la bibliothèque.</p></section>"
)


@dataclass(frozen=True, slots=True)
class Highlight:
    """What to mark in an article: a stretch of its text, and a stronger one inside it where there is one."""

    start: int
    end: int
    strong_start: int | None = None
    strong_end: int | None = None


def render_source(
    article: Article,
    highlight: Highlight | None,
    *,
    heading: str = "Source",
    tabs: str = "",
    place: str = "",
    focus: bool = False,
) -> str:
    """The article as HTML, opened at the highlight, whose `place` is told; `focus` moves the keyboard there."""
    start, end = _window(article.text, highlight)
    before = '<p class="cut">Le début de l’article n’est pas affiché.</p>' if start else ""
    after = '<p class="cut">La suite de l’article n’est pas affichée.</p>' if end < len(article.text) else ""
    title = article.title or "Sans titre"
    return (
        f'<section class="source" aria-label="{escape(heading)}"{" data-focus" if focus else ""}>'
        f'<div class="head"><h2>{escape(heading)}</h2>{tabs}</div>'
        f'<h3>{escape(title)}</h3><p class="facts">{_facts(article, place)}</p>'
        f'<div class="text" tabindex="0" role="group" aria-label="Texte de l’article">'
        f"{before}{_paragraphs(article.text, start, end, highlight)}{after}</div></section>"
    )


def render_tabs(answer: Answer, number: int, marker: int) -> str:
    """Buttons to go from one citation of an answer to another, where there is more than one."""
    if len(answer.citations) < 2:
        return ""
    buttons = "".join(_tab(citation, number, citation.marker == marker) for citation in answer.citations)
    return f'<div class="tabs" role="group" aria-label="Sources de la réponse">{buttons}</div>'


def _tab(citation: Citation, number: int, current: bool) -> str:
    label = escape(f"Source {citation.marker}\u00a0: {citation.title}")
    return (
        f'<button type="button" class="marker" data-event="source" data-turn="{number}" '
        f'data-marker="{citation.marker}" aria-pressed="{"true" if current else "false"}" '
        f'aria-label="{label}">{citation.marker}</button>'
    )


def _facts(article: Article, place: str) -> str:
    facts = [escape(place), escape(french_date(article.date)), escape(article.author or "")]
    link = web_link(article.source)
    if link:
        facts.append(
            f'<a href="{escape(link)}" target="_blank" rel="noopener noreferrer nofollow">'
            "Article d’origine</a>"
        )
    elif article.path:
        name = re.split(r"[/\\]", article.path)[-1]
        facts.append(f'<a href="originals/{escape(article.id)}" download>{escape(name)}</a>')
    facts.append(count(len(article.text.split()), "mot"))
    return '<span aria-hidden="true"> · </span>'.join(fact for fact in facts if fact)


def _window(text: str, highlight: Highlight | None) -> tuple[int, int]:
    """The part of a very long article that is shown, around the highlight, cut at line ends."""
    if len(text) <= SHOWN_CHARACTERS:
        return 0, len(text)
    middle = highlight.start if highlight else 0
    start = max(0, min(middle - SHOWN_CHARACTERS // 2, len(text) - SHOWN_CHARACTERS))
    end = start + SHOWN_CHARACTERS
    if start:
        line_end = text.find("\n", start, middle)
        start = line_end + 1 if line_end != -1 else start
    line_end = text.rfind("\n", highlight.end if highlight else start, end)
    return start, line_end if line_end > start and end < len(text) else end


def _paragraphs(text: str, start: int, end: int, highlight: Highlight | None) -> str:
    parts = []
    for match in re.finditer(r"[^\n]+", text[start:end]):
        first, last = start + match.start(), start + match.end()
        parts.append(f"<p>{_marked(text, first, last, highlight)}</p>")
    return "".join(parts)


def _marked(text: str, start: int, end: int, highlight: Highlight | None) -> str:
    """One line of the text, with the parts of the highlight that fall in it marked."""
    if highlight is None or highlight.start >= end or highlight.end <= start:
        return escape(text[start:end])
    marked_start, marked_end = max(start, highlight.start), min(end, highlight.end)
    inside = escape(text[marked_start:marked_end])
    if highlight.strong_start is not None and highlight.strong_end is not None:
        strong = (
            max(marked_start, min(highlight.strong_start, marked_end)),
            max(marked_start, min(highlight.strong_end, marked_end)),
        )
        if strong[0] < strong[1]:
            inside = (
                f"{escape(text[marked_start : strong[0]])}<strong>{escape(text[slice(*strong)])}</strong>"
                f"{escape(text[strong[1] : marked_end])}"
            )
    return (
        f'{escape(text[start:marked_start])}<mark tabindex="-1">{inside}</mark>{escape(text[marked_end:end])}'
    )


def place_in_article(title: str, headings: Sequence[str], page: int | None = None) -> str:
    """Where something stands below its article's title: « Partie › Sous-partie, p. 2 »."""
    parts = [
        " › ".join(heading for heading in headings if heading != title),
        f"p.\u00a0{page}" if page is not None else "",
    ]
    return ", ".join(filter(None, parts))


def citation_highlight(citation: Citation) -> Highlight:
    """What a citation marks in its article."""
    return Highlight(citation.start, citation.end, citation.answer_start, citation.answer_end)
