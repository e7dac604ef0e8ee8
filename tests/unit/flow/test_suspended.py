"""A shop is suspended while turns of it wait or run: nobody is answered, and a person gets the conversation."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.unit.flow.bench import TENANT, Bench

from smarteros.contracts.loader import load_contracts
from smarteros.domain.tenants import Tenant
from smarteros.flow.fence import FencedError
from smarteros.flow.workflow import TurnWorkflow
from smarteros.settings import default_contracts_dir

SUSPENDED = TENANT.model_copy(update={"active": False})


def tenants(*answers: Tenant) -> Any:
    """A directory that gives these answers one after the other, the last one for good."""
    left = list(answers)
    return cast("Any", SimpleNamespace(get=lambda _id: left.pop(0) if len(left) > 1 else left[0]))


def test_a_waiting_turn_of_a_suspended_shop_asks_nobody_and_goes_to_a_person(bench: Bench) -> None:
    bench.receive(1, "¿Tienen zapatillas?", ago_s=60)
    # The bench has no agent and no tools: whoever asked one would fail with another reason.
    parts = replace(bench.parts, tenants=tenants(SUSPENDED), contracts=load_contracts(default_contracts_dir()))
    outcome = TurnWorkflow(parts).run(bench.claim(1))

    assert (outcome, bench.channel.posted) == ("escalated", [])
    (note,) = bench.channel.notes
    assert "suspendida" in note
    assert "¿Tienen zapatillas?" in note
    assert bench.channel.state.status == "open"


def test_a_reply_that_is_ready_when_the_shop_is_suspended_is_not_posted(bench: Bench) -> None:
    bench.receive(1)
    attempt = bench.begin(1)
    parts = replace(bench.parts, tenants=tenants(SUSPENDED))
    suspended = SimpleNamespace(**{**vars(bench), "parts": parts})
    with pytest.raises(FencedError) as fenced:
        replace(attempt, bench=cast("Any", suspended)).send("Sí, tenemos.")

    assert (fenced.value.replied.outcome, fenced.value.replied.reason) == ("escalated", "tenant_suspended")
    assert bench.channel.posted == []
