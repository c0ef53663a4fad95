"""Printed pages made here, letter by place: tables, columns, boxes, heads and feet, raised and spaced letters."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa.errors import ArticleError
from qa.ingest.formats.pdf import read_pdf

Words = tuple[float, float, float, str]


def printed(path: Path, *pages: list[Words], rules: str = "") -> Path:
    """A PDF of words at (x, y, size), and of what `rules` draws on each page."""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    kids = []
    for words in pages:
        shown = "\n".join(f"BT /F1 {size} Tf {x} {y} Td ({text}) Tj ET" for x, y, size, text in words)
        stream = f"{rules}\n{shown}"
        objects.append(f"<< /Length {len(stream.encode('cp1252'))} >>\nstream\n{stream}\nendstream")
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            f"/Contents {len(objects)} 0 R >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    content, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(content))
        content += f"{number} 0 obj\n{body}\nendobj\n".encode("cp1252")
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(content)}\n%%EOF\n"
    path.write_bytes(content + end.encode())
    return path


def lines(*texts: str, x: float = 60, y: float = 740, size: float = 11) -> list[Words]:
    return [(x, y - 14 * at, size, text) for at, text in enumerate(texts)]


PROSE = lines(
    "Le conseil municipal de la commune de Lot a voté la rénovation du pont de pierre, que",
    "les habitants demandaient depuis la crue de janvier, et dont le coût est de 85 000 euros.",
)


@pytest.mark.parametrize(
    ("words", "rules", "expected"),
    [
        pytest.param(
            [(60, 700, 11, "Article"), (200, 700, 11, "Prix"), (60, 686, 11, "Pain"), (200, 686, 11, "3,20 €"),
             (60, 672, 11, "Sel fin"), (200, 672, 11, "1,10 €")],
            "", ["Article : Pain | Prix : 3,20 €", "Article : Sel fin | Prix : 1,10 €"], id="no rules",
        ),
        pytest.param(
            [(60, 700, 11, "Article"), (112, 700, 11, "Prix"), (60, 686, 11, "Pain long"), (112, 686, 11, "3,20 €")],
            "55 715 m 55 680 l S 110 715 m 110 680 l S 150 715 m 150 680 l S 55 715 m 150 715 l S 55 697 m 150 697 l S "
            "55 680 m 150 680 l S",
            ["Article : Pain long | Prix : 3,20 €"], id="tight, with rules",
        ),
        pytest.param(
            [(60, 700, 11, "Service"), (200, 700, 11, "Poste"), (60, 680, 11, "Eau et"), (60, 667, 11, "voirie"),
             (200, 680, 11, "4417"), (60, 645, 11, "Écoles"), (200, 645, 11, "4418")],
            "50 715 250 -20 re S 50 695 250 -35 re S 50 660 250 -20 re S 190 715 m 190 640 l S",
            ["Service : Eau et voirie | Poste : 4417", "Service : Écoles | Poste : 4418"], id="a cell of two lines",
        ),
        pytest.param(
            [(60, 700, 11, "Capacité"), (200, 700, 11, "20 litres"), (60, 686, 11, "Poids"), (200, 686, 11, "13,8 kg")],
            "", ["Capacité | 20 litres", "Poids | 13,8 kg"], id="no heads",
        ),
        pytest.param(
            [*lines("La mairie ouvre à neuf", "heures du lundi au", "vendredi.", y=700),
             *lines("La poste ferme à midi", "le samedi et le", "dimanche.", x=320, y=700)],
            "", ["La mairie ouvre à neuf heures du lundi au vendredi.", "La poste ferme à midi le samedi et le dimanche."],
            id="boxes side by side",
        ),
        pytest.param(
            [(60, 700, 11, "La commune compte 1 312"), (193.5, 704, 7, "2"), (200.5, 700, 11, "habitants.")],
            "", ["La commune compte 1 312 habitants."], id="a raised call",
        ),
        pytest.param(
            [(60 + 7 * at + 7 * (at > 1), 700, 11, letter) for at, letter in enumerate("LaCommune")],
            "", ["La Commune"], id="letter by letter",
        ),
        pytest.param(
            [(60, 700, 11, "Date limite : mardi."), (60.4, 700, 11, "Date limite : mardi.")],
            "", ["Date limite : mardi."], id="drawn twice",
        ),
        pytest.param(
            [(60, 700, 18, "Le pont"), *lines("Le pont de pierre est fermé depuis la crue, et le maire", "attend les experts.", y=670)],
            "", ["Le pont", "Le pont de pierre est fermé depuis la crue, et le maire attend les experts."], id="a title",
        ),
        pytest.param(
            lines("• le pain", "• le sel, que l’on prend", "• l’eau"), "",
            ["• le pain", "• le sel, que l’on prend", "• l’eau"], id="a list",
        ),
    ],
)  # fmt: skip
def test_a_page(tmp_path: Path, words: list[Words], rules: str, expected: list[str]) -> None:
    assert read_pdf(printed(tmp_path / "a.pdf", words, rules=rules)).text.split("\n\n") == expected


@pytest.mark.parametrize(
    ("head", "foot"),
    [
        (["Commune de Lot"], ["Page {n}"]),
        (["Commune de Lot", "Plan de sauvegarde", "Version 3"], ["Ne pas diffuser", "{n}"]),
        ([], ["– {n} –"]),
        (["Rapport {n}/4"], []),
        (["{odd}"], ["Lot, mars 2024"]),
    ],
)
def test_heads_and_feet_go(tmp_path: Path, head: list[str], foot: list[str]) -> None:
    pages = []
    for number in range(1, 5):
        side = "Commune de Lot" if number % 2 else "Plan de sauvegarde"

        def said(text: str, number: int = number, side: str = side) -> str:
            return text.format(n=number, odd=side)

        body = lines(
            f"Ligne {'abcd'[number - 1]} : le maire dit aux habitants de la commune, ce soir, que", y=700
        )
        pages.append(
            [*((60, 815 - 11 * at, 8, said(text)) for at, text in enumerate(head)), *body,
             *((60, 45 - 11 * at, 8, said(text)) for at, text in enumerate(foot))]
        )  # fmt: skip
    text = read_pdf(printed(tmp_path / "a.pdf", *pages)).text
    for words in ("Commune de Lot", "Plan de", "Version", "diffuser", "Page", "Rapport", "2024", "–"):
        assert words not in text
    assert text.count("le maire dit") == 4


def test_chapters_that_open_pages_stay(tmp_path: Path) -> None:
    pages = [
        [(60, 790, 18, f"Chapitre {number}"), *lines(f"Texte {name}.", y=740)]
        for number, name in ((1, "un"), (2, "deux"), (3, "trois"))
    ]
    text = read_pdf(printed(tmp_path / "a.pdf", *pages)).text
    assert text.count("Chapitre") == 3


def test_a_sentence_goes_over_the_page_and_its_page_is_known(tmp_path: Path) -> None:
    content = read_pdf(printed(tmp_path / "a.pdf", PROSE[:1], lines(PROSE[1][3])))
    assert "pierre, que les habitants" in content.text
    assert content.text[content.pages[1] :].startswith("les habitants")


def test_a_table_goes_over_the_page_with_its_heads(tmp_path: Path) -> None:
    first = [(60, 100, 11, "Article"), (200, 100, 11, "Prix"), (60, 86, 11, "Pain"), (200, 86, 11, "3 €")]
    second = [(60, 780, 11, "Sel"), (200, 780, 11, "1 €"), (60, 766, 11, "Eau"), (200, 766, 11, "2 €")]
    text = read_pdf(printed(tmp_path / "a.pdf", first, second)).text
    assert text.split("\n\n") == [
        "Article : Pain | Prix : 3 €",
        "Article : Sel | Prix : 1 €",
        "Article : Eau | Prix : 2 €",
    ]


def test_an_empty_page_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArticleError, match="aucun texte"):
        read_pdf(printed(tmp_path / "a.pdf", []))
