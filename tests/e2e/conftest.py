"""The outside program's view of the running stack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.conftest import RunningStack
from tests.e2e.world import World


@pytest.fixture(scope="session")
def world(stack: RunningStack) -> Iterator[World]:
    """An outside program that knows the URL only."""
    with World(stack.url) as opened:
        yield opened
