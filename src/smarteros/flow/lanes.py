"""Two lanes, so that a question answered from memory never waits behind photos and foreign systems.

A turn with a photo is accepted in the slow lane. Any other begins in the quick lane and changes over when its decision
calls for tools. The slow lane never holds all threads of a worker.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from smarteros.domain.turns import ClaimedTurn, Lane
from smarteros.flow.given_back import PutOffError
from smarteros.store.queue import Place

# Two waiting turns of one tenant are so far apart in the order of the queue: a shop with a thousand messages has its
# turns due over 50 s, and another shop's next turn comes before nearly all of them.
TENANT_SHARE_S = 0.05
# When a turn is due after it was accepted: FAQ's and the photo flow's latency budgets.
PLACES: dict[Lane, Place] = {
    "quick": Place(lane="quick", due_within_s=2.0, share_s=TENANT_SHARE_S),
    "slow": Place(lane="slow", due_within_s=8.0, share_s=TENANT_SHARE_S),
}


class SlowLane:
    """The places of one worker's slow lane. ``on_change`` is called when a turn has come over from the quick one."""

    def __init__(self, places: int) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self._places = places
        self._turns: set[str] = set()
        self._lock = threading.Lock()

    @property
    def free(self) -> int:
        """Places that are free."""
        return max(0, self._places - len(self._turns))

    def holds(self, turn_id: str) -> bool:
        """Whether the turn has a place here."""
        return turn_id in self._turns

    def take(self, turn: ClaimedTurn, *, due_within_s: float) -> None:
        """Take a place, or put the turn off until one is free. A turn that has its place keeps it."""
        if turn.lane == "slow" or self._enter(turn.start.turn_id):
            return
        raise PutOffError(lane="slow", due_within_s=due_within_s)

    def admit(self, turn: ClaimedTurn) -> None:
        """Note the place of a turn that was claimed from the slow lane."""
        if turn.lane == "slow":
            with self._lock:
                self._turns.add(turn.start.turn_id)

    def leave(self, turn: ClaimedTurn) -> None:
        """Free the turn's place, if it has one."""
        with self._lock:
            self._turns.discard(turn.start.turn_id)

    def _enter(self, turn_id: str) -> bool:
        with self._lock:
            if turn_id not in self._turns and len(self._turns) >= self._places:
                return False
            self._turns.add(turn_id)
        self.on_change()
        return True


def slow_places(worker_threads: int) -> int:
    """A quarter of the threads, at least one, is kept for the quick lane; a single thread serves both."""
    return max(1, worker_threads - max(1, worker_threads // 4))
