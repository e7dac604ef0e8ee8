"""What is remembered of hand-overs that a channel's own state cannot show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smarteros.domain.messages import HANDED_OVER
from smarteros.domain.tenants import Tenant
from smarteros.kit.clock import Clock
from smarteros.store.database import Database
from smarteros.store.turns import mute


@dataclass(frozen=True)
class HandOverMemory:
    """Mutes the bot in a conversation it has handed over, until the conversation is given back."""

    database: Database
    clock: Clock

    def __call__(self, tenant: Tenant, conversation_id: int, at: datetime | None) -> None:
        """Remember a hand-over. ``at`` is the channel's instant of it, so that what happens later there counts."""
        with self.database.tenant(tenant.scope) as connection:
            known = at is not None and mute(connection, tenant.tenant_id, conversation_id, HANDED_OVER, at)
            if not known:
                # A later sign has been seen. The customer was promised a person all the same.
                mute(connection, tenant.tenant_id, conversation_id, HANDED_OVER, self.clock.now())
