import pytest

from qa.ingest.sentences import split_sentences
from qa.reading.choice import (
    cite,
    cite_items,
    listed,
    order_passages,
    proofs,
    quoted,
    spans,
    tidy,
    whole_tokens,
)
from qa.reading.gold import windows_of
from tests.readings import hit, read

BRIDGE = "Le pont a fermé mardi. Les travaux coûteront 2,4 millions d’euros. Ils dureront huit mois."
NEWS = "Une autre ville parle. Là, 5 personnes sont mortes."


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (" Emmett Shear,", "Emmett Shear"),
        ("« modèle d'attente »", "modèle d'attente"),
        ("le « modèle d'attente »", "le « modèle d'attente »"),
        ("(700", "700"),
        ("2 milliards (environ)", "2 milliards (environ)"),
        ("-5 degrés", "-5 degrés"),
        ("en 2019 »", "en 2019"),
        ("…", "…"),
    ],
)
def test_edges_are_cleaned(span: str, expected: str) -> None:
    text = f"x{span}y"
    start, end = tidy(text, 1, 1 + len(span))
    assert text[start:end] == expected


def test_a_quote_closed_just_after_the_span_is_closed() -> None:
    text = "Il cite le « modèle d'attente », puis (en 2019) un autre (sans date connue)."
    for inside, expected in (
        ("le « modèle d'attente", "le « modèle d'attente »"),
        ("un autre (sans date", "un autre (sans date"),
        ("(en 2019", "en 2019"),
    ):
        start = text.index(inside)
        a, b = tidy(text, start, start + len(inside))
        assert text[a:b] == expected


@pytest.mark.parametrize(
    ("text", "inside", "expected"),
    [
        ("Écrivez à contact@mairie-tarvigny.fr avant lundi.", "mairie", "contact@mairie-tarvigny.fr"),
        ("Voyez www.aquavive.fr/tarifs pour le détail.", "aquavive", "www.aquavive.fr/tarifs"),
        ("Le code est AB-12/7 ce mois-ci.", "AB", "AB-12/7"),
        ("Elle pèse 12,5 kg à vide.", "12", "12,5 kg"),
        ("Le devis est de 18\u202f640 € hors taxes.", "640", "18\u202f640 €"),
        ("Le taux est passé à 3 % en mars.", "3", "3 %"),
        ("Il faut compter 2,4 millions d’euros.", "2,4", "2,4 millions d’euros"),
        ("Ouvert de 9h30 à midi.", "9h30", "9h30"),
        ("Elle a 12 chats noirs.", "12", "12"),
    ],
)
def test_no_address_code_number_or_unit_is_cut(text: str, inside: str, expected: str) -> None:
    start = text.index(inside)
    a, b = whole_tokens(text, start, start + len(inside))
    assert text[a:b] == expected


def test_windows_cover_every_sentence_of_a_long_text() -> None:
    text = " ".join(f"La phrase numéro {n} compte exactement huit mots." for n in range(200))
    windows = windows_of(text)
    assert len(windows) > 1
    assert {w.at + a for w in windows for a, _ in w.sentences} == {a for a, _ in split_sentences(text)}
    assert all(text[w.at : w.at + len(w.text)] == w.text for w in windows)


def test_a_span_of_a_passage_that_answers_leads_one_of_a_passage_that_does_not() -> None:
    good = read(hit(BRIDGE, at=50), answers=0.9, spans=[("2,4 millions", 0.6)], supports=[0.1, 0.9, 0.1])
    bad = read(hit(NEWS, article="b", row=1), answers=0.1, spans=[("5", 0.08)], supports=[0.1, 0.9])
    best, other = spans([bad, good])
    assert (best.text, best.start) == ("2,4 millions d’euros", 50 + BRIDGE.index("2,4"))
    assert other.text == "5 personnes" or other.text == "5"


def test_proofs_come_once_and_the_likeliest_first() -> None:
    one = read(hit(BRIDGE), answers=0.9, supports=[0.1, 0.8, 0.3])
    again = read(hit(BRIDGE, row=1), answers=0.5, supports=[0.1, 0.8, 0.3])
    found = proofs([one, again])
    assert [p.number for p in found] == [1, 2, 0]
    assert found[0].score == pytest.approx(one.answers * 0.8)
    assert [p.number for p in quoted(found, 2, nearly=0.3)] == [1, 2]
    assert [p.number for p in quoted(found, 4, nearly=0.9)] == [1]
    assert quoted([], 3) == []


def test_quoted_sentences_follow_the_text_of_their_article() -> None:
    one = read(hit(BRIDGE), answers=0.9, supports=[0.7, 0.8, 0.9])
    assert [p.number for p in quoted(proofs([one]), 3)] == [0, 1, 2]


def test_a_citation_marks_the_answer_as_a_whole_word() -> None:
    accident = read(hit("L’accident a fait 5 morts.", at=100), spans=[("5", 0.9)], supports=[0.9])
    others = [
        read(hit("Le 15 novembre, 5 personnes sont mortes.", article="b", row=1), supports=[0.8]),
        read(hit("Le 25 mai 2015.", article="c", row=2), supports=[0.8]),
    ]
    reads = [accident, *others]
    cited = cite(spans(reads[:1])[0], proofs(reads), 0.8)
    assert [c.article_id for c in cited] == ["a", "b"]
    assert (cited[1].answer_start, cited[1].answer_end) == (16, 17)
    assert [c.marker for c in cited] == [1, 2]


def test_items_are_verbatim_each_with_its_sentence() -> None:
    text = "Trois villes sont candidates : Lormes, Varzy et Lormes. Decize hésite."
    one = read(hit(text, at=10), kind="list", items=["Lormes", "Varzy", "Decize"], supports=[0.9, 0.4])
    items, cited = cite_items(listed([one]), 0.9)
    assert [(i.text, i.marker) for i in items] == [("Lormes", 1), ("Varzy", 1), ("Decize", 2)]
    assert [c.sentence for c in cited] == [
        "Trois villes sont candidates : Lormes, Varzy et Lormes.",
        "Decize hésite.",
    ]
    assert cited[1].start == 10 + text.index("Decize")


def test_passages_follow_their_best_sentence() -> None:
    first, second, unread = hit(BRIDGE), hit(NEWS, article="b", row=1), hit("Rien.", article="c", row=2)
    reads = [read(first, answers=0.2), read(second, answers=0.9)]
    assert order_passages([first, second, unread], proofs(reads)) == [second, first, unread]
