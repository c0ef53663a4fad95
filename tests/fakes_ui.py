"""A small library and an assistant with known answers, so that the window is tested without models."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from qa.answer import Answer, Citation, Delta, RetrievedPassage, Step
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


class FakeLibrary:
    """The articles above in memory; an added file becomes an article, a file named "mauvais…" is refused."""

    def __init__(self, path: Path, *, empty: bool = False) -> None:
        self.path = path
        self._articles = {} if empty else {of.id: of for of in ARTICLES}

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
            added.append(new.id)
        return IndexReport(added=tuple(added), updated=(), unchanged=(), removed=(), skipped=tuple(skipped),
                           passages=len(added), seconds=0.1)  # fmt: skip

    def add_articles(self, articles: Iterable[Article], **_: object) -> IndexReport:
        new = {of.id: of for of in articles}
        self._articles |= new
        return IndexReport(
            added=tuple(new), updated=(), unchanged=(), removed=(), skipped=(), passages=len(new), seconds=0.1
        )

    def remove(self, article_ids: Sequence[str]) -> int:
        return sum(self._articles.pop(article_id, None) is not None for article_id in article_ids)


class FakeAssistant:
    """Answers by the words of the question.

    "Lent" in the question makes a long stream that only `cancel` ends; `stopped` is set when it does, and
    `cancels` holds each question's.
    """

    ready = True

    def __init__(self, library: FakeLibrary) -> None:
        self.library = library
        self.stopped = threading.Event()
        self.cancels: list[threading.Event | None] = []
        self.asked: list[tuple[str, int, Collection[str] | None]] = []

    def stream(
        self,
        question: str,
        *,
        history: Sequence[tuple[str, str]] = (),
        top_k: int = 5,
        article_ids: Collection[str] | None = None,
        thresholds: object = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[Step | Delta | Answer]:
        if len(question) > 500:
            raise QuestionError("La question est trop longue : 500 caractères au plus.")
        self.cancels.append(cancel)
        self.asked.append((question, top_k, article_ids))
        yield Step("retrieval", "Recherche des passages…")
        if "lent" in question.lower():
            yield from self._endless(cancel or threading.Event())
            return
        answer = self._answer(question, history, top_k)
        words = answer.text.split(" ")
        for number, word in enumerate(words):
            yield Delta(word if number == 0 else f" {word}")
        yield answer

    def answer(self, question: str, **options: object) -> Answer:
        return next(item for item in self.stream(question, **options) if isinstance(item, Answer))  # type: ignore[arg-type]

    def _endless(self, cancel: threading.Event) -> Iterator[Delta]:
        while not cancel.wait(0.05):
            yield Delta("encore ")
        self.stopped.set()

    def _answer(self, question: str, history: Sequence[tuple[str, str]], top_k: int) -> Answer:
        asked = f"{question.rstrip(' ?')} du viaduc de Garabit ?" if question.startswith("Et ") else question
        for word, found in ANSWERS.items():
            if word in asked.lower():
                return self._found(asked, *found)
        return Answer(
            text="Les articles ne permettent pas de répondre à cette question.",
            short=None,
            answerable=False,
            confidence=0.1,
            citations=(),
            passages=self._passages(),
            question=asked,
            timings={"retrieval": 3.2},
        )

    def _found(self, question: str, number: int, sentence: str, short: str, confidence: float) -> Answer:
        start = ARTICLES[number].text.index(sentence)
        at = ARTICLES[number].text.index(short, start)
        other = ARTICLES[1 - number % 2]
        first = other.text[: other.text.index(".") + 1]
        return Answer(
            text=f"{short} [1][2]\n\n« {sentence} » [1]\n\n« {first} » [2]",
            short=short,
            answerable=True,
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
