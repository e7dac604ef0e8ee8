"""A tenant's share of a worker: what one shop may take of it while other shops' customers write as well."""

from __future__ import annotations

import itertools

import pytest
from tests.unit.store.queued import a_start

from smarteros.domain.turns import ClaimedTurn
from smarteros.flow.lanes import SlowLane
from smarteros.flow.shares import Shares

FLOOD, QUIET = "FLOODING_SHOP", "QUIET_SHOP"
THREADS = 8


class Clock:
    """Seconds that go on when told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slow_lane() -> SlowLane:
    return SlowLane(6)


@pytest.fixture
def shares(slow_lane: SlowLane, clock: Clock) -> Shares:
    return Shares(THREADS, slow_lane, clock)


_numbers = itertools.count(1)


def begins(shares: Shares, tenant_id: str) -> ClaimedTurn:
    turn = ClaimedTurn(start=a_start(tenant_id, next(_numbers)), claims=1)
    shares.begin(turn)
    return turn


def plays(shares: Shares, tenant_id: str, cpu_s: float = 0.0) -> None:
    shares.end(begins(shares, tenant_id), cpu_s)


def test_a_tenant_alone_has_the_whole_worker(shares: Shares) -> None:
    turns = [begins(shares, FLOOD) for _ in range(THREADS)]
    shares.end(turns[0], 60.0)

    assert shares.most == THREADS
    assert shares.waits() == {}


def test_among_others_a_tenant_has_a_quarter_of_the_threads(shares: Shares) -> None:
    plays(shares, QUIET)
    turn = begins(shares, FLOOD)
    assert shares.most == 2
    assert shares.waits() == {}

    begins(shares, FLOOD)
    assert shares.waits() == {FLOOD: 0.0}

    shares.end(turn, 0.0)
    assert shares.waits() == {}


def test_a_turn_that_went_over_to_the_slow_lane_holds_no_place_of_the_quick_ones(
    shares: Shares, slow_lane: SlowLane
) -> None:
    plays(shares, QUIET)
    searching = [begins(shares, FLOOD) for _ in range(2)]
    assert shares.waits() == {FLOOD: 0.0}

    slow_lane.take(searching[0], due_within_s=5.0)
    assert shares.waits() == {}


def test_what_a_tenants_turns_cost_among_others_is_paid_for_by_a_pause(shares: Shares, clock: Clock) -> None:
    plays(shares, QUIET, 0.05)
    plays(shares, FLOOD, 1.0)
    (pause_s,) = shares.waits().values()
    assert pause_s == pytest.approx(2.0)  # 1.0 s at 40 % of the time, but for 0.2 s at once

    clock.now += 1.9
    assert list(shares.waits()) == [FLOOD]
    clock.now += 0.2
    assert shares.waits() == {}


def test_a_turn_that_mostly_waits_for_others_costs_nothing(shares: Shares, clock: Clock) -> None:
    plays(shares, QUIET)
    for _ in range(50):
        clock.now += 0.5
        plays(shares, FLOOD, 0.01)

    assert shares.waits() == {}


def test_a_tenant_is_alone_again_when_the_others_have_been_silent_for_long(shares: Shares, clock: Clock) -> None:
    plays(shares, QUIET)
    for _ in range(11):
        clock.now += 60.0
        plays(shares, FLOOD, 60.0)

    assert shares.waits() == {}
    assert shares.most == THREADS


def test_a_tenant_whose_turn_takes_very_long_is_still_there(shares: Shares, clock: Clock) -> None:
    begins(shares, QUIET)
    clock.now += 3600.0
    for _ in range(2):
        begins(shares, FLOOD)

    assert shares.waits() == {FLOOD: 0.0}


def test_a_worker_of_one_thread_serves_everybody(clock: Clock) -> None:
    shares = Shares(1, SlowLane(1), clock)
    plays(shares, QUIET)

    assert shares.most == 1
    assert shares.waits() == {}
