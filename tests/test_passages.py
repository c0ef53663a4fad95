from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_sentences import MESSY

from qa.ingest.articles import Article, read_text
from qa.ingest.passages import HEADER_CHARACTERS, Span, header_of, split_passages
from qa.ingest.sentences import MAX_CHARACTERS, MAX_WORDS, split_sentences
from qa.ingest.structure import Heading


def article(text: str) -> Article:
    return read_text(text, title="Essai", id="essai")


def gaps(covered: list[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """What lies between ranges in order of their starts."""
    return [
        (before[1], after[0]) for before, after in itertools.pairwise([(0, 0), *covered, (length, length)])
    ]


def story(sizes: list[int]) -> Article:
    """A text of one sentence a size, that size in words."""
    return article(" ".join("Le" + " mot" * (size - 1) + "." for size in sizes))


@settings(max_examples=300, deadline=None)
@given(MESSY, st.integers(1, 60), st.integers(0, 4))
def test_passages_are_exact_ordered_and_leave_out_no_sentence(text: str, target: int, overlap: int) -> None:
    source = article(text)
    passages = split_passages(source, target_words=target, overlap=overlap)
    for number, passage in enumerate(passages):
        assert passage.article_id == source.id
        assert passage.index == number
        assert passage.text
        assert source.text[passage.start : passage.end] == passage.text
        assert (passage.start, passage.end) == (passage.sentences[0].start, passage.sentences[-1].end)
        assert len(passage.sentences) == 1 or len(passage.text.split()) <= target
    covered = sorted((p.start, p.end) for p in passages)
    assert not any(source.text[a:b].strip() for a, b in gaps(covered, len(source.text)))
    if not source.headings:
        spans = {Span(a, b) for a, b in split_sentences(source.text)}
        assert {s for p in passages for s in p.sentences} == spans
    for before, after in itertools.pairwise(passages):
        assert before.start < after.start
        assert before.end < after.end


def test_each_passage_begins_with_the_last_sentence_of_the_one_before() -> None:
    passages = split_passages(story([20] * 40))
    assert all(len(p.sentences) == 6 for p in passages[:-1])
    for before, after in itertools.pairwise(passages):
        assert after.sentences[0] == before.sentences[-1]


@pytest.mark.parametrize("overlap", [0, 2, 3])
def test_the_overlap_can_be_chosen(overlap: int) -> None:
    passages = split_passages(story([20] * 30), overlap=overlap)
    for before, after in itertools.pairwise(passages):
        assert len(set(before.sentences) & set(after.sentences)) == overlap


def test_no_passage_only_repeats_the_end_of_another() -> None:
    passages = split_passages(story([10, 100, 100, 10, 100]))
    assert [len(p.sentences) for p in passages] == [2, 2, 2]
    assert len({p.end for p in passages}) == len(passages)


def test_a_sentence_above_the_target_stands_alone() -> None:
    passages = split_passages(story([30, 80, 5]), target_words=40, overlap=0)
    assert [len(p.sentences) for p in passages] == [1, 1, 1]


def test_text_without_a_full_stop_gives_bounded_passages() -> None:
    passages = split_passages(article("des mots sans fin " * 5_000))
    assert len(passages) > 100
    assert all(len(p.text.split()) <= MAX_WORDS for p in passages)


def test_text_without_a_space_gives_bounded_passages() -> None:
    passages = split_passages(article("x" * 100_000))
    assert max(len(p.text) for p in passages) <= MAX_CHARACTERS


SECTIONS = """Rapport annuel

L'association compte 264 adhérents cette année, soit 33 de plus qu'en 2022, et cinquante-deux bénévoles actifs qui
tiennent le magasin du mardi au samedi, trient les dons et réparent les vélos que la déchetterie leur confie le lundi, avant de les vendre.

1. Finances

Les ventes baissent, car le magasin est resté fermé onze semaines pour refaire le sol. Le panier moyen passe pourtant
de 8,10 euros à 9,40 euros, et la subvention de la commune, qui arrive enfin en novembre, couvre le reste des travaux.

2. Personnel

Elle emploie trois salariés.

3. Projets

Un atelier ouvre en mai.
"""


def test_a_heading_begins_a_passage_and_small_sections_share_one() -> None:
    passages = split_passages(read_text(SECTIONS, id="rapport"))
    assert [p.headings for p in passages] == [(), ("1. Finances",), ("2. Personnel",)]
    assert passages[1].text.startswith("1. Finances\n\nLes ventes")
    assert (
        passages[2].text
        == "2. Personnel\n\nElle emploie trois salariés.\n\n3. Projets\n\nUn atelier ouvre en mai."
    )


def test_headings_are_in_the_text_and_not_among_the_sentences() -> None:
    source = read_text(SECTIONS, id="rapport")
    quoted = [source.text[s.start : s.end] for p in split_passages(source) for s in p.sentences]
    assert quoted[-2:] == ["Elle emploie trois salariés.", "Un atelier ouvre en mai."]
    assert not {"Rapport annuel", "1. Finances", "3. Projets"} & set(quoted)


def test_a_passage_knows_the_headings_above_it() -> None:
    text = "\n\n".join(["Le pont", "Les travaux", "Le prix", "Il coûte cher. " * 40])
    marks = [
        Heading(text.index(line), text.index(line) + len(line), n + 1)
        for n, line in enumerate(text.split("\n\n")[:3])
    ]
    source = replace(read_text(text, title="Le pont !", id="pont"), headings=tuple(marks))
    passages = split_passages(source)
    assert len(passages) == 2
    assert {p.headings for p in passages} == {("Les travaux", "Le prix")}


def test_each_mail_of_a_thread_begins_a_passage_and_its_head_can_be_quoted() -> None:
    mails = [
        f"De : {name}\nDate : {day} mars 2024\nObjet : devis\n\n"
        + f"{name} écrit une phrase assez longue. " * 10
        for name, day in [("Ana", 3), ("Bob", 4)]
    ]
    source = read_text("\n\n".join(mails), title="Fil", id="fil")
    first, second = split_passages(source)
    assert second.text.startswith("De : Bob")
    assert second.headings == ("De : Bob · Date : 4 mars 2024 · Objet : devis",)
    assert [source.text[s.start : s.end] for s in first.sentences[:2]] == ["De : Ana", "Date : 3 mars 2024"]


def test_a_question_stays_with_its_answer() -> None:
    answer = "Il faut écrire à la mairie, puis attendre la réponse. "
    text = "\n\n".join(f"Q : Question {n} sur le sujet ?\nR : Réponse {n}. {answer * 5}" for n in range(6))
    passages = split_passages(read_text(text, title="FAQ", id="faq"))
    assert len(passages) == 6
    for number, passage in enumerate(passages):
        assert passage.headings == (f"Q : Question {number} sur le sujet ?",)
        assert f"R : Réponse {number}." in passage.text


def test_a_list_is_kept_with_the_line_that_introduces_it() -> None:
    items = "\n".join(f"- une chose numéro {n} dont on a besoin" for n in range(6))
    text = "Une phrase de dix mots exactement pour remplir ce passage. " * 8 + f"\n\nApportez :\n{items}"
    passages = split_passages(article(text))
    assert ["Apportez :" in p.text for p in passages] == [False, True]
    assert passages[1].text.count("\n- ") == 6


def test_a_row_of_a_table_is_never_cut() -> None:
    rows = [f"M. Durand {n} | rue du Bac. Paris | {n} ans. Marié" for n in range(40)]
    passages = split_passages(article("\n".join(rows)))
    assert len(passages) > 3
    for passage in passages:
        assert set(passage.text.split("\n")) <= set(rows)


@pytest.mark.parametrize(
    ("title", "headings", "date", "header"),
    [
        ("Titre", ["Partie", "Sous-partie"], "2024-03-14", "Titre › Partie › Sous-partie · 2024-03-14"),
        ("Titre", [], None, "Titre"),
        ("", [], "2024", "2024"),
        ("", ["Partie"], None, "Partie"),
        ("", [], None, ""),
    ],
)
def test_header(title: str, headings: list[str], date: str | None, header: str) -> None:
    assert header_of(title, headings, date) == header


@given(
    st.text(max_size=400), st.lists(st.text(max_size=300), max_size=6), st.sampled_from([None, "2024-03-14"])
)
def test_a_header_is_one_bounded_line_that_ends_with_the_date(
    title: str, headings: list[str], date: str | None
) -> None:
    header = header_of(title, headings, date)
    assert len(header) <= HEADER_CHARACTERS
    assert len(header.splitlines()) <= 1
    assert header.endswith(date or "")


def test_a_long_header_keeps_the_title_and_the_inmost_heading() -> None:
    header = header_of("Le titre " * 20, ["Une partie " * 20, "Le prix"], "2024-03-14")
    assert header.startswith("Le titre Le titre")
    assert header.endswith("… › Le prix · 2024-03-14")


def test_an_empty_article_has_no_passage() -> None:
    assert split_passages(article("")) == []
