"""What a French question asks for: its kind, the noun after "quel", its names and numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from embeddings.text import STEM_LETTERS, content_stems, fold

MAX_QUESTION_CHARACTERS = 2000
KINDS = {
    "who": r"\bqui\b|\bde qui\b|\bpar qui\b|lequel|laquelle",
    "when": r"\bquand\b|quelle? (annee|date|epoque|periode|jour|mois|siecle|moment|heure)|en quelle annee|depuis quand",
    "where": r"\bou\b|quel(le)? (ville|pays|lieu|endroit|region|continent|departement|commune|fleuve|ile|etat)",
    "how_many": r"\bcombien\b|quelle? (est le |est la )?(nombre|pourcentage|age|prix|taille|hauteur|superficie|population"
    r"|distance|duree|montant|part|somme|valeur|longueur|vitesse|poids|budget|taux|cout)",
    "why": r"\bpourquoi\b|quelle? (est la |est )?(raison|cause|motif|but|objectif)|dans quel but",
    "how": r"\bcomment\b|de quelle (maniere|facon)",
    "which": r"\bquel(le)?s?\b",
    "what": r"\bque\b|\bqu'|\bquoi\b",
    "name": r"s'appell|se nomme|quel est le (nom|titre|surnom)",
    "plural": r"\bquels\b|\bquelles\b|lesquel",
}
_KINDS = {name: re.compile(pattern) for name, pattern in KINDS.items()}
_HEAD = re.compile(
    r"\bquel(?:le)?s?\s+(?:est|sont|etait|etaient|fut|furent|sera)?\s*(?:l'|le|la|les)?\s*([a-z]{2,})"
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question, analysed once for all its candidate sentences."""

    text: str
    stems: tuple[str, ...]
    kinds: tuple[float, ...]
    head: str | None
    names: frozenset[str]
    numbers: frozenset[str]


def analyse(text: str) -> Question:
    """Kind, head noun, names (capitalised words but the first) and numbers of a question."""
    folded = fold(text.replace("’", "'"))
    head = _HEAD.search(folded)
    capitalised = re.findall(r"(?<=[\s'’(«-])[A-ZÀ-Ý][\w-]+", text)
    return Question(
        text=text,
        stems=tuple(content_stems(text)),
        kinds=tuple(float(bool(pattern.search(folded))) for pattern in _KINDS.values()),
        head=head[1][:STEM_LETTERS] if head else None,
        names=frozenset(stem for word in capitalised for stem in content_stems(word)),
        numbers=frozenset(re.findall(r"\d+", text)),
    )
