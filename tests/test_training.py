"""The training scripts from raw data to weights, on a few lines, with the tiny preset."""

import json
import lzma
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from embeddings.encoders.encoder import MODELS, BertEncoder, StaticEncoder, load_encoder
from embeddings.training.contrastive import batches
from qa.reading.encoding import EncodedPair
from qa.retrieval.evidence import FEATURES
from qa.training import evidence, reader
from qa.training.examples import (
    Distractors,
    as_retrieved,
    cloze,
    drawn,
    half,
    read_squad,
    whole_paragraph,
)
from qa.training.retrieved import retrieved_examples

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


def test_examples_hold_their_answers(squad: Path) -> None:
    data = read_squad([squad])
    distractors, rng = Distractors(data.paragraphs), random.Random(0)
    for question in data.questions:
        for example in (whole_paragraph(data, question), as_retrieved(data, distractors, question, rng)):
            if example.segment is not None:
                answer = example.segments[example.segment][example.start : example.end]
                assert answer == question.answers[0][0]
    assert not {q.id for q in half(data, "a")} & {q.id for q in half(data, "b")}


def test_drawn_questions_keep_their_order_and_all_paragraphs(squad: Path) -> None:
    data = read_squad([squad])
    some = drawn(data, 5, seed=0)
    places = [data.questions.index(question) for question in some.questions]
    assert len(places) == 5
    assert places == sorted(set(places))
    assert some.paragraphs == data.paragraphs
    assert drawn(data, 5, seed=0) == some != drawn(data, 5, seed=1)


def test_retrieved_evidence_holds_the_answer_or_the_paragraph_is_withheld(squad: Path) -> None:
    data = read_squad([squad])
    examples = list(retrieved_examples(data, random.Random(0)))
    answered = withheld = 0
    for question, example in zip(data.questions, examples, strict=True):
        town = TOWNS[question.paragraph]
        assert example.question == question.text
        if example.segment is not None:
            answered += 1
            text = example.segments[example.segment]
            assert text[example.start : example.end] == question.answers[0][0]
            assert town in text
        elif question.answers:
            withheld += 1
            assert not any(town in text for text in example.segments)
    assert answered > withheld > 0


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
    data = read_squad([path])
    assert data.paragraphs == [context]
    assert [q.answers for q in data.questions] == [(("1412", 25),)]


def test_distractors_are_the_same_in_every_process() -> None:
    program = (
        "import json; from pathlib import Path; from qa.training.examples import Distractors;"
        "paragraphs = [p for f in sorted(Path('eval/articles').glob('*.md')) for p in f.read_text('utf-8').split('\\n\\n')];"
        "asked = [json.loads(line)['question'] for line in Path('eval/questions/samples.jsonl').open(encoding='utf-8')];"
        "d = Distractors(paragraphs);"
        "print([(d.nearest(q, 6, -1), [d.overlap(q, p) for p in paragraphs]) for q in asked])"
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


def test_each_example_is_in_one_batch_of_its_length_and_none_make_none() -> None:
    lengths = [5, 40, 6, 200, 41, 7]
    targets = [reader.Target(EncodedPair([0] * n, [0] * n, [0] * n, [0] * n), 0, 0) for n in lengths]
    made = list(reader.batches(targets, 100, random.Random(0)))
    sizes = [[len(t.pair.ids) for t in batch] for batch in made]
    assert sorted(n for batch in sizes for n in batch) == sorted(lengths)
    assert all(len(batch) * max(batch) <= 100 for batch in sizes if len(batch) > 1)
    assert list(reader.batches([], 100, random.Random(0))) == []


def test_cloze_questions_ask_for_what_the_other_sentence_holds(pairs: Path) -> None:
    examples = list(cloze(pairs, 0))
    assert len(examples) > 5
    for example in examples:
        if example.segment is not None:
            answer = example.segments[example.segment][example.start : example.end]
            assert answer not in example.question
            assert len(answer) > 1


@pytest.mark.slow
def test_reader_trains_stops_and_goes_on(squad: Path, pairs: Path, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "qa.training.reader", "--encoder", str(MODELS / "french-small"), "--train", str(squad),
        "--dev", str(squad), "--cloze", str(pairs), "--output", str(tmp_path / "reader"), "--preset", "tiny",
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr[-2000:]
    assert (tmp_path / "reader/model/config.json").is_file()
    shutil.rmtree(tmp_path / "reader/model")
    again = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    steps = int(again.stdout.split(" steps")[0].split()[-1])
    assert f"{steps} steps, {steps} done" in again.stdout
    assert (tmp_path / "reader/model/model.safetensors").is_file()


def test_evidence_ranker_trains_and_its_features_are_left_out_in_groups(
    squad: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sorted(name for group in evidence.GROUPS.values() for name in group) == sorted(FEATURES)
    command = ["evidence", "--train", str(squad), "--dev", str(squad), "--embedding", "french-static"]
    monkeypatch.setattr(sys, "argv", [*command, "--rounds", "3", "--output", str(tmp_path)])
    evidence.main()
    assert lightgbm.Booster(model_file=tmp_path / "ranker.txt").feature_name() == list(FEATURES)
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", [*command, "--rounds", "3", "--ablation"])
    evidence.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[2:]] == [f"without {name}" for name in evidence.GROUPS]


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
