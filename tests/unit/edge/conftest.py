"""An empty queue of turns; logs without a picture of every variable."""

from tests.mcp_door import door
from tests.unit.store.queued import plain_traces, turn_queue

__all__ = ["door", "plain_traces", "turn_queue"]
