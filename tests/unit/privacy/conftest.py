"""One conversation whose customer may be left alone, and what the database holds of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit.flow.bench import TENANT
from tests.unit.flow.conftest import bench, hearing
from tests.unit.store.queued import TurnQueue, plain_traces, turn_queue

__all__ = ["bench", "hearing", "plain_traces", "turn_queue"]


@pytest.fixture(autouse=True)
def _nobody_is_blocked(turn_queue: TurnQueue) -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]
    """The bench's conversations all have one contact."""
    yield
    turn_queue.ask("DELETE FROM smos.contacts WHERE tenant_id = %s", TENANT.tenant_id)
