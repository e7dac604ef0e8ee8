"""One trained agent for all tests of this folder: the training takes a second."""

from __future__ import annotations

import pytest
from tests.unit.agents.talk import Talk, small_knowledge_base

from smarteros.agents.native import NativeAgent


@pytest.fixture(scope="session")
def talk() -> Talk:
    """A conversation partner over the small shop."""
    return Talk(NativeAgent(small_knowledge_base()))
