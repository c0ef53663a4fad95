"""Files as people have them: what each kind must say, and must not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from qa.errors import ArticleError
from qa.ingest.articles import read_file
from qa.ingest.formats import READERS, Content, clean
from qa.ingest.sentences import split_sentences

FILES = Path(__file__).parent / "files"


def sentences(name: str) -> list[str]:
    [article] = read_file(FILES / name)
    return [article.text[start:end] for start, end in split_sentences(article.text)]


def read(path: Path) -> Content:
    found = READERS[path.suffix](path)
    assert isinstance(found, Content)
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("json-attribute.html", ["La halle de Sauzet rouvre samedi après deux ans de travaux."]),
        ("svg-path.html", ["La halle de Sauzet rouvre samedi après deux ans de travaux."]),
        (
            "h25-sup-footnote-digit.html",
            ["La commune de Cazalet compte 1 312 habitants, répartis en cinq hameaux le long de la rivière."],
        ),
        (
            "w23-docx-superscript-call.docx",
            ["La commune de Cazalet compte 1 312 habitants et s’étend sur 14 km2."],
        ),
        (
            "p10-footnote-call.pdf",
            [
                "La vallée de l’Ourse compte 12 500 habitants, répartis en sept communes.",
                "Le barrage du Gour-Noir a été construit en 1934.",
                "Il est géré par une régie que dirige Blandine Fauvel depuis 2015.",
                "4. Archives de la compagnie des chutes de l’Ourse.",
            ],
        ),
        (
            "directory.pdf",
            [
                "Annuaire des services de Castelvieux",
                "Service : Cimetière | Responsable : Hortense Bideau | Téléphone : 05 00 00 00 03",
            ],
        ),
        (
            "p09b-table-libreoffice.pdf",
            [
                "Titre de transport : Ticket à l’unité | Plein tarif : 1,80 € | Étudiants : 1,20 €",
                "Le réseau compte neuf lignes.",
            ],
        ),
        (
            "number-below.pdf",
            [
                "Il prévoit que l’alerte soit donnée par la sirène de la mairie et par un message sur les téléphones "
                "des habitants."
            ],
        ),
        (
            "odd-even.pdf",
            [
                "Les personnes âgées sont accompagnées par les pompiers volontaires.",
                "Un exercice a lieu chaque automne et mobilise les agents de la commune ainsi que les élèves du "
                "collège, sous la conduite du commandant Régis Pauthier.",
            ],
        ),
        (
            "p04b-headers-two-lines.pdf",
            ["Les personnes âgées sont accompagnées par les pompiers volontaires."],
        ),
        (
            "p02-hyphen-line-end.pdf",
            [
                "La réunion de mardi consacrée aux inondations de la vallée de la Bréole a été présidée par le "
                "sous-préfet de l’arrondissement.",
                "Les experts ont inspecté, en une seule semaine de travail, vingt-deux maisons du quartier bas.",
                "Les travaux de consolidation des digues seront entièrement terminés avant l’hiver.",
                "Le budget de la période 2023-2024 a été voté à l’unanimité des membres présents.",
            ],
        ),
        ("u2010.pdf", ["L’administration en est confiée à une association de lecteurs."]),
        ("p06-form-fields.pdf", ["Nom du demandeur : Ghislaine Porteval", "Montant demandé : 2 450 euros"]),
        ("typed-note.pdf", ["Devis approuvé par Sidonie Ravel le 3 mai."]),
        ("aes128.pdf", ["Il dessert quarante-deux communes et gère cinq réservoirs."]),
        ("aes256.pdf", ["Il dessert quarante-deux communes et gère cinq réservoirs."]),
        ("link-to-top.docx", ["Le comité des fêtes de Loubressac est présidé par Ferdinand Rouvière."]),
        (
            "missing-image-target.docx",
            ["Le comité des fêtes de Loubressac est présidé par Ferdinand Rouvière."],
        ),
        ("strict.docx", ["Le comité des fêtes de Loubressac est présidé par Ferdinand Rouvière."]),
        (
            "footnote.docx",
            ["Le manuscrit est conservé à la bibliothèque de Sarran sous la cote Ms 417."],
        ),
        (
            "head-foot.docx",
            [
                "Centre hospitalier de Montbrel — Direction des ressources humaines — Réf. DRH/2021-118",
                "Service du personnel, téléphone 05 55 00 11 22",
            ],
        ),
        (
            "numbering.docx",
            ["Article 3 — La cotisation annuelle est fixée à 15 euros par l’assemblée générale."],
        ),
        ("altchunk.docx", ["L’atelier de vannerie est animé par Colombe Isnard."]),
        ("formula.docx", ["La longueur de la poutre est L = 4,20 m et sa pente vaut 30°."]),
        ("hidden.docx", ["L’entrée coûte 6 euros et la visite dure une heure."]),
        ("moved.docx", ["L’étang est surveillé par Prosper Dutilleul chaque dimanche."]),
        ("false-bold.pdf", ["Date limite de dépôt des dossiers : 15 novembre 2024."]),
        (
            "letter-by-letter.pdf",
            ["La caserne de Roquebelle est commandée par Baptiste Orsoni depuis trois ans."],
        ),
        ("dos.txt", ["Le maire, Théophile Grégoire, a remercié les bénévoles."]),
        (
            "half-and-half.txt",
            ["Le maire de Grézels est Théophile Grégoire.", "Son adjointe est Méline Évrard."],
        ),
        ("one-cp1252-line.txt", ["La trésorière est Hélène Béraud."]),
        ("twice-encoded.txt", ["Noël approche : le comité prévoit un goûter à 4 €."]),
        ("obsidian.md", ["Le parrain du projet est M. Ledru (voir 2024-02-01)."]),
        ("table.md", ["Pompe : P2 | Débit (m³/h) : 18 | Mise en service : 2016"]),
        ("toml.md", ["Le carnet toml compte 60 pages."]),
        ("unclosed.md", ["Le carnet ouvert compte 40 pages."]),
        ("definition-list.html", ["Code postal : 46999"]),
        ("list-in-table.html", ["Samedi : 9 h - 13 h", "Mercredi : 10 h - 12 h, 14 h - 19 h"]),
        ("table-links.html", ["Service : Étude surveillée | Prix : 1,50 €"]),
    ],
)
def test_each_fact_is_a_sentence_by_itself(name: str, expected: list[str]) -> None:
    said = sentences(name)
    for sentence in expected:
        assert sentence in said


@pytest.mark.parametrize(
    ("name", "unwanted"),
    [
        ("p04b-headers-two-lines.pdf", ["Version 3", "usage interne", "Page", "Plan communal"]),
        ("odd-even.pdf", ["Plan communal", "Commune de Trévignac l"]),
        ("number-below.pdf", ["Plan communal"]),
        ("hidden.docx", ["9 euros"]),
        ("definition-list.html", ["Accueil", "Vie municipale"]),
        ("list-in-table.html", ["Accueil"]),
        ("table-links.html", ["Culture"]),
        ("obsidian.md", ["[[", "==", "plan.png", "#urgent", "^bloc1", "&nbsp;", "<b>", "http"]),
        ("toml.md", ["+++", "title"]),
        ("unclosed.md", ["---", "title"]),
    ],
)
def test_what_is_no_fact_is_left_out(name: str, unwanted: list[str]) -> None:
    [article] = read_file(FILES / name)
    for words in unwanted:
        assert words not in article.text


def test_moved_text_is_read_once() -> None:
    assert sentences("moved.docx").count("L’étang est surveillé par Prosper Dutilleul chaque dimanche.") == 1


def test_titles_and_dates_of_front_matter() -> None:
    [toml] = read_file(FILES / "toml.md")
    assert (toml.title, toml.date, toml.author) == ("Carnet toml", "2021-05-12", "Bertille Joffre")
    [unclosed] = read_file(FILES / "unclosed.md")
    assert unclosed.title == "Carnet ouvert"


@pytest.mark.parametrize("name", ["stamp.pdf", "stamp3.pdf"])
def test_a_scan_with_a_stamp_is_refused_with_the_remedy(name: str) -> None:
    with pytest.raises(ArticleError, match="reconnaissance de texte"):
        read_file(FILES / name)


def test_scanned_pages_among_others_are_told() -> None:
    content = read(FILES / "p08b-scan-mixed.pdf")
    [notice] = content.notices
    assert notice.startswith("3 pages sur 4 sont des images")
    assert "9 février 2022" in content.text


def test_a_password_is_named() -> None:
    with pytest.raises(ArticleError, match="protégé par un mot de passe"):
        read_file(FILES / "with-password.pdf")


@pytest.mark.parametrize("path", sorted(FILES.glob("*.pdf")), ids=lambda path: path.name)
def test_the_pages_of_a_pdf_are_places_in_its_clean_text(path: Path) -> None:
    try:
        content = read(path)
    except ArticleError:
        return
    assert clean(content.text) == content.text
    assert content.pages[0] == 0
    assert list(content.pages) == sorted(content.pages)
    if path.name == "odd-even.pdf":
        assert content.text[content.pages[1] :].startswith("l’alerte soit donnée")
        assert content.text[content.pages[2] :].startswith("Le point de rassemblement")


def test_a_word_document_whose_main_part_has_another_name(tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "online.docx"
    with zipfile.ZipFile(FILES / "hidden.docx") as source, zipfile.ZipFile(path, "w") as target:
        for part in source.infolist():
            data = source.read(part).replace(b"word/document.xml", b"word/document2.xml")
            target.writestr(
                part.filename.replace("word/document.xml", "word/document2.xml").replace(
                    "word/_rels/document.xml.rels", "word/_rels/document2.xml.rels"
                ),
                data,
            )
    [article] = read_file(path)
    assert "6 euros" in article.text


@pytest.mark.parametrize(
    ("name", "other"), [("hidden.docx", ".docm"), ("hidden.docx", ".dotx"), ("obsidian.md", ".markdown"),
                        ("dos.txt", ".text"), ("table-links.html", ".xhtml"), ("hidden.docx", ".doc")]
)  # fmt: skip
def test_other_names_of_a_kind(tmp_path: Path, name: str, other: str) -> None:
    path = shutil.copy(FILES / name, tmp_path / f"copie{other}")
    [article] = read_file(Path(path))
    [same] = read_file(FILES / name)
    assert article.text == same.text


def test_a_console_of_another_encoding_gets_the_answer(tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    code = (
        "from qa.cli.output import output, print_json, write_what_the_console_can as prepare; prepare(); "
        "output.print('pente ≥ 30 % été'); print_json('≥ été')"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        check=True,
    )
    assert run.stdout.decode("cp1252").split("\n")[:2] == ["pente ? 30 % été", '"\\u2265 \\u00e9t\\u00e9"']
