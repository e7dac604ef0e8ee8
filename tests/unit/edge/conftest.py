"""An empty queue of turns; logs without a picture of every variable."""

from tests.unit.store.queued import plain_traces, turn_queue

__all__ = ["plain_traces", "turn_queue"]
