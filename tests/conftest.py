"""What every test may use: one running stack, one PostgreSQL. And how a run is spread over processes."""

from __future__ import annotations

import compileall
import gc
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from smarteros.scenarios.own_stack import own_stack
from smarteros.store.database import Database
from smarteros.store.embedded import EmbeddedPostgres
from tests.kafka_broker import kafka
from tests.support import migrated_postgres, postgres_below, spare_the_disk
from tests.vault_server import vault

__all__ = ["kafka", "vault"]
ROOT = Path(__file__).parents[1]
SHARED = Path(__file__).parents[2] / "shared"
# How long an example takes depends on what else the machine does, and says nothing about it.
settings.register_profile("smarteros", deadline=None)
settings.load_profile("smarteros")
MOST_PROCESSES = 4
START_WITHIN_S = 300.0  # of the stack; on a crowded machine it takes minutes
# Folders whose tests share what takes long to set up (the running stack, a trained agent): each group of them runs in
# one process, so that it is set up once. By folder, because xdist's mark for groups does nothing with this pytest.
SET_UP_ONCE = {
    "tests/attacks": "stack",
    "tests/contracts": "stack",
    "tests/docs": "stack",
    "tests/e2e": "stack",
    "tests/unit/agents": "agents",
}


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """A process for each core and one more when everything is run: a quarter of the time a test waits for others.

    Named tests are often done before another process would have started.
    """
    if config.args_source is pytest.Config.ArgsSource.ARGS:
        return 0
    return min(MOST_PROCESSES, len(os.sched_getaffinity(0)) + 1)


def pytest_configure(config: pytest.Config) -> None:
    """Where Python writes no bytecode, each of the many processes of a run would compile our sources anew."""
    everything = config.args_source is not pytest.Config.ArgsSource.ARGS
    if everything and sys.dont_write_bytecode and not hasattr(config, "workerinput"):
        for sources in ("src", "sandbox"):
            compileall.compile_dir(ROOT / sources, quiet=2)


def pytest_collection_finish() -> None:
    """What has been imported and collected stays: the garbage collector need not walk through all of it again."""
    gc.freeze()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a process the next file, or a whole group of ``SET_UP_ONCE``; the tests of a file stay together."""

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return next((group for folder, group in SET_UP_ONCE.items() if file.startswith(f"{folder}/")), file)

    return ByFile(config, log)


@pytest.fixture(scope="session", autouse=True)
def _learn_once() -> Iterator[None]:
    """What a brain learns of the same examples is the same and only read: a process of tests learns it once."""
    native = sys.modules.get("smarteros.agents.native")
    if native is None:  # nobody here has a brain
        yield
        return
    learn, learnt = native.Brain.trained, dict[str, Any]()

    def trained(extra_examples: Any = None) -> Any:
        told = repr(sorted((extra_examples or {}).items()))
        if told not in learnt:
            learnt[told] = learn(extra_examples)
        return learnt[told]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native.Brain, "trained", trained)
        yield


@dataclass(frozen=True)
class RunningStack:
    """The demo, started as its user starts it. Commands reach it by its data directory."""

    url: str
    data_dir: Path


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """One demo for the whole run, on a free port and an empty data directory."""
    data_dir = tmp_path_factory.mktemp("stack")
    with own_stack(data_dir=data_dir, start_within_s=START_WITHIN_S) as url:
        spare_the_disk(postgres_below(data_dir))
        yield RunningStack(url, data_dir)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A real PostgreSQL of our own, with the tables."""
    with migrated_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def _one_database(postgres: EmbeddedPostgres) -> Database:
    return Database(postgres.url(), postgres.url("smos_app"))


@pytest.fixture
def database(_one_database: Database) -> Iterator[Database]:
    """Connections as the application's role. Tests share the tables and use tenant ids of their own.

    Each test opens connections of its own; the statements that SQLAlchemy has compiled are kept for the next one.
    """
    yield _one_database
    _one_database.dispose()


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of real payloads and development data; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the shared folder with real payloads is not here")
    return SHARED
