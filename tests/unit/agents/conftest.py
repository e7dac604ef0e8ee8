"""Trained agents for all tests of this folder: the training takes some seconds."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.agents.talk import SCOPE, Talk, small_knowledge_base

from smarteros.agents.native import NativeAgent
from smarteros.embedders.loading import Embedders


@pytest.fixture(scope="session")
def embedders(tmp_path_factory: pytest.TempPathFactory) -> Embedders:
    """The encoders of the full brain, with a file of vectors of their own."""
    directory: Path = tmp_path_factory.mktemp("vectors")
    embedders = Embedders("full", cache=directory)
    embedders.wait()
    return embedders


@pytest.fixture(scope="session")
def talk(embedders: Embedders) -> Talk:
    """A conversation partner over the small shop, with the whole brain."""
    agent = NativeAgent(small_knowledge_base(), embedders=embedders)
    agent.prepare(SCOPE.tenant_id)
    return Talk(agent)


@pytest.fixture(scope="session")
def wordy_talk() -> Talk:
    """The same without sentence encoders: what answers in the first seconds of a process."""
    return Talk(NativeAgent(small_knowledge_base()))
