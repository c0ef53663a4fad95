"""From the click to the answer in a real Chromium: `python tests/clicks.py http://127.0.0.1:7860 QUESTIONS.jsonl`.

Asks up to a hundred of the questions, each in a conversation of its own; prints the median and p95 of the
milliseconds from the click until the titles of the passages found stand in the page, and until the answer does.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
CLICK = """([label, patience]) => new Promise((resolve, reject) => {
    const began = performance.now();
    const seen = {};
    const look = () => {
        const turn = document.querySelector("#talk .turn:last-of-type");
        if (!turn) return;
        const running = turn.classList.contains("running");
        if (!("found" in seen) && (!running || turn.querySelector(".found"))) seen.found = performance.now() - began;
        if (running) return;
        observer.disconnect();
        resolve([seen.found, performance.now() - began]);
    };
    const observer = new MutationObserver(look);
    observer.observe(document.getElementById("talk"),
                     {subtree: true, childList: true, characterData: true, attributes: true});
    setTimeout(() => reject(new Error("no answer")), patience);
    [...document.querySelectorAll("button")].find(button => button.textContent.trim() === label).click();
})"""


def ask(page: Page, question: str) -> tuple[float, float]:
    """Milliseconds to the titles found, and to the answer."""
    page.get_by_role("button", name="Nouvelle conversation").click()
    expect(page.locator("#talk .turn")).to_have_count(0)
    page.get_by_label("Votre question").fill(question)
    found, answered = page.evaluate(CLICK, ["Demander", 30_000])
    return found, answered


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("questions", type=Path)
    given = parser.parse_args()
    lines = given.questions.read_text("utf-8").splitlines()[:100]
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]).new_page()
        page.goto(given.url)
        times = np.array([ask(page, json.loads(line)["question"]) for line in lines])
    for name, column in zip(("titles found", "answer"), times.T, strict=True):
        p50, p95 = np.percentile(column, [50, 95])
        print(f"{name}: p50 {p50:.0f} ms, p95 {p95:.0f} ms over {len(column)} questions")
