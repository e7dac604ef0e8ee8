"""A bench per test."""

from __future__ import annotations

import pytest
from tests.unit.flow.bench import Bench

from smarteros.store.database import Database


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)
