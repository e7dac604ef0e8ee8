"""The same seed says and does the same."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from smarteros.proving.plan import EDGE_MOMENTS, POSTGRES_MOMENTS, WORKER_MOMENTS, Plan, lure, make_plan

SHOPS = ("TENANT_DEMO", "TENANT_RUT_77123456", "TENANT_RUT_78987654")


def plan(seed: int = 7, turns: int = 300, kills: int = 30, *, with_drop: bool = False) -> Plan:
    return make_plan(seed, turns, kills, SHOPS, with_drop=with_drop)


def test_the_same_seed_gives_the_same_plan_and_another_one_another() -> None:
    assert plan(7) == plan(7)
    assert plan(7) != plan(8)


def test_as_many_turns_and_kills_are_planned_as_wanted() -> None:
    assert plan(turns=300, kills=30).turns == 300
    assert len(plan(turns=300, kills=30).kills) == 30
    assert plan(turns=1, kills=0).turns == 1


def test_kills_and_faults_come_in_the_order_in_which_they_are_due() -> None:
    for due in (plan().kills, plan().faults):
        assert [each.at_turn for each in due] == sorted(each.at_turn for each in due)


def test_a_long_plan_kills_everything_at_every_moment() -> None:
    met = Counter((kill.victim, kill.moment) for kill in plan(kills=300).kills)

    assert {moment for victim, moment in met if victim == "worker"} == set(WORKER_MOMENTS)
    assert {moment for victim, moment in met if victim == "edge"} == set(EDGE_MOMENTS)
    assert {moment for victim, moment in met if victim == "postgres"} == set(POSTGRES_MOMENTS)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_thirty_kills_leave_out_no_moment_of_a_worker_whatever_the_seed(seed: int) -> None:
    kills = plan(seed, kills=30).kills

    assert {kill.moment for kill in kills if kill.victim == "worker"} == set(WORKER_MOMENTS)
    assert {kill.victim for kill in kills} == {"worker", "edge", "postgres"}


@pytest.mark.parametrize("tenant_id", SHOPS)
def test_a_lure_is_one_turn_with_the_words_its_moment_needs(tenant_id: str) -> None:
    rng = random.Random(7)

    assert "persona" in lure(rng, tenant_id, "hand_over").texts[0]
    assert "Tienen" in lure(rng, tenant_id, "call_tools").texts[0]
    assert lure(rng, tenant_id, "resolve").expects


def test_webhooks_are_dropped_only_where_lost_ones_are_looked_for() -> None:
    kinds = {drop: {fault.kind for fault in plan(turns=3000, with_drop=drop).faults} for drop in (False, True)}

    assert kinds[True] - kinds[False] == {"drop"}


def test_nothing_of_the_bot_is_expected_where_a_person_has_the_conversation() -> None:
    for script in plan(turns=3000).scripts:
        for before, after in zip(script.steps, script.steps[1:], strict=False):
            if before.kind in ("human_reply", "assign", "open"):
                assert after.silent or after.kind == "bot_again"
