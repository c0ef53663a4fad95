"""What a person reads: the French names of groups, figures and kinds of questions, and French numbers."""

from __future__ import annotations

GROUPS = {
    "retrieval": ("Recherche", "L’article qui contient la réponse est-il trouvé ?"),
    "evidence": ("Choix des phrases", "La phrase qui contient la réponse est-elle bien classée ?"),
    "reading": ("Lecture seule", "Quand on lui donne le bon texte, y lit-il la réponse ?"),
    "answer": ("Réponse", "De bout en bout : de la question à la réponse courte."),
    "citation": ("Citations", "Les phrases citées prouvent-elles une réponse attendue ?"),
    "abstention": ("Refus", "Refuse-t-il les questions sans réponse, et elles seules ?"),
    "calibration": ("Confiance", "La confiance annoncée dit-elle vrai ?"),
    "latency_ms": ("Temps de réponse", "D’une question posée seule, en millisecondes."),
}
SCORES = {
    "em": "réponse exacte (EM)",
    "f1": "mots en commun (F1)",
    "em_squad": "EM, règles de SQuAD",
    "f1_squad": "F1, règles de SQuAD",
}
FIGURES = {
    "retrieval": {
        "recall@1": "bon article en tête (rappel@1)",
        "recall@5": "parmi les 5 premiers (rappel@5)",
        "recall@10": "parmi les 10 premiers (rappel@10)",
        "mrr@10": "inverse du rang (MRR@10)",
        "ndcg@10": "gain selon le rang (nDCG@10)",
    },
    "evidence": {
        "sentence@1": "bonne phrase en tête",
        "sentence@3": "parmi les 3 premières",
        "sentence@5": "parmi les 5 premières",
    },
    "reading": SCORES,
    "answer": SCORES,
    "citation": {"precision": "citations probantes (précision)", "recall": "questions prouvées (rappel)"},
    "abstention": {
        "precision": "refus justifiés (précision)",
        "recall": "sans réponse et refusées (rappel)",
        "f1": "les deux ensemble (F1)",
    },
    "calibration": {"ece": "écart moyen (ECE), 0 est l’idéal"},
    "latency_ms": {"p50": "la moitié en moins de", "p95": "95 % en moins de"},
}
KINDS = {
    "who": "qui",
    "when": "quand",
    "where": "où",
    "how_many": "combien",
    "why": "pourquoi",
    "how": "comment",
    "which": "quel",
    "what": "que",
}
STEPS = {"retrieval": "recherche", "evidence": "phrases", "reading": "lecture", "total": "en tout"}


def number(value: float | None, digits: int = 3) -> str:
    """A number as French writes it; a dash where there is none."""
    return "—" if value is None else f"{value:.{digits}f}".replace(".", ",").replace("-", "−")


def signed(value: float, digits: int = 3) -> str:
    """A difference, with its sign."""
    return f"{'+' if value > 0 else ''}{number(value, digits)}"


def digits_of(group: str) -> int:
    """Decimals that a group's figures are shown with."""
    return 0 if group == "latency_ms" else 3
