"""Encoding on a Ray cluster of this one machine."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import numpy as np
import pytest

from embeddings.encoders.distributed import BATCH, encode_on_ray
from embeddings.encoders.encoder import load_encoder
from embeddings.errors import EmbeddingsError

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="ray n'est pas installé")
ENCODER = "french-static"


@needs_ray
@pytest.mark.slow
def test_the_vectors_are_those_of_this_machine_in_order() -> None:
    texts = [f"Le pont numéro {i} a fermé en {1900 + i}." for i in range(2 * BATCH + 10)]
    done: list[int] = []
    vectors = encode_on_ray(texts, ENCODER, "local", progress=done.append)
    np.testing.assert_allclose(vectors, load_encoder(ENCODER).encode_passages(texts), atol=1e-5)
    assert len(done) == 3
    assert done[-1] == len(texts)


@needs_ray
def test_an_unknown_cluster_is_reported() -> None:
    with pytest.raises(EmbeddingsError, match=r"127\.0\.0\.1:1\b"):
        encode_on_ray(["Un texte."], ENCODER, "127.0.0.1:1")


def test_without_ray_the_command_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(EmbeddingsError, match=r"pip install \"sourcier\[ray\]\""):
        encode_on_ray(["Un texte."], ENCODER, "local")
