"""Receivers for all tests of the process, and a shop of its own for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.paging import Told, receivers
from tests.unit.alerts.watching import Watched

from smarteros.kit.http import HttpClient
from smarteros.store.database import Database


@pytest.fixture(scope="session")
def all_told() -> Iterator[Told]:
    with receivers() as told:
        yield told


@pytest.fixture(scope="session")
def http() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


@pytest.fixture
def watched(database: Database, all_told: Told, http: HttpClient, tmp_path: Path) -> Watched:
    all_told.clear()
    return Watched(database, all_told, http, tmp_path)
