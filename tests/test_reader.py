"""The numpy reader against the torch model it runs, and the promise that every span is verbatim, in one sentence."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSeq2SeqLM

from qa.ingest.sentences import split_sentences
from qa.reading.encoding import ReaderInput
from qa.reading.kinds import KINDS
from qa.reading.pointer import PointerReader
from qa.reading.reader import MODEL, PointerNetwork

TEXT = (
    "Le conseil municipal de Tarvigny a voté mardi la fermeture du pont. Les travaux coûteront 2,4 millions d’euros. "
    "Selon la maire, Inès Carvalho, « le chantier durera huit mois ». Les riverains s’y opposent car le détour est long."
)


@pytest.fixture(scope="module")
def reader() -> PointerNetwork:
    return PointerNetwork()


def given(question: str, text: str = TEXT, header: str = "Le pont de Tarvigny") -> ReaderInput:
    return ReaderInput(question, header, text, tuple(split_sentences(text)))


def test_reads_the_span_that_answers_and_the_sentence_that_proves_it(reader: PointerNetwork) -> None:
    reading = reader.read_batch([given("Combien coûteront les travaux ?")])[0]
    best = reading.spans[0]
    assert "2,4 millions" in TEXT[best.start : best.end]
    assert int(np.argmax(reading.supports)) == best.sentence == 1
    assert sum(reading.kinds) == pytest.approx(1, abs=1e-4)


def test_what_the_text_does_not_say_is_less_likely_answered(reader: PointerNetwork) -> None:
    asked, unrelated = reader.read_batch(
        [given("Combien coûteront les travaux ?"), given("Qui a inventé le téléphone ?")]
    )
    none = KINDS.index("none")
    assert unrelated.kinds[none] > asked.kinds[none]
    assert unrelated.none > asked.none


def test_every_span_stands_within_one_sentence(reader: PointerNetwork) -> None:
    rng = random.Random(0)
    words = [*TEXT.split(), "«", "»", "…", "1\u202f200", "a@b.fr", "\n", "🙂", "Mme"]
    inputs = []
    for _ in range(60):
        text = " ".join(rng.choice(words) for _ in range(rng.randint(1, 90)))
        inputs.append(given(" ".join(rng.sample(words, 4)), text, rng.choice(["", "Titre"])))
    for one, reading in zip(inputs, reader.read_batch(inputs), strict=True):
        assert len(reading.supports) == len(one.sentences)
        for span in (*reading.spans, *reading.items):
            start, end = one.sentences[span.sentence]
            assert start <= span.start < span.end <= end


def test_numpy_decodes_what_the_model_decodes(tmp_path: Path) -> None:
    model = PointerReader.from_pretrained(MODEL).float().eval()
    network = PointerNetwork()
    one = given("Qui est la maire ?")
    pair = network._passages.encode([one])[0]
    ids, attention, context = map(torch.from_numpy, network._passages.pad([pair]))
    members = pair.members(one.sentences)
    with torch.inference_mode():
        hidden = model.encoder(input_ids=ids, attention_mask=attention).last_hidden_state
        decoded = model.decode(hidden, context, torch.from_numpy(members)[None])
    reading = network._decode(hidden[0].numpy(), pair, one)
    assert reading.kinds == pytest.approx(decoded.kind[0].exp().tolist(), abs=1e-4)
    assert reading.supports == pytest.approx(decoded.support[0].sigmoid().tolist(), abs=1e-4)
    assert reading.none == pytest.approx(float(decoded.start[0, 0] + decoded.end[0, 0, 0]), abs=1e-3)
    best = reading.spans[0]
    a = pair.first + int(np.flatnonzero(pair.offsets[:, 0] == best.start)[0])
    b = pair.first + int(np.flatnonzero(pair.offsets[:, 1] == best.end)[-1])
    assert best.log_probability == pytest.approx(float(decoded.start[0, a] + decoded.end[0, a, b]), abs=1e-3)


def test_batches_and_threads_change_nothing(reader: PointerNetwork) -> None:
    questions = ["Qui est la maire ?", "Combien coûteront les travaux ?", "Pourquoi s’opposent-ils ?"]
    alone = [reader.read_batch([given(q)])[0] for q in questions]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda q: reader.read_batch([given(q)])[0], questions * 3))
    for one, other in zip(alone * 3, together, strict=True):
        assert [(s.start, s.end) for s in one.spans[:1]] == [(s.start, s.end) for s in other.spans[:1]]
        assert one.kinds == pytest.approx(other.kinds, abs=0.02)


def test_it_loads_as_a_seq2seq() -> None:
    model = AutoModelForSeq2SeqLM.from_pretrained(MODEL)
    assert isinstance(model, PointerReader)
    assert not model.can_generate()
