"""A training run on one machine: batches in a fixed order, a log, and checkpoints from which it goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, BertModel
from transformers.masking_utils import eager_mask

CHECKPOINT_SECONDS = 240
LOG_STEPS = 50
LOWEST_SHARE = 0.02
Batch = TypeVar("Batch")
Rate = tuple[Iterable[nn.Parameter], float]


def fit(
    model: nn.Module,
    rates: Sequence[Rate],
    plan: Sequence[Batch],
    loss_of: Callable[[Batch], Tensor],
    evaluate: Callable[[], dict[str, float]],
    *,
    tokens_of: Callable[[Batch], int],
    output: Path,
    evaluate_every: int,
    warm_up: float = 0.06,
) -> None:
    """One step a batch of `plan` with AdamW; the rates of `rates` rise over `warm_up` and fall in a line.

    `output` gets `log.jsonl` (tokens read and loss every 50 steps, figures of `evaluate` every `evaluate_every` and at the
    end) and `checkpoint.pt`; where that exists, the run goes on from it.
    """
    output.mkdir(parents=True, exist_ok=True)
    optimizer = torch.optim.AdamW(
        [{"params": list(parameters), "lr": rate} for parameters, rate in rates],
        weight_decay=0.01, betas=(0.9, 0.98), fused=True,
    )  # fmt: skip
    warm = max(1, int(warm_up * len(plan)))
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / warm, max(LOWEST_SHARE, (len(plan) - step) / (len(plan) - warm))),
    )
    parts: dict[str, Any] = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    checkpoint = output / "checkpoint.pt"
    done = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        done = saved.pop("done")
        for name, part in parts.items():
            part.load_state_dict(saved[name])
    print(f"{len(plan)} steps, {done} done", flush=True)
    tokens = sum(map(tokens_of, plan[:done]))
    began = kept_at = time.time()
    losses: list[float] = []
    model.train()
    with (output / "log.jsonl").open("a") as log:
        for step, batch in enumerate(plan[done:], start=done + 1):
            loss = loss_of(batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
            tokens += tokens_of(batch)
            last, measured = step == len(plan), step % evaluate_every == 0
            if step % LOG_STEPS == 0 or measured or last:
                line = {
                    "step": step,
                    "tokens": tokens,
                    "loss": round(float(np.mean(losses)), 4),
                    "seconds": round(time.time() - began),
                }
                if measured or last:
                    model.eval()
                    line |= evaluate()
                    model.train()
                print(json.dumps(line), file=log, flush=True)
                losses = []
            if last or time.time() - kept_at > CHECKPOINT_SECONDS:
                made = checkpoint.with_suffix(".new")
                torch.save({"done": step, **{name: part.state_dict() for name, part in parts.items()}}, made)
                made.replace(checkpoint)
                kept_at = time.time()


def place(model: nn.Module, bert: BertModel) -> None:
    """Bring a model to the GPU; where there is none, give its encoder the attention that is fastest there."""
    if torch.cuda.is_available():
        model.to("cuda")
    else:
        bert.set_attn_implementation("products")


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention of (batch, heads, length, width) by batched products.

    On 2 processors a step takes two thirds of the time it takes with torch's fused attention, whose way
    back is slow in bfloat16 on a CPU.
    """
    batch, heads, length, width = query.shape
    q, k, v = (x.reshape(batch * heads, length, width) for x in (query, key, value))
    scores = torch.bmm(q * width**-0.5, k.transpose(1, 2)).view(batch, heads, length, length)
    if attention_mask is not None:
        scores = scores + attention_mask.to(scores.dtype)
    shares = scores.softmax(-1, dtype=scores.dtype).view(batch * heads, length, length)
    return torch.bmm(shares, v).view(batch, heads, length, width).transpose(1, 2).contiguous(), None


AttentionInterface.register("products", attend)
AttentionMaskInterface.register("products", eager_mask)
