"""Answers as HTML. Every text is data: escaped, never read as Markdown, never trusted."""

from __future__ import annotations

from collections.abc import Sequence

from qa.answer import Answer
from ui.window.prose import lines, unfinished, with_markers
from ui.window.text import escape, french_date, unbroken
from ui.window.turns import Turn

HIGH_CONFIDENCE = 0.65
MEDIUM_CONFIDENCE = 0.4
NEAREST_PASSAGES = 3

_STEPS = {
    "retrieval": "recherche des passages",
    "evidence": "choix des phrases",
    "reading": "lecture",
    "total": "total",
}
_THUMB = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"{turn}><path d="M7 11v9H3v-9zM7 11l4-8c1.7 0 3 1.3 3 3v3h5.6'
    'c1.2 0 2.1 1.1 1.9 2.3l-1.2 7A2 2 0 0 1 18.4 20H7"/></svg>'
)
_THUMB_UP = _THUMB.format(turn="")
_THUMB_DOWN = _THUMB.format(turn=' style="transform:rotate(180deg)"')


def render_conversation(turns: Sequence[Turn], *, detailed: bool = True) -> str:
    """The whole conversation; a screen reader hears an answer once it is complete."""
    running = bool(turns) and turns[-1].state == "running"
    body = "".join(
        render_turn(turn, number, last=number == len(turns) - 1, detailed=detailed)
        for number, turn in enumerate(turns)
    )
    return (
        f'<div class="talk" role="log" aria-label="Conversation" aria-live="polite" '
        f'aria-busy="{"true" if running else "false"}">{body}</div>'
    )


def render_turn(turn: Turn, number: int, *, last: bool = False, detailed: bool = True) -> str:
    """A question and its answer; `number` is the turn's place, from 0, which the buttons send back."""
    question = (
        f'<div class="question" id="question-{number}"><h2 class="visually-hidden">Question {number + 1}</h2>'
        f"<p>{lines(unbroken(turn.asked))}</p></div>"
    )
    return (
        f'<article class="turn {turn.state}" aria-label="Question {number + 1}">'
        f"{question}{_reply(turn, number, last, detailed)}</article>"
    )


def _reply(turn: Turn, number: int, last: bool, detailed: bool) -> str:
    if turn.state == "running":
        step = f'<p class="step">{escape(turn.step or "Recherche dans les articles…")}</p>'
        return f'<div class="reply">{"" if turn.text else step}{unfinished(turn.text)}</div>'
    if turn.state == "failed":
        again = _button("regenerate", number, "Réessayer") if last else ""
        return (
            f'<div class="reply"><p class="notice error" role="alert">{escape(turn.error)}</p>{again}</div>'
        )
    if turn.answer is None:
        retry = _actions(turn, number, last)
        return (
            f'<div class="reply">{unfinished(turn.text)}<p class="notice">Réponse arrêtée.</p>{retry}</div>'
        )
    body = render_answer(turn.answer, number, detailed=detailed)
    return (
        f'<div class="reply">{_understood(turn, number, last)}{body}'
        f"{_actions(turn, number, last)}{render_details(turn.answer, number, turn.message_id)}</div>"
    )


def render_answer(answer: Answer, number: int, *, detailed: bool = True) -> str:
    """The answer's text with its markers as buttons, its confidence, or why there is none."""
    if not answer.answerable:
        return _refusal(answer, number)
    paragraphs = answer.text.split("\n\n")
    if not detailed and answer.short:
        paragraphs = paragraphs[:2]
    parts = []
    for place, paragraph in enumerate(paragraphs):
        html = with_markers(paragraph, answer.citations, number)
        if place == 0 and answer.short and paragraph.startswith(answer.short):
            short, rest = escape(answer.short), paragraph[len(answer.short) :]
            html = f"<strong>{short}</strong>{with_markers(rest, answer.citations, number)}"
            parts.append(f'<p class="short">{html}</p>')
        elif paragraph.lstrip().startswith("«"):
            parts.append(f"<blockquote><p>{html}</p></blockquote>")
        else:
            parts.append(f"<p>{html}</p>")
    return f'<div class="answer">{"".join(parts)}</div>{_confidence(answer.confidence)}'


def render_details(answer: Answer, number: int, key: str | None) -> str:
    """What was retrieved, with its scores, and the milliseconds of each step, folded away.

    `key` tells these details from others, so that they stay open when the page is drawn again.
    """
    rows = "".join(
        f'<tr><td><button type="button" class="link" data-event="passage" data-turn="{number}" '
        f'data-passage="{place}">{escape(passage.title or "Sans titre")}</button></td>'
        f"<td>{_decimal(passage.score)}</td><td>{_decimal(passage.lexical_score)}</td>"
        f"<td>{_decimal(passage.dense_score)}</td></tr>"
        for place, passage in enumerate(answer.passages)
    )
    times = "".join(
        f"<li>{escape(_STEPS.get(step, step))}\u00a0: {value:.0f}\u00a0ms</li>"
        for step, value in answer.timings.items()
    )
    table = (
        '<div class="scroll" role="group" tabindex="0" aria-label="Passages trouvés"><table>'
        '<caption>Passages trouvés, celui de la meilleure phrase d’abord</caption><thead><tr><th scope="col">Article</th>'
        '<th scope="col">Score</th><th scope="col">Mots</th><th scope="col">Sens</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        if rows
        else "<p>Aucun passage trouvé.</p>"
    )
    searched = f"<p>Question cherchée\u00a0: «\u00a0{escape(answer.question)}\u00a0»</p>"
    steps = f'<p>Durée de chaque étape\u00a0:</p><ul class="times">{times}</ul>' if times else ""
    return (
        f'<details class="details" data-keep="details-{escape(key)}"><summary>Détails</summary>'
        f"{searched}{table}{steps}</details>"
    )


def confidence_words(confidence: float) -> str:
    """The confidence as a reader says it: élevée, moyenne or faible."""
    if confidence >= HIGH_CONFIDENCE:
        return "élevée"
    return "moyenne" if confidence >= MEDIUM_CONFIDENCE else "faible"


def _confidence(confidence: float) -> str:
    words, percent = confidence_words(confidence), round(100 * min(max(confidence, 0.0), 1.0))
    level = {"élevée": "high", "moyenne": "medium", "faible": "low"}[words]
    warning = (
        '<p class="notice warning">Relisez la phrase citée dans son article avant de vous y fier.</p>'
        if level == "low"
        else ""
    )
    return (
        f'<div class="confidence {level}"><span>Confiance {words}</span>'
        f'<span class="bar" role="img" aria-label="{percent}\u00a0%">'
        f'<span style="width:{percent}%"></span></span></div>{warning}'
    )


def _refusal(answer: Answer, number: int) -> str:
    nearest = "".join(
        f'<li><button type="button" class="passage" data-event="passage" data-turn="{number}" '
        f'data-passage="{place}"><span class="title">{escape(passage.title or "Sans titre")}</span>'
        f'<span class="date">{escape(french_date(passage.date))}</span>'
        f'<span class="excerpt">{escape(_shorten(passage.text))}</span></button></li>'
        for place, passage in enumerate(answer.passages[:NEAREST_PASSAGES])
    )
    if nearest:
        why = "Aucune phrase trouvée n’y répond assez sûrement. Les passages les plus proches\u00a0:"
        reason = f'<p>{why}</p><ul class="nearest">{nearest}</ul>'
    else:
        reason = "<p>Aucun passage des articles ne partage les mots de cette question.</p>"
    return f'<div class="answer refusal"><p class="short">{lines(answer.text)}</p>{reason}</div>'


def _understood(turn: Turn, number: int, last: bool) -> str:
    answer = turn.answer
    if answer is None or answer.question.strip() == turn.asked.strip():
        return ""
    correct = _edit(number, answer.question, "Corriger", "link") if last else ""
    return (
        f'<p class="understood">compris comme\u00a0: <span>«\u00a0{escape(answer.question)}\u00a0»</span> '
        f"{correct}</p>"
    )


def _actions(turn: Turn, number: int, last: bool) -> str:
    buttons = []
    if turn.answer is not None:
        copied = escape(plain_text(turn.answer))
        buttons.append(f'<button type="button" class="action" data-copy="{copied}">Copier</button>')
    if last:
        buttons.append(_button("regenerate", number, "Refaire"))
        buttons.append(_edit(number, turn.asked, "Modifier la question", "action"))
    if turn.message_id is not None:
        buttons += [_thumb(turn, number, good=True), _thumb(turn, number, good=False)]
    comment = (
        f'<p class="comment">Votre commentaire\u00a0: {escape(turn.comment)}</p>' if turn.comment else ""
    )
    return f'<div class="actions">{"".join(buttons)}</div>{comment}' if buttons else ""


def _thumb(turn: Turn, number: int, *, good: bool) -> str:
    label = "Bonne réponse" if good else "Mauvaise réponse"
    question = "Qu’est-ce qui est juste ou utile\u00a0?" if good else "Qu’est-ce qui ne va pas\u00a0?"
    return (
        f'<button type="button" class="action thumb" data-event="rate" data-turn="{number}" '
        f'data-good="{int(good)}" aria-pressed="{"true" if turn.good is good else "false"}" '
        f'data-prompt="{question}" data-prompt-optional data-prompt-accept="Envoyer" '
        f'data-prompt-value="{escape(turn.comment)}" aria-label="{label}" title="{label}">'
        f"{_THUMB_UP if good else _THUMB_DOWN}</button>"
    )


def _button(event: str, number: int, label: str) -> str:
    return f'<button type="button" class="action" data-event="{event}" data-turn="{number}">{label}</button>'


def _edit(number: int, question: str, label: str, look: str) -> str:
    return (
        f'<button type="button" class="{look}" data-event="edit" data-turn="{number}" '
        f'data-question="{escape(question)}">{label}</button>'
    )


def plain_text(answer: Answer) -> str:
    """The answer and its sources as plain text, for the clipboard."""
    sources = [
        f"[{citation.marker}] {', '.join(filter(None, (citation.title, french_date(citation.date))))}"
        f" — {citation.source}"
        for citation in answer.citations
    ]
    return "\n\n".join([answer.text, "\n".join(sources)] if sources else [answer.text])


def _decimal(value: float) -> str:
    return f"{value:.3f}".replace(".", ",")


def _shorten(text: str, length: int = 220) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[:length].rsplit(" ", 1)[0] + "…"
