"""Audit events are kept as long as the installation has set; what is left stays a chain that can be verified."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError

from smarteros.domain.audit_chain import AuditSeal
from smarteros.domain.errors import PermanentError
from smarteros.kit.clock import Clock
from smarteros.store.audit_chain import Pruned, chain_tenants, oldest_recorded, prune_chain
from smarteros.store.locks import OneProcess

_log = structlog.get_logger()

# A chain is verified before it is cut, and cutting adds an event to it: both are worth a day's events.
STEP = timedelta(days=1)


@dataclass(frozen=True)
class AuditRetention:
    """Cuts the chains of all tenants, and the installation's own, in one of all processes."""

    owner: sa.Engine
    only: OneProcess
    seal: AuditSeal
    clock: Clock
    keep: timedelta

    def sweep(self) -> tuple[Pruned, ...]:
        """Remove what was recorded longer ago; returns the chains that were cut.

        A chain that is not whole is left as it is, and the log says so: nobody removes the traces of a change.
        """
        if not self.only.is_this():
            return ()
        now = self.clock.now()
        before = now - self.keep
        with self.owner.connect() as connection:
            chains = chain_tenants(connection)
            due = [name for name in chains if _begins_before(connection, name, before - STEP)]
        cut: list[Pruned] = []
        for tenant_id in due:
            try:
                cut.append(prune_chain(self.owner, tenant_id, before, self.seal, now))
            except DBAPIError as error:  # its tenant has moved away, and what is left of it stands still
                _log.warning("audit_not_pruned", tenant=tenant_id, error=type(error).__name__)
            except PermanentError as error:
                _log.critical("audit_not_pruned", tenant=tenant_id, code=error.code, remedy="smos audit verify")
        return tuple(cut)

    def close(self) -> None:
        """Give the lock and all connections back."""
        self.only.close()
        self.owner.dispose()


def _begins_before(connection: sa.Connection, tenant_id: str, instant: datetime) -> bool:
    oldest = oldest_recorded(connection, tenant_id)
    return oldest is not None and oldest < instant
