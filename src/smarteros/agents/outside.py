"""Asking somebody outside within a turn: how many threads may wait for it, and who is left alone after faults."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

from smarteros.tools.breaker import CircuitBreaker

# A turn that waits for a model or a bot holds a thread; this many may, the next ones are answered without.
MOST_AT_ONCE = 4


class NotAskedError(Exception):
    """Nobody is asked; the text is a stable word for the metrics."""


@contextmanager
def a_place(places: threading.BoundedSemaphore, breaker: CircuitBreaker, service: tuple[str, str]) -> Generator[None]:
    """Hold a place while a tenant's service is asked; NotAskedError ``busy`` or ``circuit_open``, without waiting."""
    if not places.acquire(blocking=False):
        raise NotAskedError("busy")
    try:
        if not breaker.allows(service):
            raise NotAskedError("circuit_open")
        yield
    finally:
        places.release()
