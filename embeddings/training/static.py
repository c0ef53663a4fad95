"""Train `french-static`: one vector a token, for collections too large for a transformer on a CPU.

    python -m embeddings.training.static --encoder START \
        --questions squad.json ... --pairs pairs.jsonl.xz --corpus corpus.jsonl.xz --output DIR

Each token starts as the vector the encoder gives it alone, brought to fewer dimensions by principal
components and weighed by its rarity (after Model2Vec, https://github.com/MinishLab/model2vec). Then the
vectors are trained contrastively, with the other texts of the batch as negatives, on questions and their
paragraphs, paraphrases, and sentences with the rest of their paragraph (inverse cloze). The loss is
summed over prefixes of the vector (Matryoshka, Kusupati et al. 2022, https://arxiv.org/abs/2205.13147).
"""

from __future__ import annotations

import argparse
import json
import lzma
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
from torch.nn.functional import embedding_bag, normalize

from embeddings.encoders.encoder import BertEncoder, StaticEncoder, local_encoder
from embeddings.squad import read_squad

DIMENSION = 256
PREFIXES = (256, 128, 64)
SCALE = 20.0
SMOOTHING = 1e-4


def question_pairs(paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Each question that has an answer, with its paragraph."""
    for paragraph in (p for path in paths for p in read_squad(path)):
        yield from (
            (question.text, paragraph.context) for question in paragraph.questions if question.answers
        )


def paraphrases(path: Path) -> Iterator[tuple[str, str]]:
    """The pairs of a `.jsonl.xz` file of paraphrases."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        yield from ((r["sentence1"], r["sentence2"]) for r in map(json.loads, lines))


def inverse_cloze(path: Path, rng: random.Random) -> Iterator[tuple[str, str]]:
    """A sentence and the rest of its paragraph; one paragraph of each document of the corpus."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            paragraphs = [p for p in json.loads(line)["text"][:20000].split("\n\n") if 200 < len(p) < 2000]
            if not paragraphs:
                continue
            sentences = re.split(r"(?<=[.!?]) +", rng.choice(paragraphs))
            if len(sentences) > 2:
                chosen = rng.randrange(len(sentences))
                yield sentences[chosen], " ".join(sentences[:chosen] + sentences[chosen + 1 :])


def start(encoder: BertEncoder | StaticEncoder, texts: Iterable[str]) -> np.ndarray:
    """First vectors (tokens, DIMENSION): the encoder's, in principal components, weighed by rarity."""
    tokenizer = encoder.tokenizer
    pieces = [
        (tokenizer.id_to_token(i) or "").replace("▁", " ").strip() or " "
        for i in range(tokenizer.get_vocab_size())
    ]
    vectors = encoder.encode_passages(pieces)
    vectors = vectors - vectors.mean(0)
    _, _, components = np.linalg.svd(vectors, full_matrices=False)
    counts: Counter[int] = Counter()
    for encoding in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False):
        counts.update(encoding.ids)
    total = counts.total()
    rarity = np.array([SMOOTHING / (SMOOTHING + counts[i] / total) for i in range(len(pieces))])
    return (vectors @ components[:DIMENSION].T * rarity[:, None]).astype(np.float32)


def contrast(weight: torch.Tensor, left: list[list[int]], right: list[list[int]]) -> torch.Tensor:
    """Symmetric cross-entropy of each left text against all right ones, over each prefix."""
    bags = [
        embedding_bag(torch.tensor([i for row in side for i in row]), weight,
                      torch.tensor(np.cumsum([0, *(len(row) for row in side[:-1])])), mode="mean")
        for side in (left, right)
    ]  # fmt: skip
    target = torch.arange(len(left))
    loss = weight.new_zeros(())
    for size in PREFIXES:
        scores = SCALE * normalize(bags[0][:, :size]) @ normalize(bags[1][:, :size]).T
        loss = loss + torch.nn.functional.cross_entropy(scores, target)
        loss = loss + torch.nn.functional.cross_entropy(scores.T, target)
    return loss / (2 * len(PREFIXES))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--encoder",
        type=Path,
        required=True,
        help="folder of the encoder whose tokenizer and vectors are the start",
    )
    parser.add_argument("--questions", type=Path, nargs="+", required=True, help="SQuAD format")
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    rng = random.Random(options.seed)
    questions = list(question_pairs(options.questions))
    others = [*paraphrases(options.pairs), *inverse_cloze(options.corpus, rng)]
    encoder = local_encoder(options.encoder)
    tokenizer = encoder.tokenizer
    weight = torch.nn.Parameter(torch.from_numpy(start(encoder, [b for _, b in others])))
    pairs = [p for p in questions + questions + others if all(p)]
    encoded = [
        [e.ids for e in tokenizer.encode_batch_fast([p[side] for p in pairs], add_special_tokens=False)]
        for side in (0, 1)
    ]
    weight.data *= 1 / weight.data.norm(dim=1).mean()
    optimizer = torch.optim.Adam([weight], lr=options.rate)
    steps = options.epochs * (len(pairs) // options.batch)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min((s + 1) / 50, (steps - s) / steps))
    for epoch in range(options.epochs):
        order = rng.sample(range(len(pairs)), len(pairs))
        losses = []
        for at in range(0, len(order) - options.batch + 1, options.batch):
            rows = [i for i in order[at : at + options.batch] if encoded[0][i] and encoded[1][i]]
            loss = contrast(weight, [encoded[0][i] for i in rows], [encoded[1][i] for i in rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}", flush=True)
    static = StaticEmbedding(tokenizer, embedding_weights=weight.detach().half().numpy())
    static.embedding.half()
    SentenceTransformer(modules=[static, Normalize()]).save(str(options.output), create_model_card=False)


if __name__ == "__main__":
    main()
