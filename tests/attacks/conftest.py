"""Attacks play against the same running stack."""

from tests.e2e.conftest import world
from tests.mcp_door import door
from tests.unit.store.queued import plain_traces

__all__ = ["door", "plain_traces", "world"]
