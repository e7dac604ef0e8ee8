"""Compare all shops with their copies again and again, and refresh single products, on one background thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import structlog

from smarteros.domain.errors import SmosError
from smarteros.domain.tenants import Tenant
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
        self._compares = compares
        self._subscriber = subscriber
        self._every_s = every_s
        self._first_after_s = first_after_s
        self._waiting: dict[tuple[str, str], Tenant] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        if self._thread is not None:
            raise RuntimeError("The catalogue loop has been started already.")
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="catalogue", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after what is being read; waits for it, not longer than five seconds."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout=5)
            self._thread = None

    def refresh_soon(self, tenant: Tenant, product_id: str) -> None:
        """Read a product again as soon as the thread is free. Never waits."""
        with self._changed:
            if len(self._waiting) < MOST_WAITING:
                self._waiting[tenant.tenant_id, product_id] = tenant
            self._changed.notify()

    def _run(self) -> None:
        next_round = time.monotonic() + self._first_after_s
        while (todo := self._next(next_round)) is not None:
            for tenant, product_id in todo:
                self._safely(tenant, lambda tenant=tenant, product=product_id: self._keeper.refresh(tenant, product))
            if self._compares and time.monotonic() >= next_round:
                self._round()
                next_round = time.monotonic() + self._every_s

    def _next(self, next_round: float) -> list[tuple[Tenant, str]] | None:
        """Wait until there is something to do; returns the products to refresh, or None at the end."""
        with self._changed:
            while not self._waiting and not self._stopping:
                left_s = next_round - time.monotonic()
                if self._compares and left_s <= 0:
                    break
                self._changed.wait(left_s if self._compares else None)
            todo = [(tenant, product_id) for (_, product_id), tenant in self._waiting.items()]
            self._waiting.clear()
            return None if self._stopping else todo

    def _round(self) -> None:
        try:
            tenants = self._tenants()
        except Exception:  # the database may be restarting; the next round asks again
            _log.warning("catalogue_round_failed", exc_info=True)
            return
        lately = timedelta(seconds=self._every_s * 0.6)
        for tenant in tenants:
            if self._stopping:
                return
            if tenant.active:
                self._safely(tenant, lambda tenant=tenant: self._compare(tenant, lately))

    def _compare(self, tenant: Tenant, lately: timedelta) -> None:
        done = self._keeper.compare(tenant, unless_within=lately)
        if done.what == "full" and self._subscriber is not None:
            _log.info("shop_webhooks", tenant=tenant.tenant_id, told=self._subscriber.ensure(tenant).told)

    def _safely(self, tenant: Tenant, work: Callable[[], object]) -> None:
        try:
            work()
        except SmosError as error:
            _log.warning("catalogue_not_read", tenant=tenant.tenant_id, code=error.code)
        except Exception:  # one tenant's trouble must not end the work for the others
            _log.exception("catalogue_not_read", tenant=tenant.tenant_id)
