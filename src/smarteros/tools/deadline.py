"""A time budget that everything done for one tool call shares, and a guard that keeps it whatever happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from smarteros.domain.errors import TransientError

ResultT = TypeVar("ResultT")
Monotonic = Callable[[], float]


class DeadlineError(TransientError):
    """The time budget is used up."""

    def __init__(self) -> None:
        super().__init__("deadline_exceeded", "The system behind the tool did not answer in time.")


@dataclass(frozen=True)
class Deadline:
    """An instant on a monotonic clock, in seconds, by which the work must be done."""

    at: float
    monotonic: Monotonic = time.monotonic

    @classmethod
    def after(cls, seconds: float, monotonic: Monotonic = time.monotonic) -> Deadline:
        """Return the deadline that many seconds from now."""
        return cls(monotonic() + seconds, monotonic)

    @property
    def passed(self) -> bool:
        """Whether nothing of the budget is left."""
        return self.monotonic() >= self.at

    def remaining_s(self) -> float:
        """Return the seconds left; raises DeadlineError when there are none, so that no call starts in vain."""
        left = self.at - self.monotonic()
        if left <= 0:
            raise DeadlineError
        return left


@dataclass
class _Box(Generic[ResultT]):
    """Where the working thread leaves what came out."""

    value: ResultT | None = None
    error: BaseException | None = None


def run_within(deadline: Deadline, work: Callable[[], ResultT]) -> ResultT:
    """Do the work in a thread of its own and give up on it at the deadline.

    The HTTP client's time-outs hold for one read each and not at all for name resolution: a server that sends a
    byte now and then would pass them for hours. An abandoned thread is a daemon, and the circuit breaker bounds
    how many there can be.
    """
    box: _Box[ResultT] = _Box()
    context = copy_context()

    def work_in_box() -> None:
        try:
            box.value = context.run(work)
        except BaseException as error:
            box.error = error

    worker = threading.Thread(target=work_in_box, name="smos-tool", daemon=True)
    worker.start()
    worker.join(deadline.remaining_s())
    if worker.is_alive():
        raise DeadlineError
    if box.error is not None:
        raise box.error
    return cast(ResultT, box.value)
