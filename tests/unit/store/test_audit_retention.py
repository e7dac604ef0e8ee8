"""Old audit events go by themselves, and what stays can be proven to be whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from tests.unit.store.test_audit import EVENTS, SEAL, Intruder, chain, found, intruder, owner, scope, verify

from smarteros.domain.tenants import TenantScope
from smarteros.kit.clock import SystemClock
from smarteros.privacy.audit_retention import AuditRetention
from smarteros.store.database import Database, owner_engine
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.store.locks import OneProcess
from smarteros.store.tables import audit_events

__all__ = ["chain", "intruder", "owner", "scope"]
KEPT = timedelta(days=400)


@pytest.fixture
def retention(postgres: EmbeddedPostgres, owner: sa.Engine) -> Iterator[AuditRetention]:
    only = OneProcess(owner_engine(postgres.url()), "audit-retention")
    yield AuditRetention(owner, only, SEAL, SystemClock(), KEPT)
    only.close()


def age(intruder: Intruder, positions: range, by: timedelta) -> None:
    for position in positions:
        intruder.change(position, recorded_at=datetime.now(UTC) - by)


def test_a_sweep_cuts_what_is_too_old_and_the_rest_is_whole(
    database: Database, chain: TenantScope, intruder: Intruder, retention: AuditRetention
) -> None:
    age(intruder, range(1, 4), KEPT + timedelta(days=2))
    cut = {each.tenant_id: each.events for each in retention.sweep()}

    assert cut[chain.tenant_id] == 3
    report = verify(database, chain)
    assert (found(report), report.start_position, report.events) == ([], 3, EVENTS - 3 + 1)
    assert retention.sweep() == ()


def test_less_than_a_day_is_not_worth_cutting(
    chain: TenantScope, intruder: Intruder, retention: AuditRetention
) -> None:
    age(intruder, range(1, 4), KEPT + timedelta(hours=20))
    assert chain.tenant_id not in {each.tenant_id for each in retention.sweep()}


def test_a_chain_that_was_changed_keeps_its_traces(
    database: Database, chain: TenantScope, intruder: Intruder, retention: AuditRetention
) -> None:
    age(intruder, range(1, 4), KEPT + timedelta(days=2))
    intruder.remove(2)
    assert chain.tenant_id not in {each.tenant_id for each in retention.sweep()}
    assert ("removed", 2) in found(verify(database, chain))
    intruder.does(sa.delete(audit_events).where(audit_events.c.tenant_id == chain.tenant_id))


def test_only_one_of_all_processes_cuts(
    postgres: EmbeddedPostgres, chain: TenantScope, intruder: Intruder, retention: AuditRetention
) -> None:
    age(intruder, range(1, 4), KEPT + timedelta(days=2))
    other = OneProcess(owner_engine(postgres.url()), "audit-retention")
    assert other.is_this()
    assert retention.sweep() == ()
    other.close()
    assert chain.tenant_id in {each.tenant_id for each in retention.sweep()}
