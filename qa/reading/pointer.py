"""The seq2seq that cannot invent: its decoder writes two source positions, where the answer starts and ends.

A pointer network (Vinyals et al. 2015, https://arxiv.org/abs/1506.03134) in the answer-pointer form of
Wang and Jiang 2016 (https://arxiv.org/abs/1608.07905): the output vocabulary of each of the two decoding
steps is the source itself, the second step is conditioned on the first, and position 0, the `<s>` token,
says that there is no answer. So every output is a verbatim span of what was read.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForSeq2SeqLM,
    BertConfig,
    BertModel,
    PretrainedConfig,
    PreTrainedModel,
)

MASKED = -1e4


class PointerConfig(PretrainedConfig):
    """Shape of a pointer reader: a BERT encoder's fields, the decoder's width, the longest answer in tokens."""

    model_type = "sourcier-pointer"

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        pointer_size: int = 128,
        max_answer_tokens: int = 40,
        **kwargs: Any,
    ) -> None:
        self.encoder = encoder or {}
        self.pointer_size = pointer_size
        self.max_answer_tokens = max_answer_tokens
        super().__init__(**{"is_encoder_decoder": True, **kwargs})


class PointerReader(PreTrainedModel):
    """Question and evidence to the log-probability of every span of the evidence, and of no answer."""

    config_class = PointerConfig
    main_input_name = "input_ids"
    _supports_sdpa = True

    def __init__(self, config: PointerConfig) -> None:
        super().__init__(config)
        encoder = BertConfig(**config.encoder)
        self.encoder = BertModel(encoder, add_pooling_layer=False)
        self.start = nn.Linear(encoder.hidden_size, 1)
        self.end = nn.Linear(encoder.hidden_size, 1)
        self.query = nn.Linear(encoder.hidden_size, config.pointer_size)
        self.key = nn.Linear(encoder.hidden_size, config.pointer_size)
        self.post_init()

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, context_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Log-probabilities of the two steps.

        `input_ids`, `attention_mask` and `context_mask` (true where an answer token may stand: the
        evidence, and position 0) are (batch, length). Gives the starts (batch, length) and, for each
        start, the ends (batch, length, length).
        """
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return self.point(hidden, context_mask)

    def point(self, hidden: Tensor, context_mask: Tensor) -> tuple[Tensor, Tensor]:
        """The decoder's two steps over the encoder's output (batch, length, hidden)."""
        hidden = hidden.float()
        start = self.start(hidden).squeeze(-1).masked_fill(~context_mask, MASKED)
        affinity = self.query(hidden) @ self.key(hidden).transpose(1, 2) / self.config.pointer_size**0.5
        end = affinity + self.end(hidden).transpose(1, 2)
        length = hidden.shape[1]
        position = torch.arange(length, device=hidden.device)
        distance = position[None, :] - position[:, None]
        reachable = (distance >= 0) & (distance < self.config.max_answer_tokens)
        reachable[0, 1:] = False
        end = end.masked_fill(~(reachable[None] & context_mask[:, None, :]), MASKED)
        return start.log_softmax(-1), end.log_softmax(-1)


AutoConfig.register(PointerConfig.model_type, PointerConfig, exist_ok=True)
AutoModelForSeq2SeqLM.register(PointerConfig, PointerReader, exist_ok=True)
