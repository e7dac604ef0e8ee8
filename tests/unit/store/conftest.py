"""An empty queue of turns."""

from tests.unit.store.queued import turn_queue

__all__ = ["turn_queue"]
