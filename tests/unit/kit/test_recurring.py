"""Work that is done again and again on a background thread."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from smarteros.kit.recurring import Recurring

PATIENCE_S = 30.0
NEVER_S = 3600.0


class Diary:
    """Counts rounds; ``fails`` is what the first of them raises."""

    def __init__(self, *fails: Exception) -> None:
        self.fails = list(fails)
        self.rounds = 0
        self.changed = threading.Condition()

    def write(self) -> None:
        with self.changed:
            self.rounds += 1
            self.changed.notify_all()
        if self.fails:
            raise self.fails.pop(0)

    def until(self, rounds: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.rounds >= rounds, PATIENCE_S), self.rounds


@pytest.fixture
def recurring() -> Any:
    """Makes the work recur, and stops it in the end."""
    running: list[Recurring] = []

    def begin(work: Callable[[], object], **settings: Any) -> Recurring:
        made = Recurring("diary", work, **{"every_s": NEVER_S, **settings})
        made.start()
        running.append(made)
        return made

    yield begin
    for each in running:
        each.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "diary"]


def test_the_first_round_is_at_once_and_others_follow(recurring: Any) -> None:
    diary = Diary()
    recurring(diary.write)
    diary.until(1)

    quick = Diary()
    recurring(quick.write, every_s=0.001, jitter_s=0.01)
    quick.until(5)


def test_the_first_round_can_wait_and_stopping_does_not_wait_for_it(recurring: Any) -> None:
    diary = Diary()
    recurring(diary.write, first_after_s=NEVER_S).stop()

    assert diary.rounds == 0


def test_errors_end_their_round_only_and_are_told(recurring: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = LogCapture()
    monkeypatch.setattr("smarteros.kit.recurring._log", structlog.wrap_logger(None, processors=[heard]))
    diary = Diary(ConnectionError("away"), ZeroDivisionError("amiss"))
    recurring(diary.write, every_s=0.001, expected=(ConnectionError,))
    diary.until(3)

    assert heard.entries == [
        {"event": "round_failed", "loop": "diary", "error": "ConnectionError", "log_level": "warning"},
        {"event": "round_failed", "loop": "diary", "exc_info": True, "log_level": "error"},
    ]


def test_waking_does_other_work_and_moves_no_round(recurring: Any) -> None:
    rounds, calls = Diary(), Diary(ZeroDivisionError())
    loop = recurring(rounds.write, first_after_s=math.inf, when_woken=calls.write)
    for number in (1, 2):
        loop.wake()
        calls.until(number)

    assert rounds.rounds == 0


def test_who_calls_all_the_time_keeps_no_round_from_being_done(recurring: Any) -> None:
    rounds, running = Diary(), list[Recurring]()

    def call_again() -> None:
        running[0].wake()

    running.append(recurring(rounds.write, every_s=0.001, when_woken=call_again))
    running[0].wake()
    rounds.until(3)


def test_what_is_asked_for_while_nobody_listens_is_done_once_it_begins() -> None:
    calls = Diary()
    loop = Recurring("early", lambda: None, every_s=NEVER_S, when_woken=calls.write)
    loop.wake()
    loop.start()
    calls.until(1)
    loop.stop()


def test_a_long_round_goes_on_to_no_further_item_once_it_is_to_stop(recurring: Any) -> None:
    begun, go_on, done = threading.Event(), threading.Event(), list[int]()

    def work() -> None:
        for item in loops[0].until_stopped(range(3)):
            done.append(item)
            begun.set()
            assert go_on.wait(PATIENCE_S)

    loops: list[Recurring] = []
    loops.append(Recurring("long", work, every_s=NEVER_S, stop_within_s=PATIENCE_S))
    loops[0].start()
    assert begun.wait(PATIENCE_S)
    stopping = threading.Thread(target=loops[0].stop)
    stopping.start()
    while not loops[0].stopping:
        assert stopping.is_alive()
    go_on.set()
    stopping.join(PATIENCE_S)

    assert done == [0]
    assert not stopping.is_alive()


def test_a_last_round_can_be_done_in_the_end() -> None:
    diary = Diary()
    loop = Recurring("last", diary.write, every_s=NEVER_S, last_at_stop=True, stop_within_s=PATIENCE_S)
    loop.start()
    diary.until(1)
    loop.stop()

    assert diary.rounds == 2


def test_it_is_begun_once(recurring: Any) -> None:
    loop = recurring(Diary().write)
    with pytest.raises(RuntimeError):
        loop.start()


def test_what_was_never_begun_can_be_stopped(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Recurring("idle", lambda: None, every_s=1).stop()

    assert caplog.records == []
