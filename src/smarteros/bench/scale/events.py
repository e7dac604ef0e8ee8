"""The simulation proper: events in the order of time, stations with servers, queues before them."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from smarteros.bench.scale.workload import Work

_IDLE = -1
_GONE = -2

Action = Callable[[float], object]


class _Queue(Protocol):
    def append(self, item: int, /) -> None: ...
    def appendleft(self, item: int, /) -> None: ...
    def popleft(self) -> int: ...
    def __len__(self) -> int: ...


class ByDue:
    """The queue in the order of the product: a tenant's next turn is due ``share_s`` after the one that still waits.

    So a tenant with a thousand turns has them due over a while, and the next one of any other comes before most.
    """

    def __init__(self, share_s: float, at: list[float], tenant_of: list[int]) -> None:
        self._share_s = share_s
        self._at = at
        self._tenant_of = tenant_of
        self._heap: list[tuple[float, int]] = []
        self._due: dict[int, float] = {}
        self._waiting: dict[int, int] = {}
        self._latest: dict[int, float] = {}

    def append(self, item: int) -> None:
        """Let a turn wait that has not waited before."""
        tenant, due = self._tenant_of[item], self._at[item]
        if self._waiting.get(tenant):
            due = max(due, self._latest[tenant] + self._share_s)
        self._latest[tenant] = self._due[item] = due
        self.appendleft(item)

    def appendleft(self, item: int) -> None:
        """Let a turn wait again; it is due when it was."""
        heapq.heappush(self._heap, (self._due[item], item))
        tenant = self._tenant_of[item]
        self._waiting[tenant] = self._waiting.get(tenant, 0) + 1

    def popleft(self) -> int:
        """Take the turn that is due first."""
        item = heapq.heappop(self._heap)[1]
        self._waiting[self._tenant_of[item]] -= 1
        return item

    def __len__(self) -> int:
        return len(self._heap)


class Station:
    """Servers that do the same, and the queue before them. ``serving`` has an event's number per busy server."""

    __slots__ = ("cell", "free", "level", "queue", "serving", "turn_of")

    def __init__(self, cell: int, level: int, servers: int, queue: _Queue) -> None:
        self.cell = cell
        self.level = level
        self.queue = queue
        self.serving = [_IDLE] * servers
        self.turn_of = [_IDLE] * servers
        self.free = deque(range(servers))


class Simulation:
    """Turns pass through the stations of their tenant's cell, one after the other.

    ``servers`` has the number of servers per station of a cell. Turns are served as they came, at the first station in
    the order of ``ByDue`` if ``share_s`` is given. What is to happen besides is told with ``at``.
    """

    def __init__(
        self,
        work: Work,
        cell_of: NDArray[np.int64],
        servers: tuple[int, ...],
        cells: int,
        *,
        share_s: float | None = None,
    ) -> None:
        self._at: list[float] = work.at_s.tolist()
        self._tenant: list[int] = work.tenant.tolist()
        self._service: list[list[float]] = work.service_s.tolist()
        self._work = work
        self._cell_of: list[int] = cell_of.tolist()
        self._last = len(servers) - 1

        def queue(level: int) -> _Queue:
            if share_s is None or level:
                return deque[int]()
            return ByDue(share_s, self._at, self._tenant)

        self._cells = [
            [Station(cell, level, count, queue(level)) for level, count in enumerate(servers)] for cell in range(cells)
        ]
        self._began = [[math.nan] * len(self._at) for _ in servers]
        self._finished = [math.nan] * len(self._at)
        self._served_in = [_IDLE] * len(self._at)
        self._heap: list[tuple[float, int, Station | Action, int]] = []
        self._number = 0
        self._next = 0
        self._held: dict[int, list[int]] = {}
        self._draining: dict[int, tuple[set[int], Action]] = {}
        self._abandoned: set[int] = set()

    def at(self, when_s: float, action: Action) -> None:
        """Have something done at an instant; it gets the instant."""
        self._number += 1
        heapq.heappush(self._heap, (when_s, self._number, action, 0))

    def run(self, until_s: float = math.inf) -> None:
        """Let time pass: to an instant, or until nothing is left to happen."""
        heap, arrivals, count = self._heap, self._at, len(self._at)
        while True:
            due = heap[0][0] if heap else math.inf
            if self._next < count and arrivals[self._next] <= due:
                if arrivals[self._next] > until_s:
                    return
                self._next += 1
                self._arrive(self._next - 1)
            elif heap and due <= until_s:
                now, number, what, server = heapq.heappop(heap)
                if isinstance(what, Station):
                    self._complete(what, server, number, now)
                else:
                    what(now)
            else:
                return

    def lose_servers(self, cell: int, level: int, servers: int, takeover_s: float, now: float) -> None:
        """Take the first servers of a station away; what they did begins anew after ``takeover_s``."""
        station = self._cells[cell][level]
        for server in range(servers):
            if station.serving[server] == _IDLE:
                station.free.remove(server)
            elif station.serving[server] != _GONE:
                lost = station.turn_of[server]
                self._abandoned.add(lost)
                self.at(now + takeover_s, lambda then, turn=lost: self._again(station, turn, then))
            station.serving[server] = _GONE

    def return_servers(self, cell: int, level: int, servers: int, now: float) -> None:
        """Give the first servers of a station back."""
        station = self._cells[cell][level]
        for server in range(servers):
            station.serving[server] = _IDLE
            station.free.append(server)
        self._serve(station, now)

    def hold(self, tenant: int, drained: Action, now: float) -> None:
        """Begin no turn of a tenant any more; ``drained`` is called when those that run have ended."""
        queue = self._cells[self._cell_of[tenant]][0].queue
        queued = [queue.popleft() for _ in range(len(queue))]
        for turn in reversed(queued):
            if self._tenant[turn] != tenant:
                queue.appendleft(turn)
        self._held[tenant] = [turn for turn in queued if self._tenant[turn] == tenant]
        unfinished = {
            turn for turn in range(self._next) if self._tenant[turn] == tenant and math.isnan(self._finished[turn])
        }
        running = unfinished.difference(self._held[tenant])
        if running:
            self._draining[tenant] = (running, drained)
        else:
            drained(now)

    def release(self, tenant: int, cell: int, now: float) -> int:
        """Let a held tenant's turns begin in a cell; returns how many were waiting for it."""
        self._cell_of[tenant] = cell
        waiting = self._held.pop(tenant)
        for turn in waiting:
            self._cells[cell][0].queue.append(turn)
        self._serve(self._cells[cell][0], now)
        return len(waiting)

    @property
    def arrived(self) -> int:
        """Turns that have come so far."""
        return self._next

    @property
    def waiting(self) -> int:
        """Turns that are queued, held, being served or abandoned by a lost server."""
        queued = sum(len(station.queue) for stations in self._cells for station in stations)
        serving = sum(number >= 0 for stations in self._cells for station in stations for number in station.serving)
        return queued + serving + len(self._abandoned) + sum(map(len, self._held.values()))

    def served(self) -> NDArray[np.bool_]:
        """Which turns have been answered."""
        return ~np.isnan(np.array(self._finished))

    def waited_s(self) -> NDArray[np.float64]:
        """Seconds each answered turn took beyond its own work; nan for the others."""
        return np.array(self._finished) - self._work.at_s - self._work.service_s.sum(axis=0)

    def served_in(self) -> NDArray[np.int64]:
        """The cell each turn was answered in; -1 for those that were not."""
        return np.array(self._served_in, dtype=np.int64)

    def busy_s(self, level: int, cell: int, begin_s: float, end_s: float) -> float:
        """Server seconds a cell's station worked between two instants."""
        began = np.array(self._began[level])[self.served_in() == cell]
        length = self._work.service_s[level][self.served_in() == cell]
        return float(np.clip(np.minimum(began + length, end_s) - np.maximum(began, begin_s), 0, None).sum())

    def _arrive(self, turn: int) -> None:
        tenant = self._tenant[turn]
        if tenant in self._held:
            self._held[tenant].append(turn)
            return
        self._enter(self._cells[self._cell_of[tenant]][0], turn, self._at[turn])

    def _enter(self, station: Station, turn: int, now: float) -> None:
        station.queue.append(turn)
        if station.free:
            self._serve(station, now)

    def _again(self, station: Station, turn: int, now: float) -> None:
        self._abandoned.discard(turn)
        station.queue.appendleft(turn)
        self._serve(station, now)

    def _serve(self, station: Station, now: float) -> None:
        queue, service, began = station.queue, self._service[station.level], self._began[station.level]
        while station.free and len(queue):
            turn, server = queue.popleft(), station.free.popleft()
            self._number += 1
            station.serving[server], station.turn_of[server] = self._number, turn
            began[turn] = now
            heapq.heappush(self._heap, (now + service[turn], self._number, station, server))

    def _complete(self, station: Station, server: int, number: int, now: float) -> None:
        if station.serving[server] != number:
            return  # the server was lost meanwhile, and with it what it did
        turn = station.turn_of[server]
        station.serving[server] = _IDLE
        station.free.append(server)
        if len(station.queue):
            self._serve(station, now)
        if station.level < self._last:
            self._enter(self._cells[station.cell][station.level + 1], turn, now)
            return
        self._finished[turn], self._served_in[turn] = now, station.cell
        if self._draining:
            self._drain(self._tenant[turn], turn, now)

    def _drain(self, tenant: int, turn: int, now: float) -> None:
        if tenant not in self._draining:
            return
        running, drained = self._draining[tenant]
        running.discard(turn)
        if not running:
            del self._draining[tenant]
            drained(now)
