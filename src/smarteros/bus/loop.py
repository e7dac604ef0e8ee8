"""The thread of a worker that looks after the audit: publishes it, seals it, and keeps the outbox small."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from smarteros.bus.metrics import CHAINS_BROKEN, OUTBOX
from smarteros.bus.relay import OutboxRelay
from smarteros.domain.audit_chain import AuditSeal
from smarteros.store.audit_chain import seal_chains
from smarteros.store.outbox import outbox_size, remove_older

_log = structlog.get_logger()
_LOOK_EVERY_S = 0.5
_SEAL_EVERY_S = 60.0
_STOP_WITHIN_S = 15.0


class AuditLoop:
    """Publishes audit events as they come, and every minute seals the chains.

    Without a ``relay`` events stay in the outbox for ``keep``, for whoever reads it there.
    """

    def __init__(
        self, owner: sa.Engine, seal: AuditSeal, relay: OutboxRelay | None, *, keep: timedelta = timedelta(days=7)
    ) -> None:
        self._owner = owner
        self._seal = seal
        self._relay = relay
        self._keep = keep
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)

    def start(self) -> None:
        """Begin, with what was added while we were away; ``/metrics`` shows the outbox from now on."""
        OUTBOX.count = self._figures
        self._thread.start()

    def stop(self) -> None:
        """Seal a last time and end; what is not published stays in the outbox. Waits 15 seconds at most."""
        self._stopping.set()
        self._thread.join(_STOP_WITHIN_S)
        OUTBOX.count = None
        if self._relay is not None:
            self._relay.bus.close()
        self._owner.dispose()

    def well(self) -> bool:
        """Tell whether the bus is there and took what it was last given."""
        return self._relay is None or (self._relay.well and self._relay.bus.answers())

    def _run(self) -> None:
        sealed_at = -_SEAL_EVERY_S
        while not self._stopping.is_set():
            more = self._guarded_relay()
            if time.monotonic() - sealed_at >= _SEAL_EVERY_S:
                sealed_at = time.monotonic()
                self._look_after()
            if not more:
                self._stopping.wait(_LOOK_EVERY_S)
        self._look_after()

    def _guarded_relay(self) -> bool:
        try:
            return self._relay is not None and self._relay.relay_once()
        except SQLAlchemyError as error:  # the database may be restarting; nothing was removed
            _log.warning("relay_without_database", error=type(error).__name__)
        except Exception:  # the events are still in the outbox, and the audit must not end with one of them
            _log.exception("relay_failed")
        return False

    def _look_after(self) -> None:
        try:
            broken = seal_chains(self._owner, self._seal)
            if self._relay is None:
                with self._owner.begin() as connection:
                    remove_older(connection, self._keep)
        except SQLAlchemyError as error:
            _log.warning("sealing_without_database", error=type(error).__name__)
            return
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
