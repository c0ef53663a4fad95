"""The panel on the right: the article behind a marker, or behind a passage that was found."""

from __future__ import annotations

from typing import Any

import gradio as gr

from qa.errors import SourcierError
from ui.window.session import Engine, Session, Tab, place
from ui.window.sources import (
    EMPTY,
    GONE,
    Highlight,
    citation_highlight,
    place_in_article,
    render_source,
    render_tabs,
)


class SourcePanel:
    """What the clicks on markers and passages open."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def show_source(self, tab: Tab, event: gr.EventData) -> Any:
        """Opens the article behind a marker, at the cited sentence."""
        number = place(event, "turn", len(tab.session.turns))
        marker = place(event, "marker", 1000)
        if number is None or marker is None:
            return gr.skip()
        return self._source(tab.session, number, marker, focus=True)

    def show_passage(self, tab: Tab, event: gr.EventData) -> Any:
        """Opens the article of a passage that was found, at the passage."""
        number = place(event, "turn", len(tab.session.turns))
        answer = tab.session.turns[number].answer if number is not None else None
        which = place(event, "passage", len(answer.passages)) if answer else None
        if answer is None or which is None:
            return gr.skip()
        passage = answer.passages[which]
        highlight = Highlight(passage.start, passage.end)
        where = place_in_article(passage.title, passage.headings)
        return self._article(passage.article_id, highlight, heading="Passage trouvé", place=where, focus=True)

    def show_evidence(self, tab: Tab, event: gr.EventData) -> Any:
        """Opens the article of a sentence that is near the question, at the sentence."""
        number = place(event, "turn", len(tab.session.turns))
        answer = tab.session.turns[number].answer if number is not None else None
        which = place(event, "evidence", len(answer.evidence)) if answer else None
        if answer is None or which is None:
            return gr.skip()
        evidence = answer.evidence[which]
        highlight = Highlight(evidence.start, evidence.end)
        return self._article(evidence.article_id, highlight, heading="Phrase proche", focus=True)

    def first(self, session: Session) -> Any:
        """The first source of the last answer, or an empty panel."""
        answer = session.turns[-1].answer if session.turns else None
        if answer is None or not answer.citations:
            return EMPTY
        return self._source(session, len(session.turns) - 1, answer.citations[0].marker)

    def _source(self, session: Session, number: int, marker: int, *, focus: bool = False) -> Any:
        answer = session.turns[number].answer
        citation = (
            next((known for known in answer.citations if known.marker == marker), None) if answer else None
        )
        if answer is None or citation is None:
            return gr.skip()
        heading, tabs = f"Source {marker}", render_tabs(answer, number, marker)
        return self._article(
            citation.article_id,
            citation_highlight(citation),
            heading=heading,
            tabs=tabs,
            place=place_in_article(citation.title, citation.headings, citation.page),
            focus=focus,
        )

    def _article(
        self,
        article_id: str,
        highlight: Highlight,
        *,
        heading: str,
        tabs: str = "",
        place: str = "",
        focus: bool,
    ) -> str:
        try:
            article = self.engine.assistant.library.article(article_id)
        except SourcierError:
            return GONE
        return render_source(article, highlight, heading=heading, tabs=tabs, place=place, focus=focus)
