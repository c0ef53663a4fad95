"""The shipped embeddings, against sentence-transformers, which is how they were made."""

from pathlib import Path

import numpy as np
import pytest

from embeddings.encoders.encoder import MODELS, Encoder, load_encoder, shipped
from embeddings.errors import EmbeddingsError

TEXTS = ["Le maire a fermé le pont.", "La banque centrale relève ses taux.", "Un court texte.", ""]


@pytest.fixture(params=shipped())
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return load_encoder(request.param)


def test_shipped_models_are_found() -> None:
    assert set(shipped()) == {"french-small", "french-static"}


def test_vectors_are_unit_rows(encoder: Encoder) -> None:
    seen: list[int] = []
    vectors = encoder.encode_passages(TEXTS[:3], progress=seen.append)
    assert vectors.shape == (3, encoder.dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert seen[-1] == 3
    assert encoder.encode_queries([""]).shape == (1, encoder.dimension)


def test_agrees_with_sentence_transformers(encoder: Encoder) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(MODELS / encoder.name)).float()
    theirs = model.encode_document(TEXTS[:3], normalize_embeddings=True)
    assert (encoder.encode_passages(TEXTS[:3]) * theirs).sum(1).min() > 0.99
    theirs = model.encode_query(TEXTS[:3], normalize_embeddings=True)
    assert (encoder.encode_queries(TEXTS[:3]) * theirs).sum(1).min() > 0.99


def test_a_question_is_nearest_to_its_passage(encoder: Encoder) -> None:
    passages = encoder.encode_passages(TEXTS[:3])
    question = encoder.encode_queries(["Qui a relevé les taux d’intérêt ?"])[0]
    assert (passages @ question).argmax() == 1


def test_fingerprints_differ_and_stay() -> None:
    first = load_encoder("french-small").fingerprint
    assert first == load_encoder("french-small").fingerprint != load_encoder("french-static").fingerprint


def test_an_unknown_model_is_told_in_one_french_line(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingsError, match=r"^Modèle d'embedding «[^\n]*introuvable[^\n]*$"):
        load_encoder(str(tmp_path / "rien")).encode_queries(["Qui ?"])


def test_any_sentence_transformers_folder_can_be_named() -> None:
    named = load_encoder(str(MODELS / "french-static"))
    ours = load_encoder("french-static")
    assert named.dimension == ours.dimension
    assert (named.encode_passages(TEXTS[:2]) * ours.encode_passages(TEXTS[:2])).sum(1).min() > 0.99
