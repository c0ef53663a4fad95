"""Reading examples: questions in SQuAD format over evidence as retrieval really gives it, and cloze questions."""

from __future__ import annotations

import json
import lzma
import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from embeddings.text import content_stems
from qa.ingest.sentences import split_sentences


@dataclass(frozen=True, slots=True)
class Question:
    """A question on a paragraph; `answers` are (text, start offset), none where it has no answer."""

    id: str
    text: str
    paragraph: int
    answers: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A reader's input with its target: `start` and `end` in segment `segment`, or segment None."""

    question: str
    segments: tuple[str, ...]
    segment: int | None = None
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Paragraphs, the article each comes from, and the questions on them."""

    paragraphs: list[str]
    articles: list[str]
    questions: list[Question]


def read_squad(paths: Iterable[Path]) -> QuestionSet:
    """Read SQuAD v1.1 or v2.0 files into one set.

    A `.jsonl.xz` file holds a question a line, with its `context` and `answers`; lines whose answer has no
    known place in the context are left out.
    """
    paragraphs: list[str] = []
    articles: list[str] = []
    questions: list[Question] = []
    for path in paths:
        for number, article in enumerate(_articles(path)):
            for paragraph in article["paragraphs"]:
                for qa in paragraph["qas"]:
                    answers = tuple(
                        (a["text"], a["answer_start"]) for a in qa["answers"] if a["text"].strip()
                    )
                    questions.append(Question(str(qa["id"]), qa["question"], len(paragraphs), answers))
                paragraphs.append(paragraph["context"])
                articles.append(f"{path.stem}/{number}")
    return QuestionSet(paragraphs, articles, questions)


def drawn(data: QuestionSet, count: int, seed: int) -> QuestionSet:
    """The set with `count` of its questions, drawn at random, in their order; its paragraphs all stay."""
    places = sorted(random.Random(seed).sample(range(len(data.questions)), count))
    return replace(data, questions=[data.questions[i] for i in places])


def _articles(path: Path) -> list[dict[str, Any]]:
    """The `data` of a SQuAD file, or the lines of a `.jsonl.xz` file, an article a context."""
    if path.suffix != ".xz":
        data: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["data"]
        return data
    asked: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for number, row in enumerate(map(json.loads, lines)):
            answers = [a for a in row["answers"] if a.get("answer_start", -1) >= 0]
            if answers:
                asked[row["context"]].append({**row, "id": f"{path.stem}-{number}", "answers": answers})
    return [{"paragraphs": [{"context": context, "qas": rows}]} for context, rows in asked.items()]


def half(data: QuestionSet, which: str) -> list[Question]:
    """Half "a" (for choosing) or "b" (for the last figure) of the questions, split by article."""
    parity = {"a": 0, "b": 1}[which]
    order = {article: i for i, article in enumerate(dict.fromkeys(data.articles))}
    return [q for q in data.questions if order[data.articles[q.paragraph]] % 2 == parity]


class Distractors:
    """Finds, for a question, the sentences of other paragraphs that share its rarest words."""

    def __init__(self, paragraphs: Sequence[str]) -> None:
        self.paragraphs = paragraphs
        self.sentences = [split_sentences(p) for p in paragraphs]
        counts = Counter(w for p in paragraphs for w in set(content_stems(p)))
        self.weight = {w: math.log(1 + len(paragraphs) / n) for w, n in counts.items()}
        self.postings: dict[str, list[int]] = defaultdict(list)
        for i, paragraph in enumerate(paragraphs):
            for word in set(content_stems(paragraph)):
                if counts[word] < len(paragraphs) / 20:
                    self.postings[word].append(i)

    def overlap(self, question: str, text: str) -> float:
        """Sum of the weights of the question's words that stand in the text."""
        shared = set(content_stems(question)) & set(content_stems(text))
        return math.fsum(self.weight.get(w, 0.0) for w in shared)

    def nearest(self, question: str, count: int, excluded: int) -> list[int]:
        """The `count` paragraphs that share the most weight with the question."""
        scores: Counter[int] = Counter()
        for word in dict.fromkeys(content_stems(question)):
            for i in self.postings.get(word, ()):
                scores[i] += self.weight[word]  # type: ignore[assignment]
        scores.pop(excluded, None)
        return [i for i, _ in scores.most_common(count)]


def whole_paragraph(data: QuestionSet, question: Question) -> Example:
    """The question over its whole paragraph."""
    text = data.paragraphs[question.paragraph]
    if not question.answers:
        return Example(question.text, (text,))
    answer, start = question.answers[0]
    return Example(question.text, (text,), 0, start, start + len(answer))


def as_retrieved(
    data: QuestionSet, distractors: Distractors, question: Question, rng: random.Random
) -> Example:
    """The question over the sentences an evidence ranker would give, from its paragraph and its nearest ones.

    One time in six the sentences that hold the answer are left out, and the example has no answer.
    """
    gold = question.paragraph
    pool = [
        (p, s) for p in (gold, *distractors.nearest(question.text, 6, gold)) for s in distractors.sentences[p]
    ]
    rng.shuffle(pool)
    score = {
        (p, s): distractors.overlap(question.text, data.paragraphs[p][s[0] : s[1]])
        * (1.15 if p == gold else 1.0)
        + rng.random()
        for p, s in pool
    }
    chosen = sorted(pool, key=lambda key: -score[key])[: rng.randint(2, 4)]
    answer, start = question.answers[0] if question.answers else ("", -1)
    holder = next(((p, s) for p, s in pool if p == gold and s[0] <= start < s[1]), None)
    if holder is not None and rng.random() < 1 / 6:
        chosen = [(p, s) for p, s in chosen if answer.lower() not in data.paragraphs[p][s[0] : s[1]].lower()]
        holder = None
    elif holder is not None and holder not in chosen:
        chosen[-1:] = [holder]
    order = list(dict.fromkeys(p for p, _ in chosen))
    segments, target = [], None
    for index, paragraph in enumerate(order):
        spans = sorted(s for p, s in chosen if p == paragraph)
        text = ""
        for a, b in spans:
            text += " " if text else ""
            if holder == (paragraph, (a, b)):
                target = (index, len(text) + start - a)
            text += data.paragraphs[paragraph][a:b]
        segments.append(text)
    if target is None:
        return Example(question.text, tuple(segments))
    index, at = target
    return Example(question.text, tuple(segments), index, at, min(at + len(answer), len(segments[index])))


_NAME = re.compile(
    r"\b(?:\d[\d  .,]*\d|\d+|[A-ZÉÈÀÂÎÔÇ][\w'’-]+(?: (?:de |du |la |des |d')?[A-ZÉÈÀÂÎÔÇ][\w'’-]+)*)"
)


def cloze(path: Path, seed: int) -> Iterator[Example]:
    """Cloze questions from paraphrase pairs: what both sentences name is asked of one, answered by the other.

    After recurring-span selection (Ram et al. 2021, https://arxiv.org/abs/2101.00438) and cloze
    translation (Lewis et al. 2019, https://arxiv.org/abs/1906.04980). Other sentences stand around the
    right one; one time in eight it is left out.
    """
    rng = random.Random(seed)
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        pairs = [(r["sentence1"], r["sentence2"]) for r in map(json.loads, lines)]
    order = list(range(len(pairs)))
    rng.shuffle(order)
    for i in order:
        asked, read = pairs[i] if rng.random() < 0.5 else pairs[i][::-1]
        common = [
            m for m in _NAME.finditer(asked) if m.start() > 0 and len(m[0]) > 1 and read.count(m[0]) == 1
        ]
        if not common or asked == read:
            continue
        match = rng.choice(common)
        answer = match[0].strip(" .,")
        left, right = asked[: match.start()].rsplit(". ")[-1], asked[match.end() :].split(". ")[0]
        others = [pairs[j % len(pairs)][rng.randint(0, 1)] for j in (i - 2, i - 1, i + 1, i + 2)]
        others = [o for o in rng.sample(others, rng.randint(1, 3)) if answer not in o]
        question = _ask(left, right, answer, rng)
        if rng.random() < 1 / 8:
            yield Example(question, tuple(others))
            continue
        position = rng.randint(0, len(others))
        at = read.index(answer)
        yield Example(
            question, (*others[:position], read, *others[position:]), position, at, at + len(answer)
        )


def _ask(left: str, right: str, answer: str, rng: random.Random) -> str:
    """A question in the order of the sentence ("Il est né en quelle année ?"), or with its word in front."""
    if re.fullmatch(r"1\d{3}|20\d\d", answer):
        words = ["quelle année"]
    elif answer[0].isdigit():
        words = ["combien", "quel nombre"]
    elif re.search(r"(à|en|au|dans|vers) $", left):
        words = ["quel lieu", "quel endroit", "quelle ville", "quel pays"]
    else:
        words = ["qui", "quoi", "quel nom", "quelle personne"]
    word = rng.choice(words)
    rest = f"{left}{word}{right}" if rng.random() < 0.6 else f"{word.capitalize()} {left}{right}"
    return re.sub(r"\s+", " ", rest).strip(" .,;:") + " ?"
