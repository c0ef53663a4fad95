"""Questions as people type them, acronyms and their long forms, and texts that are there several times."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import HashEncoder

from qa.ingest.articles import read_text
from qa.library.library import Library
from qa.retrieval.acronyms import added_forms, long_forms
from qa.retrieval.retriever import Retriever
from qa.retrieval.shorthand import spelled_out

BRIDGE = "Le pont des Aulnes est fermé aux camions depuis la crue de janvier, qui a fissuré une pile. " * 3


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (
            "c koi le jour ou tt le monde doit etre présent",
            "c'est quoi le jour ou tout le monde doit etre présent",
        ),
        ("cb sa coute une entré a aquavive", "combien ça coute une entré a aquavive"),
        ("g 80 ans je prend cb de zeltavine", "j'ai 80 ans je prend combien de zeltavine"),
        ("Pk le pont est fermé ?", "pourquoi le pont est fermé ?"),
        ("la reprise cest kan", "la reprise c'est quand"),
        ("cest ki ki a gagné", "c'est qui qui a gagné"),
        ("jsuis ds le pétrin qd ?", "je suis dans le pétrin quand ?"),
    ],
)
def test_shorthand_is_spelled_out(typed: str, meant: str) -> None:
    assert spelled_out(typed) == meant


@pytest.mark.parametrize(
    "question",
    [
        "Qui a signé la lettre ?",
        "Le paiement par cb est-il possible ?",
        "Que vaut c dans la formule ?",
        "Quel est le PK de la sortie, en km ?",
        "Qu'est-ce que le DS du lycée ?",
        "sa date de naissance ?",
        "C'est quoi, la BPI ?",
        "prix t-shirt",
        "",
    ],
)
def test_what_is_well_typed_is_left_as_it_is(question: str) -> None:
    assert spelled_out(question) == question


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Elle a écrit à la Banque publique d'investissement (BPI).", [("BPI", "Banque publique d'investissement")]),
        ("La SNCF (Société nationale des chemins de fer français) recrute.", [
            ("SNCF", "Société nationale des chemins de fer français")
        ]),
        ("Le président (PDG) parle.", []),
        ("Le club (OM) gagne.", []),
        ("Une note (IMPORTANT) suit.", []),
    ],
)  # fmt: skip
def test_long_forms(text: str, found: list[tuple[str, str]]) -> None:
    assert long_forms(text) == found


def test_a_question_is_given_the_form_it_lacks() -> None:
    texts = ["La Banque publique d'investissement (BPI) prête."]
    assert added_forms("Qui dirige la BPI ?", texts) == "Banque publique d'investissement"
    assert added_forms("Qui dirige la banque publique d’investissement ?", texts) == "BPI"
    assert added_forms("Qui dirige la banque ?", texts) == ""
    assert added_forms("Qui dirige la Banque publique d'investissement, ou BPI ?", texts) == ""


def library(tmp_path: Path, texts: dict[str, str]) -> Library:
    opened = Library.open(tmp_path / "library", embedding=HashEncoder(), create=True)
    opened.add_articles(read_text(text, title="Note", id=id_, source=id_) for id_, text in texts.items())
    return opened


def found(library: Library, question: str, k: int = 5) -> list[str]:
    return [hit.stored.passage.article_id for hit in Retriever(library, 0.0).search(question, k)]


def test_an_acronym_is_found_by_its_long_form(tmp_path: Path) -> None:
    texts = {
        "definition": "La Banque publique d'investissement (BPI) prête aux entreprises de la région depuis 2013.",
        "short": "Nicolas Dufourcq dirige la BPI.",
        "other": "Le train part à midi.",
    }
    with library(tmp_path, texts) as opened:
        hits = Retriever(opened, 0.0).search("banque publique d'investissement", 5)
        assert [hit.stored.passage.article_id for hit in hits] == ["definition", "short", "other"]
        assert hits[1].lexical > 0 == hits[2].lexical


def test_a_text_that_is_there_several_times_is_one_hit(tmp_path: Path) -> None:
    texts = {f"copie-{n}": BRIDGE for n in range(120)}
    texts |= {f"autre-{n}": f"Le pont numéro {n} rouvre en mai {2000 + n}." for n in range(8)}
    with library(tmp_path, texts) as opened:
        hits = Retriever(opened, 0.5).search("pont des Aulnes fermé", 5)
        assert len(hits) == 5
        assert [hit.stored.passage.article_id.split("-")[0] for hit in hits] == ["copie"] + ["autre"] * 4
        assert len(hits[0].copies) == 20
        assert {copy.passage.text for copy in hits[0].copies} == {hits[0].stored.passage.text}
        assert hits[0].stored not in hits[0].copies
        assert all(not hit.copies for hit in hits[1:])


def test_short_texts_under_other_titles_are_no_copies(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", embedding=HashEncoder(), create=True) as opened:
        opened.add_articles(
            read_text("Elle coûte 3 euros.", title=title, id=title)
            for title in ("La carte", "La place", "L’entrée")
        )
        assert len(Retriever(opened).search("Combien coûte la place ?", 5)) == 3
        assert found(opened, "Combien coûte la place ?")[0] == "La place"


def test_the_score_of_a_hit_does_not_depend_on_its_copies(tmp_path: Path) -> None:
    one = {"copie-0": BRIDGE, "autre": "Le pont rouvre en mai."}
    with (
        library(tmp_path / "one", one) as single,
        library(tmp_path / "two", {**one, "copie-1": BRIDGE}) as double,
    ):
        scores = [
            [round(h.dense, 4) for h in Retriever(x, 1.0).search("pont fermé", 5)] for x in (single, double)
        ]
    assert scores[0] == scores[1]
