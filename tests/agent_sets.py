"""The labelled messages the agent is measured on, and the examples it learns from."""

from __future__ import annotations

from pathlib import Path

from smarteros.agents.evaluation.model import LabelledLine
from smarteros.agents.intents import Examples, base_examples
from smarteros.agents.shared_model import pairs
from smarteros.contracts.loader import load_contracts
from smarteros.domain.decisions import Intent
from tests.unit.agents.talk import HELD_OUT_SETS, held_out

ROOT = Path(__file__).parents[1]
STRANGERS = ("strangers", "strangers_second", "strangers_third", "strangers_fourth")
SETS = (*HELD_OUT_SETS, *STRANGERS)


def labelled(name: str) -> list[LabelledLine]:
    """One set."""
    return [LabelledLine(text=m.text, intent=m.intent, language=m.language) for m in held_out(name)]


def contract_examples() -> Examples:
    """The examples of the contracts, as an installation adds them to the base pack."""
    found: dict[Intent, tuple[str, ...]] = {}
    for contract in load_contracts(ROOT / "contracts").by_id.values():
        for intent, texts in contract.agent.examples.items():
            found[intent] = (*found.get(intent, ()), *texts)
    return found


def training_pairs() -> list[tuple[str, Intent]]:
    """Everything the shared brain is taught."""
    return [*pairs(base_examples()), *pairs(contract_examples())]
