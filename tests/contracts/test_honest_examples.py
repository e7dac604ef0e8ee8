"""The scenarios prove understanding: the agent has never seen their sentences."""

from __future__ import annotations

from pathlib import Path

from smarteros.agents.intents import examples_in
from smarteros.contracts.loader import load_contracts
from smarteros.kit.text import fold

CONTRACTS = load_contracts(Path(__file__).parents[2] / "contracts")


def plain(text: str) -> str:
    return fold(text).strip("¿?¡!. ")


def test_no_sentence_of_a_scenario_is_among_the_examples_the_agent_learns_from() -> None:
    said = {
        plain(turn.say)
        for contract in CONTRACTS.by_id.values()
        for scenario in contract.scenarios
        for turn in scenario.turns
        if len(turn.say.split()) > 1
    }
    taught = {
        plain(text)
        for contract in CONTRACTS.by_id.values()
        for texts in contract.agent.examples.values()
        for text in texts
    }
    taught |= {plain(text) for text in (*examples_in("es"), *examples_in("en"))}

    assert said & taught == set()
