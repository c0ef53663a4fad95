"""An answer's text as HTML: its markers become buttons, its quotations stay word for word."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.answer import Citation
from ui.window.text import escape

_MARKER = re.compile(r"\[(\d{1,3})\]")
_BEFORE_MARKER = re.compile(r" (?=\[\d|$)")


def with_markers(text: str, citations: Sequence[Citation], number: int) -> str:
    """The text escaped, its own markers made buttons; a "[2]" inside a cited sentence stays as it is."""
    known = {citation.marker: citation for citation in citations}
    verbatim = sorted({citation.sentence for citation in citations}, key=len, reverse=True)
    pattern = re.compile(
        "|".join([*(re.escape(sentence) for sentence in verbatim if sentence), _MARKER.pattern])
    )
    parts, done = [], 0
    for match in pattern.finditer(text):
        before, marker = _typeset(text[done : match.start()]), int(match.group(1) or 0)
        if marker in known:
            loose, bound = _split_last_word(before)
            parts.append(f'{loose}<span class="bound">{bound}{_marker(known[marker], number)}</span>')
        else:
            parts.append(before + lines(match.group()))
        done = match.end()
    parts.append(_typeset(text[done:]))
    return "".join(parts)


def _split_last_word(html: str) -> tuple[str, str]:
    """Cuts before the last word, which is not to be parted from the marker that follows it."""
    cut = max(html.rfind(" ", 0, -1), html.rfind("\u00a0", 0, -1), html.rfind(">", 0, -1)) + 1
    return html[:cut], html[cut:]


def _marker(citation: Citation, number: int) -> str:
    label = f"Source {citation.marker}\u00a0: {citation.title or 'article sans titre'}"
    return (
        f'<button type="button" class="marker" data-event="source" data-turn="{number}" '
        f'data-marker="{citation.marker}" aria-label="{escape(label)}" title="{escape(citation.title)}">'
        f"{citation.marker}</button>"
    )


def unfinished(text: str) -> str:
    """Text under way: its markers are not links yet, its quotes already are quotes."""
    if not text:
        return ""
    paragraphs = text.split("\n\n")
    parts = []
    for place, paragraph in enumerate(paragraphs):
        html = _typeset(paragraph)
        if paragraph.lstrip().startswith("«"):
            parts.append(f"<blockquote><p>{html}</p></blockquote>")
        elif place == 0 and len(paragraphs) > 1 and paragraph.rstrip().endswith("]"):
            parts.append(f'<p class="short"><strong>{html}</strong></p>')
        else:
            parts.append(f"<p>{html}</p>")
    return f'<div class="answer">{"".join(parts)}</div>'


def lines(text: str) -> str:
    """The text as HTML data, its line breaks kept."""
    return escape(text).replace("\n", "<br>")


def _typeset(text: str) -> str:
    """Our own words around a quotation, the guillemets bound to what they hold."""
    return lines(_BEFORE_MARKER.sub("\u00a0", text.replace("« ", "«\u00a0").replace(" »", "\u00a0»")))
