"""Webhooks that were believed and are passed on later: their tenant is moving, or has moved."""

from __future__ import annotations

import sqlalchemy as sa

from smarteros.domain.model import Model
from smarteros.store.kept_tables import kept_webhooks
from smarteros.store.locks import try_lock_transaction

_COLUMNS = (kept_webhooks.c.kept_id, kept_webhooks.c.body, kept_webhooks.c.delivery_id)


class KeptWebhook(Model):
    """One webhook, with Chatwoot's id of its delivery."""

    kept_id: int
    body: bytes
    delivery_id: str | None


def keep_webhook(connection: sa.Connection, tenant_id: str, body: bytes, delivery_id: str | None) -> None:
    """Keep a webhook in its tenant's transaction."""
    connection.execute(sa.insert(kept_webhooks).values(tenant_id=tenant_id, body=body, delivery_id=delivery_id))


def try_lock_kept(connection: sa.Connection, tenant_id: str) -> bool:
    """Take the right to pass a tenant's webhooks on until the transaction ends; False when another process has it."""
    return try_lock_transaction(connection, f"kept:{tenant_id}")


def kept_of(connection: sa.Connection, tenant_id: str, after: int, most: int) -> tuple[KeptWebhook, ...]:
    """Return a tenant's webhooks behind an id, the oldest first."""
    table = kept_webhooks
    found = sa.select(*_COLUMNS).where(table.c.tenant_id == tenant_id, table.c.kept_id > after)
    rows = connection.execute(found.order_by(table.c.kept_id).limit(most)).mappings()
    return tuple(KeptWebhook.model_validate(dict(row)) for row in rows)


def remove_kept(connection: sa.Connection, tenant_id: str, kept_id: int) -> None:
    """Remove a webhook that was passed on."""
    table = kept_webhooks
    connection.execute(sa.delete(table).where(table.c.tenant_id == tenant_id, table.c.kept_id == kept_id))


def count_kept(connection: sa.Connection, tenant_id: str) -> int:
    """Count what waits to be passed on."""
    counted = sa.select(sa.func.count()).where(kept_webhooks.c.tenant_id == tenant_id)
    return connection.execute(counted).scalar_one()


def tenants_with_kept(owner: sa.Connection) -> tuple[str, ...]:
    """Return whose webhooks wait; needs a connection of the owner."""
    return tuple(owner.execute(sa.select(kept_webhooks.c.tenant_id).distinct()).scalars())
