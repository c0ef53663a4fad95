"""The place of the articles: see them, filter, choose which ones to ask, add, read and delete."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import gradio as gr

from embeddings.errors import EmbeddingsError
from qa.cli.output import samples
from qa.errors import ArticleError, SourcierError
from qa.ingest.articles import SUFFIXES
from qa.library.library import ArticleInfo, IndexReport
from qa.wording import french_date, source_name
from ui.window.chat_events import Outputs
from ui.window.chat_page import ChatPage
from ui.window.drawing import Drawing
from ui.window.session import EACH, HIDDEN, Engine, Tab, detail, live_html, user_of
from ui.window.sources import GONE, render_source
from ui.window.text import count, escape, local_day, short_date
from ui.window.uploads import MAX_FILE_BYTES, MAX_FILES, keep_upload, limits_in_words, remove_article
from ui.window.welcome import render_waiting

SHOWN_ROWS = 200
BIN = (
    '<svg viewBox="0 0 24 24" aria-hidden="true">'
    '<path d="M4 7h16M10 11v6M14 11v6M6 7l1 13h10l1-13M9 7V4h6v3"/></svg>'
)
NOTHING_OPEN = (
    '<section class="source empty" aria-label="Article"><h2>Lecture</h2>'
    "<p>Ouvrez un article pour le lire ici.</p></section>"
)


def matches(info: ArticleInfo, words: Collection[str]) -> bool:
    """Whether every word of the filter is in the article's title, source, author or date."""
    text = " ".join([info.title, info.source, info.author or "", french_date(info.date)]).lower()
    return all(word in text for word in words)


def render_table(infos: Sequence[ArticleInfo], chosen: Collection[str], query: str) -> str:
    """The articles that pass the filter, as a table whose boxes choose those to ask."""
    words = query.lower().split()
    found = [info for info in infos if matches(info, words)]
    if not found:
        word = "Aucun article ne contient ces mots." if infos else "La bibliothèque est vide."
        return f'<p class="hint">{word}</p>'
    rows = "".join(_row(info, info.id in chosen) for info in found[:SHOWN_ROWS])
    more = len(found) - SHOWN_ROWS
    rest = (
        f'<p class="hint">Et {count(more, "autre article", "autres articles")}\u00a0: précisez le filtre.</p>'
    )
    return (
        '<div class="scroll" role="group" tabindex="0" aria-label="Articles de la bibliothèque">'
        '<table class="articles"><caption class="visually-hidden">Articles de la bibliothèque</caption>'
        '<thead><tr><th scope="col">Interroger</th><th scope="col">Titre</th><th scope="col">Date</th>'
        '<th scope="col">Source</th><th scope="col">Passages</th><th scope="col">Ajouté</th>'
        '<th scope="col"><span class="visually-hidden">Supprimer</span></th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{rest if more > 0 else ''}"
    )


def _row(info: ArticleInfo, chosen: bool) -> str:
    identity, title = escape(info.id), escape(info.title or "Sans titre")
    source = source_name(info.source)
    last = source.rstrip("/").rsplit("/", 1)[-1]
    return (
        f'<tr><td><input type="checkbox" data-event="choose" data-article="{identity}" '
        f'aria-label="Interroger «\u00a0{title}\u00a0»"{" checked" if chosen else ""}></td>'
        f'<th scope="row"><button type="button" class="link" data-event="read" data-article="{identity}">'
        f"{title}</button></th><td>{escape(short_date(info.date))}</td>"
        f'<td class="origin" title="{escape(source)}">{escape(last)}</td>'
        f'<td class="number">{info.passages}</td>'
        f"<td>{escape(short_date(local_day(info.added)))}</td>"
        f'<td><button type="button" class="action" data-event="remove" data-article="{identity}" '
        f'aria-label="Supprimer «\u00a0{title}\u00a0»" title="Supprimer" '
        f'data-confirm="Supprimer «\u00a0{title}\u00a0» de la bibliothèque\u00a0? '
        f'Le fichier d’origine n’est pas touché\u00a0; la copie envoyée ici, s’il y en a une, est effacée.">'
        f"{BIN}</button></td></tr>"
    )


def render_choice(total: int, chosen: int) -> str:
    """How many articles the next question is asked of."""
    if not chosen:
        held = count(total, "article")
        return f'<p class="hint">Les questions portent sur toute la bibliothèque\u00a0: {held}.</p>'
    words = count(chosen, "article choisi", "articles choisis")
    return (
        f'<p class="scope"><span>Les questions de cette conversation portent sur {words}.</span>'
        '<button type="button" class="link" data-event="everything">Tout interroger</button></p>'
    )


def render_results(results: Sequence[tuple[str, bool, str]], waiting: int) -> str:
    """What became of each file sent: its name, whether it was taken, a French line."""
    items = "".join(
        f'<li class="{"taken" if taken else "refused"}"><span>{escape(name)}</span> {escape(line)}</li>'
        for name, taken, line in results
    )
    left = f"<p>Lecture en cours\u00a0: {count(waiting, 'fichier')} à lire…</p>" if waiting else ""
    return f'<div role="status" class="results"><ul>{items}</ul>{left}</div>' if items or left else ""


class ArticlesPage:
    """The components of the page and what their events do."""

    def __init__(self, engine: Engine, drawing: Drawing, chat: ChatPage) -> None:
        self.engine = engine
        self.drawing = drawing
        self.chat = chat

    def build(self) -> None:
        """Lays the page out, then joins its events."""
        with gr.Row(elem_id="library", equal_height=False):
            with gr.Column(elem_id="shelves", min_width=0):
                with gr.Row(elem_id="adding", equal_height=True):
                    self.query = gr.Textbox(
                        value="",
                        label="Filtrer les articles",
                        elem_id="filter",
                        placeholder="Filtrer…",
                        max_lines=1,
                        scale=1,
                    )
                    self.upload = gr.UploadButton(
                        "Ajouter des articles",
                        elem_id="upload",
                        file_count="multiple",
                        file_types=sorted(SUFFIXES),
                        variant="primary",
                        scale=0,
                    )
                limits = f'data-max-files="{MAX_FILES}" data-max-bytes="{MAX_FILE_BYTES}"'
                gr.HTML(
                    f'<p class="hint" id="upload-limits" {limits}>{escape(limits_in_words())}</p>',
                    apply_default_css=False,
                )
                self.results = live_html(elem_id="results")
                self.choice = live_html("everything", elem_id="choice")
                self.table = live_html("choose", "read", "remove", elem_id="table")
            with gr.Column(elem_id="reading", min_width=0):
                self.reader = live_html(value=NOTHING_OPEN, elem_id="reader")
        self._join()

    def _join(self) -> None:
        tab, scope, talk = self.chat.tab, self.chat.scope, self.chat.talk
        self.query.change(
            self.show, [tab, self.query], [self.choice, self.table], trigger_mode="always_last", **HIDDEN
        )
        self.table.choose(self.choose, [tab], [scope, self.choice], **EACH)
        self.choice.everything(
            self.ask_everything, [tab, self.query], [scope, self.choice, self.table], **EACH
        )
        self.table.read(self.read, None, [self.reader], **EACH)
        after = [scope, talk, self.choice, self.table]
        changes = (
            self.table.remove(self.remove, [tab, self.query], [*after, self.reader, self.results], **EACH),
            talk.samples(self.add_samples, [tab, self.query], [*after, self.results], **HIDDEN),
            self.upload.upload(self.add, [tab, self.query, self.upload], [*after, self.results], **HIDDEN),
        )
        for changed in changes:
            changed.then(self.chat.suggest, [tab], [talk], **HIDDEN)

    def show(self, tab: Tab, query: str) -> tuple[str, str]:
        """The choice line and the table, for what is chosen and filtered."""
        infos, chosen = self.engine.assistant.library.articles(), tab.session.article_ids or ()
        return render_choice(len(infos), len(chosen)), render_table(infos, chosen, query)

    def choose(self, tab: Tab, event: gr.EventData, request: gr.Request) -> Outputs:
        """Adds an article to those asked, or takes it away; none chosen means all."""
        infos = self.engine.assistant.library.articles()
        chosen = set(tab.session.article_ids or ())
        (chosen.add if detail(event, "value") == "1" else chosen.discard)(detail(event, "article"))
        self.chat.choose(tab, tuple(info.id for info in infos if info.id in chosen) or None, request)
        return self.drawing.scope(tab.session), render_choice(len(infos), len(tab.session.article_ids or ()))

    def ask_everything(self, tab: Tab, query: str, request: gr.Request) -> Outputs:
        """Asks all articles again."""
        return self.chat.ask_everything(tab, request), *self.show(tab, query)

    def read(self, event: gr.EventData) -> str:
        """Opens an article to read."""
        try:
            article = self.engine.assistant.library.article(detail(event, "article"))
        except SourcierError:
            return GONE
        return render_source(article, None, heading="Lecture", focus=True)

    def remove(self, tab: Tab, query: str, event: gr.EventData, request: gr.Request) -> Outputs:
        """Deletes an article from the library."""
        article_id = detail(event, "article")
        try:
            removed = remove_article(self.engine.assistant.library, article_id)
            line = "Article supprimé." if removed else "Cet article n’était plus dans la bibliothèque."
        except SourcierError as error:
            line = str(error)
        left = tuple(known for known in tab.session.article_ids or () if known != article_id) or None
        if left != tab.session.article_ids:
            self.chat.choose(tab, left, request)
        note = f'<p role="status" class="notice">{escape(line)}</p>'
        return *self._after(tab, query, request), NOTHING_OPEN, note

    def _after(self, tab: Tab, query: str, request: gr.Request) -> Outputs:
        talk = gr.skip() if tab.session.turns else self.drawing.talk(tab.session, user_of(request))
        return self.drawing.scope(tab.session), talk, *self.show(tab, query)

    def add(self, tab: Tab, query: str, files: list[str] | None, request: gr.Request) -> Iterator[Outputs]:
        """Adds the files sent, one after the other, with a word on each."""
        paths = [Path(file) for file in files or ()]
        results = [
            (path.name, False, f"refusé\u00a0: {MAX_FILES} fichiers au plus.") for path in paths[MAX_FILES:]
        ]
        kept: list[Path] = []
        for number, path in enumerate(paths[:MAX_FILES]):
            waiting = len(paths[:MAX_FILES]) - number
            yield (*(gr.skip() for _ in range(4)), render_results(results, waiting))
            results.append((path.name, *self._add_one(path, kept)))
        yield *self._after(tab, query, request), render_results(results, 0)

    def add_samples(self, tab: Tab, query: str, request: gr.Request) -> Iterator[Outputs]:
        """Adds the sample articles to an empty library."""
        folder = samples()
        if folder is None:
            return
        yield gr.skip(), render_waiting("Lecture des articles d’exemple…"), *(gr.skip() for _ in range(3))
        try:
            report = self.engine.assistant.library.add([folder])
            line = f"{count(len(report.added), 'article')} d’exemple dans la bibliothèque."
        except (SourcierError, EmbeddingsError) as error:
            line = str(error)
        note = f'<p role="status" class="notice">{escape(line)}</p>'
        yield *self._after(tab, query, request), note

    def _add_one(self, sent: Path, kept: list[Path]) -> tuple[bool, str]:
        """Adds a file, and its place to those kept from the same batch."""
        library = self.engine.assistant.library
        try:
            kept.append(keep_upload(library.path, sent.name, sent, beside=kept))
            report = library.add(kept[-1:])
        except ArticleError as error:
            return False, f"refusé\u00a0: {error}."
        except (SourcierError, EmbeddingsError) as error:
            return False, str(error)
        finally:
            sent.unlink(missing_ok=True)
        return outcome(report)


def outcome(report: IndexReport) -> tuple[bool, str]:
    """Whether a file was taken, and a French line that says how."""
    if report.added:
        return True, f"ajouté\u00a0: {count(report.passages, 'passage')}."
    if report.updated:
        return True, f"mis à jour\u00a0: {count(report.passages, 'passage')}."
    if report.unchanged:
        return True, "déjà dans la bibliothèque, inchangé."
    reasons = "\u00a0; ".join(skipped.reason for skipped in report.skipped)
    return False, f"refusé\u00a0: {reasons or 'aucun texte lisible'}."
