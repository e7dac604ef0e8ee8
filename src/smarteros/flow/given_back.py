"""How a turn leaves a worker's hands without having ended. Neither is a fault."""

from __future__ import annotations

from smarteros.domain.turns import Lane


class GivenBackError(Exception):
    """The turn is not this worker's any more; somebody else ends it, or the same worker later."""


class OvertakenError(GivenBackError):
    """Another worker has taken the turn up: this one was taken for dead."""


class PutOffError(GivenBackError):
    """The turn goes back to the queue, because it is too early for it or there are too many of its kind."""

    def __init__(self, after_s: float = 0.0, *, lane: Lane | None = None, due_within_s: float = 0.0) -> None:
        """Not before ``after_s``, unless there is news; in another ``lane`` due so long after it was accepted."""
        super().__init__(f"{after_s:.2f} s")
        self.after_s = after_s
        self.lane: Lane | None = lane
        self.due_within_s = due_within_s
