"""The seq2seq that cannot invent: its decoder writes a kind of answer and source positions, never a word.

A pointer network (Vinyals et al. 2015, https://arxiv.org/abs/1506.03134) in the answer-pointer form of
Wang and Jiang 2016 (https://arxiv.org/abs/1608.07905): the span is decoded in two steps over the source, the end
conditioned on the start, and position 0, the `<s>` token, says that there is none. Items of a list are tagged
(begin, inside, outside), as in MultiSpanQA (Li et al. 2022, https://aclanthology.org/2022.naacl-main.90/).
"""

from __future__ import annotations

from dataclasses import dataclass
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

from qa.reading.kinds import KINDS

TAGS = ("outside", "begin", "inside")
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


@dataclass(slots=True)
class Decoded:
    """What one pass decodes, all log-probabilities but the supports, which are logits.

    `kind` (batch, len(KINDS)); `start` (batch, length); `end` (batch, length, length), the ends given each start;
    `tag` (batch, length, len(TAGS)); `support` (batch, sentences).
    """

    kind: Tensor
    start: Tensor
    end: Tensor
    tag: Tensor
    support: Tensor


class PointerReader(PreTrainedModel):
    """Question and passage to a kind of answer, the spans of the passage that give it, and the sentences that prove it."""

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
        self.kind = nn.Linear(encoder.hidden_size, len(KINDS))
        self.tag = nn.Linear(encoder.hidden_size, len(TAGS))
        self.sentence = nn.Linear(2 * encoder.hidden_size, config.pointer_size)
        self.support = nn.Linear(config.pointer_size, 1)
        self.post_init()

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, context_mask: Tensor, sentences: Tensor
    ) -> Decoded:
        """Decode a batch.

        `input_ids`, `attention_mask` and `context_mask` (true where an answer token may stand: the passage, and
        position 0) are (batch, length); `sentences` (batch, sentences, length) is true for the tokens of each.
        """
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return self.decode(hidden, context_mask, sentences)

    def decode(self, hidden: Tensor, context_mask: Tensor, sentences: Tensor) -> Decoded:
        """The decoder's steps over the encoder's output (batch, length, hidden)."""
        hidden = hidden.float()
        start = self.start(hidden).squeeze(-1).masked_fill(~context_mask, MASKED)
        affinity = self.query(hidden) @ self.key(hidden).transpose(1, 2) / self.config.pointer_size**0.5
        end = affinity + self.end(hidden).transpose(1, 2)
        position = torch.arange(hidden.shape[1], device=hidden.device)
        distance = position[None, :] - position[:, None]
        reachable = (distance >= 0) & (distance < self.config.max_answer_tokens)
        reachable[0, 1:] = False
        end = end.masked_fill(~(reachable[None] & context_mask[:, None, :]), MASKED)
        members = sentences.float()
        mean = members @ hidden / members.sum(-1, keepdim=True).clamp(min=1)
        whole = hidden[:, :1].expand_as(mean)
        support = self.support(torch.tanh(self.sentence(torch.cat([mean, whole], -1)))).squeeze(-1)
        return Decoded(
            self.kind(hidden[:, 0]).log_softmax(-1),
            start.log_softmax(-1),
            end.log_softmax(-1),
            self.tag(hidden).log_softmax(-1),
            support,
        )


AutoConfig.register(PointerConfig.model_type, PointerConfig, exist_ok=True)
AutoModelForSeq2SeqLM.register(PointerConfig, PointerReader, exist_ok=True)
