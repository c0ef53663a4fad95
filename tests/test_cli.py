"""The `sourcier` command: French, one line an error, 0 or 1 or 2, JSON alone on the standard output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_architecture import HEAVY
from typer.testing import CliRunner, Result

from qa.answer import Answer, Citation, Evidence, Item
from qa.cli.answers import show_answer
from qa.cli.commands import app
from qa.errors import LibraryError
from qa.library.library import Library

TESTS = Path(__file__).parent
SOURCIER = (sys.executable, "-c", "from qa.cli.commands import main; main()")
MOON = "La lune\n\nLa lune tourne autour de la Terre. Neil Armstrong a marché sur la lune en 1969."
BREAD = "Le pain\n\nLe boulanger pétrit la pâte à quatre heures."

CITED = Citation(
    1, "a", "Le conseil", "/b/a.txt", None, "Anne et Paul dirigent.", 0, 22, None, None, 0.9, 3, ("Qui ?",)
)
NEAR = Evidence("a", "Le conseil", "/b/a.txt", None, "Anne et Paul\ndirigent.", 0, 22, 0.1)
PROOF = ["", "[1] « Anne et Paul dirigent. »", "    Le conseil › Qui ?, p.\u00a03 · a.txt"]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for the library of this test; the fast embedding."""
    monkeypatch.setenv("SOURCIER_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setenv("SOURCIER_EMBEDDING", "french-static")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "library"


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "lune.txt").write_text(MOON, "utf-8")
    (folder / "pain.txt").write_text(BREAD, "utf-8")
    return folder


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


class TestIndex:
    def test_says_what_it_did(self, articles: Path) -> None:
        (articles / "photo.png").write_bytes(b"x")
        first = run("index", articles)
        assert (first.exit_code, first.stdout) == (0, "")
        assert "Ignoré : " in first.stderr
        assert "2 articles ajoutés, 1 fichier ignoré ; 2 passages en " in first.stderr
        (articles / "pain.txt").write_text(BREAD + " Il le vend à sept heures.", "utf-8")
        assert "1 article mis à jour, 1 article inchangé" in run("index", articles).stderr

    def test_gives_json_alone(self, articles: Path) -> None:
        result = run("index", articles, "--json")
        report = json.loads(result.stdout)
        assert [i.split("-")[0] for i in report["added"]] == ["lune", "pain"]
        assert report["passages"] == 2

    def test_prunes_on_request(self, articles: Path) -> None:
        run("index", articles)
        (articles / "pain.txt").unlink()
        assert json.loads(run("index", articles, "--json").stdout)["removed"] == []
        assert len(json.loads(run("index", articles, "--prune", "--json").stdout)["removed"]) == 1

    @pytest.mark.parametrize(
        ("empty", "why"), [(False, "n’existe plus"), (True, "ne contient plus aucun de ses fichiers")]
    )
    def test_prunes_nothing_where_a_disk_is_away(
        self, articles: Path, tmp_path: Path, empty: bool, why: str
    ) -> None:
        run("index", articles)
        articles.rename(tmp_path / "away")
        if empty:
            articles.mkdir()
        result = run("index", articles, "--prune")
        assert result.exit_code == 1
        (line,) = (line for line in result.stderr.splitlines() if line.startswith("Conservé"))
        assert line == (
            f"Conservé : {articles} {why} (un disque est-il débranché ?), ses 2 articles restent dans la "
            f"bibliothèque ; pour retirer quand même : « sourcier library remove --under {articles} »."
        )
        told = json.loads(run("index", articles, "--prune", "--json").stdout)
        assert told["withheld"] == [{"path": str(articles), "missing": not empty, "articles": 2}]
        assert json.loads(run("library", "stats", "--json").stdout)["articles"] == 2
        removed = run("library", "remove", "--under", articles)
        assert (removed.exit_code, removed.stderr) == (0, "2 articles retirés.\n")
        again = run("library", "remove", "--under", articles)
        assert (again.exit_code, f"Aucun article n’a été lu sous {articles}" in again.stderr) == (1, True)

    def test_its_help_names_the_word_that_empties_a_folder(self) -> None:
        assert "library remove --under" in " ".join(run("index", "--help").stdout.replace("│", " ").split())
        assert "--under" in run("library", "remove", "--help").stdout

    def test_fails_where_nothing_can_be_indexed(self, tmp_path: Path) -> None:
        result = run("index", tmp_path / "rien")
        assert result.exit_code == 1
        assert "n’existe pas" in result.stderr

    def test_changes_the_embedding_on_request(self, articles: Path, place: Path) -> None:
        run("index", articles)
        result = run("index", "--embedding", "french-small")
        assert result.exit_code == 0
        assert "Les vecteurs sont maintenant ceux de « french-small »." in result.stderr
        assert json.loads(run("library", "stats", "--json").stdout)["embedding"] == "french-small"
        with Library.open(place) as library:
            assert library.verify() == []

    def test_an_unknown_store_is_refused(self, articles: Path) -> None:
        result = run("index", articles, "--store", "ailleurs")
        assert result.exit_code == 1
        assert "« ailleurs »" in result.stderr


class TestAsk:
    def test_an_absent_library_names_the_commands_to_run(self, place: Path) -> None:
        result = run("ask", "Qui a marché sur la lune ?")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "sourcier index DOSSIER" in result.stderr
        assert "articles d’exemple" in result.stderr
        assert not place.exists()

    def test_answers_with_the_sentence_that_proves_it(self, articles: Path) -> None:
        run("index", articles)
        result = run("ask", "Qui a marché sur la lune ?", "--json", "--top-k", "1")
        assert result.exit_code == 0
        answer = json.loads(result.stdout)
        assert len(answer["passages"]) == 1
        for citation in answer["citations"]:
            assert citation["sentence"] in MOON + BREAD
        if answer["short"]:
            assert answer["short"] in answer["citations"][0]["sentence"]

    @pytest.mark.parametrize("question", ["", "   ", "\x00", "?" * 30, "a" * 20_000])
    def test_what_is_not_a_question_is_refused(self, question: str) -> None:
        result = run("ask", question)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("La question est ")
        assert result.stderr.count("\n") == 1

    def test_shows_text_as_text(self, capsys: pytest.CaptureFixture[str]) -> None:
        sentence = "Il dit \x1b[31mrouge\x1b[0m, \x1b]0;titre\x07puis [bold]gras[/bold]\u202e et se tut."
        start, end = sentence.index("rouge"), sentence.index("rouge") + 5
        citation = Citation(
            1, "a", "Un \x9b2Jtitre", "/a.txt", "2023-11-20", sentence, 5, 80, 5 + start, 5 + end, 0.9
        )
        show_answer(Answer("span", "?", "rouge", confidence=0.9, citations=(citation,)))
        shown = capsys.readouterr().out
        assert shown.splitlines() == [
            "rouge  (réponse sûre)",
            "",
            "[1] « Il dit rouge, puis [bold]gras[/bold] et se tut. »",
            "    Un 2Jtitre · 20 novembre 2023 · a.txt",
        ]

    @pytest.mark.parametrize(
        ("given", "lines"),
        [
            (
                Answer(
                    "list", "?", items=(Item("Anne", 1), Item("Paul", 1)), confidence=0.7, citations=(CITED,)
                ),
                ["• Anne [1]", "• Paul [1]", "(réponse probable\u00a0: relisez la phrase citée)", *PROOF],
            ),
            (Answer("yes", "?", confidence=0.9, citations=(CITED,)), ["Oui  (réponse sûre)", *PROOF]),
            (Answer("no", "?", confidence=0.1, citations=(CITED,)), ["Non  (à vérifier)", *PROOF]),
            (Answer("sentences", "?", citations=(CITED,)), ["Voici ce qu’en disent vos articles :", *PROOF]),
            (Answer("articles", "?", citations=(CITED,)), ["Ces articles en parlent :", *PROOF]),
            (
                Answer("none", "?", evidence=(NEAR,), suggestions=("Qui dirige ?",)),
                [
                    "Je n’ai pas trouvé la réponse dans vos articles.",
                    "",
                    "Les phrases les plus proches\u00a0:",
                    "  • « Anne et Paul dirigent. » (Le conseil)",
                    "",
                    "Par exemple :",
                    "  • Qui dirige ?",
                ],
            ),
            (Answer("talk", "?", topic="goodbye"), ["Au revoir, et à bientôt !"]),
        ],
    )
    def test_each_kind_of_answer_has_its_form(
        self, given: Answer, lines: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        show_answer(given)
        assert capsys.readouterr().out.splitlines() == lines

    def test_a_question_is_read_from_the_standard_input(
        self, articles: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run("index", articles)
        asked: list[str] = []

        def answer(self: object, question: str, **options: object) -> Answer:
            asked.append(question)
            return Answer("span", question, "Anne", citations=(CITED,))

        monkeypatch.setattr("qa.assistant.Assistant.answer", answer)
        result = CliRunner().invoke(app, ["ask", "-", "--json"], input="Qui dirige\nle conseil ?\n")
        assert asked == ["Qui dirige\nle conseil ?\n"]
        assert json.loads(result.stdout) == json.loads(json.dumps(answer(None, asked[0]).to_dict()))
        empty = CliRunner().invoke(app, ["ask", "-"], input="\n")
        assert (empty.exit_code, empty.stderr.startswith("La question est vide")) == (1, True)

    def test_a_refusal_is_no_error(self, articles: Path) -> None:
        run("index", articles)
        assert run("ask", "Quel est le prix du diamant à Anvers ?").exit_code == 0


class TestLibrary:
    def test_lists_removes_counts_and_verifies(self, articles: Path) -> None:
        run("index", articles)
        listed = json.loads(run("library", "list", "--json").stdout)["articles"]
        assert [a["title"] for a in listed] == ["La lune", "Le pain"]
        assert "La lune" in run("library", "list").stdout
        assert "1 article retiré." in run("library", "remove", listed[0]["id"]).stderr
        assert json.loads(run("library", "stats", "--json").stdout)["articles"] == 1
        assert "1 article, 1 passage, " in run("library", "stats").stdout
        assert "saine" in run("library", "verify").stderr
        assert json.loads(run("library", "verify", "--json").stdout) == {"problems": []}

    def test_an_unknown_article_fails(self, articles: Path) -> None:
        run("index", articles)
        result = run("library", "remove", "inconnu", "--json")
        assert (result.exit_code, json.loads(result.stdout)) == (1, {"removed": 0})
        assert "library list" in result.stderr

    def test_damage_is_reported_then_repaired(self, articles: Path, place: Path) -> None:
        run("index", articles)
        for file in place.glob("vectors/*/vectors.faiss"):
            file.write_bytes(b"rien")
        damaged = run("library", "verify")
        assert damaged.exit_code == 1
        assert "endommagé" in damaged.stderr
        assert run("library", "verify", "--repair").exit_code == 0
        assert run("library", "verify").exit_code == 0

    @pytest.mark.parametrize("command", ["list", "verify", "stats"])
    def test_an_absent_library_is_one_line(self, command: str, place: Path) -> None:
        result = run("library", command)
        assert result.exit_code == 1
        assert result.stderr == (
            f"Il n’y a pas de bibliothèque dans {place} : créez-la avec « sourcier index DOSSIER ».\n"
        )

    def test_json_holds_nothing_a_terminal_would_obey(self, articles: Path) -> None:
        (articles / "lune.txt").write_text("Un \x9btitre\n\nEt un texte.", "utf-8")
        run("index", articles)
        shown = run("library", "list", "--json").stdout
        assert "\x9b" not in shown
        assert json.loads(shown)["articles"]


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "line"),
        [
            (["ask"], "Il manque « QUESTION » : voyez « sourcier ask --help »."),
            (["index"], "Donnez des fichiers ou des dossiers : « sourcier index CHEMIN… »."),
            (["aks"], "Commande inconnue : « aks » : voyez « sourcier --help »."),
            (["ask", "a", "b"], "Argument en trop : « b » : voyez « sourcier ask --help »."),
            (["ask", "a", "--foo"], "Option inconnue : « --foo » : voyez « sourcier ask --help »."),
            (
                ["ask", "a", "--top-k", "0"],
                "Valeur refusée pour « --top-k » : voyez « sourcier ask --help ».",
            ),
            (["library", "remove"], "Il manque « IDENTIFIANT… » : voyez « sourcier library remove --help »."),
        ],
    )
    def test_a_wrong_command_line_is_one_french_line(self, arguments: list[str], line: str) -> None:
        result = CliRunner().invoke(app, arguments, prog_name="sourcier")
        assert (result.exit_code, result.stdout, result.stderr) == (2, "", line + "\n")

    def test_help_is_french_and_names_every_command(self) -> None:
        shown = run("--help").stdout
        assert "Affiche cette aide." in shown
        assert all(f" {name} " in shown for name in ("index", "ask", "library", "chat", "eval"))
        assert "Commandes" in shown

    def test_version(self) -> None:
        assert run("--version").stdout.startswith("sourcier ")

    def test_a_wrong_settings_file_is_one_line(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "sourcier.toml").write_text("library = [")
        monkeypatch.setattr("qa.settings.settings_file", lambda: tmp_path / "sourcier.toml")
        result = run("library", "list")
        assert result.exit_code == 1
        assert result.stderr.count("\n") == 1


def python(code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=TESTS)


class TestProcess:
    @pytest.mark.parametrize("arguments", [["--help"], ["index", "--help"], ["library", "stats"]])
    def test_starts_without_anything_heavy(self, arguments: list[str], articles: Path) -> None:
        run("index", articles)
        code = """import sys; from qa.cli.commands import main
try: main()
except SystemExit: print("MODULES", *sys.modules)"""
        modules = python(code, *arguments).stdout.split("MODULES")[1].split()
        assert "qa.library.library" in modules
        assert set(modules).isdisjoint(HEAVY)
        if arguments != ["--help"]:
            assert {"ui", "eval"}.isdisjoint(modules)

    def test_ctrl_c_keeps_what_is_stored(self, place: Path, tmp_path: Path) -> None:
        folder = tmp_path / "many"
        folder.mkdir()
        for n in range(400):
            (folder / f"{n}.txt").write_text(f"Le sujet {n}\n\nLe sujet {n} est traité ici.", "utf-8")
        code = """import sys, embeddings.encoders.encoder, qa.library.library; from killed import SlowEncoder; from qa.cli.commands import main
embeddings.encoders.encoder.load_encoder = lambda name: SlowEncoder(); qa.library.library.BATCH_PASSAGES = 4; main()"""
        process = subprocess.Popen(
            [sys.executable, "-c", code, "index", str(folder)],
            cwd=TESTS,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job ignores it
        )
        while process.poll() is None and not _articles(place):
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
        assert process.returncode == 130
        assert errors == "Interrompu : ce qui est déjà indexé est conservé.\n"
        assert 0 < _articles(place) < 400

    @pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
    @pytest.mark.parametrize(("reply", "count"), [(b"o\n", 15), (b"n\n", 0)])
    def test_offers_the_samples_on_a_terminal(self, place: Path, reply: bytes, count: int) -> None:
        import pty

        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [*SOURCIER, "ask", "Qui dirige OpenAI ?"],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        os.write(ours, reply)
        _, errors = process.communicate()
        os.close(ours)
        os.close(theirs)
        assert "Y mettre les articles d’exemple ? [O/n]" in " ".join(errors.decode().split())
        assert process.returncode == (0 if count else 1)
        assert _articles(place) >= count
        assert bool(_articles(place)) == bool(count)


def _articles(place: Path) -> int:
    if not (place / "library.sqlite").is_file():
        return 0
    try:
        with Library.open(place) as library:
            return library.stats().articles
    except LibraryError:
        return 0
