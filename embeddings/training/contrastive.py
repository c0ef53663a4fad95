"""Teach an encoder which paragraph answers a question, among paragraphs that are like it.

    python -m embeddings.training.contrastive --encoder DIR --questions squad.json ... --dev squad.json --output DIR

A batch is some dozens of paragraphs with all their questions. Paragraphs that the encoder holds to be
alike are put together, so that each is a hard negative for the others' questions, at no further cost.
The loss is the cross-entropy of the right paragraph (InfoNCE, https://arxiv.org/abs/1807.03748) at the
temperature E5 was trained with (https://arxiv.org/abs/2212.03533). A killed run goes on from its last
checkpoint when the same command is given again.
"""

from __future__ import annotations

import argparse
import random
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from torch.nn.functional import cross_entropy
from transformers import BertModel

from embeddings.squad import read_squad
from embeddings.training.loop import fit, place

TEMPERATURE = 0.01
NEIGHBOURS = 8
MAX_TOKENS = 256
TOGETHER = 32


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph and the questions it answers."""

    text: str
    questions: tuple[str, ...]


def read_paragraphs(paths: Iterable[Path], *, every: int = 1) -> list[Paragraph]:
    """The paragraphs of every first, second… article of SQuAD files, each text once, with the questions that
    have an answer in it."""
    asked: dict[str, list[str]] = {}
    for paragraph in (p for path in paths for p in read_squad(path) if p.article % every == 0):
        questions = asked.setdefault(paragraph.context, [])
        questions += [question.text for question in paragraph.questions if question.answers]
    return [Paragraph(text, tuple(questions)) for text, questions in asked.items()]


def clusters(vectors: np.ndarray, rng: random.Random) -> list[list[int]]:
    """Rows of like unit vectors (n, dimension), eight together: each first takes its nearest of those left."""
    left = list(range(len(vectors)))
    rng.shuffle(left)
    made = []
    while left:
        rest = np.array(left)
        nearest = rest[np.argsort(-(vectors[rest] @ vectors[left[0]]), kind="stable")[:NEIGHBOURS]]
        made.append(nearest.tolist())
        taken = set(made[-1])
        left = [i for i in left if i not in taken]
    return made


def batches(vectors: np.ndarray, size: int, epochs: int, rng: random.Random) -> list[list[int]]:
    """The paragraphs of each step: every epoch, clusters of neighbours in random order, `size` paragraphs a step."""
    made = []
    for _ in range(epochs):
        groups = clusters(vectors, rng)
        rng.shuffle(groups)
        order = [i for group in groups for i in group]
        made += [order[at : at + size] for at in range(0, len(order) - size // 2, size)]
    return made


class Trainer:
    """A sentence-transformers model over BERT, its texts encoded with a gradient."""

    def __init__(self, directory: Path) -> None:
        self.pipeline = SentenceTransformer(
            str(directory), device="cpu", model_kwargs={"add_pooling_layer": False, "dtype": torch.float32}
        )
        self.bert = cast(BertModel, self.pipeline[0].auto_model)
        self.tokenizer = self.pipeline.tokenizer
        place(self.pipeline, self.bert)

    def embed(self, texts: Sequence[str], prompt: str) -> torch.Tensor:
        """Unit vectors (n, dimension): the mean of the last hidden states, computed in bfloat16.

        Texts of like lengths go through together, so that little is padded.
        """
        prefix = self.pipeline.prompts[prompt] or ""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        parts = [
            self._embed([prefix + texts[i] for i in order[at : at + TOGETHER]])
            for at in range(0, len(order), TOGETHER)
        ]
        return torch.cat(parts)[torch.tensor(np.argsort(order))]

    def _embed(self, texts: list[str]) -> torch.Tensor:
        encoded = self.tokenizer(
            texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        ).to(self.bert.device)
        mask = encoded["attention_mask"]
        with torch.autocast(self.bert.device.type, torch.bfloat16):
            hidden = self.bert(encoded["input_ids"], mask).last_hidden_state
        return torch.nn.functional.normalize((hidden.float() * mask[:, :, None]).sum(1), dim=1)

    @torch.inference_mode()
    def encode(self, texts: Sequence[str], prompt: str) -> np.ndarray:
        """The same without a gradient, as an array."""
        vectors: np.ndarray = self.embed(texts, prompt).cpu().numpy()
        return vectors

    def loss(self, paragraphs: Sequence[Paragraph]) -> torch.Tensor:
        """Mean cross-entropy of each question's own paragraph among all of them."""
        questions = [q for p in paragraphs for q in p.questions]
        own = torch.tensor([i for i, p in enumerate(paragraphs) for _ in p.questions])
        scores = (
            self.embed(questions, "query")
            @ self.embed([p.text for p in paragraphs], "document").T
            / TEMPERATURE
        )
        return cross_entropy(scores, own.to(scores.device))

    def retrieval(self, paragraphs: Sequence[Paragraph]) -> dict[str, float]:
        """R@1, R@5 and MRR@10 of the paragraphs' questions among all of them."""
        right = np.array([i for i, p in enumerate(paragraphs) for _ in p.questions])
        scores = (
            self.encode([q for p in paragraphs for q in p.questions], "query")
            @ self.encode([p.text for p in paragraphs], "document").T
        )
        rank = (scores > scores[np.arange(len(right)), right][:, None]).sum(1)
        mrr = np.where(rank < 10, 1 / (rank + 1), 0)
        return {
            name: round(float(value), 4)
            for name, value in (
                ("recall@1", (rank < 1).mean()),
                ("recall@5", (rank < 5).mean()),
                ("mrr@10", mrr.mean()),
            )
        }

    def save(self, start: Path, output: Path) -> None:
        """The start's folder with the new weights, in float16."""
        shutil.copytree(
            start, output, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.safetensors*", "*.md")
        )
        self.bert.half().save_pretrained(output, max_shard_size="45MB")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--encoder", type=Path, required=True, help="folder of a sentence-transformers model")
    parser.add_argument("--questions", type=Path, nargs="+", required=True, help="SQuAD format")
    parser.add_argument(
        "--dev", type=Path, required=True, help="SQuAD format; half of its articles are measured"
    )
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch", type=int, default=64, help="paragraphs a step")
    parser.add_argument("--rate", type=float, default=3e-5)
    parser.add_argument("--evaluate-every", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    paragraphs = [p for p in read_paragraphs(options.questions) if p.questions]
    dev = read_paragraphs([options.dev], every=2)
    trainer = Trainer(options.encoder)
    print("start", trainer.retrieval(dev), flush=True)
    lengths = [
        sum(
            map(
                len,
                trainer.tokenizer([p.text, *p.questions], truncation=True, max_length=MAX_TOKENS).input_ids,
            )
        )
        for p in paragraphs
    ]
    vectors = trainer.encode([p.text for p in paragraphs], "document")
    plan = batches(vectors, options.batch, options.epochs, random.Random(options.seed))
    fit(
        trainer.pipeline,
        [(trainer.pipeline.parameters(), options.rate)],
        plan,
        lambda rows: trainer.loss([paragraphs[i] for i in rows]),
        lambda: trainer.retrieval(dev),
        tokens_of=lambda rows: sum(lengths[i] for i in rows),
        output=options.output,
        evaluate_every=options.evaluate_every,
    )
    trainer.save(options.encoder, options.output / "model")


if __name__ == "__main__":
    main()
