"""Formats of others' programs, made here: mails, sheets, slides, books, archives, OpenDocument, rich text."""

from __future__ import annotations

import zipfile
from email.message import EmailMessage
from pathlib import Path

import docx
import openpyxl
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from qa.errors import ArticleError
from qa.ingest.articles import Article, read_file
from qa.ingest.formats import READERS, Content
from qa.ingest.formats.encodings import decode
from qa.ingest.formats.html import body_text, clear_of_furniture, parse_html
from qa.ingest.formats.markdown import markdown_content
from qa.ingest.formats.notes import raised, without_typed_calls
from qa.ingest.formats.pdf.hyphens import joined, words_of
from qa.ingest.formats.rows import table_text

ODF = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in (("office", "office"), ("text", "text"), ("table", "table"), ("style", "style"), ("draw", "drawing"),
                        ("presentation", "presentation"), ("meta", "meta"))
)  # fmt: skip
SLIDES = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
RELATIONS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def archive(path: Path, **parts: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in parts.items():
            made.writestr(name, data)
    return path


def odf(path: Path, kind: str, body: str, styles: str = "") -> Path:
    content = (
        f"<office:document-content {ODF}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    )
    return archive(path, **{"content.xml": content})


def text_of(path: Path) -> str:
    [article] = read_file(path)
    return article.text


@pytest.mark.parametrize(
    ("body", "styles", "expected"),
    [
        (
            "<text:h>Bail</text:h><text:p>Le loyer est de 540<text:s/>euros.</text:p>",
            "",
            "Bail\n\nLe loyer est de 540 euros.",
        ),
        (
            "<text:p>La commune compte 1 312<text:span text:style-name='T1'>2</text:span> habitants.</text:p>",
            "<style:style style:name='T1'><style:text-properties style:text-position='super 58%'/></style:style>",
            "La commune compte 1 312 habitants.",
        ),
        (
            "<text:p>Le manuscrit<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Cote Ms 4."
            "</text:p></text:note-body></text:note> est perdu.</text:p>",
            "",
            "Le manuscrit est perdu.\n\nCote Ms 4.",
        ),
        (
            "<table:table><table:table-row><table:table-cell><text:p>Ville</text:p></table:table-cell><table:table-cell>"
            "<text:p>Habitants</text:p></table:table-cell></table:table-row><table:table-row><table:table-cell><text:p>Lot"
            "</text:p></table:table-cell><table:table-cell><text:p>12</text:p></table:table-cell></table:table-row>"
            "</table:table>",
            "",
            "Ville : Lot | Habitants : 12",
        ),
        (
            "<text:list text:style-name='L1'><text:list-item><text:p>But</text:p></text:list-item><text:list-item><text:p>"
            "Siège</text:p></text:list-item></text:list>",
            "<text:list-style style:name='L1'><text:list-level-style-number text:level='1' style:num-format='1' "
            "style:num-prefix='Article ' style:num-suffix='.'/></text:list-style>",
            "Article 1. But\n\nArticle 2. Siège",
        ),
        (
            "<text:tracked-changes><text:p>Effacé.</text:p></text:tracked-changes><text:p>Gardé<office:annotation>"
            "<text:p>à revoir</text:p></office:annotation>.</text:p>",
            "",
            "Gardé.",
        ),
    ],
)
def test_opendocument_text(tmp_path: Path, body: str, styles: str, expected: str) -> None:
    assert text_of(odf(tmp_path / "a.odt", "text", body, styles)) == expected


def test_opendocument_sheets_and_slides(tmp_path: Path) -> None:
    def sheet(name: str, *rows: tuple[str, ...]) -> str:
        cells = "".join(
            "<table:table-row>"
            + "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in row)
            + "<table:table-cell table:number-columns-repeated='16000'/></table:table-row>"
            for row in rows
        )
        return f"<table:table table:name='{name}'>{cells}<table:table-row table:number-rows-repeated='1000000'/></table:table>"

    path = odf(
        tmp_path / "a.ods",
        "spreadsheet",
        sheet("Prix", ("Pain", "Prix"), ("Miche", "3,20 €")) + sheet("Vide", ("",)),
    )
    assert text_of(path) == "Prix\n\nPain : Miche | Prix : 3,20 €"
    page = (
        "<draw:page><draw:frame><draw:text-box><text:p>Le bilan</text:p><text:p>Il est bon.</text:p></draw:text-box>"
        "</draw:frame><presentation:notes><draw:frame><draw:text-box><text:p>Dire merci.</text:p></draw:text-box>"
        "</draw:frame></presentation:notes></draw:page>"
    )
    assert text_of(odf(tmp_path / "a.odp", "presentation", page)) == "Le bilan\n\nIl est bon.\n\nDire merci."


def test_a_locked_opendocument_is_told(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "a.odt",
        **{"content.xml": b"\x00\x9f", "META-INF/manifest.xml": b"<m><encryption-data/></m>"},
    )
    with pytest.raises(ArticleError, match="mot de passe"):
        read_file(path)


def workbook(path: Path, *sheets: tuple[str, list[list[object]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        made = book.create_sheet(name)
        for row in rows:
            made.append(row)
    book.save(path)
    return path


def test_sheets_of_excel(tmp_path: Path) -> None:
    import datetime

    path = workbook(
        tmp_path / "a.xlsx",
        (
            "Élus",
            [
                ["Liste des élus"],
                [],
                ["Nom", "Fonction", "Depuis"],
                ["Ida Roux", "maire", datetime.date(2020, 7, 3)],
            ],
        ),
        ("Prix", [["Article", "Prix"], ["Pain", 3.2], ["Sel", 1000]]),
    )
    book = openpyxl.load_workbook(path)
    book["Prix"]["B2"].number_format = '0.00 "€"'
    book.create_sheet("Caché").sheet_state = "hidden"
    book.save(path)
    found = READERS[".xlsx"](path)
    assert isinstance(found, Content)
    assert found.text == (
        "Élus\n\nListe des élus\n\nNom : Ida Roux | Fonction : maire | Depuis : 03/07/2020\n\n"
        "Prix\n\nArticle : Pain | Prix : 3,20\u00a0€\n\nArticle : Sel | Prix : 1000"
    )
    assert found.notices == ("feuilles masquées non lues : Caché",)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Nom;Ville\nIda;Lot\nUgo;Gap\n", "Nom : Ida | Ville : Lot\n\nNom : Ugo | Ville : Gap"),
        ("Nom,Ville\n\"Roux, Ida\",Lot\n", "Nom : Roux, Ida | Ville : Lot"),
        ("Nom\tVille\nIda\tLot\n", "Nom : Ida | Ville : Lot"),
        ("Tarifs 2024\n\nNom;Prix\nPain;3,20\n", "Tarifs 2024\n\nNom : Pain | Prix : 3,20"),
        ("1;2\n3;4\n", "1 | 2\n\n3 | 4"),
        ("Nom;Note\nIda;\"deux\nlignes\"\n", "Nom : Ida | Note : deux lignes"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_tables_of_data(tmp_path: Path, content: str, expected: str, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content.encode(encoding))
    assert text_of(path) == expected


def test_slides(tmp_path: Path) -> None:
    def shape(text: str, kind: str = "") -> str:
        place = f"<p:ph type='{kind}'/>" if kind else ""
        return f"<p:sp><p:nvSpPr><p:nvPr>{place}</p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"

    def cell(text: str) -> str:
        return f"<a:tc><a:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></a:txBody></a:tc>"

    table = (
        f"<p:graphicFrame><a:tbl><a:tblPr firstRow='1'/><a:tr>{cell('Ville')}{cell('Élus')}</a:tr>"
        f"<a:tr>{cell('Lot')}{cell('9')}</a:tr></a:tbl></p:graphicFrame>"
    )
    path = archive(
        tmp_path / "a.pptx",
        **{
            "_rels/.rels": f"<Relationships {RELATIONS}><Relationship Id='r1' Type='{OFFICE}/officeDocument' Target='ppt/presentation.xml'/></Relationships>",
            "ppt/presentation.xml": f"<p:presentation {SLIDES}><p:sldIdLst><p:sldId r:id='s2'/><p:sldId r:id='s1'/></p:sldIdLst></p:presentation>",
            "ppt/_rels/presentation.xml.rels": f"<Relationships {RELATIONS}><Relationship Id='s1' Type='{OFFICE}/slide' Target='slides/slide1.xml'/><Relationship Id='s2' Type='{OFFICE}/slide' Target='slides/slide2.xml'/></Relationships>",
            "ppt/slides/slide1.xml": f"<p:sld {SLIDES}><p:cSld><p:spTree>{shape('Il finit.')}{shape('3', 'sldNum')}{table}</p:spTree></p:cSld></p:sld>",
            "ppt/slides/slide2.xml": f"<p:sld {SLIDES}><p:cSld><p:spTree>{shape('Il débute.')}{shape('Projet', 'title')}</p:spTree></p:cSld></p:sld>",
            "ppt/slides/_rels/slide2.xml.rels": f"<Relationships {RELATIONS}><Relationship Id='n' Type='{OFFICE}/notesSlide' Target='../notesSlides/n.xml'/></Relationships>",
            "ppt/notesSlides/n.xml": f"<p:notes {SLIDES}><p:cSld><p:spTree>{shape('Saluer.', 'body')}</p:spTree></p:cSld></p:notes>",
        },
    )  # fmt: skip
    assert text_of(path) == "Projet\n\nIl débute.\n\nSaluer.\n\nIl finit.\n\nVille : Lot | Élus : 9"


def mail(subject: str, body: str, sender: str = "Ida Roux <ida@exemple.fr>", page: str = "") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, "ugo@exemple.fr", subject
    made["Date"] = "Tue, 12 Mar 2024 09:30:00 +0100"
    made.set_content(body)
    if page:
        made.add_alternative(page, subtype="html")
    return made


def test_a_mail(tmp_path: Path) -> None:
    made = mail(
        "Réunion décalée",
        "Bonjour,\n\nLa réunion est jeudi.\n\n> Quand est la réunion ?\n> Quand est la réunion ?\n",
    )
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="ordre du jour.pdf")
    path = tmp_path / "a.eml"
    path.write_bytes(made.as_bytes())
    [article] = read_file(path)
    assert (article.title, article.date, article.author) == ("Réunion décalée", "2024-03-12", "Ida Roux")
    assert article.text.startswith(
        "De : Ida Roux <ida@exemple.fr>\nÀ : ugo@exemple.fr\nDate : 12 mars 2024 à 09:30"
    )
    assert article.text.count("Quand est la réunion ?") == 1
    assert "Pièce jointe : ordre du jour.pdf" in article.text


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "windows-1252"])
def test_mails_of_a_page_only_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    made = EmailMessage()
    made["From"], made["Subject"] = "a@b.fr", "Été"
    made.set_content("<p>La fête est décalée à <b>samedi</b>.</p>", subtype="html", charset=encoding)
    path = tmp_path / "a.eml"
    path.write_bytes(made.as_bytes())
    assert "La fête est décalée à samedi." in text_of(path)


def test_a_mailbox_says_quoted_text_once(tmp_path: Path) -> None:
    first, second = (
        mail("Pont", "Le pont ouvre en juin.\n"),
        mail("Re: Pont", "Merci.\n\nLe 12 mars 2024, Ida a écrit :\n> Le pont ouvre en juin.\n"),
    )
    path = tmp_path / "a.mbox"
    path.write_bytes(
        b"".join(b"From a@b Tue Mar 12 09:30:00 2024\n" + m.as_bytes() + b"\n" for m in (first, second))
    )
    one, two = read_file(path)
    assert "Le pont ouvre en juin." in one.text
    assert "Le pont ouvre" not in two.text
    assert "a écrit" not in two.text
    assert one.id != two.id


def test_a_page_saved_as_one_file(tmp_path: Path) -> None:
    made = EmailMessage()
    made["Subject"] = "Page"
    made.set_content(
        "<html><body><main><h1>Le pont</h1><p>Le pont est fermé depuis l’été.</p></main></body></html>",
        subtype="html",
    )
    path = tmp_path / "a.mht"
    path.write_bytes(made.as_bytes())
    assert "Le pont est fermé depuis l’été." in text_of(path)


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ('[{"text": "Un.", "title": "A"}, {"text": "Deux.", "title": "B"}]', ["Un.", "Deux."]),
        ('{"text": "Un.", "titre": "A"}', ["Un."]),
        ('{"nom": "Ida", "âge": 41, "maire": true}', ["nom : Ida | âge : 41 | maire : oui"]),
        ('{"ville": {"nom": "Lot", "rues": ["A", "B"]}}', ["ville : nom : Lot\n\nville, rues : A, B"]),
        ('[{"nom": "Ida"}, {"nom": "Ugo"}]', ["nom : Ida\n\nnom : Ugo"]),
    ],
)
def test_json(tmp_path: Path, content: str, texts: list[str]) -> None:
    path = tmp_path / "a.json"
    path.write_text(content, "utf-8")
    assert [article.text for article in read_file(path)] == texts


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (rb"{\rtf1\ansi Le pont ferm\'e9.\par Il rouvre.}", "Le pont fermé.\n\nIl rouvre."),
        (rb"{\rtf1\ansi\uc1 L\u8217?\'e9t\'e9 \u339?uf.}", "L’été œuf."),
        (rb"{\rtf1\ansi La commune compte 1 312{\super 2} habitants.}", "La commune compte 1 312 habitants."),
        (rb"{\rtf1\ansi{\info{\title Note}{\author Ida}}Texte \b gras\b0 .}", "Texte gras."),
        (rb"{\rtf1\ansi\trowd\cellx1\cellx2 Nom\cell Prix\cell\row\trowd\cellx1\cellx2 Pain\cell 3\cell\row}", "Nom | Prix\n\nPain | 3"),
    ],
)  # fmt: skip
def test_rich_text(tmp_path: Path, source: bytes, expected: str) -> None:
    path = tmp_path / "a.rtf"
    path.write_bytes(source)
    assert text_of(path) == expected


def test_a_book(tmp_path: Path) -> None:
    def chapter(text: str) -> str:
        return f"<?xml version='1.0' encoding='utf-8'?><html xmlns='http://www.w3.org/1999/xhtml'><body>{text}</body></html>"

    path = archive(
        tmp_path / "a.epub",
        **{
            "META-INF/container.xml": "<container xmlns='urn:oasis:names:tc:opendocument:xmlns:container'><rootfiles><rootfile full-path='o/b.opf'/></rootfiles></container>",
            "o/b.opf": "<package xmlns='http://www.idpf.org/2007/opf' xmlns:dc='http://purl.org/dc/elements/1.1/'><metadata><dc:title>Le Lac</dc:title><dc:creator>Ida Roux</dc:creator><dc:date>1998</dc:date></metadata>"
            "<manifest><item id='n' href='nav.xhtml' properties='nav'/><item id='a' href='c%20a.xhtml'/><item id='b' href='b.xhtml'/></manifest><spine><itemref idref='n'/><itemref idref='b'/><itemref idref='a'/></spine></package>",
            "o/nav.xhtml": chapter("<nav><a href='b.xhtml'>Première partie</a></nav>"),
            "o/c a.xhtml": chapter("<h1>Fin</h1><p>Elle part<sup>3</sup>.</p>"),
            "o/b.xhtml": chapter("<p>Ida vit au bord du lac.</p>"),
        },
    )  # fmt: skip
    [article] = read_file(path)
    assert article.text == "Première partie\n\nIda vit au bord du lac.\n\nFin\n\nElle part."
    assert (article.title, article.author, article.date) == ("Le Lac", "Ida Roux", "1998")


def test_an_archive_of_files(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "a.zip",
        **{"d/un.txt": "Le pont ferme.", "deux.md": "# Deux\n\nIl rouvre.", "x.bin": b"\x00", ".cache.txt": "non", "__MACOSX/un.txt": "non"},
    )  # fmt: skip
    found = read_file(path)
    assert {article.text for article in found} == {"Le pont ferme.", "Il rouvre."}
    contents = READERS[".zip"](path)
    assert isinstance(contents, list)
    assert contents[0].notices == ("fichiers de l’archive non lus : x.bin (type non pris en charge)",)


def test_bombs_are_refused(tmp_path: Path) -> None:
    huge = b" " * 60_000_000
    for name, part in (
        ("a.docx", "word/document.xml"),
        ("a.odt", "content.xml"),
        ("a.pptx", "ppt/presentation.xml"),
    ):
        with pytest.raises(ArticleError, match="trop gros"):
            read_file(archive(tmp_path / name, **{part: huge}))
    laughs = "<!DOCTYPE a [<!ENTITY a 'ha'>" + "".join(
        f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(12)
    )
    with pytest.raises(ArticleError):
        read_file(archive(tmp_path / "b.odt", **{"content.xml": f"{laughs}]><x>&m;</x>"}))
    deep = "<text:section>" * 100_000
    with pytest.raises(ArticleError):
        read_file(odf(tmp_path / "c.odt", "text", deep))


def test_an_old_word_document_needs_libreoffice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    path = tmp_path / "a.doc"
    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    with pytest.raises(ArticleError, match="LibreOffice"):
        read_file(path)


def word(path: Path, *paragraphs: str) -> Article:
    """A document of paragraphs given as the XML of their runs."""
    document = docx.Document()
    space = f"{nsdecls('w')} xmlns:m='http://schemas.openxmlformats.org/officeDocument/2006/math'"
    for runs in paragraphs:
        document.element.body.insert(-1, parse_xml(f"<w:p {space}>{runs}</w:p>"))
    document.save(str(path))
    [article] = read_file(path)
    return article


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (
            "<w:r><w:t>le XX</w:t></w:r><w:r><w:rPr><w:vertAlign w:val='superscript'/></w:rPr><w:t>e</w:t></w:r>",
            "le XXe",
        ),
        (
            "<w:r><w:t>fondée par Ida Roux</w:t></w:r><w:r><w:rPr><w:vertAlign w:val='superscript'/></w:rPr><w:t>3</w:t></w:r>"
            "<w:r><w:t xml:space='preserve'> hier</w:t></w:r>",
            "fondée par Ida Roux hier",
        ),
        (
            "<m:oMath><m:f><m:num><m:r><m:t>3</m:t></m:r></m:num><m:den><m:r><m:t>4</m:t></m:r></m:den></m:f></m:oMath>"
            "<w:r><w:t> de litre</w:t></w:r>",
            "3/4 de litre",
        ),
        (
            "<m:oMath><m:sSup><m:e><m:r><m:t>10</m:t></m:r></m:e><m:sup><m:r><m:t>6</m:t></m:r></m:sup></m:sSup></m:oMath>",
            "10⁶",
        ),
        ("<w:r><w:t>30</w:t><w:sym w:font='Symbol' w:char='F0B0'/></w:r>", "30°"),
        ("<w:r><w:rPr><w:vanish/></w:rPr><w:t>9 euros </w:t></w:r><w:r><w:t>6 euros</w:t></w:r>", "6 euros"),
        ("<w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t>6 euros</w:t></w:r>", "6 euros"),
        (
            "<w:moveFrom><w:r><w:t>Ida.</w:t></w:r></w:moveFrom><w:moveTo><w:r><w:t>Ugo.</w:t></w:r></w:moveTo>",
            "Ugo.",
        ),
        (
            "<w:ins><w:r><w:t>Neuf.</w:t></w:r></w:ins><w:del><w:r><w:delText>Vieux.</w:delText></w:r></w:del>",
            "Neuf.",
        ),
        (
            "<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent><w:r><w:t>Cliquez ici</w:t></w:r></w:sdtContent></w:sdt>"
            "<w:r><w:t>Nom :</w:t></w:r>",
            "Nom :",
        ),
    ],
)
def test_runs_of_word(tmp_path: Path, runs: str, expected: str) -> None:
    assert word(tmp_path / "a.docx", runs).text == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Il y a 1 312² habitants.", "Il y a 1 312 habitants."),
        ("Melchior Astruc³ fonda", "Melchior Astruc fonda"),
        ("une salle de 6 m² et 14 km²", "une salle de 6 m² et 14 km²"),
        ("soit 10⁶ atomes, x² + 1, 12² = 144", "soit 10⁶ atomes, x² + 1, 12² = 144"),
        ("« il viendra »⁴, dit-il.⁵", "« il viendra », dit-il."),
        ("en 1934⁴.", "en 1934."),
    ],
)
def test_typed_calls_of_notes(text: str, expected: str) -> None:
    assert without_typed_calls(text) == expected


@pytest.mark.parametrize(
    ("before", "signs", "after", "expected"),
    [
        ("compte 1 312", "2", " habitants", ""),
        ("Astruc", "[12]", "", ""),
        ("Astruc", "1, 2", "", ""),
        ("14 km", "2", "", "2"),
        ("le XX", "e", "", "e"),
        ("soit 10", "6", " ", "⁶"),
        ("le ", "14", "C", "14"),
        ("n", "o", " 4", "o"),
    ],
)
def test_raised_signs(before: str, signs: str, after: str, expected: str) -> None:
    assert raised(before, signs, after) == expected


@pytest.mark.parametrize(
    ("line", "after", "expected"),
    [
        ("le sous-", "préfet", "le sous-préfet"),
        ("sous-", "crire", "souscrire"),
        ("L’admi-", "nistration", "L’administration"),
        ("à Saint-", "Étienne", "à Saint-Étienne"),
        ("quatre-vingt-", "dix", "quatre-vingt-dix"),
        ("a-t-", "il", "a-t-il"),
        ("le mi-", "nistre", "le ministre"),
        ("2023-", "2024", "2023-2024"),
        ("www.ville-", "lot.fr", "www.ville-lot.fr"),
        ("service-", "eau@lot.fr", "service-eau@lot.fr"),
        ("Lot-", "sur-Mer", "Lot-sur-Mer"),
        ("L’ADMINIS-", "TRATION", "L’ADMINISTRATION"),
        ("porte-conte-", "neurs", "porte-conteneurs"),
    ],
)
def test_words_cut_at_a_line_end(line: str, after: str, expected: str) -> None:
    whole = joined(line, after, frozenset())
    assert whole is not None
    assert whole + after == expected


def test_what_a_document_writes_elsewhere_decides_of_a_hyphen() -> None:
    assert joined("le lave-", "pont", words_of("Un lave-pont neuf.")) == "le lave-"
    assert joined("la contre-", "allée", words_of("La contreallée est là.")) == "la contre"


@pytest.mark.parametrize(
    "encoding", ["cp1252", "mac_roman", "cp850", "utf-16-le", "utf-16-be", "utf-8", "utf-8-sig"]
)
def test_any_encoding_of_french(encoding: str) -> None:
    text = "Le goûter à l'école de Bègles coûte 4 francs, où l'on fêta Noël avec Théo."
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("Élève à Bègles.\n".encode() + "Hélène Béraud.".encode("cp1252"), "Élève à Bègles.\nHélène Béraud."),
        (
            "Hélène à Bègles.\n".encode("cp1252") + "Béraud fêta Noël.".encode(),
            "Hélène à Bègles.\nBéraud fêta Noël.",
        ),
        (
            "L’été à Nîmes".encode().decode("cp1252", "replace").replace("\ufffd", "\x9d").encode(),
            "L’été à Nîmes",
        ),
        ("été ".encode() + b"\xe9t\xe9", "été été"),
        ("LE CAFÉ».".encode(), "LE CAFÉ»."),
    ],
)
def test_mixed_encodings(data: bytes, expected: str) -> None:
    assert decode(data) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Voir [[Note]] et [[a/b#Partie|là]].", "Voir Note et là."),
        ("| A | B |\n|---|:-:|\n| x | 1 |\n", "A : x | B : 1"),
        ("> [!note] Titre\n> Dit.", "Titre\nDit."),
        ("Un ==mot== ~~non~~<br>**gras**[^1]\n\n[^1]: Note.", "Un mot \ngras\n\nNote."),
        ("`a_b[[c]]` reste", "a_b[[c]] reste"),
        ("Compte 1 312<sup>2</sup> &eacute;lus", "Compte 1 312 élus"),
        ("- [x] fait\n- [ ] à faire", "- fait\n- à faire"),
    ],
)
def test_marks_of_markdown(source: str, expected: str) -> None:
    assert markdown_content(source).text.strip() == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<table><tr><th>Nom</th><th>Prix</th></tr><tr><td>Pain</td><td>3</td></tr></table>", "Nom : Pain | Prix : 3"),
        ("<table><tr><td>Maire</td><td>Ida</td></tr><tr><td>Adjoint</td><td>Ugo</td></tr></table>", "Maire | Ida\n\nAdjoint | Ugo"),
        ("<table><tr><th>Jour</th><th>Heure</th></tr><tr><td rowspan=2>Lundi</td><td>9 h</td></tr><tr><td>14 h</td></tr></table>",
         "Jour : Lundi | Heure : 9 h\n\nJour : Lundi | Heure : 14 h"),
        ("<dl><dt>Code :</dt><dd>46000</dd><dt>Ville</dt><dd>Lot</dd></dl>", "Code : 46000\n\nVille : Lot"),
        ("<ul><li>un</li><li>deux</li></ul><p>Fin.</p>", "- un\n- deux\n\nFin."),
        ("<nav>Menu</nav><p>Dit<sup>2</sup> et 5 m<sup>2</sup>.</p><div class='site-footer'>x</div>", "Dit et 5 m2."),
        ("<p>Vu</p><p hidden>Caché</p><div style='display:none'>Caché</div>", "Vu"),
    ],
)  # fmt: skip
def test_short_pages(body: str, expected: str) -> None:
    assert body_text(clear_of_furniture(parse_html(f"<html><body>{body}</body></html>"))) == expected


def test_rows_without_heads_are_cells_in_a_row() -> None:
    assert table_text([["Maire", "Ida"], ["Adjoint", "Ugo"]]) == "Maire | Ida\n\nAdjoint | Ugo"
    assert table_text([["", "2021", "2022"], ["Élus", "9", "11"]]) == "Élus | 2021 : 9 | 2022 : 11"
