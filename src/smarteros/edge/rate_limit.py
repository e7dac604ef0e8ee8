"""How many requests a tenant's callers may make: so many a minute, and no more of them at once."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from smarteros.domain.tenants import Tenant
from smarteros.edge.errors import RefusedRequestError
from smarteros.tenants.limit_notices import LimitNotices


class RateLimit:
    """A bucket per key that holds ``per_minute`` requests and fills up evenly. Safe to use from many threads.

    It counts in this process: behind n edges a tenant has up to n times as many.
    """

    def __init__(self, per_minute: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._monotonic = monotonic
        # Until when the requests so far have used the key's share up (the "generic cell rate algorithm").
        self._used_until: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait_s(self, key: str, per_minute: int | None = None) -> float:
        """Count one request; returns 0.0, or after how many seconds it may come again (then it is not counted).

        ``per_minute`` is the key's own share in the place of the common one.
        """
        now = self._monotonic()
        with self._lock:
            used_until = max(self._used_until.get(key, now), now) + 60 / (per_minute or self._per_minute)
            too_early = used_until - now - 60
            # A request that comes exactly when it may must not be refused for the last digit of a float.
            if too_early > 1e-6:
                return too_early
            self._used_until[key] = used_until
            return 0.0


class TenantRate:
    """The requests a minute of tenants, by what was agreed with each, else by the installation's setting."""

    def __init__(self, per_minute: int, notices: LimitNotices) -> None:
        self._limit = RateLimit(per_minute)
        self._notices = notices

    def exceeded_s(self, tenant: Tenant) -> float:
        """Count one request; returns 0.0, or how many seconds too early it came. Never blocks."""
        agreed = tenant.may_use.requests_per_minute
        if agreed == "unlimited":
            return 0.0
        wait_s = self._limit.wait_s(tenant.tenant_id, agreed)
        if wait_s:
            self._notices.tell_soon(tenant.scope, "requests_per_minute")
        return wait_s

    def require(self, tenant: Tenant) -> None:
        """Count one request of a program; RefusedRequestError 429 with Retry-After when the share is used up."""
        if wait_s := self.exceeded_s(tenant):
            raise RefusedRequestError(
                "rate_limited",
                "The tenant makes too many requests a minute.",
                status=429,
                headers={"Retry-After": str(math.ceil(wait_s))},
            )
