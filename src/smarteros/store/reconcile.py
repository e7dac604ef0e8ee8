"""How far the channel's own list of messages has been compared with what we received."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from smarteros.store.locks import try_lock_transaction
from smarteros.store.reconcile_tables import reconcile_cursors, reconciled_conversations
from smarteros.store.tables import received_events


def try_lock_tenant(connection: sa.Connection, tenant_id: str) -> bool:
    """Take the right to reconcile a tenant until the transaction ends; False when another process has it."""
    return try_lock_transaction(connection, f"reconcile:{tenant_id}")


@dataclass(frozen=True)
class LastLook:
    """When an account was last looked through.

    Everything changed before ``checked_at`` (our clock) was looked at; ``seen_until`` is the newest change it saw, by
    the channel's clock, None when it saw none.
    """

    checked_at: datetime
    seen_until: datetime | None


def last_look(connection: sa.Connection, tenant_id: str, account_id: int) -> LastLook | None:
    """Return the last look through an account, or None before the first."""
    cursors = reconcile_cursors
    statement = sa.select(cursors.c.checked_at, cursors.c.seen_until).where(
        cursors.c.tenant_id == tenant_id, cursors.c.account_id == account_id
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else LastLook(row.checked_at, row.seen_until)


def save_look(connection: sa.Connection, tenant_id: str, account_id: int, look: LastLook) -> None:
    """Remember the last look through an account."""
    values = {"checked_at": look.checked_at, "seen_until": look.seen_until}
    statement = insert(reconcile_cursors).values(tenant_id=tenant_id, account_id=account_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "account_id"], set_=values))


def checked_messages(
    connection: sa.Connection, tenant_id: str, account_id: int, conversation_ids: Iterable[int]
) -> dict[int, int]:
    """Return, by conversation, the newest message up to which none is missing."""
    checked = reconciled_conversations
    rows = connection.execute(
        sa.select(checked.c.conversation_id, checked.c.checked_message_id).where(
            checked.c.tenant_id == tenant_id,
            checked.c.account_id == account_id,
            checked.c.conversation_id.in_(list(conversation_ids)),
        )
    )
    return {row.conversation_id: row.checked_message_id for row in rows}


def save_checked_message(
    connection: sa.Connection, tenant_id: str, account_id: int, conversation_id: int, message_id: int
) -> None:
    """Remember that no message of a conversation up to this one is missing."""
    values = {
        "tenant_id": tenant_id,
        "account_id": account_id,
        "conversation_id": conversation_id,
        "checked_message_id": message_id,
    }
    statement = insert(reconciled_conversations).values(**values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "account_id", "conversation_id"], set_={"checked_message_id": message_id}
        )
    )


def created_key(account_id: int, message_id: int) -> str:
    """Return the event key of a message's creation, the same for its webhook and for the message found later."""
    return f"{account_id}:message_created:{message_id}"


def received_message_ids(
    connection: sa.Connection, tenant_id: str, account_id: int, message_ids: Iterable[int]
) -> set[int]:
    """Return those of the messages whose creation we have heard of."""
    keys = {created_key(account_id, message_id): message_id for message_id in message_ids}
    events = received_events
    statement = sa.select(events.c.event_key).where(events.c.tenant_id == tenant_id, events.c.event_key.in_(list(keys)))
    return {keys[row.event_key] for row in connection.execute(statement)}
