"""What a person reads: the French names of groups, figures and kinds of questions, and French numbers."""

from __future__ import annotations

GROUPS = {
    "retrieval": ("Recherche", "L’article qui contient la réponse est-il trouvé\u00a0?"),
    "evidence": ("Choix des phrases", "La phrase qui contient la réponse est-elle bien classée\u00a0?"),
    "reading": ("Lecture seule", "Quand on lui donne le bon texte, y lit-il la réponse\u00a0?"),
    "answer": ("Réponse", "De bout en bout, de la question à la réponse courte."),
    "natural": (
        "Questions naturelles",
        "Ce que la réponse apporte à qui l’a posée, de 0 à 1, et la part de celles qui affirment à tort.",
    ),
    "citation": (
        "Citations",
        "Les phrases citées contiennent-elles une réponse attendue, ou viennent-elles d’une bonne source\u00a0?",
    ),
    "abstention": ("Refus", "Refuse-t-il les questions sans réponse, et elles seules\u00a0?"),
    "calibration": ("Confiance", "La confiance annoncée dit-elle vrai\u00a0? L’idéal est un écart de 0."),
    "latency_ms": ("Temps de réponse", "D’une question posée seule, en millisecondes."),
}
UNMEASURED = {
    "retrieval": "aucune question n’a de réponse",
    "evidence": "aucune question n’a de réponse",
    "reading": "ce jeu ne donne pas le texte de chaque question",
    "answer": "aucune question n’a de réponse courte",
    "natural": "aucune question de ce jeu n’est d’un genre («\u00a0kind\u00a0»)",
    "citation": "aucune réponse n’a été donnée",
    "abstention": "toutes les questions ont une réponse",
    "calibration": "rien n’a été affirmé",
    "latency_ms": "aucune question n’a été posée seule",
}
SCORES = {
    "em": "exacte (EM)",
    "f1": "mots communs (F1)",
    "em_squad": "EM de SQuAD",
    "f1_squad": "F1 de SQuAD",
}
FIGURES = {
    "retrieval": {
        "recall@1": "en tête (rappel@1)",
        "recall@5": "parmi 5 (rappel@5)",
        "recall@10": "parmi 10 (rappel@10)",
        "mrr@10": "inverse du rang (MRR@10)",
        "ndcg@10": "gain selon le rang (nDCG@10)",
    },
    "evidence": {
        "sentence@1": "en tête",
        "sentence@3": "parmi 3",
        "sentence@5": "parmi 5",
    },
    "reading": SCORES,
    "answer": SCORES,
    "natural": {"useful": "utile", "harm": "affirmé à tort"},
    "citation": {"precision": "probantes (précision)", "recall": "questions prouvées (rappel)"},
    "abstention": {
        "precision": "refus justifiés (précision)",
        "recall": "refus obtenus (rappel)",
        "f1": "ensemble (F1)",
    },
    "calibration": {"ece": "écart moyen (ECE)"},
    "latency_ms": {"p50": "la moitié en moins de", "p95": "95 % en moins de"},
}
NATURAL = {
    "factoid": "fait",
    "quantity": "quantité",
    "follow-up": "suite",
    "yesno": "oui ou non",
    "list": "liste",
    "why": "pourquoi",
    "how": "comment",
    "definition": "définition",
    "what-happened": "événement",
    "summary": "résumé",
    "unanswerable": "sans réponse",
    "chitchat": "conversation",
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
