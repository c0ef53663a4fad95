"""The training scripts from raw data to weights, on a few lines, with the tiny preset."""

import json
import lzma
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoTokenizer

from embeddings.encoders.encoder import MODELS, BertEncoder, StaticEncoder, load_encoder
from embeddings.training.contrastive import batches
from qa.confidence import load_confidence
from qa.ingest.sentences import split_sentences
from qa.reading.encoding import Encoded
from qa.reading.pointer import PointerConfig, PointerReader
from qa.reading.reader import MODEL
from qa.training import reader
from qa.training.documents import read_extractive, read_natural
from qa.training.windows import Examples, windows

ROOT = Path(__file__).parents[1]
TOWNS = [
    "Tarvigny",
    "Brissac",
    "Orvault",
    "Lormes",
    "Quillan",
    "Meslay",
    "Varzy",
    "Nolay",
    "Saulieu",
    "Decize",
]


def paragraph(town: str, number: int) -> str:
    return (
        f"La ville de {town} compte {number} habitants. Son maire, Luc Petit, a ouvert un musée en 19{number % 90 + 10}. "
        f"Le pont de {town} mesure {number // 3} mètres."
    )


@pytest.fixture(scope="module")
def squad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = []
    for i, town in enumerate(TOWNS):
        number = 1200 + 37 * i
        context = paragraph(town, number)
        qas = [
            {"id": f"{i}-0", "question": f"Combien d'habitants compte {town} ?",
             "answers": [{"text": str(number), "answer_start": context.index(str(number))}]},
            {"id": f"{i}-1", "question": f"Qui est le maire de {town} ?",
             "answers": [{"text": "Luc Petit", "answer_start": context.index("Luc Petit")}]},
            {"id": f"{i}-2", "question": f"Qui a peint le plafond de {town} ?", "answers": [], "is_impossible": True},
        ]  # fmt: skip
        data.append({"title": town, "paragraphs": [{"context": context, "qas": qas}]})
    path = tmp_path_factory.mktemp("squad") / "towns.json"
    path.write_text(json.dumps({"data": data}), "utf-8")
    return path


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl.xz"
    with lzma.open(path, "wt", encoding="utf-8") as file:
        for i, town in enumerate(TOWNS):
            one, two = (
                f"La commune de {town} date de 1{300 + i}.",
                f"Fondée en 1{300 + i}, la cité de {town} est vieille.",
            )
            file.write(json.dumps({"sentence1": one, "sentence2": two}) + "\n")
    return path


KINDS = ("fact", "oui", "non", "liste", "pourquoi", "rien")


@pytest.fixture(scope="module")
def natural(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("natural")
    with (
        lzma.open(folder / "contexts.jsonl.xz", "wt", encoding="utf-8") as contexts,
        lzma.open(folder / "questions.jsonl.xz", "wt", encoding="utf-8") as questions,
    ):
        for i, town in enumerate(TOWNS * 3):
            name = f"c{i:03d}"
            text = f"{paragraph(town, 1200 + i)} On y vend du pain, du miel et du vin. {paragraph('Autre', 90 + i)}"
            row = {
                "id": name,
                "title": town,
                "text": text,
                "source": "ours",
                "sentences": split_sentences(text),
            }
            contexts.write(json.dumps(row) + "\n")
            for kind in KINDS:
                answers = {"fact": ["Luc Petit"], "liste": ["pain", "miel", "vin"]}.get(kind, [])
                proved = {"fact": [2], "liste": [4], "rien": []}.get(kind, [3])
                asked = {
                    "id": f"{name}-{kind}",
                    "c": name,
                    "q": f"{kind} {town} ?",
                    "k": kind,
                    "a": answers,
                    "s": proved,
                }
                questions.write(
                    json.dumps(asked | ({"h": [["Et avant ?", "Rien"]]} if i == 1 else {})) + "\n"
                )
    return folder


def test_natural_questions_are_read_with_their_places(natural: Path) -> None:
    corpus = read_natural(natural)
    assert len(corpus.questions) == len(TOWNS) * 3 * len(KINDS)
    by_kind = {q.kind: q for q in corpus.questions[: len(KINDS)]}
    text = corpus.documents["c000"].text
    assert [text[a:b] for a, b in by_kind["span"].spans] == ["Luc Petit"]
    assert [text[a:b] for a, b in by_kind["list"].spans] == ["pain", "miel", "vin"]
    assert by_kind["no"].support == (2,)
    assert by_kind["none"].support == ()
    assert corpus.questions[len(KINDS)].history == (("Et avant ?", "Rien"),)


def test_an_example_holds_its_answer_or_has_none(natural: Path, squad: Path) -> None:
    for corpus in (read_natural(natural), read_extractive(squad)):
        made, rng = Examples(corpus), random.Random(0)
        kinds = set()
        for asked in corpus.questions:
            document = corpus.documents[asked.document]
            for example in made.draw(asked, rng, misses=0.7):
                kinds.add(example.kind)
                if example.kind == "none":
                    assert (example.spans, example.support) == ((), frozenset())
                    continue
                wanted = [document.text[a:b] for a, b in asked.spans]
                assert [example.input.text[a:b] for a, b in example.spans] == wanted
                assert example.support
                proof = document.text[slice(*document.sentences[asked.support[0]])]
                assert proof in [
                    example.input.text[slice(*example.input.sentences[n])] for n in example.support
                ]
        assert {"none", "span"} <= kinds


def test_windows_cover_every_sentence(natural: Path) -> None:
    document = next(iter(read_natural(natural).documents.values()))
    for words in (5, 20, 1000):
        rows = windows(document, words)
        assert sorted({n for row in rows for n in row}) == list(range(len(document.sentences)))


def test_held_out_questions_are_of_other_documents(natural: Path) -> None:
    kept, apart = reader.held_out(read_natural(natural))
    assert {q.document for q in kept.questions}.isdisjoint(q.document for q in apart.questions)
    assert apart.questions


def test_questions_a_line_without_a_located_answer_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "quiz.jsonl.xz"
    context = "La tour de Nolay date de 1412."
    with lzma.open(path, "wt", encoding="utf-8") as file:
        for text, start in (("1412", 25), ("la tour", -1)):
            row = {
                "question": f"{text} ?",
                "context": context,
                "answers": [{"text": text, "answer_start": start}],
            }
            file.write(json.dumps(row) + "\n")
    corpus = read_extractive(path)
    assert [(q.text, q.spans) for q in corpus.questions] == [("1412 ?", ((25, 29),))]


def test_distractors_are_the_same_in_every_process() -> None:
    program = (
        "import json; from pathlib import Path; from qa.training.distractors import Distractors;"
        "paragraphs = [p for f in sorted(Path('eval/articles').glob('*.md')) for p in f.read_text('utf-8').split('\\n\\n')];"
        "asked = [json.loads(line)['question'] for line in Path('eval/questions/samples.jsonl').open(encoding='utf-8')];"
        "d = Distractors(paragraphs);"
        "print([(d.nearest(q, 6), [d.overlap(q, p) for p in paragraphs]) for q in asked])"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(found) == 1


def test_paragraphs_that_are_alike_meet_in_a_batch() -> None:
    rng = np.random.default_rng(0)
    topics = np.repeat(np.eye(8, 32), 8, axis=0) + rng.normal(0, 0.02, (64, 32))
    vectors = topics / np.linalg.norm(topics, axis=1, keepdims=True)
    plan = batches(vectors, 16, 2, random.Random(0))
    assert len(plan) == 8
    for epoch in (plan[:4], plan[4:]):
        assert sorted(i for rows in epoch for i in rows) == list(range(64))
        assert all(len({i // 8 for i in rows}) == 2 for rows in epoch)


def test_batches_have_few_shapes_and_no_example_twice() -> None:
    lengths = [5, 40, 6, 200, 41, 7, *range(100, 400, 3)]
    targets = [
        reader.Target(
            Encoded([0] * n, 3, np.zeros((0, 2), np.int64)), np.zeros((0, n), bool), 0, 0, 0, None, None
        )
        for n in lengths
    ]
    made = list(reader.batches(targets, 1000, random.Random(0)))
    taken = [id(t) for batch in made for t in batch]
    assert len(taken) == len(set(taken)) > len(lengths) / 2
    for batch in made:
        bound = next(n for n in reader.LENGTHS if max(len(t.pair.ids) for t in batch) <= n)
        assert len(batch) == 1000 // bound
    assert list(reader.batches([], 1000, random.Random(0))) == []


@pytest.mark.slow
def test_reader_trains_stops_and_goes_on(natural: Path, squad: Path, tmp_path: Path) -> None:
    config = PointerConfig.from_pretrained(MODEL)
    config.encoder = {**config.encoder, "num_hidden_layers": 1}
    PointerReader(config).save_pretrained(tmp_path / "start")
    AutoTokenizer.from_pretrained(MODEL).save_pretrained(tmp_path / "start")
    data = tmp_path / "data"
    shutil.copytree(natural, data / "natural")
    for part in (*reader.FOREIGN, *reader.FRENCH):
        (data / part.file).parent.mkdir(exist_ok=True)
        if part.file.endswith(".json"):
            shutil.copy(squad, data / part.file)
        elif part.file.endswith(".xz"):
            row = {"context": paragraph("Nolay", 7), "question": "Is it far?", "answer": "no", "answers": []}
            (data / part.file).write_bytes(lzma.compress(json.dumps(row).encode()))
    command = [
        sys.executable, "-m", "qa.training.reader", "--start", str(tmp_path / "start"), "--data", str(data),
        "--questions", str(natural), "--output", str(tmp_path / "reader"), "--steps", "2",
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr[-2000:]
    assert (tmp_path / "reader/model/config.json").is_file()
    shutil.rmtree(tmp_path / "reader/model")
    again = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert "2 steps, 2 done" in again.stdout
    assert (tmp_path / "reader/model/model.safetensors").is_file()


@pytest.mark.slow
def test_confidence_is_fitted_on_what_was_held_out(natural: Path, tmp_path: Path) -> None:
    output = tmp_path / "confidence.json"
    command = [
        sys.executable,
        "-m",
        "qa.training.confidence",
        "--natural",
        str(natural),
        "--output",
        str(output),
    ]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr[-2000:]
    fitted = load_confidence(output)
    assert 0 < fitted.thresholds.short < 1


@pytest.mark.slow
def test_encoder_learns_stops_and_goes_on(squad: Path, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "embeddings.training.contrastive", "--encoder", str(MODELS / "french-small"),
        "--questions", str(squad), "--dev", str(squad), "--output", str(tmp_path), "--batch", "4", "--epochs", "2",
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr[-2000:]
    texts = [paragraph(t, 5) for t in TOWNS]
    learnt = BertEncoder("learnt", tmp_path / "model").encode_passages(texts)
    assert np.allclose(np.linalg.norm(learnt, axis=1), 1, atol=1e-3)
    assert not np.allclose(learnt, load_encoder("french-small").encode_passages(texts), atol=1e-4)
    again = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert "4 steps, 4 done" in again.stdout


@pytest.mark.slow
def test_static_embedding_trains(squad: Path, pairs: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl.xz"
    with lzma.open(corpus, "wt", encoding="utf-8") as file:
        for i, town in enumerate(TOWNS):
            file.write(json.dumps({"text": paragraph(town, 900 + i) * 2}) + "\n")
    command = [
        sys.executable, "-m", "embeddings.training.static", "--encoder", str(MODELS / "french-static"), "--questions", str(squad),
        "--pairs", str(pairs), "--corpus", str(corpus), "--output", str(tmp_path / "static"), "--batch", "8", "--epochs", "1",
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr[-2000:]
    vectors = StaticEncoder("static", tmp_path / "static").encode_passages([paragraph(t, 5) for t in TOWNS])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
