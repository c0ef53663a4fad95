"""What a French question asks for, by its words: the groups of a report."""

from __future__ import annotations

import re

from embeddings.text import fold

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


def kinds_of(question: str) -> frozenset[str]:
    """The kinds whose words the question holds."""
    folded = fold(question.replace("’", "'"))
    return frozenset(name for name, pattern in _KINDS.items() if pattern.search(folded))
