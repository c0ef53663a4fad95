"""The numpy reader against the torch model it runs, and the promise that every span is verbatim."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from qa.reading.choice import join_sentences, windows_of
from qa.reading.pointer import PointerReader
from qa.reading.reader import MODEL, Reader, Segment

needs_model = pytest.mark.skipif(
    not (MODEL / "config.json").is_file(), reason="no shipped reader in this checkout"
)
pytestmark = needs_model
TEXT = (
    "Le conseil municipal de Tarvigny a voté mardi la fermeture du pont. Les travaux coûteront 2,4 millions d’euros. "
    "Selon la maire, Inès Carvalho, « le chantier durera huit mois ». Les riverains s’y opposent car le détour est long."
)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def test_reads_the_span_that_answers(reader: Reader) -> None:
    segment = windows_of(TEXT)[0][0]
    best = reader.read("Combien coûteront les travaux ?", [segment]).spans[0]
    assert "2,4 millions" in segment.text[best.start : best.end]


def test_prefers_no_answer_where_there_is_none(reader: Reader) -> None:
    segment = windows_of(TEXT)[0][0]
    asked = reader.read("Combien coûteront les travaux ?", [segment])
    unrelated = reader.read("Qui a inventé le téléphone ?", [segment])
    assert unrelated.none > asked.none


def test_int8_numpy_agrees_with_torch(reader: Reader) -> None:
    segment = windows_of(TEXT)[0][0]
    pair = reader._pairs.encode([("Qui est la maire ?", [segment.text])])[0]
    ids, attention, context = (torch.from_numpy(a) for a in reader._pairs.pad([pair]))
    model = PointerReader.from_pretrained(MODEL).float().eval()
    with torch.inference_mode():
        start, end = model(ids, attention, context)
    joint = (start[0, :, None] + end[0]).numpy()
    hidden = reader._engine.hidden(ids.numpy(), attention.sum(1).numpy())[0]
    ours = reader._log_probabilities(hidden, context[0].numpy())
    assert np.unravel_index(joint.argmax(), joint.shape) == np.unravel_index(ours.argmax(), ours.shape)
    likely = joint > -5
    assert np.abs(joint - ours)[likely].max() < 0.5


def test_questions_read_at_the_same_time_are_read_as_alone(reader: Reader) -> None:
    segment = windows_of(TEXT)[0][0]
    questions = ["Qui est la maire ?", "Combien coûteront les travaux ?", "Que dure huit mois ?"] * 8
    alone = [reader.read(question, [segment]) for question in questions]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda question: reader.read(question, [segment]), questions)) == alone


def test_every_span_stands_within_one_sentence(reader: Reader) -> None:
    rng = random.Random(0)
    words = [*TEXT.split(), "1999", "🙂", "«", "»", "NATO", "l’été", "x" * 40]

    def sentence() -> str:
        return " ".join(rng.choices(words, k=rng.randint(1, 18))) + "."

    inputs: list[tuple[str, list[Segment]]] = [
        (
            sentence(),
            [
                join_sentences([sentence() for _ in range(rng.randint(1, 3))])
                for _ in range(rng.randint(1, 3))
            ],
        )
        for _ in range(2000)
    ]
    for (_, segments), scores in zip(inputs, reader.read_batch(inputs), strict=True):
        assert scores.spans
        for span in scores.spans:
            a, b = segments[span.segment].sentences[span.sentence]
            assert a <= span.start < span.end <= b


def test_the_shipped_model_loads_through_transformers() -> None:
    from transformers import AutoModelForSeq2SeqLM

    assert isinstance(AutoModelForSeq2SeqLM.from_pretrained(MODEL), PointerReader)


def test_a_model_card_is_shipped() -> None:
    card = Path(MODEL / "README.md").read_text("utf-8")
    assert "licence" in card.lower()
    assert "python -m qa.training.reader" in card
