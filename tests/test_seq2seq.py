"""Rescoring by another seq2seq, with a tiny T5 made here."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration, set_seed

from qa.errors import SourcierError
from qa.reading.reading import PassageReading, Span
from qa.reading.seq2seq import MAX_INPUT_TOKENS, PROMPT, WEIGHT, Rescorer

WORDS = ["<pad>", "</s>", "<unk>", "Marie", "Paul", "parle", "à", "Qui", "?", "."]


@pytest.fixture(scope="module")
def tiny_t5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("t5")
    backend = Tokenizer(WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
    set_seed(0)
    config = T5Config(
        vocab_size=len(WORDS),
        d_model=16,
        d_kv=8,
        d_ff=32,
        num_layers=1,
        num_heads=2,
        decoder_start_token_id=0,
    )
    T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def test_spans_stay_verbatim_and_follow_the_opinion(tiny_t5: Path) -> None:
    text = "Marie parle à Paul."
    spans = (Span(0, 0, 5, -1.0), Span(0, 14, 18, -1.0))
    rescorer = Rescorer(str(tiny_t5))
    given = PassageReading((0.1, 0.9, 0.0, 0.0, 0.0, 0.0), -5.0, spans, (), (0.9,))
    moved = rescorer.rescore("Qui parle ?", text, given)
    assert {text[s.start : s.end] for s in moved.spans} == {"Marie", "Paul"}
    asked = PROMPT.format(text=text, question="Qui parle ?")
    opinions = dict(zip(("Marie", "Paul"), rescorer.log_likelihoods(asked, ["Marie", "Paul"]), strict=True))
    assert moved.none == -5.0
    assert all(value < 0 for value in opinions.values())
    ordered = [text[s.start : s.end] for s in moved.spans]
    assert ordered == sorted(opinions, key=lambda text: -opinions[text])
    worse = min(opinions.values()) - max(opinions.values())
    assert [s.log_probability for s in moved.spans] == pytest.approx([-1.0, -1.0 + WEIGHT * worse])


def test_a_long_text_leaves_the_question_its_place(tiny_t5: Path) -> None:
    rescorer = Rescorer(str(tiny_t5))
    tokenizer, _ = rescorer._loaded
    text = "Marie parle à Paul. " * 300
    fitted = rescorer._fitted("Qui parle ?", text)
    assert text.split()[:40] == fitted.replace(" .", ".").split()[:40]
    tokens = tokenizer(PROMPT.format(text=fitted, question="Qui parle ?"))["input_ids"]
    assert MAX_INPUT_TOKENS - 20 < len(tokens) <= MAX_INPUT_TOKENS


def test_an_unknown_reader_is_told_in_one_french_line() -> None:
    with pytest.raises(SourcierError, match=r"^Lecteur « /nulle/part » introuvable[^\n]*$"):
        Rescorer("/nulle/part").log_likelihoods("Qui ?", ["Marie"])
