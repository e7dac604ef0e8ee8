"""How late an answer may come."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smarteros.reconcile.catch_up import APOLOGY, CatchUpLimits, Late, catch_up


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(seconds=-5), "answer"),
        (timedelta(0), "answer"),
        (timedelta(minutes=30), "answer"),
        (timedelta(minutes=30, seconds=1), "apologise"),
        (timedelta(hours=24), "apologise"),
        (timedelta(hours=24, seconds=1), "leave"),
    ],
)
def test_a_message_is_answered_apologised_for_or_left_by_its_age(age: timedelta, expected: Late) -> None:
    assert catch_up(age) == expected


def test_an_operator_may_answer_later_than_that() -> None:
    patient = CatchUpLimits(answer_within=timedelta(hours=3), apologise_within=timedelta(hours=8))

    assert catch_up(timedelta(hours=2), patient) == "answer"
    assert catch_up(timedelta(hours=9), patient) == "leave"


def test_the_apology_exists_in_both_languages_and_states_no_figure() -> None:
    assert set(APOLOGY) == {"es", "en"}
    assert not any(character.isdigit() for text in APOLOGY.values() for character in text)
