"""A tenant's share of requests: all at once or evenly, but no more."""

from __future__ import annotations

from dataclasses import dataclass, field

from smarteros.edge.rate_limit import RateLimit


@dataclass
class Meter:
    """A limit of six a minute and the clock it goes by."""

    seconds: float = 1000.0
    limit: RateLimit = field(init=False)

    def __post_init__(self) -> None:
        self.limit = RateLimit(6, lambda: self.seconds)

    def admitted(self, key: str = "shop") -> bool:
        return self.limit.wait_s(key) == 0


def test_a_whole_minutes_share_may_come_at_once_and_no_more() -> None:
    meter = Meter()

    assert [meter.admitted() for _ in range(8)] == [True] * 6 + [False] * 2


def test_who_waits_as_long_as_told_is_admitted_and_not_before() -> None:
    meter = Meter()
    while (wait_s := meter.limit.wait_s("shop")) == 0:
        pass
    meter.seconds += wait_s - 0.1
    assert not meter.admitted()
    meter.seconds += 0.1
    assert meter.admitted()
    assert not meter.admitted()


def test_what_is_refused_costs_nothing() -> None:
    meter = Meter()
    for _ in range(100):
        meter.admitted()
    meter.seconds += 60

    assert [meter.admitted() for _ in range(7)] == [True] * 6 + [False]


def test_a_long_silence_saves_nothing_up() -> None:
    meter = Meter()
    assert meter.admitted()
    meter.seconds += 3600

    assert sum(meter.admitted() for _ in range(20)) == 6


def test_one_shops_requests_use_nothing_of_anothers() -> None:
    meter = Meter()
    for _ in range(10):
        meter.admitted("eager")

    assert meter.admitted("calm")
