"""Train the pointer reader of several kinds on passages: see `PARTS` for what it learns from, and in which order.

    python -m qa.training.reader --start DIR --data SHARED_DATA --questions qa/training/questions --output DIR

Runs on the CPU (bfloat16 where the processor computes it, else float32) or on a GPU; a killed run goes on from its
last checkpoint when the same command is given again. `log.jsonl` in the output holds loss and dev figures.
"""

from __future__ import annotations

import argparse
import random
import shutil
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoTokenizer

from embeddings.training.loop import fit, place
from qa.reading.encoding import Encoded, PassageEncoder
from qa.reading.kinds import KINDS
from qa.reading.pointer import TAGS, Decoded, PointerReader
from qa.scoring import exact_match, f1
from qa.training.documents import Corpus, joined, read_extractive, read_natural
from qa.training.windows import Example, Examples, drawn

DEV_EVERY = 12
DEV_SHARE = 6
WRITTEN = "written"  # the folder of `--questions`
BATCH_TOKENS = 4096
LENGTHS = (96, 128, 160, 192, 224, 256, 320, 448)
RATE = 1e-4
HEAD_RATE = 6e-4
WEIGHTS = {"kind": 1.0, "span": 1.0, "support": 1.0, "items": 1.0}


@dataclass(frozen=True, slots=True)
class Part:
    """A file of questions, how often it is read, and how many near misses go with each of its questions."""

    file: str
    share: float
    misses: float


FOREIGN = (
    Part("foreign/boolq_yesno_en.jsonl.xz", 0.4, 0.0),
    Part("foreign/multispanqa_valid_en.jsonl.xz", 1.0, 0.0),
)
FRENCH = (
    Part("natural", 0.8, 0.4),
    Part(WRITTEN, 1.0, 0.4),
    Part("qa/press_train.json", 1.0, 0.4),
    Part("qa/piaf_train.json", 0.3, 0.2),
    Part("qa/written_train.json", 0.2, 0.2),
    Part("qa/omosqa_fr.jsonl.xz", 0.6, 0.2),
)


@dataclass(frozen=True, slots=True)
class Target:
    """An encoded example with its targets: -100, or nothing, where one is not known."""

    pair: Encoded
    members: np.ndarray
    kind: int
    start: int
    end: int
    tags: np.ndarray | None
    support: np.ndarray | None


def tokens_of(pair: Encoded, span: tuple[int, int]) -> tuple[int, int] | None:
    """First and last token of a span of the passage; None where it was cut off."""
    start, end = pair.offsets[:, 0], pair.offsets[:, 1]
    inside = np.flatnonzero((end > span[0]) & (start < span[1]) & (end > start))
    return (pair.first + int(inside[0]), pair.first + int(inside[-1])) if len(inside) else None


def target(pair: Encoded, example: Example) -> Target | None:
    """The example's targets; None where its answer was cut off."""
    members = pair.members(example.input.sentences)
    located = [tokens_of(pair, span) for span in example.spans]
    if any(at is None for at in located):
        return None
    places = [at for at in located if at is not None]
    start = end = -100
    if example.kind == "none":
        start = end = 0
    elif example.kind != "list" and places:
        start, end = places[0]
    tags = None
    if example.kind == "list":
        tags = np.zeros(len(pair.ids), np.int64)
        for a, b in places:
            tags[a : b + 1] = TAGS.index("inside")
            tags[a] = TAGS.index("begin")
    support = None
    if example.support is not None:
        support = np.array([float(n in example.support) for n in range(len(members))], np.float32)
    kind = KINDS.index(example.kind) if example.kind else -100
    return Target(pair, members, kind, start, end, tags, support)


def encode(encoder: PassageEncoder, examples: Sequence[Example]) -> list[Target]:
    """Encode the examples; those whose answer does not fit are left out."""
    pairs = encoder.encode([e.input for e in examples])
    made = (target(pair, e) for pair, e in zip(pairs, examples, strict=True))
    return [t for t in made if t is not None]


def batches(targets: list[Target], tokens: int, rng: random.Random) -> Iterator[list[Target]]:
    """Batches of `tokens` tokens, padding included, of few shapes (`LENGTHS`), in random order.

    A compiled step is twice as fast for shapes it knows; what does not fill a batch of its length is left out.
    """
    made: list[list[Target]] = []
    shortest = 0
    for length in LENGTHS:
        group = [t for t in targets if shortest < len(t.pair.ids) <= length]
        rng.shuffle(group)
        size = tokens // length
        made += [group[at : at + size] for at in range(0, len(group) - size + 1, size)]
        shortest = length
    rng.shuffle(made)
    yield from made


def read(path: Path) -> Corpus:
    """A folder of natural questions, or a file of extractive ones."""
    return read_natural(path) if path.is_dir() else read_extractive(path)


def held_out(corpus: Corpus) -> tuple[Corpus, Corpus]:
    """The corpus without the questions on every twelfth document, and these alone; all documents stay in both."""
    apart = set(sorted(corpus.documents)[::DEV_EVERY])
    return (
        Corpus(corpus.documents, [q for q in corpus.questions if q.document not in apart]),
        Corpus(corpus.documents, [q for q in corpus.questions if q.document in apart]),
    )


def schedule(
    encoder: PassageEncoder, parts: Sequence[Sequence[tuple[Corpus, Part]]], seed: int
) -> Iterator[list[Target]]:
    """All batches of a run, in order, a stage after the other; the same for the same seed."""
    rng = random.Random(seed)
    for stage in parts:
        if not stage:
            continue
        made = Examples(joined(corpus for corpus, _ in stage))
        targets: list[Target] = []
        for corpus, part in stage:
            asked = drawn(corpus.questions, part.share, rng)
            targets += encode(encoder, [e for q in asked for e in made.draw(q, rng, part.misses)])
        yield from batches(targets, BATCH_TOKENS, rng)


def start_from(reader: Path, seed: int) -> PointerReader:
    """A reader that begins with the encoder, and as far as it has them the heads, of a trained one."""
    torch.manual_seed(seed)
    return PointerReader.from_pretrained(reader).float()


def autocast(device: torch.device) -> torch.autocast | nullcontext[None]:
    """bfloat16 where the processor computes it; elsewhere it is far slower than float32."""
    if device.type == "cpu" and not torch.cpu._is_avx512_bf16_supported():
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def forward(
    model: PointerReader, encoder: PassageEncoder, pairs: Sequence[Encoded], members: Sequence[np.ndarray]
) -> Decoded:
    """Decode a batch of encoded passages, `members` being the tokens of their sentences."""
    longest = max(len(pair.ids) for pair in pairs)
    length = next(length for length in LENGTHS if longest <= length)
    ids, attention, context = (torch.from_numpy(a).to(model.device) for a in encoder.pad(pairs, length))
    sentences = torch.zeros(len(pairs), max(len(m) for m in members), ids.shape[1], dtype=torch.bool)
    for row, one in enumerate(members):
        sentences[row, : one.shape[0], : one.shape[1]] = torch.from_numpy(one)
    with autocast(model.device):
        hidden = model.encoder(input_ids=ids, attention_mask=attention).last_hidden_state
    return model.decode(hidden, context, sentences.to(model.device))


def loss_of(model: PointerReader, encoder: PassageEncoder, batch: list[Target]) -> Tensor:
    """The sum of the four losses (kind, span, supporting sentences, items), each a mean over the examples that know it."""
    decoded = forward(model, encoder, [t.pair for t in batch], [t.members for t in batch])
    device = decoded.kind.device
    size = len(batch)
    loss = (
        WEIGHTS["kind"]
        * functional.nll_loss(
            decoded.kind,
            torch.tensor([t.kind for t in batch], device=device),
            ignore_index=-100,
            reduction="sum",
        )
        / size
    )
    known = [i for i, t in enumerate(batch) if t.start >= 0]
    if known:
        longest = model.config.max_answer_tokens
        a = torch.tensor([batch[i].start for i in known], device=device)
        b = torch.tensor([min(batch[i].end, batch[i].start + longest - 1) for i in known], device=device)
        rows = torch.tensor(known, device=device)
        loss = loss - WEIGHTS["span"] * (decoded.start[rows, a] + decoded.end[rows, a, b]).sum() / size
    for i, t in enumerate(batch):
        if t.support is not None and len(t.support):
            logits = decoded.support[i, : len(t.support)]
            wrong = functional.binary_cross_entropy_with_logits(
                logits, torch.from_numpy(t.support).to(device), reduction="sum"
            )
            loss = loss + WEIGHTS["support"] * wrong / size / 2
        if t.tags is not None:
            inside = slice(t.pair.first, t.pair.first + len(t.pair.offsets))
            gold = torch.from_numpy(t.tags[inside]).to(device)
            wrong = functional.nll_loss(decoded.tag[i, inside], gold, reduction="sum")
            loss = loss + WEIGHTS["items"] * wrong / size / max(1, int((gold == TAGS.index("begin")).sum()))
    return loss


@torch.inference_mode()
@torch.compiler.set_stance("force_eager")  # type: ignore[untyped-decorator]
def evaluate(model: PointerReader, encoder: PassageEncoder, dev: list[Example]) -> dict[str, float]:
    """Of passages held out: EM and F1 of the best span, accuracy of the kind by kind, right sentence first."""
    spans, kinds, first = [], [], []
    pairs = encoder.encode([e.input for e in dev])
    order = sorted(range(len(dev)), key=lambda i: len(pairs[i].ids))
    step = BATCH_TOKENS // LENGTHS[-1]
    for at in range(0, len(order), step):
        group = order[at : at + step]
        members = [pairs[i].members(dev[i].input.sentences) for i in group]
        decoded = forward(model, encoder, [pairs[i] for i in group], members)
        joint = decoded.start[:, :, None] + decoded.end
        joint[:, 0] = -1e9
        best = joint.flatten(1).argmax(1).tolist()
        for row, i in enumerate(group):
            one, pair = dev[i], pairs[i]
            kinds.append((one.kind, KINDS[int(decoded.kind[row].argmax())]))
            if one.support:
                logits = decoded.support[row, : len(one.input.sentences)]
                first.append(int(logits.argmax()) in one.support)
            if one.kind == "span":
                a, b = divmod(best[row], joint.shape[2])
                said = one.input.text[pair.offsets[a - pair.first, 0] : pair.offsets[b - pair.first, 1]]
                gold = [one.input.text[slice(*one.spans[0])]]
                spans.append((exact_match(said, gold), f1(said, gold)))
    figures = {
        "em": float(np.mean([s[0] for s in spans])),
        "f1": float(np.mean([s[1] for s in spans])),
        "first": float(np.mean(first)),
    }
    for kind in KINDS:
        right = [said == kind for asked, said in kinds if asked == kind]
        figures[kind] = float(np.mean(right)) if right else 0.0
    return {name: round(value, 4) for name, value in figures.items()}


def train(options: argparse.Namespace) -> None:
    """Run, or go on with, the training that the options describe."""
    torch.set_num_threads(options.threads)
    tokenizer = AutoTokenizer.from_pretrained(options.start)
    encoder = PassageEncoder(tokenizer.backend_tokenizer)
    stages, dev = [], []  # type: list[list[tuple[Corpus, Part]]], list[Example]
    written = {q.id for q in read(options.questions).questions}
    for stage in (FOREIGN, FRENCH):
        found = []
        for part in stage:
            corpus = read(options.questions if part.file == WRITTEN else options.data / part.file)
            if part.file != WRITTEN:
                corpus = Corpus(corpus.documents, [q for q in corpus.questions if q.id not in written])
            if part.file in ("natural", WRITTEN):
                corpus, apart = held_out(corpus)
                rng = random.Random(1)
                made = Examples(apart)
                dev += [e for q in apart.questions for e in made.draw(q, rng, 0.3)]
            found.append((corpus, part))
        stages.append(found)
    model = start_from(options.start, options.seed)
    place(model, model.encoder)
    torch._dynamo.config.cache_size_limit = 8 * len(LENGTHS)
    if shutil.which("g++"):
        for layer in model.encoder.encoder.layer:
            layer.compile(dynamic=False)
    heads = [p for n, p in model.named_parameters() if not n.startswith("encoder.")]
    fit(
        model,
        [((p for n, p in model.named_parameters() if n.startswith("encoder.")), RATE), (heads, HEAD_RATE)],
        list(schedule(encoder, stages, options.seed))[: options.steps],
        lambda batch: loss_of(model, encoder, batch),
        lambda: evaluate(model, encoder, dev[::DEV_SHARE]),
        tokens_of=lambda batch: sum(len(one.pair.ids) for one in batch),
        output=options.output,
        evaluate_every=options.evaluate_every,
    )
    model.half().save_pretrained(options.output / "model")
    tokenizer.save_pretrained(options.output / "model")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--start", type=Path, required=True, help="folder of a trained reader to go on from")
    parser.add_argument("--data", type=Path, required=True, help="folder of the training data")
    parser.add_argument(
        "--questions", type=Path, required=True, help="folder of the questions written for it"
    )
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument(
        "--steps", type=int, help="train on so many batches only, the rates falling over these"
    )
    parser.add_argument("--evaluate-every", type=int, default=400)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
