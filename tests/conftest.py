"""What every test may use: one running stack, one PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from smarteros.scenarios.own_stack import own_stack
from smarteros.store.database import Database, migrate
from smarteros.store.embedded import EmbeddedPostgres

SHARED = Path(__file__).parents[2] / "shared"


@dataclass(frozen=True)
class RunningStack:
    """The demo, started as its user starts it."""

    url: str


@pytest.fixture(scope="session")
def stack() -> Iterator[RunningStack]:
    """One demo for the whole run, on a free port and an empty data directory."""
    with own_stack() as url:
        yield RunningStack(url)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A real PostgreSQL of our own, with the tables."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres")) as server:
        migrate(server.url())
        yield server


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """Connections as the application's role. Tests share the tables and use tenant ids of their own."""
    opened = Database(postgres.url(), postgres.url("smos_app"))
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of real payloads and development data; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the shared folder with real payloads is not here")
    return SHARED
