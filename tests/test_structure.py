"""Headings: where each format marks them, what is plain from a text, and what is no heading."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from test_sentences import MESSY

from qa.ingest.articles import Article, read_file, read_text
from qa.ingest.formats import Marked
from qa.ingest.structure import headings_of, text_of

BODY = "Le pont est fermé depuis mardi, et la mairie ne sait pas quand il pourra rouvrir à la circulation."


def headings(article: Article) -> list[tuple[int, str]]:
    return [(heading.level, text_of(article.text, heading)) for heading in article.headings]


def plain(text: str) -> list[tuple[int, str]]:
    return [(heading.level, text_of(text, heading)) for heading in headings_of(text)]


def only(path: Path) -> Article:
    (article,) = read_file(path)
    return article


def test_markdown(tmp_path: Path) -> None:
    path = tmp_path / "pont.md"
    path.write_text(
        f"# Le pont\n\n## Les *travaux*\n\n{BODY}\n\nLe prix\n-------\n\n{BODY}\n\n**Combien de temps ?**\n\n{BODY}\n\n"
        f"```\n# un commentaire\n```\n\n### Et après #\n\n{BODY} **Gras** dans le texte.\n",
        "utf-8",
    )
    article = only(path)
    assert article.title == "Le pont"
    assert headings(article) == [
        (2, "Les travaux"),
        (2, "Le prix"),
        (7, "Combien de temps ?"),
        (3, "Et après"),
    ]


def test_html(tmp_path: Path) -> None:
    path = tmp_path / "pont.html"
    path.write_text(
        f'<html lang="fr"><head><title>Le pont</title></head><body><nav><h2>Menu</h2><p>Accueil</p></nav><article>'
        f"<h1>Le pont</h1><p>{BODY} {BODY}</p><h2>Les travaux</h2><p>{BODY}</p><h3>Le prix</h3><p>{BODY} {BODY}</p>"
        f"</article></body></html>",
        "utf-8",
    )
    assert headings(only(path)) == [(2, "Les travaux"), (3, "Le prix")]


def test_html_headings_that_the_extraction_loses_are_put_back(tmp_path: Path) -> None:
    questions = [f"Question numéro {n} ?" for n in range(4)]
    answers = [f"Réponse {n} : {BODY} {BODY}" for n in range(4)]
    body = "".join(f"<h3>{q}</h3><p>{a}</p>" for q, a in zip(questions, answers, strict=True))
    path = tmp_path / "faq.html"
    path.write_text(
        f'<html><head><title>FAQ</title></head><body><ul class="menu"><li><a href="/">Accueil</a></li></ul>'
        f"<h1>FAQ</h1>{body}</body></html>",
        "utf-8",
    )
    article = only(path)
    assert [text for level, text in headings(article) if level == 3] == questions
    for question, answer in zip(questions, answers, strict=True):
        assert 0 < article.text.index(answer) - article.text.index(question) - len(question) <= 2


def test_word(tmp_path: Path) -> None:
    import docx
    from docx.enum.style import WD_STYLE_TYPE

    document = docx.Document()
    document.add_heading("Le pont", 0)
    document.add_heading("Les travaux", 1)
    document.add_paragraph(BODY)
    french = document.styles.add_style("Titre 2", WD_STYLE_TYPE.PARAGRAPH)
    own = document.styles.add_style("Mon intertitre", WD_STYLE_TYPE.PARAGRAPH)
    own.base_style = french
    document.add_paragraph("Le prix", style=french)
    document.add_paragraph(BODY)
    document.add_paragraph("La suite", style=own)
    document.add_paragraph(BODY)
    document.add_paragraph().add_run("En gras").bold = True
    document.add_paragraph(BODY)
    document.save(str(tmp_path / "pont.docx"))
    article = only(tmp_path / "pont.docx")
    assert article.title == "Le pont"
    assert headings(article) == [
        (1, "Le pont"),
        (1, "Les travaux"),
        (2, "Le prix"),
        (2, "La suite"),
        (7, "En gras"),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"Le pont\n=======\n\n{BODY}\n\nLe prix\n-------\n{BODY}", [(1, "Le pont"), (2, "Le prix")]),
        (f"LE PONT EST FERMÉ\n\n{BODY}\n\nLE PRIX\n{BODY}", [(1, "LE PONT EST FERMÉ"), (2, "LE PRIX")]),
        (
            f"{BODY}\n\n1. Le prix\n\n{BODY}\n\n1.2 La suite\n\n{BODY}",
            [(2, "1. Le prix"), (3, "1.2 La suite")],
        ),
        (f"{BODY}\n\nArticle 3 - Loyer et charges\n{BODY}", [(2, "Article 3 - Loyer et charges")]),
        (
            f"{BODY}\n\n2. COMMENT PRENDRE CE MÉDICAMENT ?\n\n{BODY}",
            [(2, "2. COMMENT PRENDRE CE MÉDICAMENT ?")],
        ),
        (f"{BODY}\n\nLes travaux de 2024\n\n{BODY}", [(3, "Les travaux de 2024")]),
        (f"{BODY}\n\nEnfants\n{BODY}", [(4, "Enfants")]),
        (f"Forum\n\n--- titi_58 - 14 janv., 19:22\n{BODY}", [(1, "Forum"), (3, "titi_58 - 14 janv., 19:22")]),
        (f"Q : Quand rouvre le pont ?\nR : {BODY}", [(7, "Q : Quand rouvre le pont ?")]),
        (f"Question 2 : Qui paie ?\n\n{BODY}", [(7, "Question 2 : Qui paie ?")]),
    ],
)
def test_what_is_plainly_a_heading(text: str, found: list[tuple[int, str]]) -> None:
    assert plain(text) == found


@pytest.mark.parametrize(
    "text",
    [
        BODY,
        f"{BODY}\n\n{BODY}",
        "Le pont est fermé depuis mardi, dit la\nmairie, et il ne rouvrira pas avant un\nmois au moins.",
        f"{BODY}\n\nCordialement,\n\nAna Petit",
        f"{BODY}\n\nAna Petit\nMairie de Nérondac",
        "Il faut :\n\n1. Une pelle\n2. Un seau\n3. Du sable",
        f"{BODY}\n\nTéléphone : 05 36 49 12 80\n\n{BODY}",
        f"{BODY}\n\nEt alors ?\n\n{BODY}",
        f"Réservoir\n3,5 litres\n\nPuissance\n340 W\n\n{BODY}",
        f"{BODY}\n\npage 3\n\n{BODY}",
        "Titre seul",
    ],
)
def test_what_is_no_heading(text: str) -> None:
    assert plain(text) == []


def test_an_interview_is_known_by_its_questions() -> None:
    text = "\n\n".join(f"{question} ?\n\n{BODY}" for question in ("Qui paie", "Combien", "Et la suite"))
    assert plain(text) == [(7, "Qui paie ?"), (7, "Combien ?"), (7, "Et la suite ?")]


def test_the_head_of_a_mail_is_one_heading() -> None:
    text = f"De : Ana Petit\nÀ : Bob\nDate : 3 mars 2024\nObjet : devis\n\nBonjour,\n{BODY}\nDate : à fixer"
    assert plain(text) == [(2, "De : Ana Petit · À : Bob · Date : 3 mars 2024 · Objet : devis")]


def test_marked_headings_are_found_in_order_and_once() -> None:
    text = f"Le prix\n\n{BODY}\n\nLe prix\n\n{BODY}"
    marks = [Marked(2, "Le  prix"), Marked(2, "Ailleurs"), Marked(3, "LE PRIX")]
    found = headings_of(text, marks)
    assert [(h.start, h.level) for h in found] == [(0, 2), (text.rindex("Le prix"), 3)]


@settings(max_examples=200, deadline=None)
@given(MESSY)
def test_headings_are_lines_in_order(text: str) -> None:
    article = read_text(text)
    at = 0
    for heading in article.headings:
        assert at <= heading.start < heading.end <= len(article.text)
        line = article.text[heading.start : heading.end]
        assert line == line.strip()
        assert (
            article.text[: heading.start].endswith("\n")
            or not article.text[: heading.start].rsplit("\n")[-1].strip()
        )
        at = heading.end
    assert len(article.headings) < max(1, len(article.text.split("\n")))


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Diapositive 1", "La vie des eaux"),
        ("Document1", "La vie des eaux"),
        ("Mise en page 1", "La vie des eaux"),
        ("Présentation PowerPoint", "La vie des eaux"),
        ("Microsoft Word - rapport_v3.docx", "La vie des eaux"),
        ("rapport v3.xlsx (copie)", "La vie des eaux"),
        ("Sans titre", "La vie des eaux"),
        ("rapport", "La vie des eaux"),
        ("Modèle de facture", "La vie des eaux"),
        ("Rapport sur les eaux de la Vergne", "Rapport sur les eaux de la Vergne"),
    ],
)
def test_titles_that_programs_leave_give_way_to_the_text(tmp_path: Path, title: str, shown: str) -> None:
    import docx

    document = docx.Document()
    document.core_properties.title = title
    document.add_paragraph("La vie des eaux")
    document.add_paragraph(BODY)
    document.save(str(tmp_path / "rapport.docx"))
    assert only(tmp_path / "rapport.docx").title == shown


def test_without_a_title_a_text_is_named_after_its_first_heading_or_line() -> None:
    assert read_text(f"Objet : Refonte du site\n\n{BODY}").title == "Refonte du site"
    assert read_text(f"{BODY}\n\n2. Le prix\n\n{BODY}\n\n{BODY}").title == "2. Le prix"
    assert (
        read_text("Le pont est fermé depuis mardi et la\nmairie ne sait rien. Rien du tout.", id="pont").title
        == "pont"
    )
