"""Questions that were not answered, kept for the upkeep of the knowledge base."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from smarteros.domain.gaps import Gap, GapReason, StoredGap
from smarteros.store.gap_tables import kb_gaps

MOST_GAPS = 1_000
"""Patterns kept of one tenant; those asked longest ago make room."""


def note_gap(connection: sa.Connection, tenant_id: str, gap: Gap, at: datetime) -> None:
    """Count a question; the newest wording and reason are shown for its pattern."""
    values = {**gap.model_dump(exclude={"pattern"}), "last_at": at}
    statement = insert(kb_gaps).values(tenant_id=tenant_id, pattern=gap.pattern, first_at=at, **values)
    row = connection.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "pattern"], set_={**values, "times": kb_gaps.c.times + 1}
        ).returning(kb_gaps.c.times)
    ).one()
    if row.times == 1:
        _make_room(connection, tenant_id)


def list_gaps(
    connection: sa.Connection, tenant_id: str, *, reason: GapReason | None = None, limit: int = 100
) -> Sequence[StoredGap]:
    """Return the questions, those asked most often first."""
    wanted = [kb_gaps.c.tenant_id == tenant_id]
    if reason is not None:
        wanted.append(kb_gaps.c.reason == reason)
    rows = connection.execute(
        sa.select(kb_gaps).where(*wanted).order_by(kb_gaps.c.times.desc(), kb_gaps.c.last_at.desc()).limit(limit)
    )
    fields = StoredGap.model_fields
    return [StoredGap.model_validate({name: row[name] for name in fields}) for row in rows.mappings()]


def forget_gap(connection: sa.Connection, tenant_id: str, pattern: str) -> bool:
    """Remove a question that has been dealt with; tells whether it was there."""
    removed = connection.execute(
        sa.delete(kb_gaps).where(kb_gaps.c.tenant_id == tenant_id, kb_gaps.c.pattern == pattern)
    )
    return removed.rowcount > 0


def _make_room(connection: sa.Connection, tenant_id: str) -> None:
    of_tenant = kb_gaps.c.tenant_id == tenant_id
    surplus = (
        sa.select(kb_gaps.c.pattern)
        .where(of_tenant)
        .order_by(kb_gaps.c.last_at.desc(), kb_gaps.c.pattern)
        .offset(MOST_GAPS)
    )
    connection.execute(sa.delete(kb_gaps).where(of_tenant, kb_gaps.c.pattern.in_(surplus)))
