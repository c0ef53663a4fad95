"""Answers and sources as HTML: what is shown, and that no text of an article is ever read as HTML."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from fakes_ui import ARTICLES, HOSTILE, FakeAssistant, FakeLibrary, info

from qa.answer import Answer
from ui.window.articles_page import render_choice, render_results, render_table
from ui.window.conversations import file_name, title_of
from ui.window.rendering import confidence_words, plain_text, render_conversation
from ui.window.sources import SHOWN_CHARACTERS, Highlight, citation_highlight, render_source
from ui.window.text import clean, count, escape, french_date, unbroken, web_link
from ui.window.turns import Turn
from ui.window.welcome import example_questions, library_summary, render_welcome

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
    """The elements of a piece of HTML, its text, and its marked texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.inside: list[str] = []
        self.marked = self.strong = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"br", "input", "path"}:
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.text += data
        if "mark" in self.inside:
            self.marked += data
            if "strong" in self.inside:
                self.strong += data

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
    turn = Turn(asked=asked, state="done", text=answer.text, answer=answer, message_id="7")
    return Page(render_conversation([turn], **options))


def test_markers_become_buttons_and_the_short_answer_is_strong(assistant: FakeAssistant) -> None:
    answer = ask(assistant, "Qui a construit le viaduc ?")
    page = drawn(answer)
    assert [button["data-marker"] for button in page.buttons("source")] == ["1", "2", "1", "2"]
    assert (
        page.buttons("source")[0]["aria-label"] == "Source 1\u00a0: Le viaduc de Garabit a cent quarante ans"
    )
    assert "Confiance élevée" in page.text
    assert [tag for tag, _ in page.elements].count("blockquote") == 2
    assert "faible" not in page.text


def test_a_marker_without_citation_or_inside_a_quotation_stays_text(assistant: FakeAssistant) -> None:
    answer = ask(assistant, "Qui a construit le viaduc ?")
    quoted = replace(answer.citations[0], sentence="Le viaduc[2] fut achevé.")
    text = "Eiffel [1][9]\n\n« Le viaduc[2] fut achevé. » [1]"
    page = drawn(replace(answer, text=text, short="Eiffel", citations=(quoted, answer.citations[1])))
    assert [button["data-marker"] for button in page.buttons("source")] == ["1", "1"]
    assert "[9]" in page.text
    assert "viaduc[2] fut" in page.text


def test_a_short_answer_shows_one_quotation_only(assistant: FakeAssistant) -> None:
    page = drawn(ask(assistant, "Qui a construit le viaduc ?"), detailed=False)
    assert [tag for tag, _ in page.elements].count("blockquote") == 1


def test_low_confidence_is_warned_of(assistant: FakeAssistant) -> None:
    page = drawn(ask(assistant, "Combien de tonnes ?"))
    assert "Confiance faible" in page.text
    assert "Relisez la phrase citée" in page.text


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(1.0, "élevée"), (0.65, "élevée"), (0.64, "moyenne"), (0.4, "moyenne"), (0.39, "faible")],
)
def test_confidence_in_words(confidence: float, words: str) -> None:
    assert confidence_words(confidence) == words


def test_a_refusal_says_why_and_offers_the_nearest_passages(assistant: FakeAssistant) -> None:
    page = drawn(ask(assistant, "Xyz ?"))
    assert "Les articles ne permettent pas de répondre" in page.text
    assert [button["data-passage"] for button in page.buttons("passage")][:3] == ["0", "1", "2"]
    assert "Confiance" not in page.text
    assert "Aucun passage des articles" in drawn(replace(ask(assistant, "Xyz ?"), passages=())).text


def test_a_completed_question_is_shown_and_can_be_corrected(assistant: FakeAssistant) -> None:
    page = drawn(ask(assistant, "Et quand ?"), asked="Et quand ?")
    assert "compris comme\u00a0: «\u00a0Et quand du viaduc de Garabit ?\u00a0»" in page.text
    assert "Et quand du viaduc de Garabit ?" in [button["data-question"] for button in page.buttons("edit")]
    assert "compris comme" not in drawn(ask(assistant, "Qui ?"), asked="Qui ?").text


def test_details_hold_scores_and_milliseconds(assistant: FakeAssistant) -> None:
    page = drawn(ask(assistant, "Qui ?"))
    assert "0,900" in page.text
    assert "lecture\u00a0: 42\u00a0ms" in page.text


def test_states_of_a_turn() -> None:
    running = render_conversation([Turn("Qui ?", step="Lecture…")])
    assert 'aria-busy="true"' in running
    assert "Lecture…" in running
    stopped = Page(render_conversation([Turn("Qui ?", state="stopped", text="Gustave")]))
    assert "Réponse arrêtée." in stopped.text
    assert stopped.buttons("regenerate")
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
    citation = replace(answer.citations[0], title=HOSTILE, source=HOSTILE, sentence=HOSTILE)
    answer = replace(answer, text=f"{HOSTILE} [1]\n\n« {HOSTILE} » [1]", short=HOSTILE, citations=(citation,))
    refused = replace(answer, answerable=False)
    of = replace(info(ARTICLES[2]), id=HOSTILE, source=HOSTILE)
    pieces = [
        render_conversation([Turn(HOSTILE, text=HOSTILE, step=HOSTILE)]),
        render_conversation(
            [Turn(HOSTILE, "done", answer=replace(answer, question=HOSTILE), message_id="1")]
        ),
        render_conversation([Turn(HOSTILE, "done", answer=refused, message_id="1", comment=HOSTILE)]),
        render_source(ARTICLES[2], Highlight(3, 80, 5, 40), heading=HOSTILE),
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


def test_example_questions_come_from_the_articles() -> None:
    questions = example_questions((of.title, of.text) for of in ARTICLES[:2])
    assert questions[:3] == [
        "Qui est Léon Boyer\u00a0?",
        "Que s’est-il passé le 12 septembre 2024\u00a0?",
        "Que signifie INAO\u00a0?",
    ]
    assert len(questions) == 4
    assert "De quoi parle" not in " ".join(questions)
    few = example_questions((of.title, of.text) for of in ARTICLES[:1])
    assert [question[:13] for question in few] == ["Qui est Léon ", "Que s’est-il ", "De quoi parle"]
    assert example_questions([]) == []


def test_the_clipboard_gets_the_sources_too(assistant: FakeAssistant) -> None:
    text = plain_text(ask(assistant, "Qui ?"))
    assert text.startswith("Gustave Eiffel [1]")
    assert (
        "[1] Le viaduc de Garabit a cent quarante ans, 12 septembre 2024 — https://exemple.fr/viaduc" in text
    )


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
