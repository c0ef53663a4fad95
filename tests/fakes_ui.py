"""A small library and an assistant with known answers, so that the window is tested without models."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from qa.answer import Answer, Citation, Evidence, Item, RetrievedPassage, Step
from qa.errors import LibraryError, QuestionError
from qa.ingest.articles import Article, Skipped
from qa.library.library import ArticleInfo, IndexReport

HOSTILE = (
    '<script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'
    '<svg onload="window.hacked = 1"></svg> [lien](javascript:window.hacked=1) ${window.hacked = 1} '
    "{{window.hacked}} \x1b[31mrouge\x1b[0m"
)


def article(name: str, title: str, date: str | None, text: str, source: str = "") -> Article:
    return Article(id=name, title=title, text=text, source=source or f"/articles/{name}.md",
                   path=f"/articles/{name}.md", date=date, author="La rédaction")  # fmt: skip


BUILT = "Le viaduc fut achevé en 1884 par l’entreprise de Gustave Eiffel."
MADE = "Sa production atteint 12 000 tonnes par an, selon l’Institut national de l’origine (INAO)."

ARTICLES = [
    article(
        "viaduc-0001",
        "Le viaduc de Garabit a cent quarante ans",
        "2024-09-12",
        "Le viaduc de Garabit enjambe la Truyère, dans le Cantal.\n\n"
        + "\n\n".join(f"Paragraphe {n} sur les ponts métalliques et leur entretien." for n in range(30))
        + f"\n\nLéon Boyer, un ingénieur des Ponts et Chaussées, conçut l’ouvrage. {BUILT} Il porte encore "
        "des trains.\n\nLe 12 septembre 2024, la région a fêté l’anniversaire.",
        source="https://exemple.fr/viaduc",
    ),
    article(
        "fromage-0002",
        "Le cantal, un fromage de montagne",
        "2023-03-01",
        f"Le cantal est un fromage à pâte pressée. {MADE}\n\nMarie Fabre, une éleveuse, trait matin et soir.",
    ),
    article(
        "piege-0003", f"Un titre {HOSTILE}", None, f"Le mot de passe est sésame. {HOSTILE} Fin de l’article."
    ),
]

ANSWERS = {
    "qui": (0, BUILT, "Gustave Eiffel", 0.91),
    "et ": (0, BUILT, "1884", 0.55),
    "combien": (1, MADE, "12 000 tonnes", 0.3),
    "passe": (2, "Le mot de passe est sésame.", "sésame", 0.8),
}
"""A word of the question, then the article's place, the sentence, the short answer and the confidence."""

WHERE = "Le viaduc de Garabit enjambe la Truyère, dans le Cantal."
PRESSED = "Le cantal est un fromage à pâte pressée."
SUGGESTIONS = [
    "Qui a construit le viaduc de Garabit ?",
    "Combien de tonnes de cantal produit-on ?",
    "Quels sont les métiers ?",
    "Quel est le mot de passe ?",
]


def info(of: Article) -> ArticleInfo:
    return ArticleInfo(
        id=of.id, title=of.title, source=of.source, path=of.path, date=of.date, author=of.author,
        added="2024-10-01T10:00:00+00:00", passages=3, characters=len(of.text),
    )  # fmt: skip


def cited(
    marker: int,
    of: Article,
    start: int,
    sentence: str,
    answer_start: int | None,
    answer_end: int | None,
    score: float,
) -> Citation:
    return Citation(
        marker=marker,
        article_id=of.id,
        title=of.title,
        source=of.source,
        date=of.date,
        sentence=sentence,
        start=start,
        end=start + len(sentence),
        answer_start=answer_start,
        answer_end=answer_end,
        score=score,
    )


def quoted(marker: int, of: Article, sentence: str, words: str = "") -> Citation:
    """A citation of a sentence of the article, its exact words marked where there are any."""
    start = of.text.index(sentence)
    at = start + sentence.index(words)
    span = (at, at + len(words)) if words else (None, None)
    return replace(cited(marker, of, start, sentence, *span, 0.9), headings=("Histoire",), page=2)


class FakeLibrary:
    """The articles above in memory; an added file becomes an article, a file named "mauvais…" is refused."""

    def __init__(self, path: Path, *, empty: bool = False) -> None:
        self.path = path
        self._articles = {} if empty else {of.id: of for of in ARTICLES}
        self.revision = 1

    def articles(self) -> list[ArticleInfo]:
        return [info(of) for of in self._articles.values()]

    def article(self, article_id: str) -> Article:
        if article_id not in self._articles:
            raise LibraryError("Cet article n’est pas dans la bibliothèque.")
        return self._articles[article_id]

    def add(self, paths: Sequence[str | Path], **_: object) -> IndexReport:
        added, skipped = [], []
        for path in (
            file for given in map(Path, paths) for file in (given.glob("*") if given.is_dir() else [given])
        ):
            if path.name.startswith("mauvais"):
                skipped.append(Skipped(str(path), "fichier vide"))
                continue
            new = article(f"{path.stem}-9999", path.stem.capitalize(), "2024-11-05", path.read_text("utf-8"))
            self._articles[new.id] = new
            self.revision += 1
            added.append(new.id)
        return IndexReport(added=tuple(added), updated=(), unchanged=(), removed=(), skipped=tuple(skipped),
                           passages=len(added), seconds=0.1)  # fmt: skip

    def add_articles(self, articles: Iterable[Article], **_: object) -> IndexReport:
        new = {of.id: of for of in articles}
        self._articles |= new
        self.revision += 1
        return IndexReport(
            added=tuple(new), updated=(), unchanged=(), removed=(), skipped=(), passages=len(new), seconds=0.1
        )

    def remove(self, article_ids: Sequence[str]) -> int:
        self.revision += 1
        return sum(self._articles.pop(article_id, None) is not None for article_id in article_ids)


class FakeAssistant:
    """Answers by the words of the question, each kind of answer for some words.

    "Lent" in the question makes a stream that only `cancel` ends; `stopped` is set when it does, and
    `cancels` holds each question's.
    """

    ready = True

    def __init__(self, library: FakeLibrary) -> None:
        self.library = library
        self.stopped = threading.Event()
        self.cancels: list[threading.Event | None] = []
        self.asked: list[tuple[str, int, Collection[str] | None]] = []
        self.histories: list[list[tuple[str, str]]] = []

    def stream(
        self,
        question: str,
        *,
        history: Sequence[tuple[str, str]] = (),
        top_k: int = 5,
        article_ids: Collection[str] | None = None,
        thresholds: object = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[Step | Answer]:
        if len(question) > 500:
            raise QuestionError("La question est trop longue : 500 caractères au plus.")
        self.cancels.append(cancel)
        self.asked.append((question, top_k, article_ids))
        self.histories.append(list(history))
        yield Step("retrieval", "Recherche des passages…")
        yield Step("reading", "Lecture des passages…", self._passages())
        if "lent" in question.lower():
            (cancel or threading.Event()).wait()
            self.stopped.set()
            return
        yield self._answer(question)

    def answer(self, question: str, **options: object) -> Answer:
        return next(item for item in self.stream(question, **options) if isinstance(item, Answer))  # type: ignore[arg-type]

    def suggestions(self, number: int = 4) -> list[str]:
        return SUGGESTIONS[:number]

    def _answer(self, question: str) -> Answer:
        asked = f"{question.rstrip(' ?')} du viaduc de Garabit ?" if question.startswith("Et ") else question
        for word, kind in {
            "quels": self._list, "est-ce": self._yes, "a-t-on": self._no, "pourquoi": self._sentences,
            "de quoi": self._articles, "bonjour": self._talk,
        }.items():  # fmt: skip
            if word in asked.lower():
                return kind(asked)
        for word, found in ANSWERS.items():
            if word in asked.lower():
                return self._found(asked, *found)
        evidence = tuple(
            Evidence(of.id, of.title, of.source, of.date, sentence, of.text.index(sentence),
                     of.text.index(sentence) + len(sentence), 0.1)
            for of, sentence in ((ARTICLES[1], PRESSED), (ARTICLES[0], WHERE))
        )  # fmt: skip
        return Answer(
            "none", asked, confidence=0.1, passages=self._passages(), evidence=evidence,
            timings={"retrieval": 3.2}, suggestions=tuple(SUGGESTIONS[:2]),
        )  # fmt: skip

    def _list(self, question: str) -> Answer:
        engineer = "Léon Boyer, un ingénieur des Ponts et Chaussées, conçut l’ouvrage."
        farmer = "Marie Fabre, une éleveuse, trait matin et soir."
        return Answer(
            "list", question, items=(Item("ingénieur", 1), Item("éleveuse", 2)), confidence=0.7,
            citations=(quoted(1, ARTICLES[0], engineer, "ingénieur"), quoted(2, ARTICLES[1], farmer, "éleveuse")),
            passages=self._passages(),
        )  # fmt: skip

    def _yes(self, question: str) -> Answer:
        return Answer("yes", question, confidence=0.9, citations=(quoted(1, ARTICLES[0], BUILT),))

    def _no(self, question: str) -> Answer:
        return Answer("no", question, confidence=0.2, citations=(quoted(1, ARTICLES[1], MADE),))

    def _sentences(self, question: str) -> Answer:
        citations = (quoted(1, ARTICLES[0], WHERE), quoted(2, ARTICLES[0], BUILT, "achevé en 1884"))
        return Answer("sentences", question, "achevé en 1884", confidence=0.6, citations=citations)

    def _articles(self, question: str) -> Answer:
        citations = (quoted(1, ARTICLES[0], WHERE), quoted(2, ARTICLES[1], PRESSED))
        return Answer("articles", question, citations=citations, passages=self._passages())

    def _talk(self, question: str) -> Answer:
        return Answer("talk", question, topic="hello", suggestions=tuple(SUGGESTIONS[:2]))

    def _found(self, question: str, number: int, sentence: str, short: str, confidence: float) -> Answer:
        start = ARTICLES[number].text.index(sentence)
        at = ARTICLES[number].text.index(short, start)
        other = ARTICLES[1 - number % 2]
        first = other.text[: other.text.index(".") + 1]
        return Answer(
            kind="span",
            short=short,
            confidence=confidence,
            citations=(
                cited(1, ARTICLES[number], start, sentence, at, at + len(short), confidence),
                cited(2, other, 0, first, None, None, 0.2),
            ),
            passages=self._passages(),
            question=question,
            timings={"retrieval": 3.2, "reading": 41.7, "total": 44.9},
        )

    def _passages(self) -> tuple[RetrievedPassage, ...]:
        return tuple(
            RetrievedPassage(
                article_id=of.id,
                title=of.title,
                source=of.source,
                date=of.date,
                text=of.text[:300],
                start=0,
                end=min(300, len(of.text)),
                score=0.9 - 0.2 * number,
                lexical_score=12.5 - number,
                dense_score=0.61,
            )
            for number, of in enumerate(ARTICLES)
        )
