"""What every ExampleStore must do, whatever stands behind it."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from tests.support import migrated_postgres

from smarteros.agents.training.memory import MemoryExampleStore
from smarteros.agents.training.protocol import VERSIONS_KEPT, ExampleStore
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.examples import LabelledExample, ModelReport
from smarteros.domain.tenants import TenantScope
from smarteros.store.database import Database
from smarteros.store.examples import PostgresExampleStore

OURS, THEIRS = TenantScope(tenant_id="TENANT_OURS"), TenantScope(tenant_id="TENANT_THEIRS")
REPORT = ModelReport(before=0.9, after=0.91, own=1.0, looked_through=("use",))
FREIGHT = LabelledExample(text="¿hacen flete?", intent="faq_shipping")
BOAT = LabelledExample(text="¿sale la lancha?", intent="faq_hours")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Generator[Database]:
    directory: Path = tmp_path_factory.mktemp("postgres")
    with migrated_postgres(directory) as postgres:
        database = Database(postgres.url(), postgres.url("smos_app"))
        yield database
        database.dispose()


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> ExampleStore:
    if request.param == "memory":
        return MemoryExampleStore()
    return PostgresExampleStore(request.getfixturevalue("database"))


@pytest.fixture
def ours(request: pytest.FixtureRequest) -> TenantScope:
    """A tenant no other test writes to."""
    return TenantScope(tenant_id=f"TENANT_{abs(hash(request.node.name)) % 10**8}")


def published(store: ExampleStore, scope: TenantScope, *examples: LabelledExample, note: str = "") -> int:
    return store.publish(scope, examples, REPORT, note=note, revision=store.revision(scope)).version


def test_a_tenant_that_taught_nothing_has_no_version(store: ExampleStore, ours: TenantScope):
    assert store.revision(ours) == 0
    assert store.active(ours) is None
    assert store.versions(ours) == ()


def test_what_is_published_is_active(store: ExampleStore, ours: TenantScope):
    assert published(store, ours, FREIGHT, note="first") == 1
    assert published(store, ours, FREIGHT, BOAT) == 2
    active = store.active(ours)
    assert active is not None
    assert active.examples == (FREIGHT, BOAT)
    assert active.report == REPORT
    assert [(each.version, each.active, each.note) for each in store.versions(ours)] == [
        (2, True, ""),
        (1, False, "first"),
    ]


def test_every_change_raises_the_revision_also_going_back(store: ExampleStore, ours: TenantScope):
    revisions = [store.revision(ours)]
    published(store, ours, FREIGHT)
    revisions.append(store.revision(ours))
    published(store, ours, BOAT)
    revisions.append(store.revision(ours))
    assert store.activate(ours, 1).examples == (FREIGHT,)
    revisions.append(store.revision(ours))
    assert len(set(revisions)) == 4
    active = store.active(ours)
    assert active is not None
    assert active.version == 1
    assert published(store, ours, FREIGHT, BOAT) == 3


def test_two_changes_at_once_do_not_undo_each_other(store: ExampleStore, ours: TenantScope):
    revision = store.revision(ours)
    store.publish(ours, (FREIGHT,), REPORT, note="", revision=revision)
    with pytest.raises(RejectedInputError, match="meanwhile"):
        store.publish(ours, (BOAT,), REPORT, note="", revision=revision)


def test_a_version_that_is_not_there_cannot_be_activated(store: ExampleStore, ours: TenantScope):
    published(store, ours, FREIGHT)
    with pytest.raises(RejectedInputError, match="no version 7"):
        store.activate(ours, 7)


def test_only_the_last_versions_are_kept(store: ExampleStore, ours: TenantScope):
    for _ in range(VERSIONS_KEPT + 3):
        published(store, ours, FREIGHT)
    kept = [each.version for each in store.versions(ours)]
    assert len(kept) == VERSIONS_KEPT
    assert kept[0] == VERSIONS_KEPT + 3


def test_one_tenant_does_not_see_the_examples_of_another(store: ExampleStore):
    published(store, OURS, FREIGHT)
    assert store.active(THEIRS) is None
    assert store.versions(THEIRS) == ()
    assert store.revision(THEIRS) == 0
    with pytest.raises(RejectedInputError):
        store.activate(THEIRS, 1)
