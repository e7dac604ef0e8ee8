"""One step: its faults are ours, and a database that is away is waited for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import psycopg
import pytest
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from smarteros.domain.errors import ConfigError, PermanentError, RejectedInputError, SmosError, TransientError
from smarteros.flow import guard
from smarteros.flow.given_back import GivenBackError, OvertakenError, PutOffError
from smarteros.flow.guard import step, with_store

AWAY = [
    OperationalError("SELECT 1", None, psycopg.OperationalError("the connection is lost")),
    InterfaceError("SELECT 1", None, psycopg.InterfaceError("the connection is closed")),
    DBAPIError("SELECT 1", None, psycopg.Error("cut"), connection_invalidated=True),
    PoolTimeoutError("no connection is free"),
]
WRONG = [
    DataError("SELECT 1", None, psycopg.DataError("out of range")),
    ProgrammingError("SELECT 1", None, psycopg.ProgrammingError("no such table")),
    ZeroDivisionError("unforeseen"),
]


class Clock:
    """Time that only passes while somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(guard, "time", clock)
    yield clock


class Work:
    """Meets one fault after the other, and then succeeds."""

    def __init__(self, faults: Iterable[Exception]) -> None:
        self.faults = list(faults)
        self.times = 0

    def __call__(self, *arguments: object) -> tuple[object, ...]:
        self.times += 1
        if self.faults:
            raise self.faults.pop(0)
        return arguments


def test_a_step_returns_what_its_work_returns(clock: Clock) -> None:
    assert step("decide", Work([]), 1, "two") == (1, "two")
    assert clock.now == 100.0


@pytest.mark.parametrize("kind", [ConfigError, RejectedInputError, TransientError, PermanentError])
def test_errors_of_ours_stay_as_they_are(kind: type[SmosError]) -> None:
    error = kind("code", "sentence")
    work = Work([error])
    with pytest.raises(kind) as caught:
        step("decide", work)
    assert caught.value is error
    assert work.times == 1


@pytest.mark.parametrize("error", [OvertakenError("turn"), PutOffError(1.5)])
def test_a_turn_that_leaves_our_hands_is_no_fault(error: GivenBackError) -> None:
    with pytest.raises(GivenBackError) as caught:
        step("reply", Work([error]))
    assert caught.value is error


@pytest.mark.parametrize("error", WRONG)
def test_whatever_nobody_foresaw_is_a_permanent_error_that_names_the_step_and_no_data(error: Exception) -> None:
    work = Work([error])
    with pytest.raises(PermanentError) as caught:
        step("call_tools", work)

    assert (caught.value.code, caught.value.__cause__, work.times) == ("unforeseen_error", error, 1)
    assert caught.value.operator_message == f"call_tools: {type(error).__name__}"


@pytest.mark.parametrize("error", AWAY)
def test_a_step_that_meets_a_database_that_is_away_is_repeated_when_it_is_back(error: Exception, clock: Clock) -> None:
    work = Work([error] * 40)

    assert step("resolve", work, 7) == (7,)
    assert (work.times, clock.now) == (41, pytest.approx(108.0))


def test_a_database_that_stays_away_is_not_waited_for_without_end(clock: Clock) -> None:
    work = Work(AWAY[:1] * 100_000)
    with pytest.raises(PermanentError):
        step("resolve", work)

    assert 600 < clock.now - 100 < 602


@pytest.mark.parametrize("error", WRONG)
def test_only_the_databases_absence_is_waited_for(error: Exception, clock: Clock) -> None:
    with pytest.raises(type(error)):
        with_store("put_off", Work([error]))
    assert clock.now == 100.0
