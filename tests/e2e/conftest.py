"""The outside program's view of the running stack."""

from __future__ import annotations

import pytest
from tests.conftest import RunningStack
from tests.e2e.world import World


@pytest.fixture(scope="session")
def world(stack: RunningStack) -> World:
    """An outside program that knows the URL only."""
    return World(stack.url)
