"""Prompts for an outside model that does a flow's work: one per contract, in the contract's own words."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import yaml

from smarteros.contracts.expressions import compile_text
from smarteros.contracts.models import BothLanguages, Contract
from smarteros.domain.decisions import Language
from smarteros.domain.errors import RejectedInputError
from smarteros.domain.tenants import Tenant
from smarteros.kit.untrusted import plain_text

MOST_MESSAGE_CHARS = 2_000
_EXAMPLES = 3


def prompt_of(contract: Contract, tenant: Tenant, message: str, language: Language) -> str:
    """Write the prompt of a flow for one message of a customer. RejectedInputError when there is no message."""
    said = plain_text(message, MOST_MESSAGE_CHARS)
    if not said:
        raise RejectedInputError("message_missing", "The argument message is empty.")
    # Examples without anything looked up in them: those are whole sentences as they are.
    spoken = (getattr(rule.text, language).strip() for rule in contract.reply)
    examples = [" ".join(text.split()) for text in spoken if "{" not in text][:_EXAMPLES]
    text: str = getattr(_texts(), language)
    return compile_text(text).render(
        tenant=tenant,
        contract=contract,
        tools=list(contract.tools),
        handed_over=[rule.name.replace("_", " ") for rule in contract.escalation],
        examples=examples,
        message=said.replace("<", "‹").replace(">", "›"),
    )


@lru_cache(maxsize=1)
def _texts() -> BothLanguages:
    return BothLanguages.model_validate(
        yaml.safe_load(files("smarteros.edge").joinpath("data", "mcp_prompts.yml").read_text("utf-8"))
    )
