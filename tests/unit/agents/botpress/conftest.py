"""One stand-in for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit.agents.botpress.bots import DOORS, Bots, Brain, Door, bots_serving, brain


@pytest.fixture(scope="session")
def stand_in() -> Iterator[Bots]:
    with bots_serving() as bots:
        yield bots


@pytest.fixture
def bots(stand_in: Bots) -> Bots:
    stand_in.forget()
    return stand_in


@pytest.fixture(params=DOORS, ids=" ".join)
def door(request: pytest.FixtureRequest) -> Door:
    return request.param


@pytest.fixture
def shop(bots: Bots, door: Door) -> Brain:
    """A shop whose bot stands behind each of the doors in turn."""
    return brain(bots, bots.settings(door))
