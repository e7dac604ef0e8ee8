"""A bench per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit.flow.bench import Bench
from tests.unit.flow.hearing import Hearing
from tests.unit.store.queued import TurnQueue, plain_traces, turn_queue

from smarteros.store.database import Database

__all__ = ["plain_traces", "turn_queue"]


@pytest.fixture
def bench(database: Database, turn_queue: TurnQueue) -> Bench:
    return Bench(database, turn_queue)


@pytest.fixture
def hearing(bench: Bench) -> Iterator[Hearing]:
    hearing = Hearing(bench)
    yield hearing
    hearing.engine.stop()
