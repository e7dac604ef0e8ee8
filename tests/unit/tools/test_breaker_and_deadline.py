"""Circuit breaker and time budget."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from dataclasses import dataclass

import pytest

from smarteros.tools.breaker import CircuitBreaker
from smarteros.tools.deadline import Deadline, DeadlineError, run_within

SHOP, ERP, OTHER = ("TENANT_DEMO", "shopify"), ("TENANT_DEMO", "odoo"), ("TENANT_OTHER", "shopify")


@dataclass
class Seconds:
    """A monotonic clock that is set by hand."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Seconds) -> CircuitBreaker:
    breaker = CircuitBreaker(monotonic=clock)
    for _ in range(5):
        breaker.failed(SHOP)
    return breaker


def test_four_failures_leave_the_circuit_closed_and_the_fifth_opens_it() -> None:
    breaker = CircuitBreaker(monotonic=Seconds())
    for _ in range(4):
        breaker.failed(SHOP)
    assert breaker.allows(SHOP)
    breaker.failed(SHOP)
    assert not breaker.allows(SHOP)


def test_one_success_forgets_the_failures() -> None:
    breaker = CircuitBreaker(monotonic=Seconds())
    for _ in range(4):
        breaker.failed(SHOP)
    breaker.succeeded(SHOP)
    breaker.failed(SHOP)
    assert breaker.allows(SHOP)


def test_an_open_circuit_stops_neither_another_service_nor_another_tenant() -> None:
    breaker = opened(Seconds())
    assert breaker.allows(ERP)
    assert breaker.allows(OTHER)


def test_after_thirty_seconds_one_caller_may_try_and_only_one() -> None:
    clock = Seconds()
    breaker = opened(clock)
    clock.now += 29.9
    assert not breaker.allows(SHOP)
    clock.now += 0.2
    assert breaker.allows(SHOP)
    assert not breaker.allows(SHOP)


def test_a_try_that_fails_opens_again_and_one_that_succeeds_closes() -> None:
    clock = Seconds()
    breaker = opened(clock)
    clock.now += 31
    assert breaker.allows(SHOP)
    breaker.failed(SHOP)
    clock.now += 29
    assert not breaker.allows(SHOP)
    clock.now += 2
    assert breaker.allows(SHOP)
    breaker.succeeded(SHOP)
    assert breaker.allows(SHOP)


def test_a_used_up_budget_raises_before_anything_starts() -> None:
    clock = Seconds()
    deadline = Deadline.after(2, clock)
    assert deadline.remaining_s() == 2
    clock.now += 2
    assert deadline.passed
    with pytest.raises(DeadlineError):
        deadline.remaining_s()


def test_work_that_hangs_is_given_up_at_the_deadline() -> None:
    released = threading.Event()
    with pytest.raises(DeadlineError):
        run_within(Deadline.after(0.05), lambda: released.wait(30))
    released.set()


def test_results_and_errors_pass_through_and_the_context_is_seen() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="")
    variable.set("trace")
    assert run_within(Deadline.after(5), variable.get) == "trace"
    with pytest.raises(KeyError):
        run_within(Deadline.after(5), lambda: {}["missing"])
