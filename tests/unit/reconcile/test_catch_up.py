"""How late an answer may come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smarteros.domain.messages import Contact, IncomingMessage
from smarteros.reconcile.catch_up import APOLOGY, CatchUpLimits, Late, catch_up

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


def written(age: timedelta) -> IncomingMessage:
    return IncomingMessage(
        id=1,
        tenant_id="TENANT_DEMO",
        account_id=1,
        conversation_id=1,
        inbox_id=1,
        channel="whatsapp",
        contact=Contact(id=1),
        created_at=NOW - age,
    )


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
    assert catch_up(written(age), NOW) == expected


def test_an_operator_may_answer_later_than_that() -> None:
    patient = CatchUpLimits(answer_within=timedelta(hours=3), apologise_within=timedelta(hours=8))

    assert catch_up(written(timedelta(hours=2)), NOW, patient) == "answer"
    assert catch_up(written(timedelta(hours=9)), NOW, patient) == "leave"


def test_the_apology_exists_in_both_languages_and_states_no_figure() -> None:
    assert set(APOLOGY) == {"es", "en"}
    assert not any(character.isdigit() for text in APOLOGY.values() for character in text)
