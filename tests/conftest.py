from __future__ import annotations

import pytest
from fakes import HashEncoder


@pytest.fixture
def hash_encoder() -> HashEncoder:
    return HashEncoder()


@pytest.fixture(scope="session")
def milvus_uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One milvus-lite for all; each test takes a collection of its own."""
    return str(tmp_path_factory.mktemp("milvus") / "milvus.db")
