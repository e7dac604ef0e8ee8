"""Compare all shops with their copies again and again, and refresh single products, on one background thread."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from datetime import timedelta

import structlog

from smarteros.domain.errors import SmosError
from smarteros.domain.tenants import Tenant
from smarteros.kit.recurring import Recurring
from smarteros.tools.mirror.comparing import CatalogueKeeper
from smarteros.tools.shopify.subscriptions import WebhookSubscriber

_log = structlog.get_logger()

EVERY_S = 600.0
FIRST_AFTER_S = 5.0
"""The first round begins when the process has come up: reading shops must not hold up the first customers."""
MOST_WAITING = 1000


class CatalogueLoop:
    """One thread. Any number of processes may run one: a shop somebody has just compared is skipped.

    Products whose webhook came are read again first. Their list is short and in memory: what is lost with a process,
    or does not fit, the next comparison finds by its time of change.
    """

    def __init__(
        self,
        keeper: CatalogueKeeper,
        tenants: Callable[[], tuple[Tenant, ...]],
        *,
        compares: bool = True,
        subscriber: WebhookSubscriber | None = None,
        every_s: float = EVERY_S,
        first_after_s: float = FIRST_AFTER_S,
    ) -> None:
        """``compares`` False refreshes single products only (an edge, which takes webhooks and runs no turns).

        With every full reading the ``subscriber`` looks after the shop's webhooks.
        """
        self._keeper = keeper
        self._tenants = tenants
        self._subscriber = subscriber
        self._lately = timedelta(seconds=every_s * 0.6)
        self._waiting: dict[tuple[str, str], Tenant] = {}
        self._lock = threading.Lock()
        self._rounds = Recurring(
            "catalogue",
            self._compare_all,
            every_s=every_s,
            first_after_s=first_after_s if compares else math.inf,
            when_woken=self._refresh_named,
        )

    def start(self) -> None:
        """Begin."""
        self._rounds.start()

    def stop(self) -> None:
        """End after what is being read; waits for it, not longer than five seconds."""
        self._rounds.stop()

    def refresh_soon(self, tenant: Tenant, product_id: str) -> None:
        """Read a product again as soon as the thread is free. Never waits."""
        with self._lock:
            if len(self._waiting) < MOST_WAITING:
                self._waiting[tenant.tenant_id, product_id] = tenant
        self._rounds.wake()

    def _refresh_named(self) -> None:
        with self._lock:
            named, self._waiting = self._waiting, {}
        for (_, product_id), tenant in self._rounds.until_stopped(named.items()):
            self._safely(tenant, lambda tenant=tenant, product=product_id: self._keeper.refresh(tenant, product))

    def _compare_all(self) -> None:
        for tenant in self._rounds.until_stopped(self._tenants()):
            if tenant.active:
                self._safely(tenant, lambda tenant=tenant: self._compare(tenant))

    def _compare(self, tenant: Tenant) -> None:
        done = self._keeper.compare(tenant, unless_within=self._lately)
        if done.what == "full" and self._subscriber is not None:
            _log.info("shop_webhooks", tenant=tenant.tenant_id, told=self._subscriber.ensure(tenant).told)

    def _safely(self, tenant: Tenant, work: Callable[[], object]) -> None:
        try:
            work()
        except SmosError as error:
            _log.warning("catalogue_not_read", tenant=tenant.tenant_id, code=error.code)
        except Exception:  # one tenant's trouble must not end the work for the others
            _log.exception("catalogue_not_read", tenant=tenant.tenant_id)
