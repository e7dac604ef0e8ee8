"""A turn is at one moment at a time, told from its rows and from Chatwoot."""

from __future__ import annotations

from typing import get_args

import pytest

from smarteros.proving.hunt import is_at
from smarteros.proving.plan import Moment
from smarteros.proving.watch import Held

_OF_ROWS: tuple[Moment, ...] = ("claimed", "resolve", "reply_intended", "reply_posted", "hand_over")


def held(*, taken: bool = True, drafted: bool = False, escalates: bool = False) -> Held:
    return Held(
        turn_id="TENANT_DEMO:1:000000000007",
        tenant_id="TENANT_DEMO",
        conversation_id=1,
        worker_key=5,
        taken=taken,
        drafted=drafted,
        escalates=escalates,
    )


@pytest.mark.parametrize(
    ("turn", "posted", "moment"),
    [
        (held(taken=False), False, "claimed"),
        (held(), False, "resolve"),
        (held(drafted=True), False, "reply_intended"),
        (held(drafted=True), True, "reply_posted"),
        (held(drafted=True, escalates=True), False, "reply_intended"),
        (held(drafted=True, escalates=True), True, "hand_over"),
    ],
)
def test_a_held_turn_is_at_exactly_one_moment_of_its_rows(turn: Held, posted: bool, moment: Moment) -> None:
    assert [each for each in _OF_ROWS if is_at(each, turn, lambda _: posted)] == [moment]


def test_chatwoot_is_asked_only_about_replies_that_are_written_down() -> None:
    asked: list[Held] = []

    def posted(turn: Held) -> bool:
        asked.append(turn)
        return False

    for moment in get_args(Moment):
        is_at(moment, held(), posted)

    assert asked == []


def test_a_held_turn_is_anywhere_but_not_where_no_row_tells() -> None:
    assert is_at("random", held(), lambda _: False)
    assert not is_at("audit", held(), lambda _: False)
    assert not is_at("receive", held(), lambda _: False)
