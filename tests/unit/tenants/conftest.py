"""One set of stand-ins for all files here that run in one process, and an installation per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.tenants.installation import Installation, Outside, opened, stand_ins

from smarteros.store.database import Database


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with stand_ins(tmp_path_factory.mktemp("outside")) as running:
        yield running


@pytest.fixture
def installation(
    database: Database, outside: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    with opened(database, outside, tmp_path, monkeypatch) as running:
        yield running
