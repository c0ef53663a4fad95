// What the window needs of the browser: clicks sent to Python, dialogs, copying, scrolling to a sentence.
(() => {
  "use strict";

  const STORED_THEME = "sourcier-theme";
  const STORED_PANEL = "sourcier-conversations";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  // Gradio speaks the browser's language; this window is French whatever the browser is.
  Object.defineProperty(navigator, "language", { get: () => "fr-FR", configurable: true });
  Object.defineProperty(navigator, "languages", { get: () => ["fr-FR", "fr"], configurable: true });

  function applyTheme() {
    const theme = localStorage.getItem(STORED_THEME) || "auto";
    document.body?.classList.toggle("dark", theme === "dark" || (theme === "auto" && dark.matches));
  }

  function setTheme(theme) {
    localStorage.setItem(STORED_THEME, theme);
    applyTheme();
  }

  function calm() {
    return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  // ---- Dialogs -------------------------------------------------------------------------------------

  function build(tag, properties, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  // Asks before something that cannot be undone, or for a line of text; without `accept`, only tells.
  // Gives null when given up.
  function ask({ message, accept, value, optional, danger }) {
    return new Promise((resolve) => {
      const wantsText = value !== undefined;
      const field = build("textarea", { rows: 2, value: value ?? "", maxLength: 2000 });
      field.setAttribute("aria-labelledby", "dialog-message");
      const cancel = build("button", { type: "button" }, accept ? "Annuler" : "Fermer");
      const buttons = build("div", { className: "buttons" }, cancel);
      if (accept) {
        buttons.append(build("button", { type: "submit", className: danger ? "danger" : "primary" }, accept));
      }
      const text = build("p", { id: "dialog-message" }, message);
      const form = build("form", { method: "dialog" }, text, ...(wantsText ? [field] : []), buttons);
      const dialog = build("dialog", { className: "sourcier-dialog" }, form);
      dialog.setAttribute("aria-labelledby", "dialog-message");
      const active = document.activeElement;
      const opener = active?.closest("details.menu")?.querySelector("summary") ?? active;
      let result = null;
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        if (wantsText && !optional && !field.value.trim()) return field.focus();
        result = wantsText ? field.value.trim() : "";
        dialog.close();
      });
      field.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && !event.shiftKey) {
          event.preventDefault();
          form.requestSubmit();
        }
      });
      cancel.addEventListener("click", () => dialog.close());
      dialog.addEventListener("close", () => {
        dialog.remove();
        if (opener?.isConnected) opener.focus();
        resolve(result);
      });
      document.body.append(dialog);
      dialog.showModal();
      (wantsText ? field : cancel).focus();
      field.select();
    });
  }

  async function confirmed(button) {
    const { confirm, prompt, promptValue, promptAccept } = button.dataset;
    if (confirm !== undefined) {
      return ask({ message: confirm, accept: button.dataset.confirmAccept || "Supprimer", danger: true });
    }
    if (prompt !== undefined) {
      const optional = button.dataset.promptOptional !== undefined;
      return ask({ message: prompt, accept: promptAccept || "Enregistrer", value: promptValue ?? "", optional });
    }
    return "";
  }

  // ---- Clicks, sent to Python ----------------------------------------------------------------------

  let lastMarker = null;

  function bind(element, props, trigger, watch, events) {
    element.addEventListener("click", async (event) => {
      const button = event.target.closest("button");
      if (!button || !element.contains(button)) return;
      if (button.dataset.copy !== undefined) return copy(button);
      if (button.dataset.toggle !== undefined) return toggle(button);
      if (!events.includes(button.dataset.event)) return;
      if (["source", "passage", "evidence"].includes(button.dataset.event)) lastMarker = button;
      const data = { ...button.dataset };
      const text = await confirmed(button);
      if (text !== null) trigger(button.dataset.event, { ...data, text });
    });
    element.addEventListener("change", (event) => {
      const field = event.target.closest("input[data-event]");
      if (!field || !events.includes(field.dataset.event)) return;
      const box = field.type === "checkbox";
      const value = box ? String(Number(field.checked)) : field.value;
      if (box) {
        // Gradio skips a drawing that equals the last one it knows of: the click must be part of that one.
        field.defaultChecked = field.checked;
        props.value = element.innerHTML;
      }
      if (field.dataset.name === "theme") setTheme(value);
      trigger(field.dataset.event, { ...field.dataset, value });
    });
    element.addEventListener("input", (event) => {
      const output = element.querySelector(`output[for="${CSS.escape(event.target.id)}"]`);
      if (output) output.textContent = event.target.value + output.dataset.unit;
    });
    element.addEventListener("toggle", (event) => keepOpen(event.target), true);
    watch("value", () => shown(element));
    shown(element);
  }

  // A redrawn <details> stays as its reader left it.
  const opened = new Set();
  function keepOpen(details) {
    const key = details.dataset?.keep;
    if (key) details.open ? opened.add(key) : opened.delete(key);
  }

  async function copy(button) {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      const area = build("textarea", { value: button.dataset.copy, className: "visually-hidden" });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    const label = button.textContent;
    if (label === "Copié") return;
    button.textContent = "Copié";
    setTimeout(() => (button.textContent = label), 1500);
  }

  // ---- What was just drawn -------------------------------------------------------------------------

  function shown(element) {
    // Gradio draws a box's attribute only, which a box once clicked no longer follows.
    for (const box of element.querySelectorAll("input[type=checkbox]")) box.checked = box.defaultChecked;
    for (const details of element.querySelectorAll("details[data-keep]")) {
      if (opened.has(details.dataset.keep) !== details.open) details.open = !details.open;
    }
    const talk = element.querySelector(".talk");
    if (talk) followAnswer(element, talk);
    const source = element.querySelector(".source");
    if (source) reveal(source);
    const theme = element.querySelector("[data-theme]")?.dataset.theme;
    if (theme) setTheme(theme);
    if (element.querySelector(".toolbar")) applyPanel();
  }

  // The last turn is brought into view as it grows; from its question on, where it is taller than the view.
  let followed = 0;
  let grew = false;
  function followAnswer(element, talk) {
    const turns = talk.querySelectorAll(".turn");
    const last = turns[turns.length - 1];
    const grows = last?.classList.contains("running");
    if (last && (grows || turns.length !== followed || grew)) {
      const tall = last.offsetHeight > (element.closest("#talk")?.clientHeight ?? window.innerHeight);
      last.scrollIntoView({ block: tall ? "start" : "end" });
    }
    grew = Boolean(grows);
    followed = turns.length;
  }

  function reveal(source) {
    const mark = source.querySelector("mark");
    const text = source.querySelector(".text");
    if (text) {
      const top = mark ? mark.getBoundingClientRect().top - text.getBoundingClientRect().top : 0;
      text.scrollTop = mark ? text.scrollTop + top - text.clientHeight / 3 : 0;
    }
    if (source.dataset.focus === undefined) return;
    source.scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
    (mark || text)?.focus({ preventScroll: true });
  }

  // ---- The panel of conversations ------------------------------------------------------------------

  function narrow() {
    return window.matchMedia("(max-width: 900px)").matches;
  }

  function applyPanel() {
    const stored = localStorage.getItem(STORED_PANEL);
    const open = stored ? stored === "open" : !narrow();
    document.body.classList.toggle("conversations-closed", !open);
    for (const button of document.querySelectorAll("button[data-toggle]")) {
      button.setAttribute("aria-expanded", String(open));
    }
  }

  function toggle() {
    const closed = document.body.classList.contains("conversations-closed");
    localStorage.setItem(STORED_PANEL, closed ? "open" : "closed");
    applyPanel();
  }

  // ---- What Python asks of the browser -------------------------------------------------------------

  function save({ name, type, content }) {
    const link = build("a", {
      href: URL.createObjectURL(new Blob([content], { type })),
      download: name,
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  function focusQuestion() {
    const field = document.querySelector("#question textarea");
    field?.focus();
    field?.setSelectionRange(field.value.length, field.value.length);
  }

  // ---- The menu above the conversation -------------------------------------------------------------

  function closeMenu(except) {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
  }

  document.addEventListener("click", (event) => closeMenu(event.target.closest("summary")?.parentElement));

  // ---- Files too big or too many are told of before they are sent ----------------------------------

  document.addEventListener(
    "change",
    (event) => {
      const input = event.target;
      const limits = document.querySelector("#upload-limits")?.dataset;
      if (input.type !== "file" || !limits) return;
      const files = [...input.files];
      const heavy = files.filter((file) => file.size > Number(limits.maxBytes)).map((file) => file.name);
      const many = files.length > Number(limits.maxFiles);
      if (!many && !heavy.length) return;
      event.stopImmediatePropagation();
      event.preventDefault();
      input.value = "";
      const megabytes = Math.round(Number(limits.maxBytes) / 1e6);
      ask({
        message: many
          ? `Vous avez choisi ${files.length} fichiers ; envoyez-en ${limits.maxFiles} au plus à la fois.`
          : `Trop gros (${megabytes} Mo au plus) : ${heavy.join(", ")}. Aucun fichier n’a été envoyé.`,
      });
    },
    true,
  );

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const menu = document.querySelector("details.menu[open]");
    if (menu) {
      menu.open = false;
      return menu.querySelector("summary").focus();
    }
    const stop = document.querySelector("#stop:not(.hidden)");
    if (stop && stop.offsetParent) return stop.click();
    if (lastMarker?.isConnected && document.activeElement?.closest(".source")) lastMarker.focus();
  });

  dark.addEventListener("change", applyTheme);
  document.addEventListener("DOMContentLoaded", () => {
    applyTheme();
    // Gradio paints the page by the device's preference once it starts; the user's own choice stands.
    new MutationObserver(applyTheme).observe(document.body, { attributeFilter: ["class"] });
  });

  window.sourcier = { bind, save, setTheme, focusQuestion };
})();
