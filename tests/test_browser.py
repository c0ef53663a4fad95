"""The window in a real Chromium, with an assistant whose answers are known: models are not the point."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)

import uvicorn  # noqa: E402
from fakes_ui import ARTICLES, HOSTILE, FakeAssistant, FakeLibrary  # noqa: E402
from playwright.sync_api import Browser, Dialog, Page, expect  # noqa: E402

from qa.confidence import Thresholds  # noqa: E402
from qa.history import History  # noqa: E402
from ui.server.application import build_api  # noqa: E402
from ui.server.auth import Users, hash_password  # noqa: E402
from ui.server.originals import originals_router  # noqa: E402
from ui.window.app import build_window, mount_window  # noqa: E402
from ui.window.session import Engine  # noqa: E402

PATIENCE_MS = 60_000
"""How long a condition is waited for; on a busy machine a page takes seconds to load."""

expect.set_options(timeout=PATIENCE_MS)

pytestmark = pytest.mark.browser


class Server:
    """The window served from this process; the user is who logs in, or whoever the header X-User names."""

    def __init__(self, folder: Path, *, empty: bool = False, users: Users | None = None) -> None:
        self.library = FakeLibrary(folder, empty=empty)
        self.assistant = FakeAssistant(self.library)
        folder.mkdir(exist_ok=True)
        self.history = History.open(folder / "history.sqlite")
        engine = Engine(self.assistant, self.history, Thresholds(short=0.3, abstain=0.1))
        app = build_api(self.assistant, self.history, users=users)
        app.include_router(originals_router(self.library))
        identify = users.identify if users else lambda request: request.headers.get("x-user", "local")
        mount_window(app, build_window(engine), identify=identify)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/"
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical",
                                                     timeout_graceful_shutdown=1))  # fmt: skip
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not self._server.started:
            assert self._thread.is_alive(), "the server stopped"
            assert time.monotonic() < deadline, "the server does not start"
            self._thread.join(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("window")) as running:
        yield running


class Window:
    """A tab on the window, and what a person does in it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        page.goto(url)
        expect(page.locator(".welcome, .talk")).to_be_visible()

    @property
    def question(self):
        return self.page.get_by_label("Votre question")

    @property
    def turns(self):
        return self.page.locator("#talk .turn")

    def ask(self, question: str) -> None:
        before = self.turns.count()
        self.question.fill(question)
        self.question.press("Enter")
        expect(self.turns).to_have_count(before + 1)
        self.finish()

    def finish(self) -> None:
        """Waits until the last answer is complete, and therefore saved."""
        expect(self.page.locator(".turn.running")).to_have_count(0)

    def place(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()

    def menu(self, choice: str) -> None:
        self.page.locator(".menu summary").click()
        self.page.locator(".menu").get_by_role("button", name=choice).click()

    def violations(self) -> list[str]:
        found = axe.Axe().run(self.page).response["violations"]
        return [
            f"{violation['id']}: {node['html'][:200]}" for violation in found for node in violation["nodes"]
        ]

    def overflow(self) -> int:
        return self.page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")


@pytest.fixture
def open_window(browser: Browser, server: Server, request: pytest.FixtureRequest):
    """Opens tabs as this test's own user; none of them may ask anything of another machine, nor fail."""
    contexts, outside, failures = [], [], []

    def open_one(*, user: str = request.node.name, **options) -> Window:
        headers = {"X-User": re.sub(r"\W", "-", user)}
        context = browser.new_context(**{"locale": "fr-FR", "extra_http_headers": headers, **options})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "request",
            lambda sent: sent.url.startswith((server.url, "data:", "blob:")) or outside.append(sent.url),
        )
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("dialog", lambda dialog: (failures.append(dialog.message), Dialog.dismiss(dialog)))
        return Window(page, server.url)

    yield open_one
    for context in contexts:
        context.close()
    assert outside == []
    assert failures == []


@pytest.fixture
def window(open_window) -> Window:
    return open_window()


def test_an_answer_and_its_source(window: Window) -> None:
    window.ask("Qui a construit le viaduc de Garabit ?")
    page = window.page
    expect(page.locator(".answer .short strong")).to_have_text("Gustave Eiffel")
    expect(page.locator(".confidence")).to_contain_text("Réponse sûre")
    page.locator("#talk .marker").first.click()
    mark = page.locator("#sources mark")
    expect(mark).to_be_focused()
    expect(mark).to_be_in_viewport()
    expect(mark).to_have_text("Le viaduc fut achevé en 1884 par l’entreprise de Gustave Eiffel.")
    expect(mark.locator("strong")).to_have_text("Gustave Eiffel")
    expect(page.locator("#sources h3")).to_have_text("Le viaduc de Garabit a cent quarante ans")
    expect(page.locator("#sources .facts")).to_contain_text("12 septembre 2024")
    expect(page.get_by_role("link", name="Article d’origine")).to_have_attribute(
        "href", "https://exemple.fr/viaduc"
    )
    page.locator("#sources .tabs").get_by_role("button", name="Source 2").click()
    expect(mark).to_have_text("Le cantal est un fromage à pâte pressée.")
    expect(page.locator("#sources h3")).to_have_text("Le cantal, un fromage de montagne")


def test_stop_stops_the_work(window: Window, server: Server) -> None:
    server.assistant.stopped.clear()
    window.question.fill("Une réponse lente, très lente ?")
    window.page.get_by_role("button", name="Demander").click()
    expect(window.page.locator(".turn.running .found")).to_contain_text("Le viaduc de Garabit")
    window.page.get_by_role("button", name="Arrêter").click()
    assert server.assistant.stopped.wait(PATIENCE_MS / 1000)
    expect(window.page.locator(".turn.stopped")).to_contain_text("Réponse arrêtée.")
    expect(window.page.get_by_role("button", name="Demander")).to_be_visible()
    expect(window.page.get_by_role("button", name="Arrêter")).to_be_hidden()
    window.ask("Qui a construit le viaduc ?")
    expect(window.turns.last).to_contain_text("Gustave Eiffel")


def test_closing_the_tab_stops_the_work(open_window, server: Server) -> None:
    window = open_window()
    window.question.fill("Lent ?")
    window.question.press("Enter")
    expect(window.page.locator(".turn.running .found")).to_contain_text("Le viaduc de Garabit")
    cancel = server.assistant.cancels[-1]
    window.page.close()
    assert cancel.wait(PATIENCE_MS / 1000)


def test_where_nothing_is_found_the_nearest_sentences_open_their_source(window: Window) -> None:
    window.ask("Xyz ?")
    nothing = window.page.locator(".answer.none")
    expect(nothing).to_contain_text("Je n’ai pas trouvé la réponse dans vos articles.")
    nothing.get_by_role("button", name="Le cantal est un fromage").click()
    expect(window.page.locator("#sources mark")).to_have_text("Le cantal est un fromage à pâte pressée.")
    expect(window.page.locator("#sources mark")).to_be_focused()
    window.page.keyboard.press("Escape")
    expect(nothing.get_by_role("button", name="Le cantal est un fromage")).to_be_focused()


@pytest.mark.parametrize(
    ("question", "selector", "texts"),
    [
        ("Quels sont les métiers ?", ".items strong", ["ingénieur", "éleveuse"]),
        ("Est-ce vieux ?", ".polarity strong", ["Oui"]),
        ("A-t-on du lait ?", ".polarity strong", ["Non"]),
        ("Pourquoi ?", "blockquote strong", ["achevé en 1884"]),
        ("De quoi parle-t-on ?", ".found-articles .link",
         ["Le viaduc de Garabit a cent quarante ans", "Le cantal, un fromage de montagne"]),
        ("Bonjour", ".short", ["Bonjour ! Posez-moi une question sur vos articles."]),
    ],
)  # fmt: skip
def test_each_kind_of_answer_has_its_form(
    window: Window, question: str, selector: str, texts: list[str]
) -> None:
    window.ask(question)
    expect(window.page.locator(f"#talk .answer {selector}")).to_have_text(texts)
    assert window.violations() == []
    assert window.overflow() <= 0


def test_a_suggestion_under_an_answer_is_asked(window: Window) -> None:
    window.ask("Bonjour")
    window.page.locator(".suggestions").get_by_role("button", name="Qui a construit le viaduc").click()
    expect(window.turns.last).to_contain_text("Gustave Eiffel")
    window.finish()
    expect(window.turns).to_have_count(2)


def test_low_confidence_and_details(window: Window) -> None:
    window.ask("Combien de tonnes de cantal ?")
    expect(window.page.locator(".confidence")).to_have_text("À vérifier")
    window.page.get_by_text("Détails").click()
    details = window.page.locator(".details")
    expect(details.get_by_role("row")).to_have_count(4)
    expect(details).to_contain_text("lecture : 42 ms")
    expect(details).to_contain_text("Probabilité que la réponse soit juste : 30 %")


def test_a_follow_up_is_completed_and_corrected(window: Window, server: Server) -> None:
    window.ask("Qui a construit le viaduc de Garabit ?")
    window.ask("Et quand ?")
    understood = window.page.locator(".understood")
    expect(understood).to_contain_text("compris comme : « Et quand du viaduc de Garabit ? »")
    understood.get_by_role("button", name="Corriger").click()
    expect(window.question).to_have_value("Et quand du viaduc de Garabit ?")
    expect(window.question).to_be_focused()
    window.question.fill("Combien de tonnes ?")
    window.question.press("Enter")
    expect(window.turns.last).to_contain_text("12 000 tonnes")
    window.finish()
    expect(window.turns).to_have_count(2)
    window.page.reload()
    window.page.locator(".conversation").click()
    expect(window.turns).to_have_count(2)
    expect(window.turns.last.locator(".question")).to_contain_text("Combien de tonnes ?")


def test_regenerate_edit_and_copy(window: Window, server: Server) -> None:
    window.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    window.ask("Qui a construit le viaduc ?")
    asked = len(server.assistant.asked)
    window.page.get_by_role("button", name="Refaire").click()
    expect(window.page.locator(".turn.done")).to_have_count(1)
    until(lambda: len(server.assistant.asked) == asked + 1)
    window.page.get_by_role("button", name="Modifier la question").click()
    expect(window.question).to_have_value("Qui a construit le viaduc ?")
    expect(window.page.locator("#scope")).to_contain_text("Vous modifiez une question")
    window.page.get_by_role("button", name="Annuler").click()
    expect(window.page.locator("#scope")).not_to_contain_text("Vous modifiez une question")
    expect(window.question).to_have_value("")
    window.page.get_by_role("button", name="Modifier la question").click()
    expect(window.page.locator("#scope")).to_contain_text("Vous modifiez une question")
    window.question.fill("Combien de tonnes ?")
    window.question.press("Enter")
    expect(window.turns.first).to_contain_text("12 000 tonnes")
    expect(window.turns).to_have_count(1)
    window.page.get_by_role("button", name="Copier").click()
    expect(window.page.get_by_role("button", name="Copié")).to_be_visible()
    copied = window.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("12 000 tonnes [1]")
    assert "[2] Le viaduc de Garabit" in copied


def until(condition) -> None:
    """Waits for a condition on the server's side."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_thumb_with_a_comment(window: Window, server: Server) -> None:
    window.ask("Qui a construit le viaduc ?")
    window.page.get_by_role("button", name="Mauvaise réponse").click()
    dialog = window.page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("Il manque <b>Boyer</b>.")
    dialog.get_by_role("button", name="Envoyer").click()
    expect(window.page.locator(".comment")).to_have_text("Votre commentaire : Il manque <b>Boyer</b>.")
    expect(window.page.get_by_role("button", name="Mauvaise réponse")).to_have_attribute(
        "aria-pressed", "true"
    )
    feedback = [given for given in server.history.feedback() if given.comment == "Il manque <b>Boyer</b>."]
    assert [(given.question, given.good) for given in feedback] == [("Qui a construit le viaduc ?", False)]


def test_conversations_are_kept_renamed_found_exported_deleted(window: Window) -> None:
    page = window.page
    window.ask("Qui a construit le viaduc ?")
    page.get_by_role("button", name="Nouvelle conversation").click()
    expect(window.page.locator(".welcome")).to_be_visible()
    window.ask("Combien de tonnes ?")
    conversations = page.locator(".conversation")
    expect(conversations).to_have_count(2)
    page.reload()
    expect(conversations).to_have_count(2)
    conversations.filter(has_text="viaduc").click()
    expect(window.turns).to_contain_text("Gustave Eiffel")
    window.menu("Renommer")
    page.get_by_role("dialog").get_by_role("textbox").fill("Ouvrages <i>d’art</i>")
    page.get_by_role("dialog").get_by_role("button", name="Renommer").click()
    expect(page.locator("#toolbar h2")).to_have_text("Ouvrages <i>d’art</i>")
    page.get_by_label("Chercher dans les conversations").fill("tonnes")
    expect(conversations).to_have_count(1)
    page.get_by_label("Chercher dans les conversations").fill("girafe")
    expect(page.locator("#list")).to_contain_text("Aucune conversation ne contient ces mots.")
    page.get_by_label("Chercher dans les conversations").fill("")
    expect(conversations).to_have_count(2)
    for choice, suffix in (("Markdown", ".md"), ("JSON", ".json")):
        with page.expect_download() as waiting:
            window.menu(f"Exporter en {choice}")
        assert waiting.value.suggested_filename == f"ouvrages-i-d-art-i{suffix}"
        assert "Gustave Eiffel" in Path(waiting.value.path()).read_text("utf-8")
    window.menu("Supprimer")
    page.get_by_role("dialog").get_by_role("button", name="Annuler").click()
    expect(conversations).to_have_count(2)
    window.menu("Supprimer")
    page.get_by_role("dialog").get_by_role("button", name="Supprimer").click()
    expect(conversations).to_have_count(1)
    expect(page.locator(".welcome")).to_be_visible()


def test_two_users_at_once_see_their_own(open_window) -> None:
    anne, paul = open_window(user="anne"), open_window(user="paul")
    anne.question.fill("Lent ?")
    anne.question.press("Enter")
    expect(anne.page.locator(".turn.running .found")).to_contain_text("Le viaduc de Garabit")
    paul.ask("Combien de tonnes ?")
    expect(paul.page.locator(".conversation")).to_have_count(1)
    anne.page.get_by_role("button", name="Arrêter").click()
    expect(anne.page.locator(".turn.stopped")).to_be_visible()
    anne.ask("Qui a construit le viaduc ?")
    for window, own in ((anne, "Qui a construit"), (paul, "Combien de tonnes")):
        window.page.reload()
        expect(window.page.locator(".conversation")).to_have_count(1)
        expect(window.page.locator(".conversation")).to_contain_text(own)


def test_example_questions_can_be_asked(window: Window) -> None:
    expect(window.page.locator(".welcome .summary")).to_contain_text("La bibliothèque contient")
    expect(window.page.locator(".example")).to_have_count(4)
    window.page.get_by_role("button", name="Qui a construit le viaduc de Garabit ?").click()
    expect(window.turns).to_contain_text("Gustave Eiffel")


def test_an_empty_library_offers_the_samples(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "lac.md").write_text("Le lac est profond de 92 mètres.", "utf-8")
    for module in ("drawing", "articles_page"):
        monkeypatch.setattr(f"ui.window.{module}.samples", lambda: tmp_path / "samples")
    with Server(tmp_path / "library", empty=True) as server, browser.new_context(locale="fr-FR") as context:
        window = Window(context.new_page(), server.url)
        expect(window.page.locator(".summary")).to_contain_text("La bibliothèque est vide.")
        window.page.get_by_role("button", name="Ajouter les articles d’exemple").click()
        expect(window.page.locator(".summary")).to_contain_text("La bibliothèque contient 1 article")
        expect(window.page.get_by_role("button", name="Qui a construit le viaduc")).to_be_visible()
        assert window.violations() == []


def test_articles_are_added_read_and_deleted(window: Window, tmp_path: Path) -> None:
    good, bad, wrong = tmp_path / "lac.md", tmp_path / "mauvais.md", tmp_path / "photo.png"
    good.write_text("Le lac est profond de 92 mètres.", "utf-8")
    for path in (bad, wrong):
        path.write_text("", "utf-8")
    page = window.page
    window.place("Articles")
    expect(page.locator("#upload-limits")).to_contain_text("20 fichiers au plus à la fois, de 20 Mo au plus")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Ajouter des articles").click()
    chooser.value.set_files([good, bad])
    results = page.locator(".results li")
    expect(results).to_have_text(["lac.md ajouté : 1 passage.", "mauvais.md refusé : fichier vide."])
    page.get_by_label("Filtrer les articles").fill("lac")
    rows = page.locator(".articles tbody tr")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Lac", exact=True).click()
    expect(page.locator("#reader .text")).to_contain_text("92 mètres")
    page.get_by_role("button", name="Supprimer « Lac »").click()
    page.get_by_role("dialog").get_by_role("button", name="Supprimer").click()
    expect(page.locator("#results")).to_contain_text("Article supprimé.")
    expect(page.locator("#table")).to_contain_text("Aucun article ne contient ces mots.")


def test_too_many_or_too_big_files_are_told_before_they_are_sent(window: Window, tmp_path: Path) -> None:
    big = tmp_path / "gros.md"
    big.write_bytes(b"a" * 20_000_001)
    sent: list[str] = []
    window.page.on("request", lambda request: "upload" in request.url and sent.append(request.url))
    window.place("Articles")
    with window.page.expect_file_chooser() as chooser:
        window.page.get_by_role("button", name="Ajouter des articles").click()
    chooser.value.set_files([big])
    expect(window.page.get_by_role("dialog")).to_contain_text("Trop gros (20 Mo au plus) : gros.md.")
    window.page.get_by_role("dialog").get_by_role("button", name="Fermer").click()
    with window.page.expect_file_chooser() as chooser:
        window.page.get_by_role("button", name="Ajouter des articles").click()
    many = [tmp_path / f"{number}.md" for number in range(21)]
    for path in many:
        path.write_text("a", "utf-8")
    chooser.value.set_files(many)
    expect(window.page.get_by_role("dialog")).to_contain_text("Vous avez choisi 21 fichiers")
    assert sent == []


def test_chosen_articles_are_the_ones_asked_and_stay_with_the_conversation(
    window: Window, server: Server
) -> None:
    page = window.page
    window.place("Articles")
    cheese = page.get_by_role("checkbox", name="Interroger « Le cantal, un fromage de montagne »")
    viaduct = page.get_by_role("checkbox", name="Interroger « Le viaduc de Garabit a cent quarante ans »")
    cheese.check()
    expect(page.locator("#choice")).to_contain_text("portent sur 1 article choisi")
    window.place("Conversation")
    expect(page.locator("#scope")).to_contain_text("La question porte sur 1 article choisi.")
    page.get_by_role("button", name="Tout interroger").first.click()
    expect(page.locator("#scope .scope")).to_have_count(0)
    window.place("Articles")
    expect(page.locator("#choice")).to_contain_text("portent sur toute la bibliothèque")
    expect(cheese).not_to_be_checked()
    viaduct.check()
    expect(page.locator("#choice")).to_contain_text("portent sur 1 article choisi")
    page.get_by_label("Filtrer les articles").fill("fromage")
    expect(page.locator("#table").get_by_role("checkbox")).to_have_count(1)
    expect(cheese).not_to_be_checked()
    page.get_by_label("Filtrer les articles").fill("")
    expect(viaduct).to_be_checked()
    viaduct.uncheck()
    expect(page.locator("#choice")).to_contain_text("portent sur toute la bibliothèque")
    cheese.check()
    expect(page.locator("#choice")).to_contain_text("portent sur 1 article choisi")
    window.place("Conversation")
    window.ask("Combien de tonnes ?")
    assert server.assistant.asked[-1][2] == (ARTICLES[1].id,)
    page.reload()
    expect(page.locator("#scope")).to_be_empty()
    page.locator(".conversation").click()
    expect(page.locator("#scope")).to_contain_text("La question porte sur 1 article choisi.")
    page.get_by_role("button", name="Tout interroger").first.click()
    expect(page.locator("#scope .scope")).to_have_count(0)
    window.ask("Combien de tonnes ?")
    assert server.assistant.asked[-1][2] is None


def test_settings_are_kept(window: Window, server: Server) -> None:
    page = window.page
    window.place("Réglages")
    page.get_by_label("Sombre").check()
    expect(page.locator("body")).to_have_class(re.compile(r"\bdark\b"))
    page.get_by_role("radio", name="Courte").check()
    passages = page.get_by_label("Passages montrés")
    passages.focus()
    passages.press("ArrowRight")
    expect(page.locator("output").first).to_have_text("6")
    page.get_by_label("Réponse présente, à").fill("60")
    expect(page.get_by_label("Réponse courte, juste à")).to_have_value("30")
    page.reload()
    expect(page.locator("body")).to_have_class(re.compile(r"\bdark\b"))
    window.ask("Qui a construit le viaduc ?")
    assert server.assistant.asked[-1][1] == 6
    expect(page.locator(".answer blockquote")).to_have_count(1)
    window.place("Réglages")
    expect(page.get_by_label("Sombre")).to_be_checked()
    expect(page.get_by_label("Réponse présente, à")).to_have_value("60")
    page.get_by_role("button", name="Reprendre les seuils d’origine").click()
    expect(page.get_by_label("Réponse présente, à")).to_have_value("10")


def test_hostile_texts_do_nothing(window: Window) -> None:
    page = window.page
    window.ask(f"Quel est le mot de passe ? {HOSTILE}")
    expect(page.locator(".answer .short strong")).to_have_text("sésame")
    page.locator("#talk .marker").first.click()
    expect(page.locator("#sources mark")).to_have_text("Le mot de passe est sésame.")
    expect(page.locator("#sources .text")).to_contain_text('<img src=x onerror="window.hacked = 1">')
    expect(page.locator("#sources .text")).to_contain_text("rouge Fin de l’article.")
    window.menu("Renommer")
    page.get_by_role("dialog").get_by_role("textbox").fill(HOSTILE)
    page.get_by_role("dialog").get_by_role("button", name="Renommer").click()
    expect(page.locator("#toolbar h2")).to_contain_text("<script>")
    window.ask(HOSTILE)
    page.get_by_text("Détails").last.click()
    window.place("Articles")
    page.get_by_role("button", name="Un titre <script>").first.click()
    expect(page.locator("#reader h3")).to_contain_text("<script>window.hacked = 1</script>")
    assert page.evaluate("window.hacked") is None
    assert (
        page.locator("gradio-app :is(script, img[src=x], iframe, object, [onerror], [onload])").count() == 0
    )
    assert page.locator("a[href^='javascript' i]").count() == 0
    page.reload()
    expect(page.locator(".conversation")).to_contain_text("<script>")
    assert page.evaluate("window.hacked") is None


def test_the_keyboard_alone(window: Window) -> None:
    page = window.page
    expect(window.question).to_be_focused()
    page.keyboard.type("Qui a construit le viaduc ?")
    page.keyboard.press("Enter")
    expect(page.locator(".confidence")).to_be_visible()
    marker = page.locator("#talk .marker").first
    expect(window.question).to_be_focused()
    tab_to(page, marker, backwards=True)
    page.keyboard.press("Enter")
    expect(page.locator("#sources mark")).to_be_focused()
    page.keyboard.press("Escape")
    expect(marker).to_be_focused()
    outline = marker.evaluate("element => getComputedStyle(element).outlineStyle")
    assert outline == "solid"
    menu = page.locator(".menu summary")
    tab_to(page, menu, backwards=True)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Renommer")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(menu).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".menu .choices")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".menu .choices")).to_be_hidden()
    expect(menu).to_be_focused()
    tab = page.get_by_role("tab", name="Conversation")
    tab_to(page, tab, backwards=True)
    page.keyboard.press("Tab")
    expect(page.get_by_role("tab", name="Articles")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Filtrer les articles")).to_be_visible()


def test_escape_stops_an_answer(window: Window, server: Server) -> None:
    server.assistant.stopped.clear()
    window.question.fill("Lent ?")
    window.question.press("Enter")
    expect(window.page.locator(".turn.running .found")).to_contain_text("Le viaduc de Garabit")
    window.page.keyboard.press("Escape")
    assert server.assistant.stopped.wait(PATIENCE_MS / 1000)
    expect(window.page.locator(".turn.stopped")).to_be_visible()


def tab_to(page: Page, target, *, backwards: bool = False) -> None:
    """Presses Tab until the target has the focus, sixty times at most."""
    for _ in range(60):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
    raise AssertionError("the keyboard does not reach it")


@pytest.mark.parametrize(
    ("width", "scheme"), [(1366, "light"), (1366, "dark"), (360, "light"), (360, "dark"), (2560, "light")]
)
def test_no_accessibility_violation_at_any_width(open_window, width: int, scheme: str) -> None:
    window = open_window(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = window.page
    assert window.violations() == []
    window.ask("Combien de tonnes ?")
    window.ask("Xyz ?")
    page.get_by_text("Détails").last.click()
    page.locator("#talk .marker").first.click()
    expect(page.locator("#sources mark")).to_be_focused()
    assert window.violations() == []
    assert window.overflow() <= 0
    page.get_by_role("button", name="Bonne réponse").first.click()
    assert window.violations() == []
    page.keyboard.press("Escape")
    for name in ("Articles", "Réglages"):
        window.place(name)
        expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
        assert window.violations() == []
        assert window.overflow() <= 0
    assert page.evaluate("document.body.classList.contains('dark')") is (scheme == "dark")


def test_an_english_browser_sees_french(open_window) -> None:
    window = open_window(locale="en-US")
    assert window.page.evaluate("document.documentElement.lang").startswith("fr")
    assert window.page.title() == "Sourcier"
    window.ask("Qui ?")
    said = window.page.evaluate(
        """() => [...document.querySelectorAll("[aria-label], [title], [placeholder], button")]
            .map((e) => [e.ariaLabel, e.title, e.placeholder, e.innerText].join(" ")).join(" ")"""
    )
    assert not re.search(
        r"\b(submit|clear|loading|close|upload|search|settings|share|stop)\b", said, re.IGNORECASE
    )


def test_a_narrow_screen_opens_the_conversations_on_demand(open_window) -> None:
    window = open_window(viewport={"width": 360, "height": 740})
    switch = window.page.get_by_role("button", name="Conversations", exact=True)
    expect(window.page.locator("#conversations")).to_be_hidden()
    expect(switch).to_have_attribute("aria-expanded", "false")
    switch.click()
    expect(window.page.locator("#conversations")).to_be_visible()
    expect(switch).to_have_attribute("aria-expanded", "true")


def test_an_original_file_is_a_download_and_an_unknown_one_is_not_found(
    window: Window, server: Server
) -> None:
    response = window.page.request.get(f"{server.url}originals/rien")
    assert response.status == 404
    assert "dans la bibliothèque" in response.json()["error"]


def test_one_logs_in_and_out(browser: Browser, tmp_path: Path) -> None:
    users = Users({"anne": hash_password("pont-viaduc")})
    with Server(tmp_path, users=users) as server, browser.new_context(locale="fr-FR") as context:
        page = context.new_page()
        page.goto(server.url)
        page.get_by_label("Nom").fill("anne")
        page.get_by_label("Mot de passe").fill("faux")
        page.get_by_role("button", name="Se connecter").click()
        expect(page.get_by_role("alert")).to_have_text("Nom ou mot de passe faux.")
        page.get_by_label("Nom").fill("anne")
        page.get_by_label("Mot de passe").fill("pont-viaduc")
        page.get_by_role("button", name="Se connecter").click()
        expect(page.locator(".welcome")).to_be_visible()
        window = Window(page, server.url)
        window.ask("Qui a construit le viaduc ?")
        assert [known.title for known in server.history.conversations("anne")] == [
            "Qui a construit le viaduc ?"
        ]
        window.place("Réglages")
        expect(page.locator(".way-out")).to_contain_text("Connecté : anne")
        page.get_by_role("button", name="Se déconnecter").click()
        expect(page.get_by_role("button", name="Se connecter")).to_be_visible()
        page.goto(server.url)
        expect(page.get_by_role("button", name="Se connecter")).to_be_visible()
