"""The library on disk: what is added is found, what goes wrong is noticed, and a kill leaves it sound."""

from __future__ import annotations

import json
import multiprocessing
import random
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import HashEncoder
from killed import index_slowly, reencode_slowly

import qa.ingest.indexing
import qa.library.library
from embeddings.indexes.lexical import Fields
from qa.errors import LibraryError, SourcierError
from qa.ingest.articles import read_text
from qa.library.indexes import writing
from qa.library.library import TRUTH, Library, Withheld
from qa.settings import settings

TEXTS = {
    "lune": "La lune tourne autour de la Terre.\n\nElle montre toujours la même face.",
    "mer": "La marée monte deux fois par jour.\n\nLes pêcheurs rentrent au port avec la marée.",
    "pain": "Le boulanger pétrit la pâte à quatre heures.\n\nLe four chauffe toute la nuit.",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    articles = tmp_path / "articles"
    articles.mkdir()
    for name, text in TEXTS.items():
        (articles / f"{name}.txt").write_text(text, "utf-8")
    return articles


@pytest.fixture
def library(tmp_path: Path, folder: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", embedding=HashEncoder(), create=True) as opened:
        opened.add([folder])
        yield opened


def words_found(library: Library, question: str) -> list[str]:
    _, rows = library.search_lexical(question, 10)
    return [p.passage.article_id.split("-")[0] for p in library.passages(rows.tolist())]


def nearest(library: Library, text: str) -> str:
    _, rows = library.search_dense(HashEncoder(library.stats().dimension).encode_queries([text])[0], 1)
    return library.passages(rows.tolist())[0].passage.article_id.split("-")[0]


def long_text(subject: str, sentences: int) -> str:
    return " ".join(f"La phrase numéro {n} parle de {subject} {n}." for n in range(sentences))


class TestWhatIsAdded:
    def test_is_found_by_its_words_and_by_its_vector(self, library: Library) -> None:
        assert words_found(library, "Quand monte la marée ?") == ["mer"]
        assert nearest(library, TEXTS["pain"]) == "pain"

    def test_keeps_exact_offsets(self, library: Library) -> None:
        _, rows = library.search_lexical("boulanger four lune marée", 10)
        stored = library.passages(rows.tolist())
        assert len(stored) == 3
        for passage in (s.passage for s in stored):
            text = library.article(passage.article_id).text
            assert text[passage.start : passage.end] == passage.text
            assert all(text[s.start : s.end].endswith(".") for s in passage.sentences)

    def test_is_listed_and_counted(self, library: Library) -> None:
        listed = library.articles()
        assert [a.title for a in listed] == sorted((a.title for a in listed), key=str.casefold)
        assert {a.characters for a in listed} == {len(t) for t in TEXTS.values()}
        stats = library.stats()
        assert (stats.articles, stats.passages, stats.sentences, stats.dimension) == (3, 3, 6, 64)
        assert stats.bytes > 0

    def test_can_be_searched_in_some_articles_only(self, library: Library) -> None:
        pain = next(a.id for a in library.articles() if a.id.startswith("pain"))
        vector = HashEncoder().encode_queries([TEXTS["mer"]])[0]
        _, rows = library.search_dense(vector, 10, article_ids=[pain])
        assert [p.passage.article_id for p in library.passages(rows.tolist())] == [pain]
        assert not len(library.search_lexical("marée", 10, article_ids=[pain])[1])
        assert not len(library.search_dense(vector, 10, article_ids=[])[1])

    def test_has_vectors_in_the_order_asked_for(self, library: Library) -> None:
        _, rows = library.search_lexical("boulanger lune", 10)
        vectors = library.vectors(rows)
        assert vectors.dtype == np.float32
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=0.001)
        assert np.array_equal(library.vectors(rows[::-1]), vectors[::-1])
        assert not library.vectors([10_000]).any()

    def test_is_there_when_opened_again(self, library: Library) -> None:
        library.close()
        with Library.open(library.path, embedding=HashEncoder()) as again:
            assert words_found(again, "boulanger") == ["pain"]
            assert again.verify() == []

    def test_may_come_from_memory(self, library: Library) -> None:
        article = read_text("Le train part à midi.", title="Le train", id="train")
        assert library.add_articles([article]).added == ("train",)
        assert library.add_articles([article]).unchanged == ("train",)
        assert words_found(library, "train") == ["train"]

    def test_an_unknown_article_is_refused_in_french(self, library: Library) -> None:
        with pytest.raises(LibraryError, match="Aucun article « rien »"):
            library.article("rien")


class TestIndexingAgain:
    def test_encodes_nothing_that_has_not_changed(self, library: Library, folder: Path) -> None:
        (folder / "mer.txt").touch()
        revision = library.revision
        report = library.add([folder])
        assert len(report.unchanged) == 3
        assert (report.added, report.updated, report.passages) == ((), (), 0)
        assert library.revision == revision

    def test_replaces_what_was_edited(self, library: Library, folder: Path) -> None:
        (folder / "mer.txt").write_text("Le phare éclaire la côte.\n\nIl date de 1860.", "utf-8")
        report = library.add([folder])
        assert [i.split("-")[0] for i in report.updated] == ["mer"]
        assert words_found(library, "marée") == []
        assert words_found(library, "phare") == ["mer"]
        assert library.stats().passages == 3
        assert library.verify() == []

    def test_keeps_the_old_article_of_a_file_that_can_no_longer_be_read(
        self, library: Library, folder: Path
    ) -> None:
        (folder / "mer.txt").write_text("", "utf-8")
        assert [s.reason for s in library.add([folder], prune=True).skipped] == ["fichier vide"]
        assert words_found(library, "marée") == ["mer"]

    def test_prunes_vanished_files_below_the_paths_given_only(
        self, library: Library, folder: Path, tmp_path: Path
    ) -> None:
        other = tmp_path / "autres" / "vent.txt"
        other.parent.mkdir()
        other.write_text("Le vent souffle du nord.\n\nIl apporte la pluie.", "utf-8")
        library.add([other])
        other.unlink()
        (folder / "mer.txt").unlink()
        assert library.add([folder]).removed == ()
        report = library.add([folder], prune=True)
        assert [i.split("-")[0] for i in report.removed] == ["mer"]
        assert words_found(library, "vent marée") == ["vent"]
        assert library.verify() == []

    @pytest.mark.parametrize("left", ["nothing", "an empty folder", "a hidden file", "another file"])
    def test_prunes_nothing_where_a_disk_is_away(
        self, library: Library, folder: Path, tmp_path: Path, left: str
    ) -> None:
        folder.rename(tmp_path / "away")
        if left != "nothing":
            folder.mkdir()
        if left == "a hidden file":
            (folder / ".nomedia").touch()
        if left == "another file":
            (folder / "photo.png").write_bytes(b"x")
        report = library.add([folder], prune=True)
        assert report.removed == ()
        assert report.withheld == (Withheld(str(folder), left == "nothing", 3),)
        assert library.stats().articles == 3
        if folder.exists():
            shutil.rmtree(folder)
        (tmp_path / "away").rename(folder)
        back = library.add([folder], prune=True)
        assert (len(back.unchanged), back.removed, back.withheld) == (3, (), ())

    def test_a_disk_that_is_away_holds_back_only_what_is_on_it(
        self, library: Library, folder: Path, tmp_path: Path
    ) -> None:
        disk = folder / "disk"
        disk.mkdir()
        (disk / "vent.txt").write_text("Le vent souffle du nord.", "utf-8")
        library.add([folder])
        (folder / "mer.txt").unlink()
        shutil.rmtree(disk)
        report = library.add([folder, disk], prune=True)
        assert [i.split("-")[0] for i in report.removed] == ["mer"]
        assert report.withheld == (Withheld(str(disk), True, 1),)
        lone = folder / "pain.txt"
        lone.unlink()
        assert library.add([lone], prune=True).withheld == (Withheld(str(lone), True, 1),)

    def test_a_disk_that_goes_while_files_are_looked_at_loses_nothing(
        self, library: Library, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked = qa.ingest.indexing._vanished

        def leaving(path: str) -> bool:
            gone = looked(path)
            if folder.exists():
                folder.rename(tmp_path / "away")
            return gone

        monkeypatch.setattr(qa.ingest.indexing, "_vanished", leaving)
        assert library.add([folder], prune=True).removed == ()
        assert library.stats().articles == 3

    def test_what_was_read_below_a_folder_is_removed_by_a_word_of_its_own(
        self, library: Library, folder: Path, tmp_path: Path
    ) -> None:
        other = tmp_path / "articles-autres.txt"
        other.write_text("Le vent souffle du nord.", "utf-8")
        library.add([other])
        shutil.rmtree(folder)
        assert library.remove_below(folder) == 3
        assert library.remove_below(folder) == 0
        assert [info.id.split("-")[0] for info in library.articles()] == ["articles"]
        assert library.verify() == []

    def test_follows_the_records_of_a_jsonl_file(self, library: Library, folder: Path) -> None:
        file = folder / "nouvelles.jsonl"
        records = [{"id": f"n{i}", "text": f"La nouvelle {i} parle de châteaux."} for i in range(3)]
        file.write_text("\n".join(map(json.dumps, records)), "utf-8")
        assert len(library.add([file]).added) == 3
        file.write_text("\n".join(map(json.dumps, records[:2])), "utf-8")
        report = library.add([file])
        assert (len(report.unchanged), [i.split("-")[0] for i in report.removed]) == (2, ["n2"])

    def test_refuses_a_file_in_which_two_records_have_one_id(self, library: Library, folder: Path) -> None:
        file = folder / "doubles.jsonl"
        lines = [json.dumps({"id": "x", "text": f"La version {i} du texte."}) for i in range(2)]
        file.write_text("\n".join(lines), "utf-8")
        assert "l’identifiant « x » est déjà" in library.add([file]).skipped[0].reason
        assert words_found(library, "version") == []

    def test_one_folder_by_two_names_is_one(
        self, library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(folder.parent)
        assert len(library.add([Path("articles/../articles")]).unchanged) == 3

    def test_brings_back_what_was_removed(self, library: Library, folder: Path) -> None:
        mer = next(a.id for a in library.articles() if a.id.startswith("mer"))
        assert library.remove([mer, "inconnu"]) == 1
        assert words_found(library, "marée") == []
        assert library.verify() == []
        assert library.add([folder]).added == (mer,)
        assert words_found(library, "marée") == ["mer"]

    def test_skips_a_file_whose_name_is_not_utf8(self, library: Library, folder: Path) -> None:
        try:
            Path(str(folder).encode().decode() + "/\udce9t\udce9.txt").write_text(TEXTS["mer"], "utf-8")
        except (OSError, UnicodeEncodeError):
            pytest.skip("this disk takes UTF-8 names only")
        report = library.add([folder])
        assert ["UTF-8" in s.reason for s in report.skipped] == [True]
        assert len(report.unchanged) == 3

    def test_tells_how_far_it_is(self, library: Library, folder: Path) -> None:
        (folder / "long.txt").write_text(long_text("nuages", 400), "utf-8")
        told: list[tuple[int, int, int]] = []
        library.add([folder], progress=lambda p: told.append((p.files, p.files_total, p.passages)))
        assert told == sorted(told)
        assert told[-1] == (4, 4, library.stats().passages - 3)


class TestOneWriterManyReaders:
    def test_a_second_writer_is_refused(self, library: Library, folder: Path) -> None:
        with writing(library.path), pytest.raises(LibraryError, match="Une autre commande modifie déjà"):
            library.add([folder])
        assert len(library.add([folder]).unchanged) == 3

    def test_a_reader_has_the_old_state_during_a_write_and_the_new_one_after(
        self, library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("qa.library.library.BATCH_PASSAGES", 4)
        reached, may_go_on = threading.Event(), threading.Event()

        class Pausing(HashEncoder):
            def encode_passages(
                self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
            ) -> np.ndarray:
                if any("pause" in text for text in texts):
                    reached.set()
                    assert may_go_on.wait(20)
                return super().encode_passages(texts, progress=progress)

        (folder / "mer.txt").write_text(long_text("phare", 100), "utf-8")
        (folder / "pause.txt").write_text("Voici la pause.\n\nElle dure un moment.", "utf-8")

        def write() -> None:
            with Library.open(library.path, embedding=Pausing()) as writer:
                writer.add([folder])

        revision = library.revision
        thread = threading.Thread(target=write)
        thread.start()
        try:
            assert reached.wait(20)
            assert library.revision > revision
            assert words_found(library, "marée") == ["mer"]
            assert words_found(library, "phare") == []
            _, rows = library.search_lexical("marée", 1)
            assert library.passages(rows.tolist())[0].passage.text == TEXTS["mer"]
            assert library.vectors(rows).any()
        finally:
            may_go_on.set()
            thread.join()
        assert words_found(library, "marée") == []
        assert "mer" in words_found(library, "phare")
        assert words_found(library, "pause") == ["pause"]
        assert library.verify() == []

    def test_many_threads_read_while_one_writes(self, library: Library) -> None:
        stop, errors = threading.Event(), []

        def read() -> None:
            while not stop.is_set():
                try:
                    assert words_found(library, "boulanger") == ["pain"]
                    assert nearest(library, TEXTS["pain"]) == "pain"
                except BaseException as error:
                    errors.append(error)
                    raise

        threads = [threading.Thread(target=read) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for n in range(4):
                library.add_articles([read_text(f"La note {n} est brève.", id=f"note{n % 3}")])
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert errors == []
        assert library.stats().articles == 6


class TestEmbeddings:
    def test_another_is_refused_with_the_command_to_run(self, library: Library) -> None:
        with pytest.raises(LibraryError) as caught:
            Library.open(library.path, embedding=HashEncoder(32))
        assert f"« sourcier index --embedding hash --library {library.path} »" in str(caught.value)

    def test_another_takes_over_from_the_stored_texts(self, library: Library, folder: Path) -> None:
        shutil.rmtree(folder)
        with Library.open(library.path, embedding=HashEncoder()) as reader:
            assert nearest(reader, TEXTS["mer"]) == "mer"
            library.reencode(HashEncoder(32))
            assert (reader.stats().dimension, nearest(reader, TEXTS["mer"])) == (32, "mer")
        assert words_found(library, "marée") == ["mer"]
        assert library.verify() == []
        assert len(list((library.path / "vectors").iterdir())) == 1

    def test_goes_on_where_it_was_interrupted(
        self, library: Library, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("qa.library.library.BATCH_PASSAGES", 1)

        class Counting(HashEncoder):
            encoded, limit = 0, 2

            def encode_passages(
                self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
            ) -> np.ndarray:
                if self.encoded == self.limit:
                    raise KeyboardInterrupt
                self.encoded += len(texts)
                return super().encode_passages(texts, progress=progress)

        encoder = Counting(32)
        with pytest.raises(KeyboardInterrupt):
            library.reencode(encoder)
        assert (library.stats().dimension, nearest(library, TEXTS["mer"])) == (64, "mer")
        encoder.limit = 10
        library.reencode(encoder)
        assert encoder.encoded == 3
        assert (library.stats().dimension, nearest(library, TEXTS["mer"])) == (32, "mer")


class TestDamage:
    def test_indexes_that_are_gone_come_back(self, library: Library) -> None:
        library.close()
        for part in ("vectors", "words"):
            shutil.rmtree(library.path / part)
        with Library.open(library.path, embedding=HashEncoder()) as again:
            assert words_found(again, "marée") == ["mer"]
            assert nearest(again, TEXTS["mer"]) == "mer"
            assert again.verify() == []

    @pytest.mark.parametrize("part", ["vectors", "words"])
    def test_indexes_behind_the_truth_catch_up(self, library: Library, tmp_path: Path, part: str) -> None:
        old = shutil.copytree(library.path / part, tmp_path / "old")
        library.add_articles([read_text("Le vent se lève.", id="vent")])
        library.remove([a.id for a in library.articles() if a.id.startswith("mer")])
        library.close()
        shutil.rmtree(library.path / part)
        old.rename(library.path / part)
        with Library.open(library.path, embedding=HashEncoder()) as again:
            assert words_found(again, "vent marée") == ["vent"]
            assert nearest(again, "Le vent se lève.") == "vent"
            assert again.verify() == []

    @pytest.mark.parametrize("pattern", ["vectors/*/vectors.faiss", "words/*.idx", "words/meta.json"])
    def test_damaged_indexes_are_reported_and_repaired(self, library: Library, pattern: str) -> None:
        library.close()
        for file in library.path.glob(pattern):
            file.write_bytes(file.read_bytes()[:-30])
        with Library.open(library.path, embedding=HashEncoder()) as again:
            assert "endommagé" in again.verify()[0]
            assert again.verify(repair=True) == []
            assert words_found(again, "marée") == ["mer"]
            assert nearest(again, TEXTS["mer"]) == "mer"

    def test_a_search_mends_damaged_indexes(self, library: Library) -> None:
        library.close()
        for file in library.path.glob("vectors/*/vectors.faiss"):
            file.write_bytes(b"rien")
        with Library.open(library.path, embedding=HashEncoder()) as again:
            assert nearest(again, TEXTS["mer"]) == "mer"

    @pytest.mark.parametrize(
        ("statement", "line"),
        [
            ("UPDATE article SET text = 'Autre chose, et de la même longueur que rien.'", "n’est plus celui"),
            ('UPDATE passage SET "end" = "end" + 9999', "fausses positions"),
            ("UPDATE passage SET sentences = x'00'", "fausses positions"),
            ("DELETE FROM passage WHERE row = 1", "n’a pas de passages"),
        ],
    )
    def test_wrong_texts_are_reported(self, library: Library, statement: str, line: str) -> None:
        with sqlite3.connect(library.path / TRUTH) as db:
            db.execute(statement)
        db.close()
        assert any(line in problem for problem in library.verify(repair=True))

    @pytest.mark.parametrize("vector", [b"", b"\x00" * 128, b"\xff" * 128])
    def test_wrong_vectors_are_reported_and_made_anew(self, library: Library, vector: bytes) -> None:
        with sqlite3.connect(library.path / TRUTH) as db:
            db.execute("UPDATE passage SET vector = ?", (vector,))
        db.close()
        assert "3 vecteurs" in library.verify()[0]
        assert library.verify(repair=True) == []
        assert nearest(library, TEXTS["mer"]) == "mer"

    def test_passages_an_index_does_not_have_are_reported(self, library: Library) -> None:
        opened = library._indexes.current()
        rows = np.array([1, 2, 77], np.int64)
        opened.vectors.replace(rows, HashEncoder().encode_passages(list(TEXTS.values())), library.revision)
        opened.lexical.replace(rows.tolist(), map(Fields, TEXTS.values()), library.revision)
        assert [p.split(" :")[0] for p in library.verify()] == [
            "L’index des vecteurs n’a pas le passage 3",
            "L’index des mots n’a pas le passage 3",
        ]
        assert library.verify(repair=True) == []


class TestOpening:
    def test_an_absent_library_is_refused_with_the_command_to_run(self, tmp_path: Path) -> None:
        with pytest.raises(LibraryError, match=f"sourcier index DOSSIER --library {tmp_path / 'rien'}"):
            Library.open(tmp_path / "rien")
        assert not (tmp_path / "rien").exists()

    def test_what_is_not_a_library_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / TRUTH).write_bytes(b"Ceci n'est pas une base de donnees. " * 100)
        with pytest.raises(LibraryError, match="abîmée"):
            Library.open(tmp_path, embedding=HashEncoder(), create=True)

    def test_a_file_in_place_of_the_folder_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "fichier").write_text("x")
        with pytest.raises(LibraryError, match="fichier"):
            Library.open(tmp_path / "fichier", embedding=HashEncoder(), create=True)

    def test_another_format_is_refused(self, library: Library) -> None:
        with sqlite3.connect(library.path / TRUTH) as db:
            db.execute("UPDATE meta SET value = 99 WHERE key = 'format'")
        db.close()
        with pytest.raises(LibraryError, match="plus récente"):
            Library.open(library.path)

    def test_another_store_is_refused(self, library: Library) -> None:
        with pytest.raises(LibraryError, match=r"« faiss », non dans « milvus:x\.db »"):
            Library.open(library.path, store="milvus:x.db")

    def test_an_unknown_store_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(LibraryError, match="« ailleurs »"):
            Library.open(tmp_path, embedding=HashEncoder(), store="ailleurs", create=True)


def test_milvus_gives_the_same_library(tmp_path: Path, folder: Path, milvus_uri: str) -> None:
    pytest.importorskip("pymilvus")
    with Library.open(
        tmp_path / "l", embedding=HashEncoder(), store=f"milvus:{milvus_uri}", create=True
    ) as library:
        library.add([folder])
        assert words_found(library, "marée") == ["mer"]
        assert nearest(library, TEXTS["pain"]) == "pain"
        library.remove([a.id for a in library.articles() if a.id.startswith("mer")])
        assert words_found(library, "marée") == []
        library.reencode(HashEncoder(32))
        assert nearest(library, TEXTS["pain"]) == "pain"
        assert library.verify() == []


class TestSettings:
    @pytest.fixture(autouse=True)
    def nothing_set(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("LIBRARY", "EMBEDDING", "READER"):
            monkeypatch.delenv(f"SOURCIER_{name}", raising=False)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        monkeypatch.setattr("qa.settings.settings_file", lambda: tmp_path / "sourcier.toml")

    def test_come_from_the_environment_then_from_the_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "sourcier.toml").write_text('library = "/a"\nembedding = "french-static"')
        assert (settings().library, settings().embedding, settings().reader) == (
            Path("/a"),
            "french-static",
            None,
        )
        monkeypatch.setenv("SOURCIER_LIBRARY", "/b")
        monkeypatch.setenv("SOURCIER_READER", "")
        assert (Library.default_path(), settings().reader) == (Path("/b"), None)

    @pytest.mark.parametrize("content", ["librairie = 1", "library = [", "library = 3"])
    def test_a_wrong_file_is_explained(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "sourcier.toml").write_text(content)
        with pytest.raises(SourcierError, match=r"sourcier\.toml"):
            settings()


class TestKilled:
    KILLS = 4

    @pytest.fixture
    def articles(self, tmp_path: Path) -> Path:
        articles = tmp_path / "many"
        articles.mkdir()
        for n in range(40):
            (articles / f"a{n}.txt").write_text(long_text(f"sujet{n}", 40), "utf-8")
        return articles

    def killed_at(self, step: int, seconds: float, target: Callable[..., None], *arguments: Path) -> bool:
        """Whether a process was killed, some time after it had told `step` times of its progress, in mid-work."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["killed", "faiss", "tantivy"])
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=target, args=(*arguments, theirs))
        process.start()
        theirs.close()
        try:
            for _ in range(step):
                ours.recv()
            time.sleep(seconds)
        except EOFError:
            pass
        process.kill()
        process.join()
        return process.exitcode != 0

    def test_while_indexing_leaves_a_sound_library(self, tmp_path: Path, articles: Path) -> None:
        chance, place, kills, stored = random.Random(5), tmp_path / "l", 0, 0
        for n in range(self.KILLS):
            for edited in range(n, 40, 5):
                (articles / f"a{edited}.txt").write_text(long_text(f"essai{n}", 40), "utf-8")
            kills += self.killed_at(
                chance.randint(1, 50), chance.uniform(0, 0.1), index_slowly, place, articles
            )
            with Library.open(place, embedding=HashEncoder(), create=True) as library:
                assert library.verify() == []
                assert library.stats().articles >= stored
                stored = library.stats().articles
        assert kills
        with Library.open(place, embedding=HashEncoder()) as library:
            library.add([articles])
            assert len(library.add([articles]).unchanged) == library.stats().articles == 40
            assert library.verify() == []
            assert words_found(library, f"essai{self.KILLS - 1}")

    def test_while_encoding_anew_leaves_one_embedding_or_the_other(
        self, library: Library, articles: Path
    ) -> None:
        library.add([articles])
        library.close()
        assert self.killed_at(3, 0, reencode_slowly, library.path)
        with Library.open(library.path) as again:
            assert again.verify() == []
            assert again.stats().dimension in (48, 64)
            again.reencode(HashEncoder(48))
            assert (again.stats().dimension, nearest(again, TEXTS["mer"])) == (48, "mer")
            assert again.verify() == []


OLDER = (
    "DROP INDEX article_cut",
    "ALTER TABLE article DROP COLUMN headings",
    "ALTER TABLE article DROP COLUMN cut",
    "ALTER TABLE passage DROP COLUMN headings",
    "ALTER TABLE passage DROP COLUMN digest",
    "UPDATE meta SET value = 2 WHERE key = 'format'",
    "DELETE FROM meta WHERE key = 'cut'",
)


def made_older(library: Library) -> Path:
    """The library's folder, its file now of the format before headings, its articles in one passage."""
    library.close()
    with sqlite3.connect(library.path / TRUTH) as db:
        for statement in OLDER:
            db.execute(statement)
        db.execute("UPDATE article SET added = '2024-01-01T00:00:00+00:00'")
        db.execute("UPDATE article SET hash = 'avant'")
    db.close()
    shutil.rmtree(library.path / "words")
    return library.path


class TestBringingUpToDate:
    @pytest.fixture
    def folder(self, folder: Path) -> Path:
        sea = "La marée monte deux fois par jour. " * 12
        text = f"# La mer\n\n{sea}\n\n## Les chaluts\n\nIls rentrent au port. {sea}"
        (folder / "chalut.md").write_text(text, "utf-8")
        return folder

    def test_an_older_library_is_refused_with_the_command_to_run(self, library: Library) -> None:
        path = made_older(library)
        with pytest.raises(LibraryError, match=f"lancez « sourcier index --library {path} »"):
            Library.open(path)

    def test_nothing_is_lost(self, library: Library) -> None:
        before = {a.id: library.article(a.id) for a in library.articles()}
        path = made_older(library)
        with Library.open(path, embedding=HashEncoder(), update=True) as opened:
            assert not opened.is_up_to_date
            assert opened.bring_up_to_date() == opened.stats().passages
        with Library.open(path, embedding=HashEncoder()) as again:
            assert {a.id: again.article(a.id) for a in again.articles()} == before
            assert {a.added for a in again.articles()} == {"2024-01-01T00:00:00+00:00"}
            assert again.verify() == []
            assert words_found(again, "chaluts") == ["chalut"]
            assert again.bring_up_to_date() == 0

    def test_headings_come_from_the_file_where_it_is_the_same(self, library: Library, folder: Path) -> None:
        path = made_older(library)
        with Library.open(path, embedding=HashEncoder(), update=True) as opened:
            opened.bring_up_to_date()
            _, rows = opened.search_lexical("chaluts", 1)
            (found,) = opened.passages(rows.tolist())
            assert (found.headings, found.header) == (("Les chaluts",), "La mer › Les chaluts")
            assert len(opened.add([folder]).unchanged) == 4

    @pytest.mark.parametrize("change", ["edited", "gone"])
    def test_else_the_stored_text_stays(self, library: Library, folder: Path, change: str) -> None:
        path = made_older(library)
        for file in folder.iterdir():
            if change == "gone":
                file.unlink()
            else:
                file.write_text("Autre chose.", "utf-8")
        with Library.open(path, embedding=HashEncoder(), update=True) as opened:
            opened.bring_up_to_date()
            assert len(opened.articles()) == 4
            assert words_found(opened, "Autre chose") == []
            assert nearest(opened, TEXTS["pain"]) == "pain"

    def test_an_interrupted_run_goes_on(self, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
        path = made_older(library)
        monkeypatch.setattr(qa.library.library, "BATCH_PASSAGES", 1)
        encoder, encode = HashEncoder(), HashEncoder.encode_passages
        calls: list[int] = []

        def failing(self: HashEncoder, texts: Sequence[str], **options: object) -> np.ndarray:
            calls.append(len(texts))
            if len(calls) == 2:
                raise KeyboardInterrupt
            return encode(self, texts, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(HashEncoder, "encode_passages", failing)
        with Library.open(path, embedding=encoder, update=True) as opened:
            with pytest.raises(KeyboardInterrupt):
                opened.bring_up_to_date()
            assert not opened.is_up_to_date
        with Library.open(path, embedding=encoder, update=True) as opened:
            before = len(calls)
            opened.bring_up_to_date()
            assert opened.is_up_to_date
            assert len(calls) - before == 3
            assert len(opened.articles()) == 4
            assert opened.verify() == []

    def test_a_library_cut_otherwise_is_cut_anew(self, library: Library) -> None:
        library.close()
        with sqlite3.connect(library.path / TRUTH) as db:
            db.execute("UPDATE meta SET value = 0 WHERE key = 'cut'")
            db.execute("UPDATE article SET cut = 0 WHERE id LIKE 'mer%'")
        db.close()
        with pytest.raises(LibraryError, match="sourcier index"):
            Library.open(library.path)
        with Library.open(library.path, embedding=HashEncoder(), update=True) as opened:
            revision = opened.revision
            assert opened.bring_up_to_date() > 0
            assert (opened.is_up_to_date, opened.revision) == (True, revision + 1)


def test_the_title_and_the_headings_are_encoded_and_searched(library: Library) -> None:
    text = "Elle compte 738 signataires, dont deux fondateurs."
    library.add_articles([read_text(text, title="La lettre des salariés", id="lettre", date="2023-11-20")])
    assert words_found(library, "lettre salariés") == ["lettre"]
    _, rows = library.search_lexical("lettre", 1)
    (found,) = library.passages(rows.tolist())
    assert found.header == "La lettre des salariés · 2023-11-20"
    vector = HashEncoder().encode_passages([f"{found.header}\n{text}"])
    assert np.allclose(library.vectors(rows), vector, atol=0.001)
