"""Checking, sealing and pruning of audit chains. All but ``verify_chain`` needs a connection of the owner."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from smarteros.domain.audit import SECURITY_TOPIC, AuditEvent
from smarteros.domain.audit_chain import AuditSeal, ChainCheck, ChainEnds, ChainHead, ChainReport, ChainRow, verified
from smarteros.domain.errors import PermanentError
from smarteros.domain.model import Model
from smarteros.store.audit import append_event
from smarteros.store.audit_tables import GENESIS, audit_chains
from smarteros.store.database import NO_TENANT
from smarteros.store.tables import audit_events

_AT_A_TIME = 2000
_BEFORE_ALL = -(2**63)  # an intruder's rows too
_ENDS = sa.select(*(audit_chains.c[name] for name in ChainEnds.model_fields))
_ROWS = sa.select(*(audit_events.c[name] for name in ChainRow.model_fields))


class Pruned(Model):
    """A chain that now begins behind ``position``."""

    tenant_id: str
    position: int
    events: int


def chain_tenants(owner: sa.Connection) -> tuple[str, ...]:
    """Return whose chains there are, also those of which only the rows or only the end is left."""
    union = sa.union(sa.select(audit_chains.c.tenant_id), sa.select(audit_events.c.tenant_id).distinct())
    return tuple(sorted(owner.execute(union).scalars()))


def chain_rows(connection: sa.Connection, tenant_id: str, after: int = _BEFORE_ALL) -> Iterator[ChainRow]:
    """Return the rows of a chain behind a position, in order, a few at a time."""
    while True:
        mine = _ROWS.where(audit_events.c.tenant_id == tenant_id, audit_events.c.position > after)
        rows = connection.execute(mine.order_by(audit_events.c.position).limit(_AT_A_TIME)).mappings().all()
        for row in rows:
            yield ChainRow.model_validate(dict(row))
        if len(rows) < _AT_A_TIME:
            return
        after = rows[-1]["position"]


def verify_chain(
    connection: sa.Connection, tenant_id: str, seal: AuditSeal, now: datetime, earlier: Iterable[ChainHead] = ()
) -> ChainReport:
    """Check a tenant's chain from its beginning to its end. Must be the first statement of its transaction.

    ``earlier`` are heads of earlier reports, kept elsewhere: they show what was cut off and sealed anew.
    """
    connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    ends = _ends_of(connection, tenant_id) or _no_ends(tenant_id)
    return verified(
        ends, chain_rows(connection, tenant_id), seal=seal, now=now, no_tenant=NO_TENANT, earlier=tuple(earlier)
    )


def seal_chains(owner: sa.Engine, seal: AuditSeal) -> tuple[str, ...]:
    """Seal what was added to the chains since their last seal, where it fits; returns whose chains do not."""
    table = audit_chains
    newest_key = sa.func.coalesce(sa.func.starts_with(table.c.seal, f"{seal.key_id}:"), sa.false())
    unsealed = sa.select(table.c.tenant_id).where((table.c.position > table.c.sealed_position) | ~newest_key)
    with owner.connect() as connection:
        tenants = connection.execute(unsealed.order_by(table.c.tenant_id)).scalars().all()
    broken: list[str] = []
    for tenant_id in tenants:
        with owner.begin() as connection:
            if not _seal_chain(connection, tenant_id, seal):
                broken.append(tenant_id)
    return tuple(broken)


def _seal_chain(owner: sa.Connection, tenant_id: str, seal: AuditSeal) -> bool:
    ends = _ends_of(owner, tenant_id)
    if ends is None:  # erased meanwhile
        return True
    if (ends.seal is not None or ends.sealed_position > 0) and not seal.fits(ends):
        return False
    added = ends.model_copy(update={"start_position": ends.sealed_position, "start_hash": ends.sealed_hash})
    check = ChainCheck(added, NO_TENANT)
    for row in chain_rows(owner, tenant_id, ends.sealed_position):
        if row.position > ends.position:
            break
        check.take(row)
    if check.findings():
        return False
    _write_seal(owner, ends, seal)
    return True


def _write_seal(owner: sa.Connection, ends: ChainEnds, seal: AuditSeal, **start: object) -> None:
    """Seal a chain up to its end as it was read, unless somebody has sealed or pruned it since."""
    sealed = ends.model_copy(update={"sealed_position": ends.position, "sealed_hash": ends.hash, **start})
    columns = ("start_position", "start_hash", "sealed_position", "sealed_hash")
    owner.execute(
        sa.update(audit_chains)
        .where(
            audit_chains.c.tenant_id == ends.tenant_id,
            audit_chains.c.start_position == ends.start_position,
            audit_chains.c.seal.is_not_distinct_from(ends.seal),
        )
        .values({name: getattr(sealed, name) for name in columns})
        .values(seal=seal.sign(sealed), sealed_at=sa.func.now())
    )


def reseal_chain(owner: sa.Engine, tenant_id: str, seal: AuditSeal, now: datetime) -> None:
    """Seal a chain whose seal is missing or was made with a key that is lost; audited.

    PermanentError(code ``audit_broken``) when more than the seal is amiss.
    """
    _require_whole(owner, tenant_id, seal, now, but=("seal_broken", "unsealed"))
    with owner.begin() as connection:
        _lock(connection, tenant_id)
        ends = _ends_of(connection, tenant_id)
        if ends is not None:
            _write_seal(connection, ends, seal)
            _note(connection, tenant_id, "audit_resealed", now, {"position": ends.position})


def oldest_recorded(owner: sa.Connection, tenant_id: str) -> datetime | None:
    """Return when the first event of a chain was recorded that is still there."""
    first = sa.select(audit_events.c.recorded_at).where(audit_events.c.tenant_id == tenant_id)
    return owner.execute(first.order_by(audit_events.c.position).limit(1)).scalar_one_or_none()


def prune_chain(owner: sa.Engine, tenant_id: str, before: datetime, seal: AuditSeal, now: datetime) -> Pruned:
    """Remove a chain's events recorded before an instant; the hash of the last one stays as the checkpoint.

    PermanentError(code ``audit_broken``) when the chain is not whole: nobody removes the traces of a change.
    """
    _remove_pruned(owner, tenant_id)  # of a command that was interrupted
    _require_whole(owner, tenant_id, seal, now)
    with owner.begin() as connection:
        _lock(connection, tenant_id)
        ends = _ends_of(connection, tenant_id)
        last = _last_before(connection, tenant_id, before)
        if ends is None or last is None:
            return Pruned(tenant_id=tenant_id, position=ends.start_position if ends else 0, events=0)
        _write_seal(connection, ends, seal, start_position=last.position, start_hash=last.hash)
        details = {"position": last.position, "hash": last.hash, "events": last.position - ends.start_position}
        _note(connection, tenant_id, "audit_pruned", now, details)
    removed = _remove_pruned(owner, tenant_id)
    return Pruned(tenant_id=tenant_id, position=last.position, events=removed)


def _require_whole(owner: sa.Engine, tenant_id: str, seal: AuditSeal, now: datetime, but: tuple[str, ...] = ()) -> None:
    with owner.begin() as connection:
        report = verify_chain(connection, tenant_id, seal, now)
    found = [finding for finding in report.findings if finding.kind not in but]
    if found:
        said = f"The audit chain of {tenant_id} is not whole at position {found[0].position} ({found[0].said})."
        raise PermanentError("audit_broken", said)


def _last_before(connection: sa.Connection, tenant_id: str, before: datetime) -> ChainHead | None:
    """Return the last event with nothing recorded at ``before`` or later in front of it."""
    mine = audit_events.c.tenant_id == tenant_id
    kept = sa.select(sa.func.min(audit_events.c.position)).where(mine, audit_events.c.recorded_at >= before)
    first_kept = connection.execute(kept).scalar_one()
    statement = sa.select(audit_events.c.position, audit_events.c.hash).where(mine)
    if first_kept is not None:
        statement = statement.where(audit_events.c.position < first_kept)
    row = connection.execute(statement.order_by(audit_events.c.position.desc()).limit(1)).mappings().one_or_none()
    return None if row is None else ChainHead.model_validate(dict(row))


def _remove_pruned(owner: sa.Engine, tenant_id: str) -> int:
    start = sa.select(audit_chains.c.start_position).where(audit_chains.c.tenant_id == tenant_id).scalar_subquery()
    gone = sa.delete(audit_events).where(audit_events.c.tenant_id == tenant_id, audit_events.c.position <= start)
    with owner.begin() as connection:
        return connection.execute(gone).rowcount


def _ends_of(connection: sa.Connection, tenant_id: str) -> ChainEnds | None:
    row = connection.execute(_ENDS.where(audit_chains.c.tenant_id == tenant_id)).mappings().one_or_none()
    return None if row is None else ChainEnds.model_validate(dict(row))


def _no_ends(tenant_id: str) -> ChainEnds:
    """What a chain without a row is compared with: every event of it is one too many."""
    empty = {"position": 0, "hash": GENESIS, "sealed_position": 0, "sealed_hash": GENESIS, "seal": None}
    return ChainEnds.model_validate({"tenant_id": tenant_id, "start_position": 0, "start_hash": GENESIS, **empty})


def _lock(connection: sa.Connection, tenant_id: str) -> None:
    """Take the chain's lock before its row, in the order turns take them."""
    connection.execute(sa.select(sa.func.smos.lock_audit_chain(tenant_id)))


def _note(connection: sa.Connection, tenant_id: str, kind: str, now: datetime, details: dict[str, Any]) -> None:
    event = AuditEvent(
        event_id=f"{kind}:{uuid.uuid4().hex}",
        topic=SECURITY_TOPIC,
        kind=kind,
        tenant_id=None if tenant_id == NO_TENANT else tenant_id,
        timestamp=now,
        details=details,
    )
    append_event(connection, event)
