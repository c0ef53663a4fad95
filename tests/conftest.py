from __future__ import annotations

import pytest

from tests.fakes import HashEncoder


@pytest.fixture
def hash_encoder() -> HashEncoder:
    return HashEncoder()
