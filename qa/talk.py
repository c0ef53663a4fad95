"""What is no question to the articles: a greeting, thanks, a farewell, what Sourcier can do, another language."""

from __future__ import annotations

import re

from embeddings.text import fold
from qa.answer import Topic

_TOPICS: tuple[tuple[Topic, str], ...] = (
    ("hello", r"(?:bonjour|bonsoir|salut|coucou|hello|hey|bjr|slt|yo|hi)(?: (?:sourcier|a (?:tous|toi|vous)|toi|vous|ca va|comment (?:ca va|vas tu|allez vous)))*"),
    ("hello", r"(?:et )?(?:toi |vous )?(?:(?:comment )?ca va(?: bien)?|comment (?:vas tu|tu vas|va|allez vous|vous allez))(?: .{0,20})?"),
    ("thanks", r"(?:ok |super |parfait |bien |genial )*(?:merci|mrc|thanks|je vous remercie|je te remercie)(?: (?:beaucoup|bien|a (?:toi|vous)|pour .{0,40}|d avance|infiniment|c est .{0,20}|sourcier|et .{0,20}))*"),
    ("thanks", r"(?:ok|d accord|super|parfait|genial|top|cool|tres bien|c est note|nickel)"),
    ("goodbye", r"(?:merci )?(?:au revoir|bonne (?:journee|soiree|nuit|fin de .{0,20})|a (?:bientot|demain|plus(?: tard)?|la prochaine)|adieu|bye|ciao|tchao)(?: .{0,20})?"),
    ("help", r"(?:que|qu est ce que|kes?k?|qu) ?(?:sais tu|savez vous|peux tu|pouvez vous|tu (?:sais|peux)|vous (?:savez|pouvez)) faire.{0,20}"),
    ("help", r"(?:qui es tu|tu es qui|t es qui|c est quoi sourcier|qui etes vous|vous etes qui|a quoi (?:tu sers|sers tu|servez vous|ca sert)|comment (?:ca marche|tu marches|t utiliser|vous utiliser|ca fonctionne)|tu fais quoi|tu sers a quoi|aide(?: moi)?|help|besoin d aide|es tu (?:une ia|un robot|humain)|tu es (?:une ia|un robot|humain))"),
)  # fmt: skip
_TOPIC_OF = tuple((topic, re.compile(pattern)) for topic, pattern in _TOPICS)
_ENGLISH = frozenset(
    [
        "the",
        "what",
        "who",
        "when",
        "where",
        "why",
        "how",
        "is",
        "are",
        "was",
        "were",
        "does",
        "did",
        "do",
        "which",
        "whose",
        "can",
        "could",
        "would",
        "should",
        "of",
        "in",
        "on",
        "for",
        "with",
        "about",
        "from",
        "this",
        "that",
        "there",
        "it",
        "to",
        "and",
        "much",
        "many",
        "has",
        "have",
        "had",
        "his",
        "her",
        "their",
        "my",
        "your",
    ]
)
_FRENCH = frozenset(
    [
        "le",
        "la",
        "les",
        "un",
        "une",
        "des",
        "du",
        "de",
        "est",
        "et",
        "qui",
        "que",
        "quoi",
        "quel",
        "quelle",
        "quels",
        "quelles",
        "quand",
        "où",
        "pourquoi",
        "comment",
        "combien",
        "dans",
        "sur",
        "pour",
        "par",
        "avec",
        "a",
        "au",
        "aux",
        "ce",
        "cette",
        "il",
        "elle",
        "on",
        "ne",
        "pas",
        "plus",
        "son",
        "sa",
        "ses",
        "se",
        "y",
        "en",
        "c",
        "d",
        "l",
        "qu",
    ]
)
MOST_WORDS = 12


def topic_of(question: str) -> Topic:
    """What the question is about where it asks nothing of the articles; "" where it does."""
    words = re.findall(r"\w+", fold(question.replace("’", "'")))
    if 0 < len(words) <= MOST_WORDS:
        said = " ".join(words)
        for topic, pattern in _TOPIC_OF:
            if pattern.fullmatch(said):
                return topic
    return "foreign" if _is_english(words) else ""


def _is_english(words: list[str]) -> bool:
    english = sum(word in _ENGLISH for word in words)
    return english >= 2 and english > 2 * sum(word in _FRENCH for word in words)
