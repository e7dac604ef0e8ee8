"""Every scenario of every contract, played as a customer against the whole running system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from smarteros.contracts.loader import load_contracts
from smarteros.contracts.models import Contract, Scenario
from smarteros.scenarios.runner import ScenarioRunner

CONTRACTS = load_contracts(Path(__file__).parents[2] / "contracts")
CASES = [(contract, scenario) for contract in CONTRACTS.by_id.values() for scenario in contract.scenarios]


class RunningStack(Protocol):
    """The session's stack (``tests/conftest.py``)."""

    url: str


@pytest.fixture(scope="module")
def runner(stack: RunningStack) -> Iterator[ScenarioRunner]:
    runner = ScenarioRunner(stack.url)
    yield runner
    runner.close()


@pytest.mark.parametrize(
    ("contract", "scenario"), CASES, ids=[f"{contract.flow_id}: {scenario.name}" for contract, scenario in CASES]
)
def test_the_scenario_holds(contract: Contract, scenario: Scenario, runner: ScenarioRunner) -> None:
    result = runner.run(contract, scenario)
    assert result.failures == ()
