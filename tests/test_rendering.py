"""Answers and sources as HTML: what is shown, and that no text of an article is ever read as HTML."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import get_args

import pytest
from fakes_ui import (
    ARTICLES,
    BUILT,
    HOSTILE,
    MADE,
    PRESSED,
    SUGGESTIONS,
    WHERE,
    FakeAssistant,
    FakeLibrary,
    info,
)

from qa.answer import Answer, AnswerKind, Evidence, Item
from qa.wording import certainty_of, french_date, source_name, text_with_sources
from ui.window.articles_page import render_choice, render_results, render_table
from ui.window.conversations import file_name, title_of
from ui.window.rendering import render_conversation
from ui.window.sources import SHOWN_CHARACTERS, Highlight, citation_highlight, render_source
from ui.window.text import clean, count, escape, unbroken, web_link
from ui.window.turns import Turn
from ui.window.welcome import library_summary, render_welcome

FORBIDDEN = {
    "script",
    "img",
    "iframe",
    "object",
    "embed",
    "style",
    "link",
    "meta",
    "base",
    "math",
    "video",
    "audio",
}


class Page(HTMLParser):
    """The elements of a piece of HTML, its text, what stands in each, and its marked texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.inside: list[str] = []
        self.marked = self.strong = ""
        self.pieces: dict[str, list[str]] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"br", "input", "path"}:
            self.inside.append(tag)
            self.pieces.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.text += data
        for tag in set(self.inside):
            self.pieces[tag][-1] += data
        if "mark" in self.inside:
            self.marked += data
            if "strong" in self.inside:
                self.strong += data

    def all(self, tag: str) -> list[str]:
        """What stands in each element of that name, its spaces made single."""
        return [" ".join(piece.split()) for piece in self.pieces.get(tag, [])]

    def buttons(self, event: str) -> list[dict[str, str | None]]:
        return [
            attributes
            for tag, attributes in self.elements
            if tag == "button" and attributes.get("data-event") == event
        ]

    def assert_harmless(self) -> None:
        for tag, attributes in self.elements:
            assert tag not in FORBIDDEN
            assert not [name for name in attributes if name.startswith("on")]
            assert not (attributes.get("href") or "").lower().startswith(("javascript", "data"))


@pytest.fixture
def assistant(tmp_path) -> FakeAssistant:
    return FakeAssistant(FakeLibrary(tmp_path))


def ask(assistant: FakeAssistant, question: str) -> Answer:
    *_, answer = assistant.stream(question)
    assert isinstance(answer, Answer)
    return answer


def drawn(answer: Answer, asked: str = "Qui ?", **options: bool) -> Page:
    turn = Turn(asked=asked, state="done", answer=answer, message_id="7")
    return Page(render_conversation([turn], **options))


GARABIT, CANTAL = "Le viaduc de Garabit a cent quarante ans", "Le cantal, un fromage de montagne"
GARABIT_HISTORY = f"{GARABIT} › Histoire, p. 2 · 12 septembre 2024"
CANTAL_HISTORY = f"{CANTAL} › Histoire, p. 2 · 1er mars 2023"


def test_a_span_is_strong_then_come_its_quotations(assistant: FakeAssistant) -> None:
    page = drawn(ask(assistant, "Qui a construit le viaduc ?"))
    assert page.all("strong") == ["Gustave Eiffel", "Gustave Eiffel"]
    assert page.all("blockquote") == [
        f"« {BUILT} » 1 {GARABIT} · 12 septembre 2024",
        f"« {PRESSED} » 2 {CANTAL} · 1er mars 2023",
    ]
    assert [button["data-marker"] for button in page.buttons("source")] == ["1", "2", "1", "2"]
    assert page.buttons("source")[0]["aria-label"] == f"Source 1\u00a0: {GARABIT}"
    assert "Réponse sûre" in page.text


def test_a_list_has_bullets_each_with_its_marker(assistant: FakeAssistant) -> None:
    page = drawn(ask(assistant, "Quels sont les métiers ?"))
    assert page.all("li")[:2] == ["ingénieur 1", "éleveuse 2"]
    assert page.all("strong") == ["ingénieur", "éleveuse", "ingénieur", "éleveuse"]
    assert page.all("footer") == [GARABIT_HISTORY, CANTAL_HISTORY]
    assert "Réponse probable\u00a0: relisez la phrase citée" in page.text


@pytest.mark.parametrize(
    ("question", "word", "sentence", "certainty"),
    [("Est-ce vieux ?", "Oui", BUILT, "Réponse sûre"), ("A-t-on du lait ?", "Non", MADE, "À vérifier")],
)
def test_yes_and_no_are_set_off_then_proved(
    assistant: FakeAssistant, question: str, word: str, sentence: str, certainty: str
) -> None:
    page = drawn(ask(assistant, question))
    assert page.all("strong") == [word]
    (quotation,) = page.all("blockquote")
    assert quotation.startswith(f"« {sentence} » 1")
    assert certainty in page.text


def test_sentences_come_in_their_order_with_the_exact_clause_strong(assistant: FakeAssistant) -> None:
    answer = ask(assistant, "Pourquoi ?")
    for shown in (drawn(answer), drawn(answer, detailed=False)):
        assert "Voici ce qu’en disent vos articles\u00a0:" in shown.text
        assert [quotation.split(" »")[0] for quotation in shown.all("blockquote")] == [
            f"« {WHERE}",
            f"« {BUILT}",
        ]
        assert shown.all("strong") == ["achevé en 1884"]
    assert "Réponse probable" in drawn(answer).text
    plain = replace(answer, short=None)
    assert certainty_of(plain) is None
    assert "confidence" not in render_conversation([Turn("?", "done", answer=plain)])


def test_where_nothing_is_found_the_nearest_sentences_open_their_source(assistant: FakeAssistant) -> None:
    answer = ask(assistant, "Xyz ?")
    page = drawn(answer)
    assert "Je n’ai pas trouvé la réponse dans vos articles." in page.text
    assert "ne permettent pas" not in page.text
    assert page.all("li")[:2] == [
        f"{PRESSED}{CANTAL} · 1er mars 2023",
        f"{WHERE}{GARABIT} · 12 septembre 2024",
    ]
    assert [button["data-evidence"] for button in page.buttons("evidence")] == ["0", "1"]
    assert page.buttons("source") == []
    assert "Probabilité" not in page.text
    empty = drawn(replace(answer, passages=(), evidence=()))
    assert "La bibliothèque est vide" in empty.text
    assert "plus proches" not in empty.text


def test_talk_is_a_friendly_line_and_what_one_could_ask(assistant: FakeAssistant) -> None:
    page = drawn(ask(assistant, "Bonjour"), asked="Bonjour")
    assert page.text.count("Bonjour\u00a0! Posez-moi une question sur vos articles.") == 1
    assert [button["data-question"] for button in page.buttons("example")] == SUGGESTIONS[:2]
    assert "Détails" not in page.text
    assert "confidence" not in str(page.elements)


def test_articles_are_a_list_with_a_sentence_each(assistant: FakeAssistant) -> None:
    page = drawn(ask(assistant, "De quoi parle-t-on ?"))
    assert "Ces articles en parlent\u00a0:" in page.text
    assert page.all("li")[:2] == [
        f"{GARABIT} 12 septembre 2024 « {WHERE} » 1",
        f"{CANTAL} 1er mars 2023 « {PRESSED} » 2",
    ]
    assert "confidence" not in str(page.elements)


def test_any_answer_may_suggest_questions(assistant: FakeAssistant) -> None:
    answer = replace(ask(assistant, "Qui ?"), suggestions=("Quand <b> ?",))
    page = drawn(answer)
    assert [button["data-question"] for button in page.buttons("example")] == ["Quand <b> ?"]


def test_a_marker_without_citation_or_inside_a_quotation_stays_text(assistant: FakeAssistant) -> None:
    answer = ask(assistant, "Qui a construit le viaduc ?")
    sentence = replace(answer.citations[0], sentence="Le viaduc[2] fut achevé.", answer_start=None)
    listed = replace(answer, kind="list", items=(Item("Eiffel [1]", 9),), citations=(sentence,))
    for given in (replace(answer, short="Eiffel [2]", citations=(sentence,)), listed):
        page = drawn(given)
        assert {button["data-marker"] for button in page.buttons("source")} == {"1"}
        assert "viaduc[2] fut" in page.text


def test_a_short_answer_shows_one_quotation_only(assistant: FakeAssistant) -> None:
    page = drawn(ask(assistant, "Qui a construit le viaduc ?"), detailed=False)
    assert len(page.all("blockquote")) == 1


@pytest.mark.parametrize(
    ("confidence", "certainty"),
    [(1.0, "sure"), (0.85, "sure"), (0.84, "probable"), (0.6, "probable"), (0.59, "doubtful")],
)
def test_how_sure_an_answer_is(confidence: float, certainty: str) -> None:
    assert certainty_of(Answer("span", "?", "a", confidence=confidence)) == certainty
    for kind in ("talk", "none", "articles", "sentences"):
        assert certainty_of(Answer(kind, "?", confidence=confidence)) is None


def test_the_percentage_stays_in_the_details(assistant: FakeAssistant) -> None:
    page = drawn(ask(assistant, "Qui ?"))
    (details,) = page.all("details")
    assert "Probabilité que la réponse soit juste : 91 %" in details
    assert page.text.count("%") == 1


def test_a_completed_question_is_shown_and_can_be_corrected(assistant: FakeAssistant) -> None:
    page = drawn(ask(assistant, "Et quand ?"), asked="Et quand ?")
    assert "compris comme\u00a0: «\u00a0Et quand du viaduc de Garabit ?\u00a0»" in page.text
    assert "Et quand du viaduc de Garabit ?" in [button["data-question"] for button in page.buttons("edit")]
    assert "compris comme" not in drawn(ask(assistant, "Qui ?"), asked="Qui ?").text


def test_details_hold_scores_and_milliseconds(assistant: FakeAssistant) -> None:
    page = drawn(ask(assistant, "Qui ?"))
    assert "0,900" in page.text
    assert "lecture\u00a0: 42\u00a0ms" in page.text


def test_states_of_a_turn(assistant: FakeAssistant) -> None:
    passages = ask(assistant, "Qui ?").passages[:2]
    told = (*passages, replace(passages[0], start=9), replace(passages[1], headings=("Prix",)))
    running = render_conversation([Turn("Qui ?", step="Lecture…", passages=told)])
    assert 'aria-busy="true"' in running
    assert "Lecture…" in running
    assert Page(running).all("li") == [GARABIT, CANTAL, f"{CANTAL} › Prix"]
    stopped = Page(render_conversation([Turn("Qui ?", state="stopped")]))
    assert "Réponse arrêtée." in stopped.text
    assert stopped.buttons("regenerate")
    unreadable = Page(render_conversation([Turn("Qui ?", state="unreadable", message_id="1")]))
    assert "Réponse illisible." in unreadable.text
    assert unreadable.buttons("regenerate")
    assert not unreadable.buttons("rate")
    failed = Page(render_conversation([Turn("Qui ?", state="failed", error="<b>Trop long</b>")]))
    assert "<b>Trop long</b>" in failed.text
    failed.assert_harmless()


def test_only_the_last_turn_can_be_redone(assistant: FakeAssistant) -> None:
    turn = Turn("Qui ?", state="done", answer=ask(assistant, "Qui ?"), message_id="1")
    page = Page(render_conversation([turn, turn]))
    assert [button["data-turn"] for button in page.buttons("regenerate")] == ["1"]
    assert [button["data-turn"] for button in page.buttons("rate")] == ["0", "0", "1", "1"]
    failed = Turn("Qui ?", state="failed", error="Trop long")
    again = Page(render_conversation([failed, failed])).buttons("regenerate")
    assert [button["data-turn"] for button in again] == ["1"]


def test_a_thumb_given_is_pressed(assistant: FakeAssistant) -> None:
    turn = Turn(
        "Qui ?",
        state="done",
        answer=ask(assistant, "Qui ?"),
        message_id="1",
        good=False,
        comment="<i>non</i>",
    )
    page = Page(render_conversation([turn]))
    assert [button["aria-pressed"] for button in page.buttons("rate")] == ["false", "true"]
    assert "Votre commentaire\u00a0: <i>non</i>" in page.text


def test_a_source_marks_the_sentence_and_the_short_answer_inside_it(assistant: FakeAssistant) -> None:
    answer = ask(assistant, "Qui a construit le viaduc ?")
    page = Page(render_source(ARTICLES[0], citation_highlight(answer.citations[0]), heading="Source 1"))
    assert page.marked == "Le viaduc fut achevé en 1884 par l’entreprise de Gustave Eiffel."
    assert page.strong == "Gustave Eiffel"
    assert "12 septembre 2024" in page.text
    assert ("a", "https://exemple.fr/viaduc") in [
        (tag, attributes.get("href")) for tag, attributes in page.elements
    ]


def test_a_highlight_may_cross_lines_and_characters_that_are_escaped() -> None:
    of = replace(ARTICLES[0], text="a & b\n\n<c> d\n\ne")
    page = Page(render_source(of, Highlight(2, 12, 4, 8)))
    assert page.marked == "& b<c> d"
    assert page.strong == "b<"
    assert page.text.endswith("a & b<c> de")


def test_a_very_long_article_is_shown_around_its_highlight() -> None:
    line = "Une phrase assez longue pour remplir le texte.\n\n"
    text = line * 20_000 + "La phrase citée.\n\n" + line * 20_000
    start = text.index("La phrase citée")
    page = Page(render_source(replace(ARTICLES[0], text=text), Highlight(start, start + 16)))
    assert page.marked == "La phrase citée."
    assert len(page.text) < SHOWN_CHARACTERS + 1000
    assert "Le début de l’article n’est pas affiché." in page.text
    assert "La suite de l’article n’est pas affichée." in page.text


def test_an_original_file_is_linked_by_the_article_not_by_its_path() -> None:
    of = replace(ARTICLES[1], source="javascript:alert(1)", path="/articles/../été.md", id='x"y')
    page = Page(render_source(of, None))
    page.assert_harmless()
    assert [attributes["href"] for tag, attributes in page.elements if tag == "a"] == ['originals/x"y']
    assert "été.md" in page.text


def test_nothing_hostile_becomes_html(assistant: FakeAssistant) -> None:
    answer = ask(assistant, "Quel est le mot de passe ?")
    citation = replace(
        answer.citations[0],
        title=HOSTILE,
        source=HOSTILE,
        sentence=HOSTILE,
        date=HOSTILE,
        headings=(HOSTILE,),
    )
    passage = replace(answer.passages[0], title=HOSTILE, headings=(HOSTILE,))
    hostile = Answer(
        "span", HOSTILE, HOSTILE, (Item(HOSTILE, 1),), 0.5, (citation,), (passage,),
        (Evidence("a", HOSTILE, HOSTILE, HOSTILE, HOSTILE, 0, 9, 0.5),), {HOSTILE: 1.0}, suggestions=(HOSTILE,),
    )  # fmt: skip
    of = replace(info(ARTICLES[2]), id=HOSTILE, source=HOSTILE)
    pieces = [
        render_conversation([Turn(HOSTILE, step=HOSTILE, passages=(passage,))]),
        render_conversation([Turn(HOSTILE, "failed", error=HOSTILE)]),
        *(
            render_conversation(
                [
                    Turn(
                        HOSTILE,
                        "done",
                        answer=replace(hostile, kind=kind),
                        message_id=HOSTILE,
                        comment=HOSTILE,
                    )
                ]
            )
            for kind in get_args(AnswerKind)
        ),
        render_source(ARTICLES[2], Highlight(3, 80, 5, 40), heading=HOSTILE, place=HOSTILE),
        render_table([of], (), ""),
        render_results([(HOSTILE, False, HOSTILE)], 1),
        render_choice(3, 2),
        render_welcome(HOSTILE, [HOSTILE]),
    ]
    for html in pieces:
        Page(html).assert_harmless()
        assert "\x1b" not in html


def test_punctuation_stays_on_the_line_of_its_word() -> None:
    assert unbroken("Qui a dit « non » ? Où : ici ; là !") == (
        "Qui a dit «\u00a0non\u00a0»\u00a0? Où\u00a0: ici\u00a0; là\u00a0!"
    )


def test_clean_and_escape() -> None:
    assert clean("a\x1b[31mb\x1b[0m\x00c\u202ed\te\nf") == "abcd\te\nf"
    assert escape("<a href='x' title=\"y\">&") == "&lt;a href=&#x27;x&#x27; title=&quot;y&quot;&gt;&amp;"


@pytest.mark.parametrize(
    ("source", "link"),
    [
        ("https://exemple.fr/a", "https://exemple.fr/a"),
        ("HTTP://exemple.fr", "HTTP://exemple.fr"),
        ("javascript:alert(1)", None),
        ("data:text/html,<script>", None),
        ("//exemple.fr", None),
        ("/home/a.md", None),
        ("http://[", None),
        ("", None),
    ],
)
def test_web_link(source: str, link: str | None) -> None:
    assert web_link(source) == link


@pytest.mark.parametrize(
    ("date", "words"),
    [("2023-11-17", "17 novembre 2023"), ("2023-03-01", "1er mars 2023"), ("2023-11", "novembre 2023"),
     ("2023", "2023"), ("2023-99", "2023"), (None, ""), ("hier", "")],
)  # fmt: skip
def test_french_date(date: str | None, words: str) -> None:
    assert french_date(date) == words


def test_counts_agree() -> None:
    assert count(0, "article") == "0\u00a0article"
    assert count(2, "article choisi", "articles choisis") == "2\u00a0articles choisis"
    assert count(12345, "mot") == "12\u202f345\u00a0mots"


def test_library_summary() -> None:
    assert "vide" in library_summary(0, None, None)
    assert library_summary(1, "2024", "2024") == "La bibliothèque contient 1\u00a0article (2024)."
    assert library_summary(2, "2023-03-01", "2024-01-02").endswith("(1er mars 2023 – 2 janvier 2024).")


def test_the_clipboard_gets_the_sources_too_and_no_folder(assistant: FakeAssistant) -> None:
    text = text_with_sources(ask(assistant, "Qui ?"))
    assert text.split("\n\n")[0] == "Gustave Eiffel [1][2]"
    assert text.split("\n\n")[-1].splitlines() == [
        "Sources\u00a0:",
        f"[1] {GARABIT} · 12 septembre 2024 · https://exemple.fr/viaduc",
        f"[2] {CANTAL} · 1er mars 2023 · fromage-0002.md",
    ]
    (copied,) = (
        button["data-copy"]
        for tag, button in drawn(ask(assistant, "Qui ?")).elements
        if "data-copy" in button
    )
    assert copied == text
    assert text_with_sources(ask(assistant, "Xyz ?")) == "Je n’ai pas trouvé la réponse dans vos articles."


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/home/anne/articles/été.md", "été.md"),
        ("/home/anne/notes.jsonl#3", "notes.jsonl#3"),
        ("C:\\Users\\anne\\été.md", "été.md"),
        ("file:///home/anne/a.md", "a.md"),
        ("https://exemple.fr/a/b", "https://exemple.fr/a/b"),
        ("Le Monde/AFP", "Le Monde/AFP"),
        ("", ""),
    ],
)
def test_a_source_is_named_without_its_folders(source: str, name: str) -> None:
    assert source_name(source) == name


def test_titles_and_file_names() -> None:
    assert title_of("  Qui\n a construit ?  ") == "Qui a construit ?"
    assert len(title_of("mot " * 100)) <= 80
    assert file_name("Qui a construit l’été ?", "md") == "qui-a-construit-l-été.md"
    assert file_name("../../???", "json") == "conversation.json"


def test_the_table_is_filtered_by_every_word() -> None:
    infos = [info(of) for of in ARTICLES]
    assert len(Page(render_table(infos, (), "")).buttons("read")) == 3
    assert len(Page(render_table(infos, (), "Viaduc 2024")).buttons("read")) == 1
    assert "Aucun article" in render_table(infos, (), "girafe")
    checked = Page(render_table(infos, (ARTICLES[1].id,), ""))
    boxes = [attributes for tag, attributes in checked.elements if tag == "input"]
    assert ["checked" in box for box in boxes] == [False, True, False]
