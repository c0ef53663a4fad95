"""A small library and an assistant with known answers, so that the window is tested without models."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from qa.answer import Answer, Citation, Delta, RetrievedPassage, Step
from qa.articles import Article, Skipped
from qa.errors import LibraryError, QuestionError
from qa.library import ArticleInfo, IndexReport

HOSTILE = (
    '<script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'
    '<svg onload="window.hacked = 1"></svg> [lien](javascript:window.hacked=1) ${window.hacked = 1} '
    "{{window.hacked}} \x1b[31mrouge\x1b[0m"
)


def article(name: str, title: str, date: str | None, text: str, source: str = "") -> Article:
    return Article(id=name, title=title, text=text, source=source or f"/articles/{name}.md",
                   path=f"/articles/{name}.md", date=date, author="La rédaction")  # fmt: skip


ARTICLES = [
    article(
        "viaduc-0001",
        "Le viaduc de Garabit a cent quarante ans",
        "2024-09-12",
        "Le viaduc de Garabit enjambe la Truyère, dans le Cantal.\n\n"
        + "\n\n".join(f"Paragraphe {number} sur les ponts métalliques et leur entretien." for number in range(30))
        + "\n\nLéon Boyer, un ingénieur des Ponts et Chaussées, conçut l’ouvrage. Le viaduc fut achevé en 1884 "
        "par l’entreprise de Gustave Eiffel. Il porte encore des trains.\n\n"
        "Le 12 septembre 2024, la région a fêté l’anniversaire.",
        source="https://exemple.fr/viaduc",
    ),
    article(
        "fromage-0002",
        "Le cantal, un fromage de montagne",
        "2023-03-01",
        "Le cantal est un fromage à pâte pressée. Sa production atteint 12 000 tonnes par an, selon l’Institut "
        "national de l’origine et de la qualité (INAO).\n\nMarie Fabre, une éleveuse de Salers, trait matin et soir.",
    ),
    article("piege-0003", f"Un titre {HOSTILE}", None, f"Le mot de passe est sésame. {HOSTILE} Fin de l’article."),
]


def info(of: Article) -> ArticleInfo:
    return ArticleInfo(
        id=of.id, title=of.title, source=of.source, path=of.path, date=of.date, author=of.author,
        added="2024-10-01T10:00:00+00:00", passages=3, characters=len(of.text),
    )  # fmt: skip


class FakeLibrary:
    """The articles above in memory; an added file becomes an article, a file named "mauvais…" is refused."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._articles = {of.id: of for of in ARTICLES}

    def articles(self) -> list[ArticleInfo]:
        return [info(of) for of in self._articles.values()]

    def article(self, article_id: str) -> Article:
        if article_id not in self._articles:
            raise LibraryError("Cet article n’est pas dans la bibliothèque.")
        return self._articles[article_id]

    def add(self, paths: Sequence[str | Path], **_: object) -> IndexReport:
        added, skipped = [], []
        for path in map(Path, paths):
            if path.name.startswith("mauvais"):
                skipped.append(Skipped(str(path), "Le fichier est vide."))
                continue
            new = article(f"{path.stem}-9999", path.stem.capitalize(), "2024-11-05", path.read_text("utf-8"))
            self._articles[new.id] = new
            added.append(new.id)
        return IndexReport(added=tuple(added), updated=(), unchanged=(), removed=(), skipped=tuple(skipped),
                           passages=len(added), seconds=0.1)  # fmt: skip

    def remove(self, article_ids: Sequence[str]) -> int:
        return sum(self._articles.pop(article_id, None) is not None for article_id in article_ids)


class FakeAssistant:
    """Answers by the words of the question.

    "Lent" in the question makes a long stream that only `cancel` ends; `stopped` is set when it does.
    """

    ready = True

    def __init__(self, library: FakeLibrary) -> None:
        self.library = library
        self.stopped = threading.Event()
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

    def _endless(self, cancel: threading.Event) -> Iterator[Delta]:
        while not cancel.wait(0.05):
            yield Delta("encore ")
        self.stopped.set()

    def _answer(self, question: str, history: Sequence[tuple[str, str]], top_k: int) -> Answer:
        asked = f"{question.rstrip(' ?')} du viaduc de Garabit ?" if question.startswith("Et ") else question
        rules: list[tuple[str, Callable[[], Answer]]] = [
            ("qui", lambda: self._found(asked, 0, "Le viaduc fut achevé en 1884 par l’entreprise de Gustave Eiffel.",
                                        "Gustave Eiffel", 0.91)),  # fmt: skip
            ("et ", lambda: self._found(asked, 0, "Le viaduc fut achevé en 1884 par l’entreprise de Gustave Eiffel.",
                                        "1884", 0.55)),  # fmt: skip
            ("combien", lambda: self._found(asked, 1, "Sa production atteint 12 000 tonnes par an, selon l’Institut "
                                            "national de l’origine et de la qualité (INAO).",
                                            "12 000 tonnes", 0.3)),  # fmt: skip
            ("passe", lambda: self._found(asked, 2, "Le mot de passe est sésame.", "sésame", 0.8)),
        ]
        for word, found in rules:
            if word in asked.lower():
                return found()
        return Answer(
            text="Les articles ne permettent pas de répondre à cette question.", short=None, answerable=False,
            confidence=0.1, citations=(), passages=self._passages(), question=asked, timings={"retrieval": 3.2},
        )  # fmt: skip

    def _found(self, question: str, number: int, sentence: str, short: str, confidence: float) -> Answer:
        of = ARTICLES[number]
        start = of.text.index(sentence)
        at = of.text.index(short, start)
        citation = Citation(1, of.id, of.title, of.source, of.date, sentence, start, start + len(sentence),
                            at, at + len(short), confidence)  # fmt: skip
        second_of = ARTICLES[1 - number % 2]
        second = second_of.text[: second_of.text.index(".") + 1]
        other = Citation(2, second_of.id, second_of.title, second_of.source, second_of.date, second, 0,
                         len(second), None, None, 0.2)  # fmt: skip
        return Answer(
            text=f"{short} [1][2]\n\n« {sentence} » [1]\n\n« {second} » [2]", short=short, answerable=True,
            confidence=confidence, citations=(citation, other), passages=self._passages(), question=question,
            timings={"retrieval": 3.2, "reading": 41.7, "total": 44.9},
        )  # fmt: skip

    def _passages(self) -> tuple[RetrievedPassage, ...]:
        return tuple(
            RetrievedPassage(of.id, of.title, of.source, of.date, of.text[:300], 0, min(300, len(of.text)),
                             0.9 - 0.2 * number, 12.5 - number, 0.61)  # fmt: skip
            for number, of in enumerate(ARTICLES)
        )
