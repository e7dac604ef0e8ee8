"""Two lanes: what takes long never takes all places."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.unit.flow.bench import Bench
from tests.unit.store.queued import a_start

from smarteros.contracts.loader import load_contracts
from smarteros.domain.decisions import Action, Decision
from smarteros.domain.messages import Attachment
from smarteros.domain.turns import ClaimedTurn, DecidedTurn, DocumentReading, Lane, ResolvedTurn
from smarteros.flow.call_tools import CallToolsStep
from smarteros.flow.given_back import PutOffError
from smarteros.flow.lanes import PLACES, SlowLane, slow_places
from smarteros.flow.parts import Parts
from smarteros.flow.resolve import ResolveStep

PHOTO = (Attachment(id=1, kind="image", url="https://chat.example/boleta.jpg"),)


def turn(number: int, lane: Lane = "quick") -> ClaimedTurn:
    return ClaimedTurn(start=a_start("LANES_SHOP", number), claims=1, lane=lane)


@pytest.mark.parametrize(("threads", "places"), [(1, 1), (2, 1), (3, 2), (4, 3), (8, 6), (16, 12)])
def test_a_quarter_of_the_threads_is_kept_for_quick_turns(threads: int, places: int) -> None:
    assert slow_places(threads) == places


def test_a_quick_turn_takes_a_free_place_and_gives_it_back() -> None:
    lane = SlowLane(2)
    lane.take(turn(1), due_within_s=8.0)
    assert lane.free == 1
    lane.leave(turn(1))
    assert lane.free == 2


def test_a_turn_that_has_its_place_keeps_it() -> None:
    lane = SlowLane(1)
    lane.take(turn(1), due_within_s=8.0)
    lane.take(turn(1), due_within_s=8.0)

    assert lane.free == 0


def test_a_quick_turn_changes_over_when_no_place_is_free() -> None:
    lane = SlowLane(1)
    lane.admit(turn(1, "slow"))
    with pytest.raises(PutOffError) as off:
        lane.take(turn(2), due_within_s=8.0)

    assert (off.value.after_s, off.value.lane, off.value.due_within_s) == (0.0, "slow", 8.0)
    assert lane.free == 0
    lane.leave(turn(2))  # it never had one
    assert lane.free == 0


def test_a_turn_claimed_from_the_slow_lane_has_its_place_already() -> None:
    lane = SlowLane(1)
    lane.admit(turn(1, "slow"))
    lane.take(turn(1, "slow"), due_within_s=8.0)

    assert lane.free == 0


def test_a_quick_turn_that_is_claimed_takes_no_slow_place() -> None:
    lane = SlowLane(1)
    lane.admit(turn(1))

    assert lane.free == 1


class Reader:
    def read(self, tenant: object, data: bytes) -> DocumentReading:
        return DocumentReading(text=data.decode(), confidence=0.9)


def full(bench: Bench) -> Parts:
    """The bench's parts, with a slow lane nobody leaves."""
    lane = SlowLane(1)
    lane.admit(turn(1, "slow"))
    return replace(bench.parts, slow_lane=lane, reader=cast("Any", Reader()))


def test_a_photo_in_a_quick_turn_goes_to_the_slow_lane_with_its_messages_still_its_own(bench: Bench) -> None:
    bench.receive(1, "así llegó", attachments=PHOTO)
    quick = bench.claim(1)
    with pytest.raises(PutOffError) as off:
        ResolveStep(full(bench))(quick)
    assert off.value.lane == "slow"
    assert bench.waiting() == []

    bench.queue.put_off(quick, off.value.after_s, lane=off.value.lane, due_within_s=off.value.due_within_s)
    resolved = ResolveStep(full(bench))(bench.claim(1))
    assert resolved.reading is not None
    assert resolved.reading.text == "a photo"


def test_a_photo_is_read_at_once_while_there_is_a_place(bench: Bench) -> None:
    bench.receive(1, "así llegó", attachments=PHOTO)
    parts = replace(full(bench), slow_lane=SlowLane(1))

    assert ResolveStep(parts)(bench.claim(1)).photo
    assert parts.slow_lane.free == 0


def test_a_turn_that_calls_tools_is_due_by_its_flows_budget(bench: Bench) -> None:
    bench.receive(1)
    contracts = load_contracts(Path(__file__).parents[3] / "contracts")
    flow, parts = contracts.default_flow, replace(full(bench), contracts=contracts)
    action = Action(tool="shopify_search_products", params={})
    decision = Decision(intent="product_query", confidence=0.9, route="shopify_sales", actions=(action,))
    with pytest.raises(PutOffError) as off:
        CallToolsStep(parts)(bench.claim(1), ResolvedTurn(), DecidedTurn(flow_id=flow.flow_id, decision=decision))

    assert (off.value.lane, off.value.due_within_s) == ("slow", flow.slo.latency_p95_ms / 1000)
    assert PLACES["quick"].due_within_s < PLACES["slow"].due_within_s
