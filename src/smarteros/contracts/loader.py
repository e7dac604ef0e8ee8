"""The contracts of an installation, ready to use: read, checked and compiled, or refused as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from smarteros.contracts.checks import check_contract
from smarteros.contracts.expressions import ReplyContext, holds
from smarteros.contracts.findings import ContractError, Finding, mistakes
from smarteros.contracts.lint import check_files, contract_files
from smarteros.contracts.migrations import read_current
from smarteros.contracts.models import Contract, EscalationRule, ReplyRule
from smarteros.contracts.parsing import parse_contract
from smarteros.domain.decisions import Intent, Route
from smarteros.domain.errors import ConfigError

# Whoever answers these answers what nobody else does.
DEFAULT_INTENT: Intent = "out_of_scope"


@dataclass(frozen=True)
class ContractSet:
    """All flows of an installation. Every intent belongs to exactly one of them or to the default flow."""

    by_id: Mapping[str, Contract]
    default_flow: Contract

    def get(self, flow_id: str) -> Contract:
        """Return a flow by its id; ConfigError ``unknown_flow`` when there is none."""
        try:
            return self.by_id[flow_id]
        except KeyError:
            raise ConfigError("unknown_flow", f"there is no contract for flow {flow_id!r}") from None

    def flow_for_intent(self, intent: Intent) -> Contract:
        """Return the flow that answers an intent."""
        for contract in self.by_id.values():
            if intent in contract.entry.intents:
                return contract
        return self.default_flow

    def flow_for_attachment(self, kind: str) -> Contract | None:
        """Return the flow an attachment of this kind (``image``, ``pdf``) starts, whatever the text says."""
        for contract in self.by_id.values():
            if kind in contract.entry.attachments:
                return contract
        return None

    def flow_for_route(self, route: Route) -> Contract:
        """Return the flow that has the texts of a route."""
        for contract in self.by_id.values():
            if any(rule.route == route for rule in contract.reply):
                return contract
        raise ConfigError("route_without_rule", f"no contract has a reply rule for route {route!r}")


def load_contract(path: Path) -> Contract:
    """Load one contract, of today's format or an older one.

    ContractError (a ConfigError) with file and line of every mistake in it.
    """
    source, _ = read_current(path)
    contract = parse_contract(source)
    findings = check_contract(source, contract)
    if findings:
        raise ContractError(findings)
    return contract


def load_contracts(directory: Path) -> ContractSet:
    """Load all ``*.yml`` of a folder, checked against each other.

    A contract with a mistake stops the start: a bot that answers by half of its rules is worse than none.
    """
    told, contracts = check_files(contract_files(directory))
    findings = mistakes(told)
    if not findings and not any(DEFAULT_INTENT in each.entry.intents for each in contracts):
        message = f"no contract answers {DEFAULT_INTENT!r}: unknown messages would get no reply"
        findings.append(Finding(file=str(directory), line=1, code="no_default_flow", message=message))
    if findings:
        raise ContractError(findings)
    by_id = {contract.flow_id: contract for contract in contracts}
    default = next(contract for contract in contracts if DEFAULT_INTENT in contract.entry.intents)
    return ContractSet(by_id=by_id, default_flow=default)


def reply_rule(contract: Contract, context: ReplyContext) -> ReplyRule:
    """Return the first rule of the context's route whose condition holds."""
    for rule in contract.reply:
        if rule.route == context.route and holds(rule.when, context):
            return rule
    raise ConfigError("route_without_rule", f"{contract.flow_id} has no reply rule for route {context.route!r}")


def escalation_rule(rules: Sequence[EscalationRule], context: ReplyContext) -> EscalationRule | None:
    """Return the first escalation rule whose condition holds."""
    return next((rule for rule in rules if holds(rule.when, context)), None)
