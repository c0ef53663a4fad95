"""One contract that every vector index keeps, and what only FAISS has: one file, inverted lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from embeddings.errors import EmbeddingsError
from embeddings.indexes import vectors as vector_index
from embeddings.indexes.vectors import FaissIndex, VectorIndex

DIMENSION = 16
Opener = Callable[[], VectorIndex]
NONE = np.array([], np.int64)


def vectors(count: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(params=["faiss", "milvus"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path, milvus_uri: str) -> Iterator[Opener]:
    if request.param == "faiss":
        yield lambda: FaissIndex.open(tmp_path / "vectors", DIMENSION)
        return
    if find_spec("milvus_lite") is None:
        pytest.skip("pymilvus[milvus-lite] n'est pas installé")
    from embeddings.indexes.milvus import MilvusIndex

    yield lambda: MilvusIndex.open(milvus_uri, tmp_path.name, DIMENSION)


class TestVectorIndex:
    """What FaissIndex and MilvusIndex both do."""

    def test_empty(self, reopen: Opener) -> None:
        index = reopen()
        scores, ids = index.search(vectors(2), 3)
        assert (len(index), index.revision) == (0, 0)
        assert ids.tolist() == [[-1] * 3] * 2
        assert np.isneginf(scores).all()

    def test_finds_the_nearest_and_keeps_its_revision(self, reopen: Opener) -> None:
        rows, queries = vectors(200), vectors(5, seed=1)
        reopen().replace(np.arange(200) * 10, rows, 7)
        index = reopen()
        assert (len(index), index.revision) == (200, 7)
        scores, ids = index.search(queries, 10)
        exact = queries @ rows.T
        assert ids.tolist() == (np.argsort(-exact)[:, :10] * 10).tolist()
        np.testing.assert_allclose(scores, -np.sort(-exact)[:, :10], atol=1e-5)
        assert (ids.dtype, scores.dtype) == (np.int64, np.float32)

    def test_fewer_than_k(self, reopen: Opener) -> None:
        index = reopen()
        index.replace(np.array([3, 4]), vectors(2), 1)
        scores, ids = index.search(vectors(2)[:1], 4)
        assert ids.tolist() == [[3, 4, -1, -1]]
        assert np.isneginf(scores[0, 2:]).all()

    def test_update_removes_adds_and_replaces(self, reopen: Opener) -> None:
        rows = vectors(4)
        index = reopen()
        index.replace(np.array([1, 2]), rows[:2], 1)
        index.update(np.array([1, 99]), np.array([2, 3]), rows[2:], 2)
        assert (len(index), index.revision) == (2, 2)
        assert index.search(rows[2:], 1)[1].tolist() == [[2], [3]]
        index.update(np.array([2]), NONE, np.empty((0, DIMENSION), np.float32), 3)
        assert (len(index), index.revision) == (1, 3)
        reopened = reopen()
        assert (len(reopened), reopened.revision) == (1, 3)

    def test_replace_forgets(self, reopen: Opener) -> None:
        index = reopen()
        index.replace(np.array([1]), vectors(1), 1)
        index.replace(np.array([2]), vectors(1), 2)
        assert index.search(vectors(1), 2)[1].tolist() == [[2, -1]]
        index.replace(NONE, np.empty((0, DIMENSION), np.float32), 3)
        assert (len(index), index.revision) == (0, 3)

    def test_allowed(self, reopen: Opener) -> None:
        index = reopen()
        index.replace(np.arange(300), vectors(300), 1)
        assert set(index.search(vectors(1), 3, allowed=np.array([7, 250, 999]))[1][0]) == {7, 250, -1}
        assert index.search(vectors(1), 2, allowed=NONE)[1].tolist() == [[-1, -1]]

    def test_sound(self, reopen: Opener) -> None:
        index = reopen()
        assert index.check() == []
        index.replace(np.array([1]), vectors(1), 1)
        assert index.check() == []

    def test_another_dimension_is_refused(self, reopen: Opener) -> None:
        with pytest.raises(EmbeddingsError, match="dimension"):
            reopen().replace(np.array([1]), np.ones((1, DIMENSION + 1), np.float32), 1)


def test_milvus_survives_a_restart(tmp_path: Path) -> None:
    pytest.importorskip("milvus_lite", reason="pymilvus[milvus-lite] n'est pas installé")
    from milvus_lite.server_manager import server_manager_instance

    from embeddings.indexes.milvus import INTERRUPTED, MilvusIndex

    uri = str(tmp_path / "milvus.db")
    index = MilvusIndex.open(uri, "vecteurs", DIMENSION)
    index.replace(np.arange(50), vectors(50), 7)
    with pytest.raises(ValueError, match="zip"):
        index.update(NONE, np.arange(3), vectors(2), 8)
    assert index.revision == INTERRUPTED
    assert "--repair" in index.check()[0]
    server_manager_instance.release_server(uri)
    index = MilvusIndex.open(uri, "vecteurs", DIMENSION)
    assert index.revision == INTERRUPTED
    index.replace(np.arange(50), vectors(50), 8)
    server_manager_instance.release_server(uri)
    index = MilvusIndex.open(uri, "vecteurs", DIMENSION)
    assert (len(index), index.revision, index.check()) == (50, 8, [])
    with pytest.raises(EmbeddingsError, match=f"dimension {DIMENSION}, et non 8"):
        MilvusIndex.open(uri, "vecteurs", 8)
    assert len(MilvusIndex.create(uri, "vecteurs", 8)) == 0
    assert MilvusIndex.open(uri, "vecteurs", 8).revision == 0


def test_a_silent_milvus_is_reported() -> None:
    pytest.importorskip("pymilvus", reason="pymilvus n'est pas installé")
    from embeddings.indexes.milvus import MilvusIndex

    with pytest.raises(EmbeddingsError, match=r"127\.0\.0\.1:1"):
        MilvusIndex.open("http://127.0.0.1:1", "vecteurs", DIMENSION)


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_index, "FLAT_LIMIT", 500)
    monkeypatch.setattr(vector_index, "LISTS", 8)
    monkeypatch.setattr(vector_index, "PROBES", 4)


@pytest.mark.usefixtures("small_limits")
class TestInvertedLists:
    def test_built_at_once_or_by_growth(self, tmp_path: Path) -> None:
        rows = vectors(2000)
        ids = np.arange(2000)
        whole, grown = FaissIndex.open(tmp_path / "a", DIMENSION), FaissIndex.open(tmp_path / "b", DIMENSION)
        whole.replace(ids, rows, 1)
        grown.replace(ids[:400], rows[:400], 1)
        for at in range(400, 2000, 400):
            grown.update(NONE, ids[at : at + 400], rows[at : at + 400], at)
        exact = np.argsort(-(rows[:100] @ rows.T))[:, :10]
        for index in (whole, grown, FaissIndex.open(tmp_path / "b", DIMENSION)):
            found = index.search(rows[:100], 10)[1]
            assert len(index) == 2000
            assert (found[:, 0] == ids[:100]).all()
            assert np.mean([len(set(f) & set(e)) / 10 for f, e in zip(found, exact, strict=True)]) > 0.7

    def test_a_filter_misses_nothing(self, tmp_path: Path) -> None:
        index = FaissIndex.open(tmp_path, DIMENSION)
        index.replace(np.arange(2000), vectors(2000), 1)
        allowed = np.arange(0, 2000, 100)
        assert set(index.search(vectors(1, seed=5), 20, allowed=allowed)[1][0]) == set(allowed)

    def test_what_is_left_is_found(self, tmp_path: Path) -> None:
        index = FaissIndex.open(tmp_path, DIMENSION)
        index.replace(np.arange(2000), vectors(2000), 1)
        index.update(np.arange(20, 2000), NONE, np.empty((0, DIMENSION), np.float32), 2)
        assert set(index.search(vectors(1, seed=5), 20)[1][0]) == set(range(20))


@pytest.mark.parametrize("damage", ["altered", "truncated", "empty", "stamp"])
def test_damage_is_found(tmp_path: Path, damage: str) -> None:
    index = FaissIndex.open(tmp_path, DIMENSION)
    index.replace(np.arange(50), vectors(50), 1)
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    content[{"stamp": len(content) - 50}.get(damage, len(content) // 2)] ^= 1
    file.write_bytes(content[: {"truncated": len(content) // 2, "empty": 0}.get(damage)])
    assert "--repair" in index.check()[0]
    with pytest.raises(EmbeddingsError, match="--repair"):
        FaissIndex.open(tmp_path, DIMENSION)
    FaissIndex.create(tmp_path, DIMENSION).replace(np.arange(50), vectors(50), 2)
    assert FaissIndex.open(tmp_path, DIMENSION).revision == 2


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    index = FaissIndex.open(tmp_path, DIMENSION)
    index.replace(np.arange(5), vectors(5), 1)
    next(tmp_path.iterdir()).unlink()
    assert "manque" in index.check()[0]


def test_a_file_of_another_dimension_is_refused(tmp_path: Path) -> None:
    FaissIndex.open(tmp_path, DIMENSION).replace(np.arange(5), vectors(5), 1)
    with pytest.raises(EmbeddingsError, match=f"dimension {DIMENSION}, et non 8"):
        FaissIndex.open(tmp_path, 8)


def test_a_failed_write_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = FaissIndex.open(tmp_path, DIMENSION)
    index.replace(np.arange(5), vectors(5), 1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(EmbeddingsError, match="place libre"):
            index.update(np.array([0]), NONE, np.empty((0, DIMENSION), np.float32), 2)
    assert (len(index), index.revision, len(list(tmp_path.iterdir()))) == (5, 1, 1)
    assert len(FaissIndex.open(tmp_path, DIMENSION)) == 5
