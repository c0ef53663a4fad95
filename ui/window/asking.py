"""From a question to its turns: each step, then the answer; stops for real, saves it. Knows no Gradio."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace

from embeddings.errors import EmbeddingsError
from qa.answer import Answer, Step
from qa.errors import SourcierError
from qa.history import Message, Preferences
from qa.wording import said_of
from ui.api.answers import thresholds_of
from ui.window.conversations import title_of
from ui.window.session import Engine, Session
from ui.window.turns import Turn

logger = logging.getLogger(__name__)

UNEXPECTED = (
    "Une erreur inattendue a interrompu la réponse. Réessayez\u00a0; "
    "le détail est dans le journal du serveur."
)


def ask(
    engine: Engine,
    session: Session,
    question: str,
    preferences: Preferences,
    user: str,
    cancel: threading.Event,
) -> Iterator[Session]:
    """The session after each step of the answer; the last one holds the answer, saved, or says why not.

    A question that is being rewritten takes the place of its turn and of those after it.
    """
    keep = len(session.turns) if session.editing is None else session.editing
    earlier = tuple(replace(t, state="stopped") if t.state == "running" else t for t in session.turns[:keep])
    replaced = next(filter(None, (t.message_id or t.replaces for t in session.turns[keep:])), None)
    session = replace(session, editing=None)
    turn = Turn(asked=question, replaces=replaced)
    yield replace(session, turns=(*earlier, turn))
    try:
        for item in engine.assistant.stream(
            question,
            history=exchanges(earlier),
            top_k=preferences.top_k,
            article_ids=session.article_ids,
            thresholds=thresholds_of(preferences),
            cancel=cancel,
        ):
            if cancel.is_set():
                break
            if isinstance(item, Answer):
                yield _save(engine, replace(session, turns=earlier), turn, item, user)
                return
            turn = _on_its_way(turn, item)
            yield replace(session, turns=(*earlier, turn))
        turn = replace(turn, state="stopped")
    except (SourcierError, EmbeddingsError) as error:
        turn = replace(turn, state="failed", error=str(error))
    except Exception:
        logger.exception("the answer failed")
        turn = replace(turn, state="failed", error=UNEXPECTED)
    yield replace(session, turns=(*earlier, turn))


def exchanges(turns: Iterable[Turn]) -> list[tuple[str, str]]:
    """The questions answered so far, each with what was said; a word of thanks is no question."""
    answers = (turn.answer for turn in turns if turn.answer is not None)
    return [(answer.question, said_of(answer)) for answer in answers if answer.kind != "talk"]


def _on_its_way(turn: Turn, step: Step) -> Turn:
    return replace(turn, step=step.label, passages=step.passages or turn.passages)


def _save(engine: Engine, session: Session, turn: Turn, answer: Answer, user: str) -> Session:
    conversation_id = _conversation(engine, session, turn, user)
    replaced = next(filter(None, (shown.replaces for shown in (*session.turns, turn))), None)
    if replaced is not None:
        engine.history.truncate(conversation_id, user, replaced)
    message = engine.history.append(conversation_id, user, turn.asked, answer)
    done = replace(turn, state="done", step="", passages=(), answer=answer, message_id=message.id)
    turns = tuple(replace(shown, replaces=None) for shown in (*session.turns, done))
    return replace(session, conversation_id=conversation_id, turns=turns)


def _conversation(engine: Engine, session: Session, turn: Turn, user: str) -> str:
    """The conversation to save in: a new one at first, and where another tab has deleted it."""
    history = engine.history
    if session.conversation_id in {known.id for known in history.conversations(user)}:
        return session.conversation_id or ""
    conversation_id = history.create(user, title_of(turn.asked))
    history.set_articles(conversation_id, user, session.article_ids)
    return conversation_id


def reopen(engine: Engine, conversation_id: str, user: str) -> Session:
    """A saved conversation as it was left; a `SourcierError` where this user has no such conversation."""
    conversation = engine.history.conversation(conversation_id, user)
    turns = tuple(_saved(message) for message in engine.history.messages(conversation_id, user))
    return Session(conversation_id, turns, article_ids=conversation.article_ids)


def _saved(message: Message) -> Turn:
    return Turn(
        asked=message.question,
        state="done" if message.answer else "unreadable",
        answer=message.answer,
        message_id=message.id,
        good=message.good,
        comment=message.comment,
    )
