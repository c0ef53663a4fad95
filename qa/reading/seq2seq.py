"""Any seq2seq of transformers as a second opinion: it rescores the verbatim spans the shipped reader proposes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from qa.errors import SourcierError
from qa.reading.reading import PassageReading

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

PROMPT = "Réponds à la question d'après le texte.\nTexte : {text}\nQuestion : {question}\nRéponse :"
WEIGHT = 0.5
MAX_INPUT_TOKENS = 512


class Rescorer:
    """T5, mT5, FLAN-T5, mBART…, by folder or by name of a hub.

    The answer stays one of the spans proposed, so that it stays verbatim and cited; the model only changes
    their order, by the mean log-likelihood it gives the tokens of each.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    @cached_property
    def _loaded(self) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        import qa.reading.pointer  # noqa: F401 — registers its own kind of model, which has no vocabulary to score with

        try:
            tokenizer: Any = AutoTokenizer.from_pretrained(self._name)
            model: Any = AutoModelForSeq2SeqLM.from_pretrained(self._name).eval()
        except (OSError, ValueError, KeyError) as error:
            raise SourcierError(
                f"Lecteur « {self._name} » introuvable ou d’un autre genre : donnez un modèle seq2seq de "
                "transformers (T5, mT5, mBART…), par un dossier ou un nom de hub accessible."
            ) from error
        if not model.can_generate():
            raise SourcierError(
                f"Lecteur « {self._name} » : ce modèle n’écrit pas de texte, donnez un modèle T5, mT5, mBART…"
            )
        return tokenizer, model

    def rescore(self, question: str, text: str, reading: PassageReading) -> PassageReading:
        """The same spans of a passage, their log-probabilities moved by the model's opinion, best first."""
        if not reading.spans:
            return reading
        fitted = self._fitted(question, text)
        answers = [text[s.start : s.end].strip() for s in reading.spans]
        opinions = self.log_likelihoods(PROMPT.format(text=fitted, question=question), answers)
        best = max(opinions)
        moved = [
            replace(span, log_probability=span.log_probability + WEIGHT * (opinion - best))
            for span, opinion in zip(reading.spans, opinions, strict=True)
        ]
        return replace(reading, spans=tuple(sorted(moved, key=lambda span: -span.log_probability)))

    def _fitted(self, question: str, text: str) -> str:
        """The text without what would push the question out of the model's input."""
        tokenizer, _ = self._loaded
        left = MAX_INPUT_TOKENS - len(tokenizer(PROMPT.format(text="", question=question))["input_ids"])
        ids = tokenizer(text, add_special_tokens=False, truncation=True, max_length=max(1, left))["input_ids"]
        return str(tokenizer.decode(ids, skip_special_tokens=True))

    def log_likelihoods(self, prompt: str, answers: Sequence[str]) -> list[float]:
        """Mean log-likelihood a token of each answer, given the prompt; one batch."""
        import torch

        tokenizer, model = self._loaded
        source = tokenizer([prompt], return_tensors="pt", truncation=True, max_length=MAX_INPUT_TOKENS)
        target = tokenizer(text_target=list(answers), return_tensors="pt", padding=True)
        labels = target["input_ids"]
        with torch.inference_mode():
            encoded = model.get_encoder()(**{k: v for k, v in source.items() if k != "token_type_ids"})
            hidden = encoded.last_hidden_state.expand(len(answers), -1, -1)
            logits = model(
                encoder_outputs=(hidden,),
                attention_mask=source["attention_mask"].expand(len(answers), -1),
                labels=labels,
            ).logits
        chosen = logits.float().log_softmax(-1).gather(-1, labels.unsqueeze(-1)).squeeze(-1)
        mask = target["attention_mask"].float()
        means: list[float] = ((chosen * mask).sum(1) / mask.sum(1)).tolist()
        return means
