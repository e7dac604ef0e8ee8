"""The audit is a chain: what was written cannot be changed, removed or reordered unseen."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from smarteros.domain.audit import AuditEvent
from smarteros.domain.tenants import TenantScope
from smarteros.store.audit import append_event, list_events, verify_chain
from smarteros.store.database import Database
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.store.tables import audit_events, outbox

_numbers = itertools.count(1)


@pytest.fixture
def scope() -> TenantScope:
    """A tenant no other test uses."""
    return TenantScope(tenant_id=f"AUDIT_SHOP_{next(_numbers)}")


def event(scope: TenantScope, number: int) -> AuditEvent:
    return AuditEvent(
        event_id=f"{scope.tenant_id}-{number}",
        topic="smarteros.audit.faq",
        kind="turn",
        tenant_id=scope.tenant_id,
        conversation_id=number,
        timestamp=datetime(2026, 11, 22, 8, number, tzinfo=UTC),
        details={"outcome": "answered"},
    )


@pytest.fixture
def chain(database: Database, scope: TenantScope) -> TenantScope:
    """Three events of one tenant."""
    for number in (1, 2, 3):
        with database.tenant(scope) as connection:
            append_event(connection, event(scope, number))
    return scope


def tamper(postgres: EmbeddedPostgres, statement: sa.Executable) -> None:
    engine = sa.create_engine(postgres.url(), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(statement)


def test_an_untouched_chain_verifies(database: Database, chain: TenantScope) -> None:
    with database.tenant(chain) as connection:
        assert verify_chain(connection, chain.tenant_id) is None
        assert [e.conversation_id for e in list_events(connection, chain.tenant_id, None, 10)] == [1, 2, 3]


def test_an_event_appended_twice_is_there_once_and_waits_once_for_the_bus(
    database: Database, scope: TenantScope
) -> None:
    with database.tenant(scope) as connection:
        assert append_event(connection, event(scope, 1))
        assert not append_event(connection, event(scope, 1))
        assert connection.execute(sa.select(sa.func.count()).select_from(outbox)).scalar_one() == 1


def test_a_changed_event_is_found(database: Database, postgres: EmbeddedPostgres, chain: TenantScope) -> None:
    changed = event(chain, 2).model_copy(update={"details": {"outcome": "failed"}})
    mine = sa.and_(audit_events.c.tenant_id == chain.tenant_id, audit_events.c.position == 2)
    tamper(postgres, sa.update(audit_events).where(mine).values(event=changed.model_dump(mode="json")))

    with database.tenant(chain) as connection:
        assert verify_chain(connection, chain.tenant_id) == 2


def test_a_removed_event_is_found(database: Database, postgres: EmbeddedPostgres, chain: TenantScope) -> None:
    mine = sa.and_(audit_events.c.tenant_id == chain.tenant_id, audit_events.c.position == 2)
    tamper(postgres, sa.delete(audit_events).where(mine))

    with database.tenant(chain) as connection:
        assert verify_chain(connection, chain.tenant_id) == 2


@pytest.mark.parametrize("statement", [sa.update(audit_events).values(hash="0"), sa.delete(audit_events)])
def test_the_application_itself_cannot_change_the_audit(
    database: Database, chain: TenantScope, statement: sa.Executable
) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), database.tenant(chain) as connection:
        connection.execute(statement)
