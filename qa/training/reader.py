"""Train the pointer reader: cloze questions first, then questions over paragraphs and retrieved evidence.

    python -m qa.training.reader --encoder DIR --train squad.json ... --dev squad.json \
        --cloze pairs.jsonl.xz --output DIR [--preset small|base|tiny]
    python -m qa.training.reader --start DIR/model --preset second --train ... --extra ... --dev ... --output DIR2

The second pass reads evidence as Sourcier's own retrieval finds it, so it comes after the evidence ranker.
Runs on the CPU (bfloat16 where the processor has it) or on a GPU; a killed run goes on from its last
checkpoint when the same command is given again. `log.jsonl` in the output holds loss and dev figures.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from transformers import AutoConfig, AutoTokenizer, BertModel

from embeddings.training.loop import fit, place
from qa.reading.encoding import EncodedPair, PairEncoder
from qa.reading.pointer import PointerConfig, PointerReader
from qa.scoring import exact_match, f1
from qa.training.examples import (
    Distractors,
    Example,
    Question,
    QuestionSet,
    as_retrieved,
    cloze,
    drawn,
    half,
    read_squad,
    whole_paragraph,
)
from qa.training.retrieved import retrieved_examples


@dataclass(frozen=True, slots=True)
class Preset:
    """How much is trained: layers kept of the encoder, cloze examples, epochs, tokens a batch, peak rate.

    Half of the examples are over whole paragraphs, half over chosen sentences: `retrieved` says that the
    shipped retriever and ranker choose them.
    """

    layers: int
    cloze: int
    epochs: int
    batch_tokens: int
    rate: float
    head_rate: float = 1e-3
    dropout: float = 0.0
    retrieved: bool = False


PRESETS = {
    "tiny": Preset(layers=2, cloze=40, epochs=1, batch_tokens=2048, rate=1e-4),
    "small": Preset(layers=10, cloze=6000, epochs=2, batch_tokens=4096, rate=1e-4),
    "second": Preset(
        layers=10,
        cloze=0,
        epochs=1,
        batch_tokens=4096,
        rate=5e-5,
        head_rate=2e-4,
        dropout=0.1,
        retrieved=True,
    ),
    "base": Preset(layers=12, cloze=6000, epochs=5, batch_tokens=8192, rate=1e-4),
}


@dataclass(frozen=True, slots=True)
class Target:
    """An encoded example and the token positions of its answer, (0, 0) where there is none."""

    pair: EncodedPair
    start: int
    end: int


def locate(pair: EncodedPair, example: Example) -> tuple[int, int] | None:
    """First and last token of the example's answer; None where it was cut off."""
    if example.segment is None:
        return 0, 0
    inside = [
        i
        for i, (segment, a, b) in enumerate(zip(pair.segment, pair.start, pair.end, strict=True))
        if segment == example.segment and b > example.start and a < example.end
    ]
    return (inside[0], inside[-1]) if inside else None


def encode(encoder: PairEncoder, examples: Sequence[Example]) -> list[Target]:
    """Encode the examples; those whose answer does not fit are left out."""
    pairs = encoder.encode([(e.question, e.segments) for e in examples])
    located = ((pair, locate(pair, e)) for pair, e in zip(pairs, examples, strict=True))
    return [Target(pair, *at) for pair, at in located if at is not None]


def batches(targets: list[Target], tokens: int, rng: random.Random) -> Iterator[list[Target]]:
    """Batches of about `tokens` padded tokens, of like lengths, in random order."""
    ordered = sorted(targets, key=lambda t: len(t.pair.ids) + rng.random() * 24)
    made: list[list[Target]] = []
    for target in ordered:
        if not made or (len(made[-1]) + 1) * max(len(target.pair.ids), len(made[-1][-1].pair.ids)) > tokens:
            made.append([])
        made[-1].append(target)
    rng.shuffle(made)
    yield from made


def schedule(
    encoder: PairEncoder,
    data: QuestionSet,
    extra: QuestionSet,
    pairs: Path | None,
    preset: Preset,
    seed: int,
) -> Iterator[list[Target]]:
    """All batches of a run, in order; the same for the same seed."""
    rng = random.Random(seed)
    if pairs is not None:
        yield from batches(
            encode(encoder, list(islice(cloze(pairs, seed), preset.cloze))), preset.batch_tokens, rng
        )
    distractors = Distractors(data.paragraphs)
    for _ in range(preset.epochs):
        found = (
            retrieved_examples(data, rng)
            if preset.retrieved
            else (as_retrieved(data, distractors, q, rng) for q in data.questions)
        )
        examples = [
            whole_paragraph(data, q) if rng.random() < 0.5 else example
            for q, example in zip(data.questions, found, strict=True)
        ]
        examples += [whole_paragraph(extra, q) for q in extra.questions]
        yield from batches(encode(encoder, examples), preset.batch_tokens, rng)


def start_from(reader: Path, preset: Preset) -> PointerReader:
    """A trained reader, to be trained on."""
    model = PointerReader.from_pretrained(reader).float()
    for layer in model.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.p = preset.dropout
    return model


def build(encoder: Path, preset: Preset) -> PointerReader:
    """A reader whose encoder is the first layers of the given one."""
    config = AutoConfig.from_pretrained(encoder)
    shape = {k: v for k, v in config.to_dict().items() if k in BERT_FIELDS}
    shape |= {
        "num_hidden_layers": preset.layers,
        "hidden_dropout_prob": preset.dropout,
        "attention_probs_dropout_prob": 0.0,
    }
    model = PointerReader(PointerConfig(encoder=shape))
    start = BertModel.from_pretrained(encoder, add_pooling_layer=False).state_dict()
    missing, _ = model.encoder.load_state_dict(start, strict=False)
    if missing:
        raise ValueError(f"{encoder}: weights missing: {missing[:3]}")
    return model


BERT_FIELDS = (
    "vocab_size", "hidden_size", "num_attention_heads", "intermediate_size", "max_position_embeddings",
    "type_vocab_size", "layer_norm_eps", "pad_token_id",
)  # fmt: skip


def forward(
    model: PointerReader, encoder: PairEncoder, batch: Sequence[EncodedPair]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Start and end log-probabilities of a batch, computed in bfloat16."""
    device = model.device
    ids, attention, context = (torch.from_numpy(a).to(device) for a in encoder.pad(batch))
    with torch.autocast(device.type, torch.bfloat16):
        hidden = model.encoder(input_ids=ids, attention_mask=attention).last_hidden_state
    return model.point(hidden, context)


def loss_of(model: PointerReader, encoder: PairEncoder, batch: list[Target]) -> torch.Tensor:
    """Mean negative log-likelihood of the right start, and of the right end given it."""
    start, end = forward(model, encoder, [t.pair for t in batch])
    rows = torch.arange(len(batch), device=start.device)
    a = torch.tensor([t.start for t in batch], device=start.device)
    b = torch.tensor(
        [min(t.end, t.start + model.config.max_answer_tokens - 1) for t in batch], device=start.device
    )
    return -(start[rows, a] + end[rows, a, b]).mean()


@torch.inference_mode()
def evaluate(
    model: PointerReader, encoder: PairEncoder, data: QuestionSet, questions: list[Question]
) -> dict[str, float]:
    """EM and F1 of the best span over the whole paragraph, for questions that have an answer."""
    asked = sorted((q for q in questions if q.answers), key=lambda q: len(data.paragraphs[q.paragraph]))
    scores = []
    for at in range(0, len(asked), 16):
        group = asked[at : at + 16]
        pairs = encoder.encode([(q.text, (data.paragraphs[q.paragraph],)) for q in group])
        start, end = forward(model, encoder, pairs)
        joint = start[:, :, None] + end
        joint[:, 0] = -1e9
        best = joint.flatten(1).argmax(1)
        for q, pair, index in zip(group, pairs, best.tolist(), strict=True):
            a, b = divmod(index, joint.shape[2])
            span = data.paragraphs[q.paragraph][pair.start[a] : pair.end[b]]
            answers = [text for text, _ in q.answers]
            scores.append((exact_match(span, answers), f1(span, answers)))
    em, f = np.mean(scores, axis=0)
    return {"em": round(float(em), 4), "f1": round(float(f), 4)}


def train(options: argparse.Namespace) -> None:
    """Run, or go on with, the training that the options describe."""
    preset = PRESETS[options.preset]
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    tokenizer = AutoTokenizer.from_pretrained(options.start or options.encoder)
    encoder = PairEncoder(tokenizer.backend_tokenizer)
    data, dev = read_squad(options.train), read_squad([options.dev])
    if options.questions:
        data = drawn(data, options.questions, options.seed)
    dev_questions = half(dev, "a")
    model = start_from(options.start, preset) if options.start else build(options.encoder, preset)
    place(model, model.encoder)
    fit(
        model,
        [
            ((p for n, p in model.named_parameters() if n.startswith("encoder.")), preset.rate),
            ((p for n, p in model.named_parameters() if not n.startswith("encoder.")), preset.head_rate),
        ],
        list(schedule(encoder, data, read_squad(options.extra), options.cloze, preset, options.seed)),
        lambda batch: loss_of(model, encoder, batch),
        lambda: evaluate(model, encoder, dev, dev_questions),
        tokens_of=lambda batch: sum(len(target.pair.ids) for target in batch),
        output=options.output,
        evaluate_every=options.evaluate_every,
    )
    model.half().save_pretrained(options.output / "model")
    tokenizer.save_pretrained(options.output / "model")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    start = parser.add_mutually_exclusive_group(required=True)
    start.add_argument(
        "--encoder", type=Path, help="folder of a BERT encoder, see embeddings.training.pretrained"
    )
    start.add_argument("--start", type=Path, help="folder of a trained reader to go on from")
    parser.add_argument("--train", type=Path, nargs="+", required=True, help="questions in SQuAD format")
    parser.add_argument(
        "--extra", type=Path, nargs="*", default=[], help="questions read over their own paragraph only"
    )
    parser.add_argument("--questions", type=int, help="train on so many of them, drawn at random")
    parser.add_argument("--dev", type=Path, required=True, help="its half A is measured during the run")
    parser.add_argument("--cloze", type=Path, help="paraphrase pairs (.jsonl.xz)")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--preset", choices=PRESETS, default="small")
    parser.add_argument("--evaluate-every", type=int, default=400)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
