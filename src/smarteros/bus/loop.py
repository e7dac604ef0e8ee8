"""What a worker does for the audit, again and again: publish it, seal it, and keep the outbox small."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from smarteros.bus.metrics import CHAINS_BROKEN, OUTBOX
from smarteros.bus.relay import OutboxRelay
from smarteros.domain.audit_chain import AuditSeal
from smarteros.kit.recurring import Recurring
from smarteros.store.audit_chain import seal_chains
from smarteros.store.outbox import outbox_size, remove_older

_log = structlog.get_logger()
_LOOK_EVERY_S = 0.5
_SEAL_EVERY_S = 60.0
_STOP_WITHIN_S = 15.0


class AuditLoop:
    """Publishes audit events as they come, and every minute seals the chains: a thread for each.

    Without a ``relay`` events stay in the outbox for ``keep``, for whoever reads it there.
    """

    def __init__(
        self, owner: sa.Engine, seal: AuditSeal, relay: OutboxRelay | None, *, keep: timedelta = timedelta(days=7)
    ) -> None:
        self._owner = owner
        self._seal = seal
        self._relay = relay
        self._keep = keep
        away = (SQLAlchemyError,)  # the database may be restarting; nothing was removed
        self._sealing = Recurring(
            "audit-sealing",
            self._look_after,
            every_s=_SEAL_EVERY_S,
            last_at_stop=True,
            stop_within_s=_STOP_WITHIN_S,
            expected=away,
        )
        self._publishing = Recurring(
            "audit-relay", self._publish, every_s=_LOOK_EVERY_S, stop_within_s=_STOP_WITHIN_S, expected=away
        )

    def start(self) -> None:
        """Begin, with what was added while we were away; ``/metrics`` shows the outbox from now on."""
        OUTBOX.count = self._figures
        self._sealing.start()
        if self._relay is not None:
            self._publishing.start()

    def stop(self) -> None:
        """Seal a last time and end; what is not published stays in the outbox. Waits 15 seconds at most for each."""
        self._publishing.stop()
        self._sealing.stop()
        OUTBOX.count = None
        if self._relay is not None:
            self._relay.bus.close()
        self._owner.dispose()

    def well(self) -> bool:
        """Tell whether the bus is there and took what it was last given."""
        return self._relay is None or (self._relay.well and self._relay.bus.answers())

    def _publish(self) -> None:
        while self._relay is not None and self._relay.relay_once() and not self._publishing.stopping:
            pass

    def _look_after(self) -> None:
        broken = seal_chains(self._owner, self._seal)
        if self._relay is None:
            with self._owner.begin() as connection:
                remove_older(connection, self._keep)
        CHAINS_BROKEN.set(len(broken))
        for tenant_id in broken:
            _log.critical("audit_chain_broken", tenant=tenant_id, remedy="smos audit verify tells where")

    def _figures(self) -> tuple[float, float, float] | None:
        try:
            with self._owner.connect() as connection:
                size = outbox_size(connection)
        except SQLAlchemyError:
            return None
        return size.waiting, size.oldest_s, size.refused
