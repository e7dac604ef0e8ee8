"""The audit is a chain: what was written cannot be changed, removed, reordered or cut off unseen."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, ProgrammingError

from smarteros.domain.audit import AuditEvent, chain_hash
from smarteros.domain.audit_chain import AuditSeal, ChainHead, ChainReport
from smarteros.domain.errors import PermanentError
from smarteros.domain.tenants import TenantScope
from smarteros.store.audit import append_event, erase_chain, list_events
from smarteros.store.audit_chain import chain_rows, prune_chain, reseal_chain, seal_chains, verify_chain
from smarteros.store.audit_tables import audit_chains
from smarteros.store.database import Database, owner_engine
from smarteros.store.embedded import EmbeddedPostgres
from smarteros.store.tables import audit_events, outbox

_numbers = itertools.count(1)
SEAL = AuditSeal(("key-of-the-tests",))
EVENTS = 6
LATER = timedelta(hours=1)


@pytest.fixture(scope="module")
def owner(postgres: EmbeddedPostgres) -> Iterator[sa.Engine]:
    """The owner of the tables, here a superuser: who holds him can do everything except make a seal."""
    engine = owner_engine(postgres.url())
    yield engine
    engine.dispose()


@pytest.fixture
def scope() -> TenantScope:
    """A tenant no other test uses."""
    return TenantScope(tenant_id=f"AUDIT_SHOP_{next(_numbers)}")


def event(scope: TenantScope, number: int, outcome: str = "answered") -> AuditEvent:
    return AuditEvent(
        event_id=f"{scope.tenant_id}-{number}",
        topic="smarteros.audit.faq",
        kind="turn",
        tenant_id=scope.tenant_id,
        conversation_id=number,
        confidence=0.1 + 0.2,
        timestamp=datetime(2026, 11, 22, 8, number % 60, tzinfo=UTC),
        details={"outcome": outcome, "reason": "ñandú"},
    )


def append(database: Database, scope: TenantScope, *numbers: int) -> None:
    for number in numbers:
        with database.tenant(scope) as connection:
            append_event(connection, event(scope, number))


@pytest.fixture
def chain(database: Database, scope: TenantScope, owner: sa.Engine) -> TenantScope:
    """Six events of one tenant, the first four of them sealed."""
    append(database, scope, 1, 2, 3, 4)
    seal_chains(owner, SEAL)
    append(database, scope, 5, 6)
    return scope


class Intruder:
    """Somebody who writes the database past all its guards, and knows how hashes are made."""

    def __init__(self, owner: sa.Engine, scope: TenantScope) -> None:
        self._owner = owner
        self._scope = scope
        self._events = audit_events.c.tenant_id == scope.tenant_id
        self._chain = audit_chains.c.tenant_id == scope.tenant_id

    def does(self, *statements: sa.Executable) -> None:
        with self._owner.begin() as connection:
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                connection.execute(statement)

    def change(self, position: int, **values: object) -> None:
        self.does(sa.update(audit_events).where(self._events, audit_events.c.position == position).values(values))

    def remove(self, *positions: int) -> None:
        self.does(sa.delete(audit_events).where(self._events, audit_events.c.position.in_(positions)))

    def swap(self, one: int, other: int) -> None:
        for now, then in ((one, 1000), (other, one), (1000, other)):
            here = audit_events.c.position == now
            self.does(sa.update(audit_events).where(self._events, here).values(position=then))

    def change_chain(self, **values: object) -> None:
        self.does(sa.update(audit_chains).where(self._chain).values(values))

    def chain_row(self) -> dict[str, object]:
        with self._owner.connect() as connection:
            return dict(connection.execute(sa.select(audit_chains).where(self._chain)).mappings().one())

    def rewrite_from(self, position: int) -> None:
        """Replace an event and make all hashes after it anew, the end of the chain too."""
        with self._owner.connect() as connection:
            rows = list(chain_rows(connection, self._scope.tenant_id))
        previous = rows[position - 1].previous_hash
        for row in rows[position - 1 :]:
            body = {**row.event, "details": {"outcome": "invented"}} if row.position == position else row.event
            self.change(row.position, event=body, previous_hash=previous, hash=chain_hash(previous, body))
            previous = chain_hash(previous, body)
        self.change_chain(hash=previous)


@pytest.fixture
def intruder(owner: sa.Engine, chain: TenantScope) -> Intruder:
    return Intruder(owner, chain)


def verify(
    database: Database, scope: TenantScope, *earlier: ChainHead, seal: AuditSeal = SEAL, late: timedelta = timedelta()
) -> ChainReport:
    with database.tenant(scope) as connection:
        return verify_chain(connection, scope.tenant_id, seal, datetime.now(UTC) + late, earlier)


def found(report: ChainReport) -> list[tuple[str, int]]:
    return [(finding.kind, finding.position) for finding in report.findings]


def test_an_untouched_chain_is_whole(database: Database, chain: TenantScope) -> None:
    report = verify(database, chain)

    assert found(report) == []
    assert (report.events, report.position, report.sealed_position) == (EVENTS, EVENTS, 4)
    with database.tenant(chain) as connection:
        assert [e.conversation_id for e in list_events(connection, chain.tenant_id, None, 10)] == [1, 2, 3, 4, 5, 6]


def test_a_tenant_without_events_has_nothing_amiss(database: Database, scope: TenantScope) -> None:
    assert found(verify(database, scope)) == []


def test_an_event_appended_twice_is_there_once_and_waits_once_for_the_bus(
    database: Database, scope: TenantScope
) -> None:
    with database.tenant(scope) as connection:
        assert append_event(connection, event(scope, 1))
        assert not append_event(connection, event(scope, 1))
        waiting = connection.execute(sa.select(outbox.c.event)).scalars().all()
    append(database, scope, 2)

    assert [e["event_id"] for e in waiting] == [f"{scope.tenant_id}-1"]
    assert waiting[0]["chain"]["position"] == 1
    assert found(verify(database, scope)) == []


ATTACKS: dict[str, tuple[Callable[[Intruder], None], tuple[str, int]]] = {
    "another event": (lambda who: who.change(2, event={"event_id": "x"}), ("changed", 2)),
    "an event that is none": (lambda who: who.change(3, event=[]), ("changed", 3)),
    "another conversation": (lambda who: who.change(2, conversation_id=99), ("changed", 2)),
    "another hash": (lambda who: who.change(5, hash="0" * 64), ("changed", 5)),
    "a removed event": (lambda who: who.remove(2), ("removed", 2)),
    "a removed beginning": (lambda who: who.remove(1, 2, 3), ("removed", 1)),
    "two swapped events": (lambda who: who.swap(2, 3), ("moved", 2)),
    "a removed end": (lambda who: who.remove(5, 6), ("cut", 5)),
    "everything removed": (lambda who: who.remove(1, 2, 3, 4, 5, 6), ("cut", 1)),
    "all hashes made anew": (lambda who: who.rewrite_from(2), ("rewritten", 4)),
    "a forged seal": (lambda who: who.change_chain(seal=f"{SEAL.key_id}:{'0' * 64}"), ("seal_broken", 4)),
    "a seal taken away": (lambda who: who.change_chain(seal=None), ("seal_broken", 4)),
    "a later beginning": (lambda who: who.change_chain(start_position=2), ("seal_broken", 4)),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_past_all_guards_is_found_where_it_was_made(
    database: Database, chain: TenantScope, intruder: Intruder, attack: str
) -> None:
    do, finding = ATTACKS[attack]
    do(intruder)

    assert finding in found(verify(database, chain))


def test_an_end_cut_off_with_the_chains_row_put_back_is_behind_the_seal(
    database: Database, chain: TenantScope, intruder: Intruder
) -> None:
    with database.tenant(chain) as connection:
        third = list(chain_rows(connection, chain.tenant_id))[2]
    intruder.remove(4, 5, 6)
    intruder.change_chain(position=3, hash=third.hash)

    assert ("cut", 4) in found(verify(database, chain))


def test_a_chain_sealed_anew_by_an_old_row_is_seen_by_an_earlier_report_only(
    database: Database, chain: TenantScope, intruder: Intruder, owner: sa.Engine
) -> None:
    old = intruder.chain_row()
    with database.tenant(chain) as connection:
        fourth = list(chain_rows(connection, chain.tenant_id))[3]
    seal_chains(owner, SEAL)
    report = verify(database, chain)
    intruder.remove(5, 6)
    intruder.change_chain(**{**old, "position": 4, "hash": fourth.hash})

    assert found(verify(database, chain)) == []
    assert found(verify(database, chain, ChainHead(position=report.position, hash=report.hash))) == [("cut", 5)]


def test_a_rewritten_chain_is_never_sealed(
    database: Database, chain: TenantScope, intruder: Intruder, owner: sa.Engine
) -> None:
    intruder.change(5, event={"event_id": "x"})

    assert chain.tenant_id in seal_chains(owner, SEAL)
    assert verify(database, chain).sealed_position == 4
    intruder.does(sa.delete(audit_chains).where(audit_chains.c.tenant_id == chain.tenant_id))


def test_events_no_worker_has_sealed_for_long_are_reported(
    database: Database, chain: TenantScope, owner: sa.Engine
) -> None:
    assert found(verify(database, chain, late=LATER)) == [("unsealed", 5)]
    seal_chains(owner, SEAL)
    assert found(verify(database, chain, late=LATER)) == []


def test_a_key_is_changed_without_losing_the_seal(database: Database, chain: TenantScope, owner: sa.Engine) -> None:
    new = AuditSeal(("new-key",))
    assert ("seal_broken", 4) in found(verify(database, chain, seal=new))

    assert chain.tenant_id not in seal_chains(owner, AuditSeal(("new-key", "key-of-the-tests")))
    assert found(verify(database, chain, seal=new)) == []
    reseal_chain(owner, chain.tenant_id, SEAL, datetime.now(UTC))  # as if the new one had been lost
    assert found(verify(database, chain)) == []


def test_what_is_broken_is_not_sealed_again_on_demand(chain: TenantScope, intruder: Intruder, owner: sa.Engine) -> None:
    intruder.remove(2)

    with pytest.raises(PermanentError) as refused:
        reseal_chain(owner, chain.tenant_id, SEAL, datetime.now(UTC))
    assert refused.value.code == "audit_broken"
    intruder.does(sa.delete(audit_chains).where(audit_chains.c.tenant_id == chain.tenant_id))


def test_a_pruned_chain_is_whole_and_goes_on(
    database: Database, chain: TenantScope, intruder: Intruder, owner: sa.Engine
) -> None:
    for position in (1, 2, 3):
        intruder.change(position, recorded_at=datetime(2026, 1, position, tzinfo=UTC))

    pruned = prune_chain(owner, chain.tenant_id, datetime(2026, 1, 3, tzinfo=UTC), SEAL, datetime.now(UTC))
    append(database, chain, 7)
    report = verify(database, chain)

    assert (pruned.position, pruned.events) == (2, 2)
    assert (found(report), report.start_position, report.events) == ([], 2, EVENTS - 2 + 2)
    with database.tenant(chain) as connection:
        kinds = [e.kind for e in list_events(connection, chain.tenant_id, None, 10)]
    assert kinds == ["turn"] * 4 + ["audit_pruned", "turn"]


def test_a_chain_can_be_pruned_of_all_it_has_and_remembers_how_it_ended(
    database: Database, chain: TenantScope, owner: sa.Engine
) -> None:
    before = verify(database, chain)
    pruned = prune_chain(owner, chain.tenant_id, datetime.now(UTC) + LATER, SEAL, datetime.now(UTC))
    append(database, chain, 7)
    after = verify(database, chain, ChainHead(position=before.position, hash=before.hash))

    assert pruned.events == EVENTS
    assert (found(after), after.start_position, after.position) == ([], EVENTS, EVENTS + 2)


def test_a_removed_event_behind_the_checkpoint_is_found(
    database: Database, chain: TenantScope, intruder: Intruder, owner: sa.Engine
) -> None:
    prune_chain(owner, chain.tenant_id, datetime.now(UTC) + LATER, SEAL, datetime.now(UTC))
    append(database, chain, 7, 8)
    intruder.remove(EVENTS + 2)

    assert ("removed", EVENTS + 2) in found(verify(database, chain))


def test_a_broken_chain_is_not_pruned(chain: TenantScope, intruder: Intruder, owner: sa.Engine) -> None:
    intruder.remove(2)

    with pytest.raises(PermanentError) as refused:
        prune_chain(owner, chain.tenant_id, datetime.now(UTC) + LATER, SEAL, datetime.now(UTC))
    assert refused.value.code == "audit_broken"


@pytest.mark.parametrize(
    "statement",
    [
        sa.update(audit_events).values(hash="0"),
        sa.delete(audit_events),
        sa.text("TRUNCATE smos.audit_events"),
        sa.update(audit_chains).values(position=1),
        sa.delete(audit_chains),
        sa.insert(audit_chains).values(tenant_id="AUDIT_SHOP", position=1, hash="0"),
        sa.delete(outbox),
        sa.update(outbox).values(refused_reason="x"),
        sa.text("ALTER TABLE smos.audit_events DISABLE TRIGGER ALL"),
        sa.text("SET session_replication_role = replica"),
    ],
)
def test_the_application_cannot_change_the_audit(
    database: Database, chain: TenantScope, statement: sa.Executable
) -> None:
    with (
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
        database.tenant(chain) as connection,
    ):
        connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        sa.update(audit_events).values(hash="0"),
        sa.delete(audit_events),
        sa.text("TRUNCATE smos.audit_events"),
        sa.delete(audit_chains),
        sa.text("TRUNCATE smos.audit_chains"),
    ],
)
def test_the_owner_cannot_change_it_by_mistake(owner: sa.Engine, chain: TenantScope, statement: sa.Executable) -> None:
    with pytest.raises(DBAPIError, match="append-only"), owner.begin() as connection:
        connection.execute(statement)


@pytest.mark.parametrize(("position", "previous"), [(2, "0" * 64), (1, "0" * 64), (9, None), (7, "f" * 64)])
def test_the_application_can_only_add_what_follows_the_end(
    database: Database, chain: TenantScope, position: int, previous: str | None
) -> None:
    values = {"tenant_id": chain.tenant_id, "position": position, "event_id": "forged", "event": {}, "hash": "0"}
    with pytest.raises(DBAPIError), database.tenant(chain) as connection:
        last = connection.execute(sa.select(audit_chains.c.hash)).scalar_one()
        connection.execute(sa.insert(audit_events).values({**values, "previous_hash": previous or last}))

    assert found(verify(database, chain)) == []


def test_a_tenant_that_is_erased_leaves_no_chain_and_others_keep_theirs(
    database: Database, chain: TenantScope, owner: sa.Engine
) -> None:
    other = TenantScope(tenant_id=f"{chain.tenant_id}_OTHER")
    append(database, other, 11)
    with owner.begin() as connection:
        assert erase_chain(connection, chain.tenant_id) == EVENTS
        with pytest.raises(DBAPIError, match="append-only"), connection.begin_nested():
            connection.execute(sa.delete(audit_events).where(audit_events.c.tenant_id == other.tenant_id))

    assert verify(database, chain).events == 0
    assert (verify(database, other).events, found(verify(database, other))) == (1, [])
