"""What a turn started from, kept so that it can be played again: its record alone tells only what came of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from smarteros.contracts.models import Contract
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.ids import TENANT_ID
from smarteros.domain.knowledge import Policy
from smarteros.domain.model import Model
from smarteros.domain.tenants import Tenant
from smarteros.domain.turns import ResolvedTurn, TurnRecord, TurnStart, TurnStory
from smarteros.store.database import Database
from smarteros.store.reconcile_tables import turn_inputs
from smarteros.store.statements import run
from smarteros.store.tables import kb_revisions, turns

_PAGE = 200
# A turn that answers nobody has its cause behind it (``edge.receive``).
_TURN_ID = re.compile(rf"{TENANT_ID.pattern.strip('^$')}:[0-9]{{1,20}}:[0-9]{{1,20}}(?::[a-z_]{{1,20}}:[0-9a-f]{{8}})?")

_CONVERSATION = re.compile(rf"({TENANT_ID.pattern.strip('^$')}):([0-9]{{1,18}})")
AS_NAMED = "a turn is named like TENANT_DEMO:5:000000000012, a conversation like TENANT_DEMO:5."


class TurnInputs(Model):
    """Everything decision and reply depended on, except the knowledge base's texts, of which the revision is kept."""

    start: TurnStart
    tenant_name: str
    tenant_language: str
    contract_version: str
    resolved: ResolvedTurn


class RecordedTurn(Model):
    """A finished turn with what it started from. ``inputs`` is None for turns before they were kept."""

    record: TurnRecord
    inputs: TurnInputs | None
    policy: Policy
    kb_revision: int


_SAVE = """
INSERT INTO smos.turn_inputs (turn_id, tenant_id, inputs, kb_facts, kb_revision)
SELECT %(turn_id)s, %(tenant_id)s, CAST(%(inputs)s AS jsonb),
       coalesce((SELECT jsonb_agg(d.document -> 'facts' ORDER BY d.position) FROM smos.kb_documents d
                  WHERE d.tenant_id = %(tenant_id)s), '[]'),
       coalesce((SELECT r.revision FROM smos.kb_revisions r WHERE r.tenant_id = %(tenant_id)s), 0)
ON CONFLICT DO NOTHING
"""


def save_inputs(
    connection: sa.Connection,
    tenant: Tenant,
    start: TurnStart,
    story: TurnStory,
    contracts: Mapping[str, Contract],
) -> None:
    """Keep what a decided turn started from; writing it again changes nothing. One statement, no round trip more."""
    if story.decided is None:
        return
    inputs = TurnInputs(
        start=start,
        tenant_name=tenant.name,
        tenant_language=tenant.language,
        contract_version=contracts[story.decided.flow_id].version,
        resolved=story.resolved,
    )
    values = {"turn_id": start.turn_id, "tenant_id": tenant.tenant_id, "inputs": inputs.model_dump_json()}
    run(connection, _SAVE, values)


def load_inputs(connection: sa.Connection, tenant_id: str, turn_id: str) -> RecordedTurn | None:
    """Return one finished turn of the tenant, or None when there is none of this id."""
    row = connection.execute(_recorded(tenant_id).where(turns.c.turn_id == turn_id)).one_or_none()
    return None if row is None else _read(row)


def find_turn(
    database: Database, tenant_of: Callable[[str], Tenant | None], turn_id: str
) -> tuple[Tenant, RecordedTurn]:
    """Return a finished turn by its id, and whose it is; for a conversation (``TENANT:5``) its last one.

    RejectedInputError ``turn_unknown`` when there is none.
    """
    conversation = _CONVERSATION.fullmatch(turn_id)
    tenant = tenant_of(turn_id.partition(":")[0]) if conversation or _TURN_ID.fullmatch(turn_id) else None
    if tenant is not None:
        with database.tenant(tenant.scope) as connection:
            if conversation:
                turn = _last_of(connection, tenant.tenant_id, int(conversation[2]))
            else:
                turn = load_inputs(connection, tenant.tenant_id, turn_id)
        if turn is not None:
            return tenant, turn
    raise RejectedInputError("turn_unknown", f"There is no finished turn {turn_id!r}; {AS_NAMED}", status=404)


def _last_of(connection: sa.Connection, tenant_id: str, conversation_id: int) -> RecordedTurn | None:
    of_it = _recorded(tenant_id).where(turns.c.conversation_id == conversation_id)
    row = connection.execute(of_it.order_by(turns.c.received_at.desc(), turns.c.turn_id.desc()).limit(1)).one_or_none()
    return None if row is None else _read(row)


def recorded_since(connection: sa.Connection, tenant_id: str, since: datetime) -> Iterator[RecordedTurn]:
    """Yield the tenant's turns received since an instant, oldest first, some hundred at a time."""
    after = ""
    while True:
        page = _recorded(tenant_id).where(turns.c.received_at >= since, turns.c.turn_id > after)
        rows = connection.execute(page.order_by(turns.c.turn_id).limit(_PAGE)).all()
        yield from (_read(row) for row in rows)
        if len(rows) < _PAGE:
            return
        after = rows[-1].turn_id


def current_revision(connection: sa.Connection, tenant_id: str) -> int:
    """Return the revision the tenant's knowledge base has now."""
    statement = sa.select(kb_revisions.c.revision).where(kb_revisions.c.tenant_id == tenant_id)
    return connection.execute(statement).scalar_one_or_none() or 0


def _recorded(tenant_id: str) -> sa.Select[Any, Any, Any, Any, Any]:
    columns = (turns.c.turn_id, turns.c.record, turn_inputs.c.inputs, turn_inputs.c.kb_facts, turn_inputs.c.kb_revision)
    return (
        sa.select(*columns)
        .select_from(turns.outerjoin(turn_inputs, turn_inputs.c.turn_id == turns.c.turn_id))
        .where(turns.c.tenant_id == tenant_id)
    )


def _read(row: sa.Row[Any, Any, Any, Any, Any]) -> RecordedTurn:
    facts: dict[str, int] = {}
    for stated in row.kb_facts or ():
        for name, value in stated.items():
            facts.setdefault(name, value)  # the first document that states a figure wins
    known = {name: facts[name] for name in Policy.model_fields if name in facts}
    return RecordedTurn(
        record=TurnRecord.model_validate(row.record),
        inputs=None if row.inputs is None else TurnInputs.model_validate(row.inputs),
        policy=Policy.model_validate(known),
        kb_revision=row.kb_revision or 0,
    )
