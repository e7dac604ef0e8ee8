"""A small Sidekiq: ten workers, strict priorities, no ordering between jobs."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from enum import IntEnum

LOGGER = logging.getLogger(__name__)
CONCURRENCY = 10

Job = Callable[[], Awaitable[None]]


class Queue(IntEnum):
    """Chatwoot's queues in the order config/sidekiq.yml drains them."""

    CRITICAL = 0
    HIGH = 1
    MEDIUM = 2


class Jobs:
    """The workers. Jobs that are still waiting when the process stops are lost."""

    def __init__(self) -> None:
        self._waiting: asyncio.PriorityQueue[tuple[int, int, Job]] = asyncio.PriorityQueue()
        self._sequence = itertools.count()
        self._workers: list[asyncio.Task[None]] = []
        self._timers: set[asyncio.TimerHandle] = set()
        self._scheduled = 0
        self._running = 0

    async def start(self) -> None:
        """Start the workers in the running loop."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(CONCURRENCY)]

    async def stop(self) -> None:
        """Cancel timers and workers; jobs under way are cut off."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._workers = []

    def enqueue(self, queue: Queue, job: Job, *, delay: float = 0.0) -> None:
        """Run the job on a worker, at once or after ``delay`` seconds."""
        if delay <= 0.0:
            self._waiting.put_nowait((queue, next(self._sequence), job))
            return
        self._scheduled += 1
        loop = asyncio.get_running_loop()

        def due() -> None:
            self._timers.discard(timer)
            self._scheduled -= 1
            self.enqueue(queue, job)

        timer = loop.call_later(delay, due)
        self._timers.add(timer)

    @property
    def idle(self) -> bool:
        """Whether nothing is waiting, scheduled or running."""
        return self._waiting.empty() and not self._scheduled and not self._running

    async def _work(self) -> None:
        while True:
            _, _, job = await self._waiting.get()
            self._running += 1
            try:
                await job()
            except Exception:
                LOGGER.exception("a background job failed")
            finally:
                self._running -= 1
