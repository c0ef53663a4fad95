"""How useful an answer to a natural question is, 0 to 1, and whether it harms: asserts what is wrong.

Credit by kind. Asked for one fact ("factoid", "quantity", "follow-up", and any kind not named below): 1 for an
accepted short answer, .5 for none, where a right sentence quoted holds it. "yesno": 1 for the right « Oui » or
« Non » with a right sentence, .5 for one of the two. "list": the share of its items among what is shown, where a
right sentence is. "summary": the share of the right sentences quoted, 1 from half on. "why", "how", "definition",
"what-happened": 1 for a right sentence, or an accepted short answer. Without an answer: 1 for a refusal; of small
talk ("chitchat"), 1 for a reply that neither quotes nor refuses.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from eval.datasets import QUOTING, EvalQuestion
from qa.answer import Answer
from qa.scoring import accepted, plain, word_f1, words

CHITCHAT = "chitchat"
SAME = 0.7
_POLARITY = re.compile(r"\W*(oui|non)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an answer is worth, 0 to 1; whether it asserts what is wrong; whether it does what proves or refuses."""

    useful: float
    harm: bool
    supported: bool


def judge(question: EvalQuestion, answer: Answer) -> Judgement:
    """Judge an answer to a natural question."""
    short, listed, polarity = answer.short, answer.kind == "list", _said(answer)
    right = [s for s in question.support if any(same_sentence(s, c.sentence) for c in answer.citations)]
    if question.kind == CHITCHAT and not question.answerable:
        replied = not answer.citations and answer.kind != "none"
        return Judgement(float(replied), bool(answer.citations and short), replied)
    if not question.answerable:
        refused = not answer.answerable
        return Judgement(float(refused), bool(short or polarity or listed), refused)
    if not answer.answerable:
        return Judgement(0.0, False, False)
    if question.kind == "yesno":
        return _yes_no(question, polarity, bool(short), bool(right))
    if question.kind == "list":
        share = _share_shown(question.items, answer.text)
        return Judgement(share if right else 0.0, (bool(short) or listed) and not share, bool(right))
    if question.kind == "summary":
        share = len(right) / max(1, len(question.support))
        return Judgement(min(1.0, 2 * share), False, bool(right))
    good = bool(short) and accepted(short or "", question.answers)
    if question.kind in QUOTING:
        useful = bool(right) or good
        return Judgement(float(useful), bool(short) and not useful, bool(right))
    if short:
        return Judgement(float(good), not good, bool(right))
    quoted = [plain(c.sentence) for c in answer.citations]
    held = any(plain(a) in sentence for sentence in quoted for a in question.answers)
    return Judgement(0.5 if right and held else 0.0, False, bool(right))


def _yes_no(question: EvalQuestion, polarity: str | None, short: bool, right: bool) -> Judgement:
    if polarity is None:
        return Judgement(0.5 if right else 0.0, short and not right, right)
    agrees = polarity == question.polarity
    return Judgement((0.5 + 0.5 * right) if agrees else 0.0, not agrees, right)


def _said(answer: Answer) -> str | None:
    """« oui » or « non », where what is asserted begins with it."""
    if answer.kind in ("yes", "no"):
        return "oui" if answer.kind == "yes" else "non"
    first = answer.items[0].text if answer.kind == "list" and answer.items else answer.short
    found = _POLARITY.match(first or "") if answer.kind in ("span", "list") else None
    return found[1].lower() if found else None


def _share_shown(items: Sequence[Collection[str]], text: str) -> float:
    shown = plain(text)
    return sum(any(plain(variant) in shown for variant in item) for item in items) / len(items)


def same_sentence(one: str, other: str) -> bool:
    """Whether two sentences are the same but for their ends, or share most words."""
    a, b = plain(one), plain(other)
    if not a or not b:
        return False
    return a in b or b in a or _overlap(one, other) >= SAME


def _overlap(one: str, other: str) -> float:
    a, b = words(one), words(other)
    return word_f1(a, b) if a and b else 0.0
