"""How many requests a tenant's callers may make: so many a minute, and no more of them at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class RateLimit:
    """A bucket per key that holds ``per_minute`` requests and fills up evenly. Safe to use from many threads.

    It counts in this process: behind n edges a tenant has up to n times as many.
    """

    def __init__(self, per_minute: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._every_s = 60 / per_minute
        self._monotonic = monotonic
        # Until when the requests so far have used the key's share up (the "generic cell rate algorithm").
        self._used_until: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait_s(self, key: str) -> float:
        """Count one request; returns 0.0, or after how many seconds it may come again (then it is not counted)."""
        now = self._monotonic()
        with self._lock:
            used_until = max(self._used_until.get(key, now), now) + self._every_s
            too_early = used_until - now - 60
            # A request that comes exactly when it may must not be refused for the last digit of a float.
            if too_early > 1e-6:
                return too_early
            self._used_until[key] = used_until
            return 0.0
