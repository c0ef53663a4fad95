"""The French analyser, and one contract that every lexical index keeps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from embeddings.errors import EmbeddingsError
from embeddings.indexes.lexical import Fields, LexicalIndex, TantivyIndex, question_terms, text_terms

TEXTS = [
    "Le conseil d’administration a limogé Sam Altman vendredi.",
    "Les salariés menacent de démissionner et de rejoindre Microsoft.",
    "L'été, les écoles ferment pendant deux mois.",
    "Emmett Shear devient directeur général par intérim.",
]
TEXTS = [Fields(text) for text in TEXTS]
Opener = Callable[[], LexicalIndex]


@pytest.fixture(params=["tantivy", "milvus"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path, milvus_uri: str) -> Iterator[Opener]:
    if request.param == "tantivy":
        yield lambda: TantivyIndex.open(tmp_path / "lexical")
        return
    if find_spec("milvus_lite") is None:
        pytest.skip("pymilvus[milvus-lite] n'est pas installé")
    from embeddings.indexes.milvus import MilvusLexicalIndex

    yield lambda: MilvusLexicalIndex.open(milvus_uri, tmp_path.name)


class TestLexicalIndex:
    """What TantivyIndex and MilvusLexicalIndex both do."""

    def test_empty(self, reopen: Opener) -> None:
        index = reopen()
        scores, ids = index.search("Qui a été limogé ?", 5)
        assert (len(index), index.revision, len(scores), len(ids)) == (0, 0, 0, 0)

    def test_finds_by_stem_and_keeps_its_revision(self, reopen: Opener) -> None:
        reopen().replace([10, 11, 12, 13], TEXTS, 7)
        index = reopen()
        assert (len(index), index.revision) == (4, 7)
        scores, ids = index.search("Quand l'ECOLE ferme-t-elle ?", 3)
        assert ids[0] == 12
        assert scores[0] > 0
        assert ids.dtype == np.int64
        assert scores.dtype == np.float32
        assert list(scores) == sorted(scores, reverse=True)

    def test_update_removes_adds_and_replaces(self, reopen: Opener) -> None:
        index = reopen()
        index.replace([10, 11], TEXTS[:2], 1)
        index.update([10], [11, 12], [Fields("Le pont est fermé."), Fields("La gare rouvre.")], 2)
        assert (len(index), index.revision) == (2, 2)
        assert len(index.search("limogé Microsoft salariés", 5)[1]) == 0
        assert list(index.search("Quel pont ?", 5)[1]) == [11]
        index.update([11, 99], [], [], 3)
        assert (len(index), index.revision) == (1, 3)

    def test_replace_forgets(self, reopen: Opener) -> None:
        index = reopen()
        index.replace([1], TEXTS[:1], 1)
        index.replace([2], TEXTS[1:2], 2)
        assert list(index.search("Sam Altman Microsoft", 5)[1]) == [2]

    def test_allowed(self, reopen: Opener) -> None:
        index = reopen()
        index.replace(range(300), [Fields(f"Le pont numéro {i}") for i in range(300)], 1)
        assert set(index.search("pont", 10, allowed=np.array([7, 250, 999]))[1]) == {7, 250}
        assert len(index.search("pont", 10, allowed=np.array([], np.int64))[1]) == 0
        assert len(index.search("pont", 10)[1]) == 10

    def test_no_question_breaks_it(self, reopen: Opener) -> None:
        index = reopen()
        index.replace([1], TEXTS[:1], 1)
        for question in (
            "",
            "?",
            "Qui est-ce ?",
            "+gare^ AND (b OR",
            "body:*",
            '"',
            "\0",
            "\ud800",
            "🙂",
            "x" * 70_000,
        ):
            assert len(index.search(question, 5)[1]) == 0

    def test_titles_and_headings_are_searched_after_the_text(self, reopen: Opener) -> None:
        index = reopen()
        letter = Fields("Elle compte 738 signataires.", "La lettre des salariés", "Les chiffres")
        index.replace([1, 2, 3], [letter, Fields("Une lettre de salariés arrive."), TEXTS[2]], 1)
        assert set(index.search("lettre des salariés", 5)[1]) == {1, 2}
        assert list(index.search("Quels chiffres ?", 5)[1]) == [1]

    @pytest.mark.parametrize(
        "question", ["1 200 euros", "1.200 euros", "1200 euros", "le 03/03/2024", "2024-03-03", "3 mars 2024"]
    )
    def test_numbers_and_days_meet_in_every_form(self, reopen: Opener, question: str) -> None:
        forms = [("1 200 €", "3 mars 2024"), ("1.200 €", "03/03/2024"), ("1200 €", "2024-03-03")]
        texts = [Fields(f"Il a coûté {price} et fini le {day}.") for price, day in forms]
        index = reopen()
        index.replace([1, 2, 3, 4], [*texts, Fields("Il a coûté 1 300 € le 4 mai 2023.")], 1)
        assert set(index.search(question, 3)[1]) == {1, 2, 3}

    def test_sound(self, reopen: Opener) -> None:
        index = reopen()
        index.replace([1], TEXTS[:1], 1)
        assert index.check() == []


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("Qui est le directeur général d’OpenAI\u00a0?", ["directeur", "general", "open"]),
        ("Qu'est-ce que l'intelligence artificielle ?", ["intelligent", "artificiel"]),
        ("Où sont les e\u0301coles de l’E\u0301tat ?", ["ecol", "etat"]),
        ("Combien de dé\u00admis\u00adsions, combien ?", ["dem"]),
    ],
)
def test_question_terms(question: str, terms: list[str]) -> None:
    assert question_terms(question) == terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("12 500 habitants", ["12500", "habit"]),
        ("05 36 49 12 80", ["05", "36", "49", "12", "80"]),
        ("en 2023 450 personnes", ["2023", "450", "person"]),
        ("3,5 tonnes", ["3", "5", "ton"]),
        ("le 1er août 2023", ["1", "aout", "2023", "20230801"]),
        ("le 31/12/2023", ["31", "decembr", "2023", "20231231"]),
        ("le 45/13/2023", ["45", "13", "2023"]),
    ],
)
def test_figures_have_one_form(text: str, terms: list[str]) -> None:
    assert text_terms(text) == terms


@pytest.fixture
def school(tmp_path: Path) -> TantivyIndex:
    index = TantivyIndex.open(tmp_path / "school")
    texts = [
        "L'école de l'hôpital rouvre lundi.",
        "Le salaire du directeur est de 1 000 €.",
        "Le déshumidificateur s'appelle Sécado.",
        "Un chat dort.",
    ]
    index.replace(range(4), map(Fields, texts), 1)
    return index


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("lécole", [0]),
        ("ekole", [0]),
        ("hopitale", [0]),
        ("salarie", [1]),
        ("lesalaire", [1]),
        ("deshumidifcateur", [2]),
        ("comment sapelle", [2]),
        ("chatt", [3]),
        ("char", [3]),
        ("chr", []),
        ("xylophone", []),
        ("directeur ekole", [0, 1]),
    ],
)
def test_unknown_words_are_taken_for_near_ones(school: TantivyIndex, question: str, found: list[int]) -> None:
    assert sorted(school.search(question, 5)[1]) == found


def test_known_words_are_taken_as_they_are(school: TantivyIndex) -> None:
    school.update([], [9], [Fields("Un char passe.")], 2)
    assert list(school.search("char", 5)[1]) == [9]


def test_a_reader_goes_on_with_the_old_state(tmp_path: Path) -> None:
    TantivyIndex.open(tmp_path).replace([1], TEXTS[:1], 1)
    reader = TantivyIndex.open(tmp_path)
    writer = TantivyIndex.open(tmp_path)
    for revision in range(2, 12):
        writer.update([revision - 1], [revision], TEXTS[:1], revision)
    assert (list(reader.search("Altman", 5)[1]), reader.revision) == ([1], 1)
    assert (list(TantivyIndex.open(tmp_path).search("Altman", 5)[1]), writer.revision) == ([11], 11)


def test_a_failed_write_changes_nothing(tmp_path: Path) -> None:
    index = TantivyIndex.open(tmp_path)
    index.replace([1], TEXTS[:1], 1)

    def interrupted() -> Iterator[Fields]:
        yield from TEXTS[:2]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.replace([1, 2, 3], interrupted(), 2)
    with pytest.raises(EmbeddingsError, match="zip"):
        index.replace([1, 2, 3], TEXTS[:2], 2)
    assert TantivyIndex.open(tmp_path).revision == 1
    index.update([], [2], TEXTS[1:2], 3)
    assert (len(index), index.revision) == (2, 3)


def test_a_writer_killed_before_its_commit_does_not_block_the_next(tmp_path: Path) -> None:
    index = TantivyIndex.open(tmp_path)
    index.replace([1, 2], TEXTS[:2], 1)
    meta = tmp_path / "meta.json"
    before = meta.read_bytes()
    index.update([1], [3], TEXTS[2:3], 2)
    meta.write_bytes(before)
    index = TantivyIndex.open(tmp_path)
    assert (len(index), index.revision, index.check()) == (2, 1, [])
    index.update([1], [3], TEXTS[2:3], 2)
    assert (len(index), index.revision, index.check()) == (2, 2, [])


def test_searches_while_another_thread_writes(tmp_path: Path) -> None:
    index = TantivyIndex.open(tmp_path)
    index.replace([0], TEXTS[:1], 1)
    failures: list[BaseException] = []

    def read() -> None:
        try:
            while index.revision < 12:
                assert index.search("Altman", 3)[1].tolist() == [0]
        except BaseException as error:
            failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for revision in range(2, 13):
        index.update([], range(revision * 100, revision * 100 + 50), [TEXTS[2]] * 50, revision)
    reader.join()
    assert failures == []


@pytest.mark.parametrize("damage", ["altered", "truncated", "missing", "meta"])
def test_damage_is_found(tmp_path: Path, damage: str) -> None:
    index = TantivyIndex.open(tmp_path)
    index.replace([1, 2], TEXTS[:2], 1)
    victim = tmp_path / "meta.json" if damage == "meta" else next(tmp_path.glob("*.idx"))
    content = bytearray(victim.read_bytes())
    if damage == "missing":
        victim.unlink()
    elif damage == "altered":
        content[len(content) // 4] ^= 1
        victim.write_bytes(content)
    else:
        victim.write_bytes(content[: len(content) // 2])
    assert index.check()
    with pytest.raises(EmbeddingsError, match="--repair"):
        TantivyIndex.open(tmp_path)
    fresh = TantivyIndex.create(tmp_path)
    fresh.replace([1], TEXTS[:1], 2)
    assert (len(TantivyIndex.open(tmp_path)), fresh.check()) == (1, [])
