"""The arithmetic of availability: nothing is counted twice, and what nobody saw counts as neither."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarteros.domain.availability import (
    Segment,
    Stretch,
    all_of,
    availability,
    incidents,
    month_bounds,
    percent,
    timeline,
)
from smarteros.kit.clock import SANTIAGO

START = datetime(2026, 11, 1, 3, tzinfo=UTC)
END = START + timedelta(hours=2)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def stretch(began: float, last: float, *, up: bool = True, valid_s: float = 75.0) -> Stretch:
    return Stretch(began_at=at(began), last_at=at(last), up=up, probes=1, valid_s=valid_s)


_seconds = st.integers(-3600, 3 * 3600)
_stretches = st.lists(
    st.builds(
        lambda began, length, up, valid_s: stretch(began, began + length, up=up, valid_s=valid_s),
        _seconds,
        st.integers(0, 3600),
        st.booleans(),
        st.integers(1, 300),
    ),
    max_size=12,
)


@given(_stretches)
def test_a_timeline_covers_its_time_without_gap_or_overlap(seen: list[Stretch]) -> None:
    line = timeline(seen, START, END)

    assert (line[0].began_at, line[-1].ended_at) == (START, END)
    for before, after in pairwise(line):
        assert before.ended_at == after.began_at
        assert before.state != after.state


@given(_stretches)
def test_seconds_up_down_and_unknown_add_up_to_the_whole_time(seen: list[Stretch]) -> None:
    found = availability(timeline(seen, START, END))

    assert found.total_s == found.up_s + found.down_s + found.unknown_s == 7200


@given(_stretches)
def test_no_second_is_known_that_no_probe_vouches_for(seen: list[Stretch]) -> None:
    line = timeline(seen, START, END)
    for segment in (each for each in line if each.state != "unknown"):
        middle = segment.began_at + (segment.ended_at - segment.began_at) / 2
        holding = [s for s in seen if s.began_at <= middle < s.last_at + timedelta(seconds=s.valid_s)]
        assert any(s.up == (segment.state == "up") for s in holding)


@given(_stretches, _stretches)
def test_what_needs_two_services_is_never_up_longer_than_either(one: list[Stretch], other: list[Stretch]) -> None:
    lines = [timeline(seen, START, END) for seen in (one, other)]
    both = availability(all_of(lines))

    assert both.total_s == 7200
    assert both.up_s <= min(availability(line).up_s for line in lines)
    assert both.down_s >= max(availability(line).down_s for line in lines)


@given(_stretches)
def test_a_service_alone_is_all_that_is_needed(seen: list[Stretch]) -> None:
    line = timeline(seen, START, END)
    assert all_of([line]) == all_of([line, line]) == line


def test_an_outage_lasts_from_the_first_probe_that_failed_to_the_first_that_did_not() -> None:
    line = timeline([stretch(0, 600), stretch(630, 690, up=False), stretch(720, 7200)], START, END)

    assert incidents(line) == (Segment(began_at=at(630), ended_at=at(720), state="down"),)
    assert availability(line).down_s == 90


def test_a_gap_in_probing_is_unknown_after_the_last_answer_has_lost_its_worth() -> None:
    found = availability(timeline([stretch(0, 600), stretch(3600, 7200)], START, END))

    assert (found.up_s, found.unknown_s) == (675 + 3600, 3600 - 675)
    assert found.ratio == 1.0
    assert "2925 of 7200 s unknown" in found.arithmetic


def test_nothing_is_said_of_a_time_nobody_saw() -> None:
    found = availability(timeline([], START, END))
    assert (found.ratio, found.unknown_s) == (None, 7200)


@given(st.integers(2000, 2060), st.integers(1, 12))
def test_a_month_begins_with_the_first_instant_of_chiles_first_day_and_ends_with_the_next(
    year: int, month: int
) -> None:
    start, end = month_bounds(f"{year:04d}-{month:02d}")
    before, first = ((start + timedelta(seconds=s)).astimezone(SANTIAGO) for s in (-1, 0))

    assert (first.year, first.month, first.day) == (year, month, 1)
    assert before.month != month
    following = end.astimezone(SANTIAGO)
    assert (following.day, following.month) == (1, month % 12 + 1)


@pytest.mark.parametrize(("month", "hours"), [("2026-09", 719), ("2026-04", 721), ("2026-11", 720), ("2026-08", 744)])
def test_a_month_in_which_the_clocks_change_is_an_hour_shorter_or_longer(month: str, hours: int) -> None:
    start, end = month_bounds(month)
    assert (end - start) == timedelta(hours=hours)


def test_a_percentage_is_never_rounded_up_to_a_promise() -> None:
    assert percent(0.99899999) == "99.899 %"
    assert percent(0.999) == "99.900 %"
    assert percent(1.0) == "100.000 %"
