"""Every scenario of every contract, played as a customer against the whole running system.

Whether it answers in the contract's time is not asserted here, where other tests want the cores: that is for
``smos contract test`` and the benchmark.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import pytest

from smarteros.contracts.loader import load_contracts
from smarteros.contracts.models import Contract, Scenario
from smarteros.scenarios import runner as runner_module
from smarteros.scenarios.results import ScenarioResult
from smarteros.scenarios.runner import ScenarioRunner

# Conversations that disturb nobody are played so many at once: most of their time is waiting for the reply.
AT_ONCE = 4
CONTRACTS = load_contracts(Path(__file__).parents[2] / "contracts")


def untimed(scenario: Scenario) -> Scenario:
    """The scenario without what it says of time."""
    turns = tuple(
        turn.model_copy(update={"expect": turn.expect.model_copy(update={"latency": None})}) for turn in scenario.turns
    )
    return scenario.model_copy(update={"turns": turns})


CASES = [(contract, untimed(scenario)) for contract in CONTRACTS.by_id.values() for scenario in contract.scenarios]


class RunningStack(Protocol):
    """The session's stack (``tests/conftest.py``)."""

    url: str


@pytest.fixture(scope="module")
def runner(stack: RunningStack) -> Iterator[ScenarioRunner]:
    runner = ScenarioRunner(stack.url)
    with pytest.MonkeyPatch.context() as patience:
        for name, seconds in (("REPLY_WITHIN_S", 60.0), ("RECORD_WITHIN_S", 20.0)):
            patience.setattr(runner_module, name, seconds)
        yield runner
    runner.close()


def is_played_alone(scenario: Scenario) -> bool:
    """Faults and clocks are the whole tenant's, refusals are found in the audit, photos want the cores."""
    return scenario.now is not None or any(
        turn.faults or turn.photo or turn.photos or turn.signature == "wrong" for turn in scenario.turns
    )


@pytest.fixture(scope="module")
def played(runner: ScenarioRunner) -> dict[str, ScenarioResult]:
    """Those that need not be alone, by name; all have ended before one is played that must."""
    calm = [case for case in CASES if not is_played_alone(case[1])]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip((case_id(*case) for case in calm), pool.map(lambda case: runner.run(*case), calm), strict=True))


def case_id(contract: Contract, scenario: Scenario) -> str:
    return f"{contract.flow_id}: {scenario.name}"


@pytest.mark.parametrize(("contract", "scenario"), CASES, ids=[case_id(*case) for case in CASES])
def test_the_scenario_holds(
    contract: Contract, scenario: Scenario, runner: ScenarioRunner, played: dict[str, ScenarioResult]
) -> None:
    result = played.get(case_id(contract, scenario)) or runner.run(contract, scenario)
    assert result.failures == ()
