"""The place of the settings, kept for each user."""

from __future__ import annotations

from dataclasses import replace

import gradio as gr

from qa.history import Preferences
from ui.server.auth import LOCAL_USER
from ui.window.chat_events import Outputs
from ui.window.chat_page import ChatPage
from ui.window.drawing import Drawing
from ui.window.session import EACH, Engine, Tab, detail, live_html, number_of, user_of
from ui.window.text import escape

THEMES = {"auto": "Comme l’appareil", "light": "Clair", "dark": "Sombre"}
LENGTHS = {
    "1": "Détaillée\u00a0: la réponse et toutes les phrases citées",
    "0": "Courte\u00a0: la réponse et sa phrase",
}
MAX_PASSAGES = 20


def render_settings(preferences: Preferences, short: float, abstain: float, user: str) -> str:
    """The form; `short` and `abstain` are the thresholds in force, as probabilities."""
    own = preferences.short_threshold is not None
    return (
        f'<div class="settings" data-theme="{escape(preferences.theme)}">'
        f"{_choices('theme', 'Apparence', THEMES, preferences.theme)}"
        f"{_choices('detailed', 'Réponse', LENGTHS, str(int(preferences.detailed)))}"
        "<fieldset><legend>Recherche</legend>"
        f"{_range('top_k', 'Passages montrés dans les détails', preferences.top_k, 1, MAX_PASSAGES)}"
        "</fieldset><fieldset><legend>Prudence</legend>"
        '<p class="hint">Une réponse courte moins sûre que le premier seuil est réduite à sa phrase. Quand il est '
        "moins probable que le second que les articles contiennent une réponse, Sourcier refuse de répondre. "
        "Les seuils d’origine sont réglés sur des questions dont la réponse est connue.</p>"
        f"{_range('short', 'Réponse courte, juste à', round(100 * short), 0, 100, unit=chr(160) + '%')}"
        f"{_range('abstain', 'Réponse présente, à', round(100 * abstain), 0, 100, unit=chr(160) + '%')}"
        f'<button type="button" class="action" data-event="reset"{"" if own else " disabled"}>'
        f"Reprendre les seuils d’origine</button></fieldset>{_way_out(user)}</div>"
    )


def _way_out(user: str) -> str:
    if user == LOCAL_USER:
        return ""
    return (
        '<form class="way-out" method="post" action="logout"><span>Connecté\u00a0: '
        f'{escape(user)}</span><button class="action">Se déconnecter</button></form>'
    )


def _choices(name: str, legend: str, choices: dict[str, str], current: str) -> str:
    options = "".join(
        f'<label><input type="radio" name="{name}" value="{value}" data-event="set" data-name="{name}"'
        f"{' checked' if value == current else ''}> {label}</label>"
        for value, label in choices.items()
    )
    return f"<fieldset><legend>{legend}</legend>{options}</fieldset>"


def _range(name: str, label: str, value: int, low: int, high: int, *, unit: str = "") -> str:
    return (
        f'<label class="range" for="setting-{name}">{label}</label>'
        f'<span class="range"><input type="range" id="setting-{name}" min="{low}" max="{high}" '
        f'value="{value}" data-event="set" data-name="{name}">'
        f'<output for="setting-{name}" data-unit="{unit}">{value}{unit}</output>'
        "</span>"
    )


def changed(preferences: Preferences, name: str, value: str, short: float, abstain: float) -> Preferences:
    """The preferences with one of them changed, or as they were where what the browser sent makes no sense.

    `short` and `abstain` are the thresholds in force: changing one fixes the other.
    """
    if name == "theme" and value in THEMES:
        return replace(preferences, theme=value)
    if name == "detailed" and value in LENGTHS:
        return replace(preferences, detailed=value == "1")
    number = number_of(value)
    if number is None:
        return preferences
    if name == "top_k" and 1 <= number <= MAX_PASSAGES:
        return replace(preferences, top_k=number)
    share = number / 100
    if name == "short" and number <= 100:
        return replace(preferences, short_threshold=share, abstain_threshold=abstain)
    if name == "abstain" and number <= 100:
        return replace(preferences, short_threshold=short, abstain_threshold=share)
    return preferences


class SettingsPage:
    """The components of the page and what their events do."""

    def __init__(self, engine: Engine, drawing: Drawing, chat: ChatPage) -> None:
        self.engine = engine
        self.drawing = drawing
        self.chat = chat

    def build(self) -> None:
        """Lays the page out, then joins its events."""
        with gr.Column(elem_id="settings-column"):
            gr.HTML("<h2>Réglages</h2>", apply_default_css=False)
            self.form = live_html("set", "reset", elem_id="settings")
            self.note = gr.HTML(apply_default_css=False, elem_id="settings-note")
        after = [self.form, self.note, self.chat.talk]
        self.form.set(self.set, [self.chat.tab], after, **EACH)
        self.form.reset(self.reset, [self.chat.tab], after, **EACH)

    def draw(self, user: str) -> str:
        """The form with this user's settings."""
        preferences = self.engine.history.preferences(user)
        return render_settings(preferences, *self._in_force(preferences), user)

    def _in_force(self, preferences: Preferences) -> tuple[float, float]:
        given = self.engine.thresholds
        short, abstain = preferences.short_threshold, preferences.abstain_threshold
        return (given.short if short is None else short), (given.abstain if abstain is None else abstain)

    def set(self, tab: Tab, event: gr.EventData, request: gr.Request) -> Outputs:
        """Keeps one setting as changed."""
        preferences = self.engine.history.preferences(user_of(request))
        new = changed(
            preferences, detail(event, "name"), detail(event, "value"), *self._in_force(preferences)
        )
        return self._saved(tab, new, request)

    def reset(self, tab: Tab, request: gr.Request) -> Outputs:
        """Takes the shipped thresholds again."""
        preferences = self.engine.history.preferences(user_of(request))
        return self._saved(tab, replace(preferences, short_threshold=None, abstain_threshold=None), request)

    def _saved(self, tab: Tab, preferences: Preferences, request: gr.Request) -> Outputs:
        user = user_of(request)
        self.engine.history.save_preferences(user, preferences)
        note = '<p role="status" class="hint">Réglages enregistrés.</p>'
        return self.draw(user), note, self.drawing.talk(tab.session, user)
