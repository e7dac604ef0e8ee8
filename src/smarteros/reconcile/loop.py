"""Reconcile all tenants again and again, on one background thread."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

import structlog

from smarteros.domain.errors import SmosError
from smarteros.domain.tenants import Tenant
from smarteros.kit.recurring import Recurring
from smarteros.reconcile.metrics import SWEEPS
from smarteros.reconcile.report import ReconcileReport

_log = structlog.get_logger()

EVERY_S = 45.0
# Processes that started together must not ask together for ever.
JITTER_S = 5.0


class RunsOnce(Protocol):
    """What the loop needs of a Reconciler."""

    def run_once(self, tenant: Tenant, *, unless_within: timedelta | None = None) -> ReconcileReport:
        """Look through one tenant's Chatwoot."""
        ...


class ReconcileLoop:
    """Looks through every active tenant's Chatwoot about every 45 s, one after the other, from the start on.

    Any number of processes may run one: after the first round, a tenant somebody has just looked through is skipped.
    A message is found at the latest two rounds and the settling time after it was written, under two minutes.
    """

    def __init__(
        self,
        reconciler: RunsOnce,
        tenants: Callable[[], tuple[Tenant, ...]],
        *,
        every_s: float = EVERY_S,
        jitter_s: float = JITTER_S,
    ) -> None:
        self._reconciler = reconciler
        self._tenants = tenants
        self._spared_within = timedelta(seconds=every_s * 0.6)
        # At first nobody is spared: whoever looked through a tenant just now may have died of it.
        self._recently: timedelta | None = None
        self._rounds = Recurring("reconcile", self._round, every_s=every_s, jitter_s=jitter_s, stop_within_s=10.0)

    def start(self) -> None:
        """Begin; the first round starts at once, for what came while we were away."""
        self._rounds.start()

    def stop(self) -> None:
        """End after the tenant that is being looked through; waits for it, not longer than ten seconds."""
        self._rounds.stop()

    def _round(self) -> None:
        recently, self._recently = self._recently, self._spared_within
        for tenant in self._rounds.until_stopped(self._tenants()):
            if tenant.active:
                self._tenant(tenant, recently)

    def _tenant(self, tenant: Tenant, recently: timedelta | None) -> None:
        try:
            self._reconciler.run_once(tenant, unless_within=recently)
        except SmosError as error:
            SWEEPS.labels(tenant.tenant_id, "error").inc()
            _log.warning("reconcile_failed", tenant=tenant.tenant_id, code=error.code)
        except Exception:  # one tenant's trouble must not end the search for the others
            SWEEPS.labels(tenant.tenant_id, "error").inc()
            _log.exception("reconcile_failed", tenant=tenant.tenant_id)
