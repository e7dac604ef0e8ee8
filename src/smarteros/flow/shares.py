"""A tenant's share of a worker: one shop's flood leaves room for the others' customers.

The order of the queue already lets another shop's turn begin before a flood's (``lanes.TENANT_SHARE_S``); it then runs
beside up to seven of the flood's, and all of them share one interpreter. So while several tenants are about, a tenant
has a quarter of a worker's threads for its quick turns, and what its turns take of the processor is paid for by a
pause. Turns in the slow lane wait for foreign systems and have places of their own. A worker that serves one tenant
alone knows no shares.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from smarteros.domain.turns import ClaimedTurn
from smarteros.flow.lanes import SlowLane

# Nobody else was there for so long: a tenant is alone. Long, because who seldom writes is to be answered fast as well.
_ALONE_AFTER_S = 600.0
# What one tenant's turns may have of an interpreter's time, in the long run and at once.
_CPU_SHARE = 0.4
_AT_ONCE_S = 0.2


class Shares:
    """Who may begin turns on this worker. ``clock`` gives seconds that only go forward."""

    def __init__(self, worker_threads: int, slow_lane: SlowLane, clock: Callable[[], float] = time.monotonic) -> None:
        self._threads = worker_threads
        self._places = max(1, worker_threads // 4)
        self._slow_lane = slow_lane
        self._clock = clock
        self._running: dict[str, str] = {}  # the tenant of each turn
        self._seen: dict[str, float] = {}  # when a tenant last began or ended a turn
        self._paid_until: dict[str, float] = {}
        self._lock = threading.Lock()

    def begin(self, turn: ClaimedTurn) -> None:
        """Note that a turn was taken."""
        with self._lock:
            self._running[turn.start.turn_id] = turn.start.tenant_id
            self._seen[turn.start.tenant_id] = self._clock()

    def end(self, turn: ClaimedTurn, cpu_s: float) -> None:
        """Note that a turn has ended, and the seconds of processor it took."""
        tenant_id = turn.start.tenant_id
        with self._lock:
            now = self._clock()
            self._running.pop(turn.start.turn_id, None)
            self._seen[tenant_id] = now
            paid = max(self._paid_until.get(tenant_id, 0.0), now - _AT_ONCE_S / _CPU_SHARE)
            self._paid_until[tenant_id] = paid + cpu_s / _CPU_SHARE

    def waits(self) -> dict[str, float]:
        """Tell which tenants may begin nothing now, and for how many seconds; 0 until a place of theirs is free."""
        with self._lock:
            now = self._clock()
            self._forget(now)
            if not self.shared:
                return {}
            pauses = {tenant: until - now for tenant, until in self._paid_until.items() if until > now}
            quick = Counter(tenant for turn, tenant in self._running.items() if not self._slow_lane.holds(turn))
            return pauses | {tenant: 0.0 for tenant, count in quick.items() if count >= self._places}

    @property
    def shared(self) -> bool:
        """Whether several tenants are about."""
        return len(self._seen) > 1

    @property
    def most(self) -> int:
        """How many turns are taken at once: one tenant's may be all of them."""
        return self._places if self.shared else self._threads

    def _forget(self, now: float) -> None:
        at_work = set(self._running.values())
        for tenant in [t for t, at in self._seen.items() if now - at > _ALONE_AFTER_S and t not in at_work]:
            del self._seen[tenant]
            self._paid_until.pop(tenant, None)
