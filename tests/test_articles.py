"""Files of every kind to articles, and what cannot be one: told, and the rest read."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from qa.errors import ArticleError
from qa.ingest.articles import Article, Skipped, find_files, read_file, read_text

BODY = "Le conseil municipal a voté mardi la fermeture du pont. Les travaux dureront huit mois."


def only(path: Path) -> Article:
    [article] = read_file(path)
    return article


def pdf(path: Path, *pages: list[str], title: str = "") -> Path:
    """A PDF of the given lines, in a font every reader knows."""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    objects.append(f"<< /Title ({title}) /CreationDate (D:20231120080000Z) >>")
    kids = []
    for lines in pages:
        shown = " ".join(f"({line}) Tj 0 -14 Td" for line in lines)
        stream = f"BT /F1 11 Tf 50 780 Td {shown} ET"
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            f"/Contents {len(objects)} 0 R >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    content, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(content))
        content += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    start = len(content)
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    content += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    content += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 4 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_in_any_usual_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "pont.txt"
    text = f"Le pont fermé\n\n{BODY} L’été, la Garonne déborde à Bègles, où l’on s’inquiète déjà."
    path.write_bytes(text.encode(encoding))
    article = only(path)
    assert article.title == "Le pont fermé"
    assert article.text == text


def test_text_without_a_short_first_line_is_named_after_its_file(tmp_path: Path) -> None:
    path = tmp_path / "pont.txt"
    path.write_text(BODY, "utf-8")
    assert only(path).title == "pont"


def test_markdown_with_front_matter(tmp_path: Path) -> None:
    path = tmp_path / "pont.md"
    path.write_text(
        "---\ntitle: « Le pont » : fermé\ndate: 2023-11-20\nsource: La Gazette\nauthor: A. Petit\n---\n"
        f"## Les faits\n\n**Le conseil** a [voté](https://exemple.fr).\n\n> {BODY}\n",
        "utf-8",
    )
    article = only(path)
    assert (article.title, article.date) == ("« Le pont » : fermé", "2023-11-20")
    assert (article.source, article.author) == ("La Gazette", "A. Petit")
    assert article.text == f"Les faits\n\nLe conseil a voté.\n\n{BODY}"


def test_html_gives_its_main_content_only(tmp_path: Path) -> None:
    path = tmp_path / "pont.html"
    paragraphs = "".join(f"<p>{BODY} Paragraphe {n}.</p>" for n in range(5))
    path.write_text(
        '<html lang="fr"><head><meta charset="utf-8"><title>Le pont fermé</title>'
        '<meta property="article:published_time" content="2023-11-20"></head><body>'
        "<nav><a href='/'>Accueil</a> <a href='/sport'>Sport</a></nav>"
        f"<article><h1>Le pont fermé</h1>{paragraphs}<script>alert('piégé')</script></article>"
        "<footer>Mentions légales</footer></body></html>",
        "utf-8",
    )
    article = only(path)
    assert (article.title, article.date) == ("Le pont fermé", "2023-11-20")
    assert article.text.count(BODY) == 5
    for unwanted in ("Accueil", "alert", "Mentions"):
        assert unwanted not in article.text


def test_pdf_lines_become_paragraphs(tmp_path: Path) -> None:
    lines = [
        "Le conseil municipal a vot\\351 mardi la fermeture du pont, car les tra-",
        "vaux dureront huit mois.",
    ]
    article = only(pdf(tmp_path / "pont.pdf", lines, title="Le pont"))
    assert (article.title, article.date) == ("Le pont", "2023-11-20")
    assert "fermeture du pont, car les travaux dureront huit mois." in article.text
    assert "voté" in article.text


def test_word_gives_paragraphs_tables_and_text_boxes_once(tmp_path: Path) -> None:
    document = docx.Document()
    document.core_properties.title = "Le pont"
    document.add_paragraph(BODY)
    table = document.add_table(rows=1, cols=2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Coût", "2 millions"
    anchored = document.add_paragraph("Le maire a parlé.")
    anchored.runs[0]._r.append(
        parse_xml(
            f"<w:pict {nsdecls('w')} xmlns:v='urn:schemas-microsoft-com:vml'><v:shape><v:textbox><w:txbxContent>"
            "<w:p><w:r><w:t>Encadré : 42 élus.</w:t></w:r></w:p></w:txbxContent></v:textbox></v:shape></w:pict>"
        )
    )
    document.save(str(tmp_path / "pont.docx"))
    article = only(tmp_path / "pont.docx")
    assert article.title == "Le pont"
    assert article.text == f"{BODY}\n\nCoût | 2 millions\n\nLe maire a parlé.\n\nEncadré : 42 élus."


def test_json_lines_give_an_article_each(tmp_path: Path) -> None:
    path = tmp_path / "deux.jsonl"
    rows = [
        {"title": "Un", "text": BODY, "source": "AFP", "date": "2023-11-20"},
        {"text": "La grève continue."},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    first, second = read_file(path)
    assert (first.title, first.source, first.date, first.text) == ("Un", "AFP", "2023-11-20", BODY)
    assert (second.title, second.source) == ("deux-2", f"{path}#2")
    assert first.id != second.id


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("vide.txt", b"", "fichier vide"),
        ("blanc.txt", b" \n\t\n", "aucun texte"),
        ("abime.pdf", b"%PDF-1.4\nrien", "PDF abîmé"),
        ("faux.docx", b"ce n'est pas une archive", "Word"),
        ("faux.jsonl", b'{"text": 3}\n', "ligne 1"),
        ("image.png", b"\x89PNG", "type de fichier"),
    ],
)
def test_what_is_no_article_is_told_in_french(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ArticleError, match=reason) as caught:
        read_file(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_an_archive_renamed_as_a_word_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "archive.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", BODY)
    with pytest.raises(ArticleError, match="archive renommée"):
        read_file(path)


def test_a_folder_is_walked_and_what_is_left_out_is_told(tmp_path: Path) -> None:
    folder, outside = tmp_path / "articles", tmp_path / "dehors.txt"
    (folder / "sous").mkdir(parents=True)
    outside.write_text(BODY, "utf-8")
    for name in ("b.txt", "sous/a.txt", ".cache.txt"):
        (folder / name).write_text(BODY, "utf-8")
    (folder / "vide.txt").touch()
    (folder / "lien.txt").symlink_to(outside)
    os.mkfifo(folder / "tube.txt")
    found = list(find_files([folder, folder / "b.txt"]))
    assert [p for p in found if isinstance(p, Path)] == [folder / "b.txt", folder / "sous" / "a.txt"]
    left_out = {Path(s.path).name: s.reason for s in found if isinstance(s, Skipped)}
    assert left_out.keys() == {".cache.txt", "vide.txt", "lien.txt", "tube.txt"}
    assert "hors du dossier" in left_out["lien.txt"]


def test_texts_of_one_title_are_two_articles_unless_their_source_is_one() -> None:
    one, other = (read_text(text, title="Communiqué") for text in (BODY, "La grève des bus continue."))
    assert one.id != other.id
    assert one.id == read_text(BODY, title="Communiqué").id
    sent, mended = (read_text(text, title="Communiqué", source="Mairie") for text in (BODY, "Autre texte."))
    assert sent.id == mended.id
