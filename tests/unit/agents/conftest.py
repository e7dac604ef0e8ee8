"""Trained agents for all tests of this folder: the training takes some seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.agents.diary import Diary, new_diary
from tests.unit.agents.talk import SCOPE, Talk, small_knowledge_base

from smarteros.agents.native import NativeAgent
from smarteros.embedders.loading import Embedders
from smarteros.knowledge.base import EmbeddedKnowledgeBase
from smarteros.knowledge.store import MemoryDocumentStore
from smarteros.store.database import Database
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.store.examples import PostgresExampleStore


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


@pytest.fixture(scope="session")
def opened(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """One pool for the tests of what tenants teach; each test has a tenant of its own."""
    database = Database(postgres.url(), postgres.url("smos_app"))
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def taught(opened: Database) -> tuple[NativeAgent, EmbeddedKnowledgeBase]:
    """A brain by words alone over the examples in the database: what is proven here does not depend on encoders."""
    knowledge = EmbeddedKnowledgeBase(MemoryDocumentStore())
    return NativeAgent(knowledge, examples=PostgresExampleStore(opened)), knowledge


@pytest.fixture
def shop(opened: Database, taught: tuple[NativeAgent, EmbeddedKnowledgeBase], monkeypatch: pytest.MonkeyPatch) -> Diary:
    shop = new_diary(opened, *taught)
    monkeypatch.setattr("smarteros.bootstrap.open_services", shop.open_services)
    return shop
