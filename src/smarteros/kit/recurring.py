"""Work that is done again and again on a background thread, whatever happens to one of its rounds."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import structlog

_log = structlog.get_logger()
_random = random.SystemRandom()
T = TypeVar("T")


class Recurring:
    """One daemon thread that does ``work`` every so many seconds from ``start`` to ``stop``.

    An error ends its round only: it is logged as ``round_failed`` with the name, and the next round comes in its time.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        *,
        every_s: float,
        first_after_s: float = 0.0,
        jitter_s: float = 0.0,
        last_at_stop: bool = False,
        stop_within_s: float = 5.0,
        when_woken: Callable[[], object] = lambda: None,
        expected: tuple[type[Exception], ...] = (),
    ) -> None:
        """``every_s`` is the pause between two rounds, more or less ``jitter_s``, and ``first_after_s`` the one before
        the first; ``math.inf`` is never. ``when_woken`` is done soon after each ``wake`` and moves no round.

        ``last_at_stop`` has one more round done in the end. Errors that are ``expected``, as while the database
        restarts, are logged in one line.
        """
        self._name = name
        self._work = work
        self._every_s = every_s
        self._first_after_s = first_after_s
        self._jitter_s = jitter_s
        self._last_at_stop = last_at_stop
        self._stop_within_s = stop_within_s
        self._when_woken = when_woken
        self._expected = expected
        self._called = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; RuntimeError when it was begun before."""
        self._thread.start()

    def stop(self) -> None:
        """Have what runs come to its end; waits for it, not longer than ``stop_within_s`` seconds."""
        self._stopping = True
        self._called.set()
        if self._thread.is_alive():
            self._thread.join(self._stop_within_s)

    @property
    def stopping(self) -> bool:
        """Whether a long round should come to its end."""
        return self._stopping

    def wake(self) -> None:
        """Have ``when_woken`` done as soon as the thread is free. Never waits."""
        self._called.set()

    def until_stopped(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items of a long round, and no further one once this is to stop."""
        for item in items:
            if self._stopping:
                return
            yield item

    def _run(self) -> None:
        due = time.monotonic() + self._first_after_s
        while not self._stopping:
            woken = self._called.wait(min(max(0.0, due - time.monotonic()), threading.TIMEOUT_MAX))
            if woken and not self._stopping:
                self._called.clear()  # before the work: what is asked for from now on wakes it again
                self._do(self._when_woken)
            if time.monotonic() >= due and not self._stopping:
                self._do(self._work)
                due = time.monotonic() + max(0.0, self._every_s + _random.uniform(-self._jitter_s, self._jitter_s))
        if self._last_at_stop:
            self._do(self._work)

    def _do(self, work: Callable[[], object]) -> None:
        try:
            work()
        except self._expected as error:
            _log.warning("round_failed", loop=self._name, error=type(error).__name__)
        except Exception:  # the next round may do better; nobody would miss a thread that has ended
            _log.exception("round_failed", loop=self._name)
